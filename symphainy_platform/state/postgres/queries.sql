-- Every statement that the Postgres store sends, by name; what writes is a function of the migrations. Arrays
-- are of text: of other types the driver would have to ask for first, on every connection.
-- `-- name:` starts a statement, `-- part:` a piece of text that statements include as {piece}.

-- part: artifact_columns
-- In the order that rows are read in; times are ISO-8601 UTC, as the platform writes them.
tenant_id, artifact_id, artifact_type, user_id, version, lifecycle_state, semantic_payload, semantic_descriptor,
intent_type, execution_id, parent_artifacts, materializations, logs,
to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
to_char(due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')

-- part: execution_columns
-- At the end the time of the database: its clock says what has expired.
tenant_id, execution_id, user_id, session_ref, intent_type, contract_version, status, trace_id,
to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
to_char(committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), answer, error,
key_digest, key_fingerprint, to_char(key_expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
key_head_artifact, key_head_version,
client_key_digest, client_key_fingerprint,
to_char(client_key_expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
client_key_head_artifact, client_key_head_version,
to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')

-- part: newest_first
order by created_at desc, artifact_id desc

-- part: log_entries_of
from symphainy.artifact_log where tenant_id = $1 and artifact_id = $2 and log = $3 and generation = $4

-- ---------------------------------------------------------------------------------------- commit

-- name: commit_intents
select symphainy.commit_intents($1::jsonb, $2::timestamptz)

-- name: domain_columns
-- The tables that services may write as rows: each with its columns, and whether they are of its key.
select c.relname, a.attname, a.attnum = any (k.conkey)
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_catalog.pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'
 where c.relnamespace = 'symphainy'::regnamespace and c.relkind in ('r', 'p')
   and to_regprocedure(format('symphainy.%I(jsonb)', 'write_' || c.relname)) is not null
   and exists (select from pg_catalog.pg_attribute as t
                where t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped)

-- name: executions_known_of
-- How many executions the planner knows of; -1 when the table was never analysed.
select reltuples::float8 from pg_catalog.pg_class where oid = 'symphainy.executions'::regclass

-- name: analyse
select symphainy.analyse_tables()

-- ----------------------------------------------------------------------------------------- reads

-- name: artifact
select {artifact_columns} from symphainy.artifacts where tenant_id = $1 and artifact_id = $2

-- name: artifact_version
select {artifact_columns} from symphainy.artifacts where tenant_id = $1 and artifact_id = $2 and version = $3
union all
select {artifact_columns} from symphainy.artifact_versions
 where tenant_id = $1 and artifact_id = $2 and version = $3

-- name: artifact_versions
select {artifact_columns} from symphainy.artifacts where tenant_id = $1 and artifact_id = $2 and version < $3
union all
(select {artifact_columns} from symphainy.artifact_versions where tenant_id = $1 and artifact_id = $2 and version < $3
  order by version desc limit $4)
order by version desc limit $4

-- name: newest_artifact
-- The newest of each state, and of those the newest.
select {artifact_columns}
  from unnest($4::text[]) as wanted(state)
 cross join lateral (
   select * from symphainy.artifacts
    where tenant_id = $1 and user_id = $2 and artifact_type = $3 and lifecycle_state = wanted.state
    {newest_first} limit 1) as newest
 {newest_first} limit 1

-- name: list_user
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and user_id = $4 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $5

-- name: list_user_type
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and user_id = $4 and artifact_type = $5
   and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $6

-- name: list_user_state
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and user_id = $4 and lifecycle_state = $5
   and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $6

-- name: list_user_type_state
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and user_id = $4 and artifact_type = $5 and lifecycle_state = $6
   and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $7

-- name: list_tenant
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $4

-- name: list_tenant_type
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and artifact_type = $4 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $5

-- name: list_tenant_state
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and lifecycle_state = $4 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $5

-- name: list_tenant_type_state
select {artifact_columns} from symphainy.artifacts
 where tenant_id = $3 and artifact_type = $4 and lifecycle_state = $5
   and (created_at, artifact_id) < ($1::text::timestamptz, $2)
 {newest_first} limit $6

-- name: due_artifacts
select {artifact_columns} from symphainy.artifacts where due_at <= $1::text::timestamptz order by due_at limit $2

-- name: log_range
-- All wordings in order; the last one of each seq is the newest.
select seq, entry_key, body, revision {log_entries_of} and seq between $5 and $6 order by seq, revision

-- name: log_range_as_of
-- As one artifact version left it: wordings of later versions are not seen.
select seq, entry_key, body, revision {log_entries_of} and seq between $5 and $6 and version <= $7
 order by seq, revision

-- name: log_keys
-- Any number of keys, each entry in its newest wording; the key stands with the first one. One look-up per
-- key, whatever the planner knows of the table: a join would go through the log once for each key.
select entry.seq, entry.entry_key, entry.body, entry.revision
  from (select distinct unnest($5::text[])) as wanted(entry_key)
 cross join lateral (
   select seq {log_entries_of} and entry_key = wanted.entry_key and revision = 0 limit 1) as first
 cross join lateral (
   select seq, entry_key, body, revision {log_entries_of} and seq = first.seq order by revision desc limit 1) as entry
 order by entry.seq

-- name: execution
select {execution_columns} from symphainy.executions where tenant_id = $1 and execution_id = $2

-- name: execution_by_key
select {execution_columns} from symphainy.executions where tenant_id = $1 and key_digest = $2

-- name: execution_by_client_key
select {execution_columns} from symphainy.executions where tenant_id = $1 and client_key_digest = $2

-- name: many_artifacts
-- Point reads that waited at the same time: the number of each that found something, and what.
select number, {artifact_columns}
  from unnest($1::text[], $2::text[]) with ordinality as wanted(of_tenant, of_id, number)
  join symphainy.artifacts on tenant_id = of_tenant and artifact_id = of_id

-- name: many_executions
select number, {execution_columns}
  from unnest($1::text[], $2::text[]) with ordinality as wanted(of_tenant, of_id, number)
  join symphainy.executions on tenant_id = of_tenant and execution_id = of_id

-- name: many_executions_by_key
select number, {execution_columns}
  from unnest($1::text[], $2::text[]) with ordinality as wanted(of_tenant, of_digest, number)
  join symphainy.executions on tenant_id = of_tenant and key_digest = decode(of_digest, 'hex')

-- name: many_executions_by_client_key
select number, {execution_columns}
  from unnest($1::text[], $2::text[]) with ordinality as wanted(of_tenant, of_digest, number)
  join symphainy.executions on tenant_id = of_tenant and client_key_digest = decode(of_digest, 'hex')

-- name: completed_intents
select wanted from unnest($3::text[]) as wanted
 where exists (select from symphainy.executions
                where tenant_id = $1 and user_id = $2 and intent_type = wanted and status = 'completed')

-- ---------------------------------------------------------------------------------------- events

-- part: event_columns
position, id, tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload,
to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')

-- name: outbox_state
-- The horizon, how far events were purged, the newest complete event, and the epochs.
select horizon, swept_position, swept_id, newest.position, newest.id,
       (select string_agg(after_position || ' ' || encode(epoch, 'hex'), ',' order by after_position)
          from symphainy.outbox_epochs)
  from (select s.*, symphainy.horizon() as horizon from symphainy.outbox_state as s) as state
  left join lateral (select position, id from symphainy.outbox where position < horizon
                      order by position desc, id desc limit 1) as newest on true

-- name: events
select {event_columns} from symphainy.outbox
 where (position, id) > ($1, $2) and (position, id) <= ($3, $4)
 order by position, id limit $5

-- name: events_of_user
select {event_columns} from symphainy.outbox
 where (position, id) > ($1, $2) and (position, id) <= ($3, $4) and tenant_id = $6 and user_id = $7
 order by position, id limit $5

-- name: changes
-- The newest complete position, and whether somebody else than us has written one after $1 and up to it.
select newest, exists (select from symphainy.outbox
                        where position > $1 and position <= newest and position::text <> all ($2::text[]))
  from (select coalesce((select max(position) from symphainy.outbox where position < symphainy.horizon()), 0)
               as newest) as complete

-- ---------------------------------------------------------------------------------------- upkeep

-- name: ring
select pg_notify($1, '')

-- name: keep_meta
insert into symphainy.meta (name, value) values ($1, $2) on conflict do nothing

-- name: meta
select value from symphainy.meta where name = $1

-- name: begin_epoch
select symphainy.begin_epoch()

-- name: sweep
select symphainy.sweep($1::timestamptz, $2::timestamptz, $3::timestamptz, $4::jsonb, $5)

-- name: purge
select symphainy.purge($1::jsonb)

-- ------------------------------------------------------------------------------------------ keys

-- name: keys
select purpose, kid, public, sealed,
       to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       to_char(rotated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  from symphainy.sealed_keys order by id

-- name: keep_key
select symphainy.keep_key($1, $2, $3, $4, $5::text::timestamptz, $6::text::timestamptz, $7)

-- name: forget_keys
delete from symphainy.sealed_keys where rotated_at is not null and kid = any ($1::text[])

-- ----------------------------------------------------------------------------------------- audit

-- name: audit_position
select cursor, types from symphainy.audit_state

-- name: append_audit
select symphainy.append_audit($1::jsonb, $2::jsonb, $3::jsonb)

-- name: audit_head
select tenant_id, seq, event_cursor, body, digest from symphainy.audit
 where tenant_id = $1 order by seq desc limit 1

-- name: audit_range
select tenant_id, seq, event_cursor, body, digest from symphainy.audit
 where tenant_id = $1 and seq >= $2 order by seq limit $3

-- name: audited_events
select tenant_id, seq, event_cursor, body, digest from symphainy.audit
 where tenant_id = $1 and event_cursor = any ($2::text[])

-- name: audit_tenants
-- From each tenant straight to the next one, not through the entries between them.
with recursive tenants (tenant_id) as (
  select min(tenant_id) from symphainy.audit where tenant_id > $1
  union all
  select (select min(audit.tenant_id) from symphainy.audit where audit.tenant_id > tenants.tenant_id)
    from tenants where tenant_id is not null
)
select tenant_id from tenants where tenant_id is not null limit $2

-- ---------------------------------------------------------------------------------------- schema

-- name: has_schema
select to_regclass('symphainy.schema_migrations') is not null,
       exists (select from pg_catalog.pg_namespace where nspname = 'symphainy')

-- name: steps
select name from symphainy.schema_migrations order by name

-- name: step_times
-- Asked on the database alone: the API tells the names.
select name, to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from symphainy.schema_migrations

-- name: lock_schema
select pg_advisory_xact_lock(hashtextextended('symphainy.migrate', 0))

-- ---------------------------------------------------------------------------------------- copies

-- name: columns
-- The tables whose rows a copy holds: each column with its type, and its place in the primary key.
select c.relname, a.attname, format_type(a.atttypid, null), array_position(k.conkey, a.attnum)
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_catalog.pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'
 where c.relnamespace = 'symphainy'::regnamespace and c.relkind = 'r'
   and c.relname <> all ('{{schema_migrations,readable_types,outbox_state,outbox_epochs,audit_state}}'::text[])
 order by c.relname, a.attnum

-- name: forget_secrets
delete from symphainy.meta where starts_with(name, 'secret:')

-- name: move_mark
update symphainy.meta set value = $1 where name = $2 and value = $3 returning true

-- name: forget_meta
delete from symphainy.meta where name = $1

-- name: mark_unfinished
-- A step that no program knows: none opens the database meanwhile.
insert into symphainy.schema_migrations (name) values ($1)

-- name: unmark
delete from symphainy.schema_migrations where name = $1

-- name: set_audit_position
update symphainy.audit_state set cursor = $1, types = $2::text[], position = $3, id = $4
