-- The tables of the platform. The one SQL source of the stores `postgres` and `supabase`: `symphainy
-- migrate` and the Supabase CLI apply the same files.
--
-- Every key starts with tenant_id. Names are compared byte by byte (COLLATE "C"), so that listings
-- have one order everywhere. JSON that the platform reads back is `json`: it stays as it was written;
-- only what frontends query is `jsonb`.

create schema if not exists symphainy;

-- The role that the platform works as, beside Supabase's service_role. It cannot log in by itself: grant it
-- to the user whom the store's URL names.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'symphainy_app') then
    create role symphainy_app nologin;
  end if;
exception when duplicate_object or unique_violation then
  null;  -- roles belong to the server: the migration of another database was faster
end
$$;

-- The steps that this database has; a step's name is its file's.
create table symphainy.schema_migrations (
  name       text not null primary key,
  applied_at timestamptz not null default clock_timestamp()
);

-- One row per execution, written once in its final state; it doubles as the idempotency record.
-- `wrote` lists the artifacts that it wrote, so that a sweep can tell whether it stands behind a
-- current version without an index that every commit would have to maintain.
create table symphainy.executions (
  tenant_id                text collate "C" not null,
  execution_id             text collate "C" not null,
  user_id                  text collate "C" not null,
  session_ref              text,
  intent_type              text collate "C" not null,
  contract_version         text not null,
  status                   text not null check (status in ('completed', 'failed')),
  trace_id                 text not null,
  started_at               timestamptz not null,
  committed_at             timestamptz not null,
  answer                   json,
  error                    json,
  wrote                    text[],
  key_digest               bytea,
  key_fingerprint          bytea,
  key_expires_at           timestamptz,
  key_head_artifact        text collate "C",
  key_head_version         bigint,
  client_key_digest        bytea,
  client_key_fingerprint   bytea,
  client_key_expires_at    timestamptz,
  client_key_head_artifact text collate "C",
  client_key_head_version  bigint,
  primary key (tenant_id, execution_id)
);

create unique index executions_by_key on symphainy.executions (tenant_id, key_digest)
  where key_digest is not null;
create unique index executions_by_client_key on symphainy.executions (tenant_id, client_key_digest)
  where client_key_digest is not null;
create index executions_by_key_expiry on symphainy.executions (key_expires_at)
  where key_expires_at is not null;
create index executions_by_client_key_expiry on symphainy.executions (client_key_expires_at)
  where client_key_expires_at is not null;
create index executions_by_intent on symphainy.executions (tenant_id, user_id, intent_type)
  where status = 'completed';
create index executions_by_commit on symphainy.executions (committed_at, tenant_id, execution_id);

-- The current version of every artifact. Half of each page is left free, so that an update of a
-- payload finds room beside the old row and touches no index (HOT).
create table symphainy.artifacts (
  tenant_id           text collate "C" not null,
  artifact_id         text collate "C" not null,
  artifact_type       text collate "C" not null,
  user_id             text collate "C" not null,
  version             bigint not null check (version >= 1),
  lifecycle_state     text collate "C" not null,
  semantic_payload    json not null,
  semantic_descriptor json not null,
  intent_type         text not null,
  execution_id        text collate "C" not null,
  parent_artifacts    json not null,
  materializations    json not null,
  logs                json not null,
  created_at          timestamptz not null,
  updated_at          timestamptz not null,
  due_at              timestamptz,
  primary key (tenant_id, artifact_id)
) with (fillfactor = 50);

-- Listings, newest first. None holds a column that an ordinary update changes. The two without a
-- filter column carry both, to filter in the index.
create index artifacts_of_user on symphainy.artifacts
  (tenant_id, user_id, created_at, artifact_id, artifact_type, lifecycle_state);
create index artifacts_of_user_by_type_state on symphainy.artifacts
  (tenant_id, user_id, artifact_type, lifecycle_state, created_at, artifact_id);
create index artifacts_of_tenant on symphainy.artifacts (tenant_id, created_at, artifact_id);
create index artifacts_of_tenant_by_type on symphainy.artifacts
  (tenant_id, artifact_type, created_at, artifact_id);
create index artifacts_of_tenant_by_state on symphainy.artifacts
  (tenant_id, lifecycle_state, created_at, artifact_id);
create index artifacts_of_tenant_by_type_state on symphainy.artifacts
  (tenant_id, artifact_type, lifecycle_state, created_at, artifact_id);

-- When the sweep that a type declares takes care of an artifact (`due_at` null: never).
create index artifacts_due on symphainy.artifacts (due_at) where due_at is not null;

-- Versions that were overwritten, copied here in the same transaction.
create table symphainy.artifact_versions (
  tenant_id           text collate "C" not null,
  artifact_id         text collate "C" not null,
  artifact_type       text collate "C" not null,
  user_id             text collate "C" not null,
  version             bigint not null,
  lifecycle_state     text collate "C" not null,
  semantic_payload    json not null,
  semantic_descriptor json not null,
  intent_type         text not null,
  execution_id        text collate "C" not null,
  parent_artifacts    json not null,
  materializations    json not null,
  logs                json not null,
  created_at          timestamptz not null,
  updated_at          timestamptz not null,
  due_at              timestamptz,
  primary key (tenant_id, artifact_id, version)
);

