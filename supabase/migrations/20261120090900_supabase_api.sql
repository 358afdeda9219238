-- What the store `supabase` calls through the API, beside commit_intents: the statements of the Postgres store
-- by their names, one call of `load` for any number of reads. Each statement is the one of the Postgres store,
-- word for word (a test holds them equal); they run with the rights of the caller, which is service_role alone.

-- Pieces that statements include as {piece}, and the letters of their columns, for `expose`.
create function symphainy.api_pieces() returns jsonb
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
      client_key_head_artifact, client_key_head_version
    $sql$, 'execution_cells', 'vvvvvvvvvvjjbbvvvbbvvv',
    'event_columns', $sql$
      position, id, tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload,
      to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    $sql$, 'event_cells', 'vvvvvvvvjv',
    'log_entries_of', $sql$
      from symphainy.artifact_log where tenant_id = $1 and artifact_id = $2 and log = $3 and generation = $4
    $sql$, 'entry_cells', 'vvjv', 'audit_cells', 'vvvvb',
    'newest_first', 'order by created_at desc, artifact_id desc')
$$;

-- Make `symphainy.api_<name>` of a statement with these parameter types, which answers [cells, rows]. `cells` has
-- a letter for each column: v a value as JSON has it, j JSON that stays the text it is, b bytes (\x…).
create function symphainy.expose(p_name text, p_parameters text, p_cells text, p_statement text,
                                 p_volatility text default 'stable') returns void
  language plpgsql set search_path = ''
as $$
declare
  v_piece text;
  v_text text;
  v_columns text;
  v_values text;
begin
  for v_piece, v_text in select * from jsonb_each_text(symphainy.api_pieces()) loop
    p_cells := replace(p_cells, format('{%s}', v_piece), v_text);
    p_statement := replace(p_statement, format('{%s}', v_piece), v_text);
  end loop;
  select string_agg('c' || place, ', ' order by place),
         string_agg('c' || place || case cell when 'j' then '::text' else '' end, ', ' order by place)
    into v_columns, v_values
    from unnest(string_to_array(p_cells, null)) with ordinality as each(cell, place);
  execute format(
    $sql$
      create or replace function symphainy.%I(%s) returns json
        language plpgsql %s set search_path = '' set lock_timeout = '2s'
      as $body$
      begin
        %s
      end
      $body$
    $sql$,
    'api_' || p_name, p_parameters, p_volatility,
    case when p_cells = '' then format(E'%s;\nreturn json_build_array(%L, json_build_array());', p_statement, '')
         else format(E'return (select json_build_array(%L, coalesce(json_agg(json_build_array(%s)), %L))\n'
                      '  from (%s\n) as r(%s));', p_cells, v_values, '[]', p_statement, v_columns) end);
  execute format('revoke all on function symphainy.%I(%s) from public', 'api_' || p_name, p_parameters);
  execute format('grant execute on function symphainy.%I(%s) to service_role', 'api_' || p_name, p_parameters);
end
$$;

-- Make the calls of all exposed statements, as branches of a CASE over `v_name` with the arguments `v_with`.
create function symphainy.api_branches(p_result text, p_volatility "char") returns text
  language sql stable set search_path = ''
as $$
  select string_agg(
           format('when %L then %s;', substr(p.proname, 5),
                  replace(p_result, '{call}', format('symphainy.%I(%s)', p.proname, coalesce(a.arguments, '')))),
           E'\n' order by p.proname)
    from pg_catalog.pg_proc as p
   cross join lateral (
     select string_agg(
              case when t.typcategory = 'A'
                   then format('array(select jsonb_array_elements_text(v_with -> %s))::%s', place - 1, t.oid::regtype)
                   else format('(v_with ->> %s)::%s', place - 1, t.oid::regtype) end,
              ', ' order by place) as arguments
       from unnest(p.proargtypes::oid[]) with ordinality as each(type, place)
       join pg_catalog.pg_type as t on t.oid = each.type) as a
   where p.pronamespace = 'symphainy'::regnamespace and p.provolatile = p_volatility
     and starts_with(p.proname, 'api_') and p.prorettype = 'json'::regtype
$$;

-- Make `load` (any number of reads, [[name, arguments]…], from one snapshot: the function is stable) and
-- `run` (one statement that writes, in a transaction of its own) of all that is exposed now. Their plans stay with
-- the API's connections: one that was made while a table was small must not read all of it later.
create function symphainy.make_api() returns void
  language plpgsql set search_path = ''
