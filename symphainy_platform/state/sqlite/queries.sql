-- Every statement of the SQLite store, by name. `-- name:` starts a statement, `-- part:` a piece of
-- text that statements include as {piece}. Parameters are positional, in reading order.

-- part: artifact_columns
tenant_id, artifact_id, artifact_type, user_id, version, lifecycle_state, semantic_payload, semantic_descriptor,
intent_type, execution_id, parent_artifacts, materializations, logs, created_at, updated_at, due_at

-- part: execution_columns
tenant_id, execution_id, user_id, session_ref, intent_type, contract_version, status, trace_id, started_at,
committed_at, answer, error,
key_digest, key_fingerprint, key_expires_at, key_head_artifact, key_head_version,
client_key_digest, client_key_fingerprint, client_key_expires_at, client_key_head_artifact, client_key_head_version

-- part: log_entries_of
FROM artifact_log WHERE tenant_id = ? AND artifact_id = ? AND log = ? AND generation = ?

-- ---------------------------------------------------------------------------------------- commit

-- name: insert_execution
-- Claims the id and both keys at once; no row is inserted when any of them is taken.
INSERT INTO executions ({execution_columns}, wrote)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING

-- name: supersede_execution
UPDATE executions
   SET key_digest = NULL, key_fingerprint = NULL, key_expires_at = NULL,
       key_head_artifact = NULL, key_head_version = NULL,
       client_key_digest = NULL, client_key_fingerprint = NULL, client_key_expires_at = NULL,
       client_key_head_artifact = NULL, client_key_head_version = NULL
 WHERE tenant_id = ? AND execution_id = ?

-- name: release_key
UPDATE executions
   SET key_digest = NULL, key_fingerprint = NULL, key_expires_at = NULL,
       key_head_artifact = NULL, key_head_version = NULL
 WHERE tenant_id = ? AND key_digest = ?

-- name: release_client_key
UPDATE executions
   SET client_key_digest = NULL, client_key_fingerprint = NULL, client_key_expires_at = NULL,
       client_key_head_artifact = NULL, client_key_head_version = NULL
 WHERE tenant_id = ? AND client_key_digest = ?

-- name: committed_at
SELECT committed_at FROM executions WHERE tenant_id = ? AND execution_id = ?

-- name: current_version
SELECT version, execution_id FROM artifacts WHERE tenant_id = ? AND artifact_id = ?

-- name: create_artifact
-- No row is inserted when the artifact exists.
INSERT INTO artifacts ({artifact_columns})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING

-- name: keep_version
-- The version check of an update: copies the head away and answers what an index may be built on,
-- or answers nothing when the head is another version, or the same number by another execution.
INSERT INTO artifact_versions ({artifact_columns})
SELECT {artifact_columns} FROM artifacts
 WHERE tenant_id = ? AND artifact_id = ? AND version = ? AND execution_id = coalesce(?, execution_id)
RETURNING artifact_type, user_id, lifecycle_state, created_at, due_at

-- name: update_payload
-- The usual update: sets no column that a listing's index holds, so no index page is written.
UPDATE artifacts
   SET version = ?, semantic_payload = ?, semantic_descriptor = ?, intent_type = ?, execution_id = ?,
       parent_artifacts = ?, materializations = ?, logs = ?, updated_at = ?
 WHERE tenant_id = ? AND artifact_id = ?

-- name: update_indexed
-- Beside update_payload when type, owner, state, creation time or due time changed.
UPDATE artifacts SET artifact_type = ?, user_id = ?, lifecycle_state = ?, created_at = ?, due_at = ?
 WHERE tenant_id = ? AND artifact_id = ?