-- What others query; a view, so that it cannot drift from the artifacts.
create view symphainy.artifact_index with (security_invoker = true) as
  select tenant_id, artifact_id, artifact_type, user_id as owner, version, lifecycle_state, semantic_descriptor,
         json_build_object('intent', intent_type, 'execution_id', execution_id) as produced_by,
         parent_artifacts, created_at, updated_at
    from symphainy.artifacts;

-- The append-only logs of artifacts: each wording of each entry.
create table symphainy.artifact_log (
  tenant_id   text collate "C" not null,
  artifact_id text collate "C" not null,
  log         text collate "C" not null,
  generation  bigint not null,
  seq         bigint not null check (seq >= 1),
  revision    bigint not null check (revision >= 0),
  entry_key   text collate "C" not null,
  body        json not null,
  version     bigint not null,
  primary key (tenant_id, artifact_id, log, generation, seq, revision)
);

create unique index artifact_log_by_key on symphainy.artifact_log
  (tenant_id, artifact_id, log, generation, entry_key) where revision = 0;

-- Events. `position` is the id of the transaction that wrote them, counted on from `base` (below): a
-- sequence number is no order of commits, but no transaction older than the oldest that runs can
-- still appear, and writers to one artifact take their ids while they hold its lock.
create table symphainy.outbox (
  position     bigint not null,
  id           bigint generated always as identity,
  tenant_id    text collate "C" not null,
  user_id      text collate "C" not null,
  execution_id text collate "C" not null,
  intent_type  text not null,
  type         text not null,
  artifact_id  text collate "C",
  payload      json not null,
  created_at   timestamptz not null,
  primary key (position, id)
);

create index outbox_of_user on symphainy.outbox (tenant_id, user_id, position, id);

-- One row. `base` makes positions grow on when a dump is restored where transaction ids are small;
-- `lineage` (server and database) and `life` (this, its timeline and start) tell such a copy from its
-- original; up to `swept` the events were purged.
create table symphainy.outbox_state (
  only_row       boolean not null primary key default true check (only_row),
  base           bigint not null default 0,
  lineage        text,
  life           text,
  swept_position bigint not null default 0,
  swept_id       bigint not null default 0
);

insert into symphainy.outbox_state default values;

-- Which life of the database gave an event its position: a row holds for the positions above
-- `after_position`, up to the next row's. Cursors name the epoch of their event.
create table symphainy.outbox_epochs (
  after_position bigint not null primary key,
  epoch          bytea not null
);

insert into symphainy.outbox_epochs values (-1, substring(uuid_send(gen_random_uuid()) for 8));

-- Domain table of realm coexistence; `context` is without its history, which is the artifact's log.
create table symphainy.chat_sessions (
  tenant_id       text collate "C" not null,
  chat_session_id text collate "C" not null,
  user_id         text collate "C" not null,
  active_agent    text not null,
  context         jsonb not null,
  lifecycle_state text not null,
  version         bigint not null,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  primary key (tenant_id, chat_session_id)
) with (fillfactor = 50);

-- The platform's own keys, sealed by the master key that is never here. `id` is their order. One key of
-- a purpose is current (it has no `rotated_at`): the index lets no second one in.
create table symphainy.sealed_keys (
  id         bigint generated always as identity primary key,
  purpose    text not null,
  kid        text not null unique,
  public     bytea not null,
  sealed     bytea not null,
  created_at timestamptz not null,
  rotated_at timestamptz
);

create unique index sealed_keys_current on symphainy.sealed_keys (purpose) where rotated_at is null;

-- The audit chains, one per tenant: what the appender took from the outbox, for good. `body` is text, as
-- its digest was made over it. The unique event lets no event into a chain twice.
create table symphainy.audit (
  tenant_id    text collate "C" not null,
  seq          bigint not null check (seq >= 1),
  event_cursor text collate "C" not null,
  body         text not null,
  digest       bytea not null check (length(digest) = 32),
  primary key (tenant_id, seq)
);

create unique index audit_by_event on symphainy.audit (tenant_id, event_cursor);

-- One row: how far the appender has come (its cursor, and the event that this names), and the event types
-- that it takes. The audit has begun when there is a type.
create table symphainy.audit_state (
  only_row boolean not null primary key default true check (only_row),
  cursor   text not null default '0',
  types    text[] not null default '{}',
  position bigint not null default 0,
  id       bigint not null default 0
);

insert into symphainy.audit_state default values;

-- What the store keeps for itself: the secrets (`secret:<name>`).
create table symphainy.meta (
  name  text not null primary key,
  value bytea not null
);

insert into symphainy.schema_migrations (name) values ('20261120090000_tables');