as $$
begin
  execute format(
    $sql$
      create or replace function symphainy.load(p_statements jsonb) returns json
        language plpgsql stable set search_path = ''
        set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
      as $body$
      declare
        v_name text;
        v_with jsonb;
        v_answers json[] := '{}';
      begin
        for v_name, v_with in select one ->> 0, one -> 1 from jsonb_array_elements(p_statements) as one loop
          case v_name
            %s
          end case;
        end loop;
        return array_to_json(v_answers);
      end
      $body$
    $sql$, symphainy.api_branches('v_answers := v_answers || {call}', 's'));
  execute format(
    $sql$
      create or replace function symphainy.run(p_statement jsonb) returns json
        language plpgsql set search_path = ''
        set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
      as $body$
      declare
        v_with jsonb := p_statement -> 1;
      begin
        case p_statement ->> 0
          %s
        end case;
      end
      $body$
    $sql$, symphainy.api_branches('return {call}', 'v'));
  revoke all on function symphainy.load(jsonb), symphainy.run(jsonb) from public;
  grant execute on function symphainy.load(jsonb), symphainy.run(jsonb) to service_role;
end
$$;

-- Reads.

select symphainy.expose('artifact', 'text, text', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts where tenant_id = $1 and artifact_id = $2
$sql$);

select symphainy.expose('artifact_version', 'text, text, bigint', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts where tenant_id = $1 and artifact_id = $2 and version = $3
  union all
  select {artifact_columns} from symphainy.artifact_versions
   where tenant_id = $1 and artifact_id = $2 and version = $3
$sql$);

select symphainy.expose('artifact_versions', 'text, text, bigint, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts where tenant_id = $1 and artifact_id = $2 and version < $3
  union all
  (select {artifact_columns} from symphainy.artifact_versions where tenant_id = $1 and artifact_id = $2 and version < $3
    order by version desc limit $4)
  order by version desc limit $4
$sql$);

select symphainy.expose('newest_artifact', 'text, text, text, text[]', '{artifact_cells}', $sql$
  select {artifact_columns}
    from unnest($4::text[]) as wanted(state)
   cross join lateral (
     select * from symphainy.artifacts
      where tenant_id = $1 and user_id = $2 and artifact_type = $3 and lifecycle_state = wanted.state
      {newest_first} limit 1) as newest
   {newest_first} limit 1
$sql$);

select symphainy.expose('list_user', 'text, text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and user_id = $4 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $5
$sql$);

select symphainy.expose('list_user_type', 'text, text, text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and user_id = $4 and artifact_type = $5
     and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $6
$sql$);

select symphainy.expose('list_user_state', 'text, text, text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and user_id = $4 and lifecycle_state = $5
     and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $6
$sql$);

select symphainy.expose('list_user_type_state', 'text, text, text, text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and user_id = $4 and artifact_type = $5 and lifecycle_state = $6
     and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $7
$sql$);

select symphainy.expose('list_tenant', 'text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $4
$sql$);

select symphainy.expose('list_tenant_type', 'text, text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and artifact_type = $4 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $5
$sql$);

select symphainy.expose('list_tenant_state', 'text, text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and lifecycle_state = $4 and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $5
$sql$);

select symphainy.expose('list_tenant_type_state', 'text, text, text, text, text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts
   where tenant_id = $3 and artifact_type = $4 and lifecycle_state = $5
     and (created_at, artifact_id) < ($1::text::timestamptz, $2)
   {newest_first} limit $6
$sql$);

select symphainy.expose('due_artifacts', 'text, integer', '{artifact_cells}', $sql$
  select {artifact_columns} from symphainy.artifacts where due_at <= $1::text::timestamptz order by due_at limit $2
$sql$);

select symphainy.expose('log_range', 'text, text, text, bigint, bigint, bigint', '{entry_cells}', $sql$
  select seq, entry_key, body, revision {log_entries_of} and seq between $5 and $6 order by seq, revision
$sql$);

select symphainy.expose('log_range_as_of', 'text, text, text, bigint, bigint, bigint, bigint', '{entry_cells}', $sql$
  select seq, entry_key, body, revision {log_entries_of} and seq between $5 and $6 and version <= $7
   order by seq, revision
$sql$);

