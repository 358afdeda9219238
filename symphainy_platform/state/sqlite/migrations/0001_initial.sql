-- The first schema of the SQLite store.
--
-- Every key starts with tenant_id. Times are TEXT: ISO-8601 UTC with microseconds and `Z`, so that
-- text order is time order. JSON is TEXT. Tables with large rows keep their rowid (an index b-tree
-- would move everything above 1 KB to overflow pages); rowid order is the order of commits.

-- The steps that this file has; a step's name is its file's.
CREATE TABLE schema_migrations (
  name       TEXT NOT NULL PRIMARY KEY,
  applied_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row per execution, written once in its final state; it doubles as the idempotency record.
-- `wrote` lists the artifacts that it wrote, so that a sweep can tell whether it stands behind a
-- current version without an index that every commit would have to maintain.
CREATE TABLE executions (
  tenant_id              TEXT NOT NULL,
  execution_id           TEXT NOT NULL,
  user_id                TEXT NOT NULL,
  session_ref            TEXT,
  intent_type            TEXT NOT NULL,
  contract_version       TEXT NOT NULL,
  status                 TEXT NOT NULL CHECK (status IN ('completed', 'failed')),
  trace_id               TEXT NOT NULL,
  started_at             TEXT NOT NULL,
  committed_at           TEXT NOT NULL,
  answer                 TEXT,
  error                  TEXT,
  wrote                  TEXT,
  key_digest             BLOB,
  key_fingerprint        BLOB,
  key_expires_at         TEXT,
  key_head_artifact      TEXT,
  key_head_version       INTEGER,
  client_key_digest      BLOB,
  client_key_fingerprint BLOB,
  client_key_expires_at  TEXT,
  client_key_head_artifact TEXT,
  client_key_head_version INTEGER,
  PRIMARY KEY (tenant_id, execution_id)
) STRICT;

CREATE UNIQUE INDEX executions_by_key ON executions (tenant_id, key_digest)
  WHERE key_digest IS NOT NULL;
CREATE UNIQUE INDEX executions_by_client_key ON executions (tenant_id, client_key_digest)
  WHERE client_key_digest IS NOT NULL;
CREATE INDEX executions_by_key_expiry ON executions (key_expires_at)
  WHERE key_expires_at IS NOT NULL;
CREATE INDEX executions_by_client_key_expiry ON executions (client_key_expires_at)
  WHERE client_key_expires_at IS NOT NULL;
CREATE INDEX executions_by_intent ON executions (tenant_id, user_id, intent_type)
  WHERE status = 'completed';

-- The current version of every artifact.
CREATE TABLE artifacts (
  tenant_id           TEXT NOT NULL,
  artifact_id         TEXT NOT NULL,
  artifact_type       TEXT NOT NULL,
  user_id             TEXT NOT NULL,
  version             INTEGER NOT NULL CHECK (version >= 1),
  lifecycle_state     TEXT NOT NULL,
  semantic_payload    TEXT NOT NULL,
  semantic_descriptor TEXT NOT NULL,
  intent_type         TEXT NOT NULL,
  execution_id        TEXT NOT NULL,
  parent_artifacts    TEXT NOT NULL,
  materializations    TEXT NOT NULL,
  logs                TEXT NOT NULL,
  created_at          TEXT NOT NULL,
  updated_at          TEXT NOT NULL,
  PRIMARY KEY (tenant_id, artifact_id)
) STRICT;

-- Listings, newest first. None holds a column that an ordinary update changes, so an update of a
-- payload touches none of them. The two without a filter column carry both, to filter in the index.
CREATE INDEX artifacts_of_user ON artifacts
  (tenant_id, user_id, created_at, artifact_id, artifact_type, lifecycle_state);
CREATE INDEX artifacts_of_user_by_type_state ON artifacts
  (tenant_id, user_id, artifact_type, lifecycle_state, created_at, artifact_id);
CREATE INDEX artifacts_of_tenant ON artifacts (tenant_id, created_at, artifact_id);
CREATE INDEX artifacts_of_tenant_by_type ON artifacts
  (tenant_id, artifact_type, created_at, artifact_id);
CREATE INDEX artifacts_of_tenant_by_state ON artifacts
  (tenant_id, lifecycle_state, created_at, artifact_id);
CREATE INDEX artifacts_of_tenant_by_type_state ON artifacts
  (tenant_id, artifact_type, lifecycle_state, created_at, artifact_id);

-- Versions that were overwritten, copied here in the same transaction.
CREATE TABLE artifact_versions (
  tenant_id           TEXT NOT NULL,
  artifact_id         TEXT NOT NULL,
  artifact_type       TEXT NOT NULL,
  user_id             TEXT NOT NULL,
  version             INTEGER NOT NULL,
  lifecycle_state     TEXT NOT NULL,
  semantic_payload    TEXT NOT NULL,
  semantic_descriptor TEXT NOT NULL,
  intent_type         TEXT NOT NULL,
  execution_id        TEXT NOT NULL,
  parent_artifacts    TEXT NOT NULL,
  materializations    TEXT NOT NULL,
  logs                TEXT NOT NULL,
  created_at          TEXT NOT NULL,
  updated_at          TEXT NOT NULL,
  PRIMARY KEY (tenant_id, artifact_id, version)
) STRICT;

-- What others query; a view, so that it cannot drift from the artifacts.
CREATE VIEW artifact_index AS
  SELECT tenant_id, artifact_id, artifact_type, user_id AS owner, version, lifecycle_state, semantic_descriptor,
         json_object('intent', intent_type, 'execution_id', execution_id) AS produced_by,
         parent_artifacts, created_at, updated_at
    FROM artifacts;

-- The append-only logs of artifacts: each wording of each entry, clustered in reading order.
CREATE TABLE artifact_log (
  tenant_id   TEXT NOT NULL,
  artifact_id TEXT NOT NULL,
  log         TEXT NOT NULL,
  generation  INTEGER NOT NULL,
  seq         INTEGER NOT NULL CHECK (seq >= 1),
  revision    INTEGER NOT NULL CHECK (revision >= 0),
  entry_key   TEXT NOT NULL,
  body        TEXT NOT NULL,
  version     INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, artifact_id, log, generation, seq, revision)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX artifact_log_by_key ON artifact_log (tenant_id, artifact_id, log, generation, entry_key)
  WHERE revision = 0;

-- Events in commit order. AUTOINCREMENT: an id is never given twice, also after a sweep, so a cursor
-- keeps its meaning.
CREATE TABLE outbox (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id    TEXT NOT NULL,
  user_id      TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  intent_type  TEXT NOT NULL,
  type         TEXT NOT NULL,
  artifact_id  TEXT,
  payload      TEXT NOT NULL,
  created_at   TEXT NOT NULL
) STRICT;

CREATE INDEX outbox_of_user ON outbox (tenant_id, user_id);

-- Domain table of realm coexistence; `context` is without its history, which is the artifact's log.
CREATE TABLE chat_sessions (
  tenant_id       TEXT NOT NULL,
  chat_session_id TEXT NOT NULL,
  user_id         TEXT NOT NULL,
  active_agent    TEXT NOT NULL,
  context         TEXT NOT NULL,
  lifecycle_state TEXT NOT NULL,
  version         INTEGER NOT NULL,
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL,
  PRIMARY KEY (tenant_id, chat_session_id)
) STRICT;

-- What the store knows of itself: `epoch` (of its cursors), `outbox_swept` (the highest event id that
-- a sweep removed) and the secrets (`secret:<name>`).
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value ANY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('epoch', randomblob(16)), ('outbox_swept', 0);
