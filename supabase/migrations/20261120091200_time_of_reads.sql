-- Executions are read with the database's time: its clock says what has expired, and those of the processes may differ.

create or replace function symphainy.api_pieces() returns jsonb
  language sql immutable set search_path = ''
as $$
  select jsonb_build_object(
    'artifact_columns', $sql$
      tenant_id, artifact_id, artifact_type, user_id, version, lifecycle_state, semantic_payload, semantic_descriptor,
      intent_type, execution_id, parent_artifacts, materializations, logs,
      to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      to_char(due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    $sql$, 'artifact_cells', 'vvvvvvjjvvjjjvvv',
    'execution_columns', $sql$
      tenant_id, execution_id, user_id, session_ref, intent_type, contract_version, status, trace_id,
      to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      to_char(committed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), answer, error,
      key_digest, key_fingerprint, to_char(key_expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      key_head_artifact, key_head_version,
      client_key_digest, client_key_fingerprint,
      to_char(client_key_expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      client_key_head_artifact, client_key_head_version,
      to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    $sql$, 'execution_cells', 'vvvvvvvvvvjjbbvvvbbvvvv',
    'event_columns', $sql$
      position, id, tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload,
      to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    $sql$, 'event_cells', 'vvvvvvvvjv',
    'log_entries_of', $sql$
      from symphainy.artifact_log where tenant_id = $1 and artifact_id = $2 and log = $3 and generation = $4
    $sql$, 'entry_cells', 'vvjv', 'audit_cells', 'vvvvb',
    'newest_first', 'order by created_at desc, artifact_id desc')
$$;

select symphainy.expose('execution', 'text, text', '{execution_cells}', $sql$
  select {execution_columns} from symphainy.executions where tenant_id = $1 and execution_id = $2
$sql$);

select symphainy.expose('execution_by_key', 'text, bytea', '{execution_cells}', $sql$
  select {execution_columns} from symphainy.executions where tenant_id = $1 and key_digest = $2
$sql$);

select symphainy.expose('execution_by_client_key', 'text, bytea', '{execution_cells}', $sql$
  select {execution_columns} from symphainy.executions where tenant_id = $1 and client_key_digest = $2
$sql$);

select symphainy.make_api();

notify pgrst, 'reload schema';

insert into symphainy.schema_migrations (name) values ('20261120091200_time_of_reads');