select symphainy.expose('log_keys', 'text, text, text, bigint, text[]', '{entry_cells}', $sql$
  select entry.seq, entry.entry_key, entry.body, entry.revision
    from (select distinct unnest($5::text[])) as wanted(entry_key)
   cross join lateral (
     select seq {log_entries_of} and entry_key = wanted.entry_key and revision = 0 limit 1) as first
   cross join lateral (
     select seq, entry_key, body, revision {log_entries_of} and seq = first.seq order by revision desc limit 1) as entry
   order by entry.seq
$sql$);

select symphainy.expose('execution', 'text, text', '{execution_cells}', $sql$
  select {execution_columns} from symphainy.executions where tenant_id = $1 and execution_id = $2
$sql$);

select symphainy.expose('execution_by_key', 'text, bytea', '{execution_cells}', $sql$
  select {execution_columns} from symphainy.executions where tenant_id = $1 and key_digest = $2
$sql$);

select symphainy.expose('execution_by_client_key', 'text, bytea', '{execution_cells}', $sql$
  select {execution_columns} from symphainy.executions where tenant_id = $1 and client_key_digest = $2
$sql$);

select symphainy.expose('completed_intents', 'text, text, text[]', 'v', $sql$
  select wanted from unnest($3::text[]) as wanted
   where exists (select from symphainy.executions
                  where tenant_id = $1 and user_id = $2 and intent_type = wanted and status = 'completed')
$sql$);

-- Events, and what others have written.

select symphainy.expose('outbox_state', '', 'vvvvvv', $sql$
  select horizon, swept_position, swept_id, newest.position, newest.id,
         (select string_agg(after_position || ' ' || encode(epoch, 'hex'), ',' order by after_position)
            from symphainy.outbox_epochs)
    from (select s.*, symphainy.horizon() as horizon from symphainy.outbox_state as s) as state
    left join lateral (select position, id from symphainy.outbox where position < horizon
                        order by position desc, id desc limit 1) as newest on true
$sql$);

select symphainy.expose('events', 'bigint, bigint, bigint, bigint, integer', '{event_cells}', $sql$
  select {event_columns} from symphainy.outbox
   where (position, id) > ($1, $2) and (position, id) <= ($3, $4)
   order by position, id limit $5
$sql$);

select symphainy.expose('events_of_user', 'bigint, bigint, bigint, bigint, integer, text, text', '{event_cells}', $sql$
  select {event_columns} from symphainy.outbox
   where (position, id) > ($1, $2) and (position, id) <= ($3, $4) and tenant_id = $6 and user_id = $7
   order by position, id limit $5
$sql$);

select symphainy.expose('changes', 'bigint, text[]', 'vv', $sql$
  select newest, exists (select from symphainy.outbox
                          where position > $1 and position <= newest and position::text <> all ($2::text[]))
    from (select coalesce((select max(position) from symphainy.outbox where position < symphainy.horizon()), 0)
                 as newest) as complete
$sql$);

-- The schema, the keys, the audit.

select symphainy.expose('domain_columns', '', 'vvv', $sql$
  select c.relname, a.attname, a.attnum = any (k.conkey)
    from pg_catalog.pg_class as c
    join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'
   where c.relnamespace = 'symphainy'::regnamespace and c.relkind in ('r', 'p')
     and to_regprocedure(format('symphainy.%I(jsonb)', 'write_' || c.relname)) is not null
     and exists (select from pg_catalog.pg_attribute as t
                  where t.attrelid = c.oid and t.attname = 'tenant_id' and not t.attisdropped)
$sql$);

select symphainy.expose('steps', '', 'v', $sql$
  select name from symphainy.schema_migrations order by name
$sql$);

select symphainy.expose('has_schema', '', 'vv', $sql$
  select to_regclass('symphainy.schema_migrations') is not null,
         exists (select from pg_catalog.pg_namespace where nspname = 'symphainy')
$sql$);

select symphainy.expose('meta', 'text', 'b', $sql$
  select value from symphainy.meta where name = $1
$sql$);