-- name: insert_log_entry
INSERT INTO artifact_log (tenant_id, artifact_id, log, generation, seq, revision, entry_key, body, version)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_event
INSERT INTO outbox (tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- ----------------------------------------------------------------------------------------- reads

-- name: artifact
SELECT {artifact_columns} FROM artifacts WHERE tenant_id = ? AND artifact_id = ?

-- name: artifact_version
SELECT {artifact_columns} FROM artifacts WHERE tenant_id = ? AND artifact_id = ? AND version = ?
UNION ALL
SELECT {artifact_columns} FROM artifact_versions WHERE tenant_id = ? AND artifact_id = ? AND version = ?

-- name: artifact_versions
SELECT {artifact_columns} FROM artifacts WHERE tenant_id = ? AND artifact_id = ? AND version < ?
UNION ALL
SELECT {artifact_columns} FROM artifact_versions WHERE tenant_id = ? AND artifact_id = ? AND version < ?
ORDER BY version DESC LIMIT ?

-- name: newest_artifact
SELECT {artifact_columns} FROM artifacts
 WHERE tenant_id = ? AND user_id = ? AND artifact_type = ? AND lifecycle_state = ?
 ORDER BY created_at DESC, artifact_id DESC LIMIT 1

-- name: list_user
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_user
 WHERE tenant_id = ? AND user_id = ? AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: list_user_type
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_user
 WHERE tenant_id = ? AND user_id = ? AND artifact_type = ? AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: list_user_state
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_user
 WHERE tenant_id = ? AND user_id = ? AND lifecycle_state = ? AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: list_user_type_state
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_user_by_type_state
 WHERE tenant_id = ? AND user_id = ? AND artifact_type = ? AND lifecycle_state = ?
   AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: list_tenant
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_tenant
 WHERE tenant_id = ? AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: list_tenant_type
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_tenant_by_type
 WHERE tenant_id = ? AND artifact_type = ? AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: list_tenant_state
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_tenant_by_state
 WHERE tenant_id = ? AND lifecycle_state = ? AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: list_tenant_type_state
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_of_tenant_by_type_state
 WHERE tenant_id = ? AND artifact_type = ? AND lifecycle_state = ? AND (created_at, artifact_id) < (?, ?)
 ORDER BY created_at DESC, artifact_id DESC LIMIT ?

-- name: log_range
-- All wordings in the order of the table; the last one of each seq is the newest.
SELECT seq, entry_key, body, revision {log_entries_of} AND seq BETWEEN ? AND ? ORDER BY seq, revision

-- name: log_range_as_of
-- As one artifact version left it: wordings of later versions are not seen.
SELECT seq, entry_key, body, revision {log_entries_of} AND seq BETWEEN ? AND ? AND version <= ?
 ORDER BY seq, revision

-- name: log_seqs_of_keys
-- Any number of keys, as one JSON array; the key stands with the first wording of its entry.
SELECT entry.seq
  FROM json_each(?) AS wanted
  CROSS JOIN artifact_log AS entry INDEXED BY artifact_log_by_key
 WHERE entry.tenant_id = ? AND entry.artifact_id = ? AND entry.log = ? AND entry.generation = ?
   AND entry.entry_key = wanted.value AND entry.revision = 0

-- name: log_entries
-- Newest wording of any number of seqs, as one JSON array.
SELECT entry.seq, entry.entry_key, entry.body, max(entry.revision)
  FROM json_each(?) AS wanted
  CROSS JOIN artifact_log AS entry
 WHERE entry.tenant_id = ? AND entry.artifact_id = ? AND entry.log = ? AND entry.generation = ?
   AND entry.seq = wanted.value
 GROUP BY entry.seq

-- name: execution
SELECT {execution_columns} FROM executions WHERE tenant_id = ? AND execution_id = ?

-- name: execution_by_key
SELECT {execution_columns} FROM executions WHERE tenant_id = ? AND key_digest = ?

-- name: execution_by_client_key
SELECT {execution_columns} FROM executions WHERE tenant_id = ? AND client_key_digest = ?

-- name: completed_intents
SELECT wanted.value FROM json_each(?) AS wanted
 WHERE EXISTS (SELECT 1 FROM executions
                WHERE tenant_id = ? AND user_id = ? AND intent_type = wanted.value AND status = 'completed')

-- ---------------------------------------------------------------------------------------- events

-- name: highest_event
-- The highest id ever given, also when its row was swept.
SELECT seq FROM sqlite_sequence WHERE name = 'outbox'

-- name: epochs
-- From the one of an event on.
SELECT after_id, epoch FROM outbox_epochs
 WHERE after_id >= (SELECT max(after_id) FROM outbox_epochs WHERE after_id < max(?, 0))
 ORDER BY after_id

-- name: end_epochs
-- Those that have no event here, but may have some in the file that this one is a copy of.
DELETE FROM outbox_epochs WHERE after_id >= ?

-- name: begin_epoch
INSERT INTO outbox_epochs (after_id, epoch) VALUES (?, ?)

-- name: forget_epochs
-- Those of which no cursor is left that still holds: all their events were swept.
DELETE FROM outbox_epochs
 WHERE after_id < (SELECT max(after_id) FROM outbox_epochs
                    WHERE after_id < max((SELECT value FROM meta WHERE name = 'outbox_swept'), 0))

-- name: events_of_user
SELECT id, tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload, created_at
  FROM outbox INDEXED BY outbox_of_user
 WHERE tenant_id = ? AND user_id = ? AND id > ? AND id <= ?
 ORDER BY id LIMIT ?

-- name: events
SELECT id, tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload, created_at
  FROM outbox WHERE id > ? AND id <= ?
 ORDER BY id LIMIT ?

-- ------------------------------------------------------------------------------------------ meta

-- name: meta
SELECT value FROM meta WHERE name = ?

-- name: keep_meta
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING

-- name: put_meta
INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: set_meta
UPDATE meta SET value = ? WHERE name = ?

-- ----------------------------------------------------------------------------------------- sweep

-- name: release_expired_keys
UPDATE executions
   SET key_digest = NULL, key_fingerprint = NULL, key_expires_at = NULL,
       key_head_artifact = NULL, key_head_version = NULL
 WHERE rowid IN (SELECT rowid FROM executions WHERE key_expires_at <= ? ORDER BY key_expires_at LIMIT ?)

-- name: release_expired_client_keys
UPDATE executions
   SET client_key_digest = NULL, client_key_fingerprint = NULL, client_key_expires_at = NULL,
       client_key_head_artifact = NULL, client_key_head_version = NULL
 WHERE rowid IN (SELECT rowid FROM executions WHERE client_key_expires_at <= ?
                  ORDER BY client_key_expires_at LIMIT ?)

-- name: swept_executions
-- In the order of commits, each with whether it must be kept: for a key that has not expired, or
-- because it stands behind the current version of an artifact that it wrote.
SELECT rowid, committed_at,
       coalesce(key_expires_at > ?, 0) OR coalesce(client_key_expires_at > ?, 0)
       OR EXISTS (SELECT 1 FROM json_each(wrote) AS written
                    JOIN artifacts ON artifacts.tenant_id = executions.tenant_id
                                  AND artifacts.artifact_id = written.value
                                  AND artifacts.execution_id = executions.execution_id)
  FROM executions WHERE rowid > ? ORDER BY rowid LIMIT ?

-- name: delete_executions
DELETE FROM executions WHERE rowid IN (SELECT value FROM json_each(?))

-- name: due_artifacts
SELECT {artifact_columns} FROM artifacts INDEXED BY artifacts_due WHERE due_at <= ? ORDER BY due_at LIMIT ?

-- name: purge_artifact
-- Only in the version that was found due: whoever wrote it since has decided otherwise.
DELETE FROM artifacts WHERE tenant_id = ? AND artifact_id = ? AND version = ?

-- name: purge_versions
DELETE FROM artifact_versions WHERE tenant_id = ? AND artifact_id = ?

-- name: purge_log
DELETE FROM artifact_log WHERE tenant_id = ? AND artifact_id = ?

-- name: oldest_events
SELECT id, created_at FROM outbox ORDER BY id LIMIT ?

-- name: delete_events
DELETE FROM outbox WHERE id <= ?

-- ------------------------------------------------------------------------------------------ keys

-- name: keys
SELECT purpose, kid, public, sealed, created_at, rotated_at FROM sealed_keys ORDER BY id

-- name: current_key
SELECT kid FROM sealed_keys WHERE purpose = ? AND rotated_at IS NULL

-- name: rotate_key
UPDATE sealed_keys SET rotated_at = ? WHERE purpose = ? AND rotated_at IS NULL

-- name: insert_key
INSERT INTO sealed_keys (purpose, kid, public, sealed, created_at, rotated_at) VALUES (?, ?, ?, ?, ?, ?)

-- name: forget_keys
DELETE FROM sealed_keys WHERE rotated_at IS NOT NULL AND kid IN (SELECT value FROM json_each(?))

-- ----------------------------------------------------------------------------------------- audit

-- name: insert_audit
INSERT INTO audit (tenant_id, seq, event_cursor, body, digest) VALUES (?, ?, ?, ?, ?)

-- name: audit_head
SELECT tenant_id, seq, event_cursor, body, digest FROM audit WHERE tenant_id = ? ORDER BY seq DESC LIMIT 1

-- name: audit_range
SELECT tenant_id, seq, event_cursor, body, digest FROM audit
 WHERE tenant_id = ? AND seq >= ? ORDER BY seq LIMIT ?

-- name: audited_events
-- Any number of events, as one JSON array of their cursors.
SELECT entry.tenant_id, entry.seq, entry.event_cursor, entry.body, entry.digest
  FROM json_each(?) AS wanted
  CROSS JOIN audit AS entry INDEXED BY audit_by_event
 WHERE entry.tenant_id = ? AND entry.event_cursor = wanted.value

-- name: audit_tenants
-- From each tenant straight to the next one, not through the entries between them.
WITH RECURSIVE tenants (tenant_id) AS (
  SELECT min(tenant_id) FROM audit WHERE tenant_id > ?
  UNION ALL
  SELECT (SELECT min(audit.tenant_id) FROM audit WHERE audit.tenant_id > tenants.tenant_id)
    FROM tenants WHERE tenant_id IS NOT NULL
)
SELECT tenant_id FROM tenants WHERE tenant_id IS NOT NULL LIMIT ?

-- ---------------------------------------------------------------------------------------- copies

-- name: tables
-- Each with whether it is ordered by its primary key.
SELECT name, wr FROM pragma_table_list
 WHERE schema = 'main' AND type = 'table' AND substr(name, 1, 7) <> 'sqlite_'

-- name: forget_secrets
DELETE FROM meta WHERE name GLOB 'secret:*'

-- name: move_mark
UPDATE meta SET value = ? WHERE name = ? AND value = ?

-- name: forget_meta
DELETE FROM meta WHERE name = ?

-- name: mark_unfinished
-- A step that no program knows: none opens the file meanwhile.
INSERT INTO schema_migrations (name, applied_at) VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))

-- name: unmark
DELETE FROM schema_migrations WHERE name = ?