select symphainy.expose('keys', '', 'vvbbvv', $sql$
  select purpose, kid, public, sealed,
         to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
         to_char(rotated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    from symphainy.sealed_keys order by id
$sql$);

select symphainy.expose('audit_position', '', 'vv', $sql$
  select cursor, types from symphainy.audit_state
$sql$);

select symphainy.expose('audit_head', 'text', '{audit_cells}', $sql$
  select tenant_id, seq, event_cursor, body, digest from symphainy.audit
   where tenant_id = $1 order by seq desc limit 1
$sql$);

select symphainy.expose('audit_range', 'text, bigint, integer', '{audit_cells}', $sql$
  select tenant_id, seq, event_cursor, body, digest from symphainy.audit
   where tenant_id = $1 and seq >= $2 order by seq limit $3
$sql$);

select symphainy.expose('audited_events', 'text, text[]', '{audit_cells}', $sql$
  select tenant_id, seq, event_cursor, body, digest from symphainy.audit
   where tenant_id = $1 and event_cursor = any ($2::text[])
$sql$);

select symphainy.expose('audit_tenants', 'text, integer', 'v', $sql$
  with recursive tenants (tenant_id) as (
    select min(tenant_id) from symphainy.audit where tenant_id > $1
    union all
    select (select min(audit.tenant_id) from symphainy.audit where audit.tenant_id > tenants.tenant_id)
      from tenants where tenant_id is not null
  )
  select tenant_id from tenants where tenant_id is not null limit $2
$sql$);

-- Writes.

select symphainy.expose('keep_meta', 'text, bytea', '', $sql$
  insert into symphainy.meta (name, value) values ($1, $2) on conflict do nothing
$sql$, 'volatile');

select symphainy.expose('begin_epoch', '', 'j', $sql$
  select symphainy.begin_epoch()
$sql$, 'volatile');

select symphainy.expose('sweep', 'timestamptz, timestamptz, timestamptz, jsonb, integer', 'j', $sql$
  select symphainy.sweep($1::timestamptz, $2::timestamptz, $3::timestamptz, $4::jsonb, $5)
$sql$, 'volatile');

select symphainy.expose('purge', 'jsonb', 'v', $sql$
  select symphainy.purge($1::jsonb)
$sql$, 'volatile');

select symphainy.expose('keep_key', 'text, text, bytea, bytea, text, text, text', 'v', $sql$
  select symphainy.keep_key($1, $2, $3, $4, $5::text::timestamptz, $6::text::timestamptz, $7)
$sql$, 'volatile');

select symphainy.expose('forget_keys', 'text[]', '', $sql$
  delete from symphainy.sealed_keys where rotated_at is not null and kid = any ($1::text[])
$sql$, 'volatile');

select symphainy.expose('append_audit', 'jsonb, jsonb, jsonb', 'v', $sql$
  select symphainy.append_audit($1::jsonb, $2::jsonb, $3::jsonb)
$sql$, 'volatile');

select symphainy.make_api();

-- What is wrong with the walls of this database, for `symphainy doctor`: names by kind of fault, all empty when
-- the migrations are as they were applied.
create function symphainy.faults_in_walls() returns json
  language sql stable set search_path = ''
as $$
  with relations as (
    select c.oid, c.relname, c.relkind = 'v' as is_view, c.relrowsecurity and c.relforcerowsecurity as has_walls,
           coalesce(c.reloptions @> '{security_invoker=true}', false) as is_invoker
      from pg_catalog.pg_class as c
     where c.relnamespace = 'symphainy'::regnamespace and c.relkind in ('r', 'p', 'v')
  ), functions as (
    select p.oid, p.proname from pg_catalog.pg_proc as p where p.pronamespace = 'symphainy'::regnamespace
  )
  select json_build_object(
    'without_walls', array(
      select relname from relations where not case when is_view then is_invoker else has_walls end order by 1),
    'open_to_users', array(
      select relname from relations
       where has_table_privilege('anon', oid, 'select, insert, update, delete, truncate')
          or has_table_privilege('authenticated', oid, 'insert, update, delete, truncate')
      union all
      select proname from functions
       where has_function_privilege('anon', oid, 'execute') or has_function_privilege('authenticated', oid, 'execute')
       order by 1),
    'closed_to_platform', array(
      select relname from relations
       where not has_table_privilege('service_role', oid, 'select')
          or (not is_view and not (has_table_privilege('service_role', oid, 'insert')
                                   and has_table_privilege('service_role', oid, 'update')
                                   and has_table_privilege('service_role', oid, 'delete')))
      union all
      select proname from functions
       where proname in ('commit_intents', 'load', 'run') and not has_function_privilege('service_role', oid, 'execute')
       order by 1))
$$;

revoke all on function symphainy.faults_in_walls() from public;
grant execute on function symphainy.faults_in_walls() to service_role;

revoke all on function symphainy.api_pieces(), symphainy.expose(text, text, text, text, text),
                       symphainy.api_branches(text, "char"), symphainy.make_api() from public;

notify pgrst, 'reload schema';

insert into symphainy.schema_migrations (name) values ('20261120090900_supabase_api');
