-- What is wrong with a database: a dump that was restored into it begins an epoch, and walls that were changed by hand
-- are told to `symphainy doctor`.

-- As it was, and: a table that was made anew (`pg_restore --clean`) is another life, too. Who may not know the server
-- believes what others have said of it, but positions grow on in any case.
create or replace function symphainy.begin_epoch() returns void
  language plpgsql set search_path = ''
as $$
declare
  v_server text := coalesce(nullif(symphainy.server_identity(), ''),
                            (select split_part(lineage, '/', 1) from symphainy.outbox_state), '');
  v_lineage text := v_server || '/'
                 || (select oid::text from pg_catalog.pg_database where datname = current_database());
  v_life text := v_lineage || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/'
              || extract(epoch from pg_postmaster_start_time())::text || '/' || 'symphainy.outbox'::regclass::oid::text;
  v_state symphainy.outbox_state;
  v_after bigint;
begin
  if exists (select from symphainy.outbox_state where life = v_life) then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('symphainy.begin_epoch', 0));
  select * into strict v_state from symphainy.outbox_state;
  if v_state.life is not distinct from v_life then
    return;
  end if;
  v_after := greatest((select max(position) from symphainy.outbox), v_state.swept_position,
                      (select max(after_position) from symphainy.outbox_epochs));
  if v_state.lineage <> v_lineage or v_state.base + pg_current_xact_id()::text::bigint <= v_after then
    v_state.base := v_after + 1;  -- transaction ids begin anew: count on from the highest position
  end if;
  update symphainy.outbox_state set base = v_state.base, lineage = v_lineage, life = v_life;
  if v_state.life is not null then
    delete from symphainy.outbox_epochs where after_position >= v_after;
    insert into symphainy.outbox_epochs values (v_after, substring(uuid_send(gen_random_uuid()) for 8));
  end if;
  delete from symphainy.outbox_epochs
   where after_position < (select max(after_position) from symphainy.outbox_epochs
                            where after_position < greatest(v_state.swept_position, 0));
end
$$;

-- Compare the catalog with what the migrations make: names by kind of fault, all empty when nothing was changed. A
-- migration that drops or renames what is named here replaces this function. Functions that others call are found in
-- their bodies; domain tables by their writers (see admit_domain_table).
create or replace function symphainy.faults_in_walls() returns json
  language sql stable set search_path = ''
as $$
  with relations as (
    select c.oid, c.relname::text as name, c.relkind = 'v' as is_view, c.relkind = 'S' as is_sequence,
           c.relrowsecurity and c.relforcerowsecurity as has_walls,
           coalesce(c.reloptions @> '{security_invoker=true}', false) as is_invoker
      from pg_catalog.pg_class as c
     where c.relnamespace = 'symphainy'::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
  ), tables as (
    select * from relations where not is_view and not is_sequence
  ), functions as (
    select p.oid, p.proname::text as name, p.prosrc as body,
           not p.prosecdef and coalesce('search_path=""' = any (p.proconfig), false) as is_invoker
      from pg_catalog.pg_proc as p where p.pronamespace = 'symphainy'::regnamespace
  ), expected (name) as (
    select unnest(array[
      'artifact_index', 'artifact_log', 'artifact_versions', 'artifacts', 'audit', 'audit_state', 'chat_sessions',
      'executions', 'meta', 'outbox', 'outbox_epochs', 'outbox_state', 'readable_types', 'schema_migrations',
      'sealed_keys', 'sessions', 'user_accounts'])
  ), expected_indexes (name) as (
    select unnest(array[
      'artifact_log_by_key', 'artifacts_due', 'artifacts_of_tenant', 'artifacts_of_tenant_by_state',
      'artifacts_of_tenant_by_type', 'artifacts_of_tenant_by_type_state', 'artifacts_of_user',
      'artifacts_of_user_by_type_state', 'audit_by_event', 'executions_by_client_key',
      'executions_by_client_key_expiry', 'executions_by_commit', 'executions_by_intent', 'executions_by_key',
      'executions_by_key_expiry', 'outbox_of_user', 'sealed_keys_current', 'sealed_keys_kid_key'])
  ), policies as (
    select tablename::text as place, policyname::text as policy,
           concat_ws(' ', permissive, cmd, roles::text,
                     regexp_replace(qual, '[\s()]|::text| AS jwt', '', 'g'), with_check) as rule
      from pg_catalog.pg_policies where schemaname = 'symphainy'
  ), own (rule) as (
    values ('PERMISSIVE SELECT {authenticated} tenant_id=SELECTauth.jwt->''app_metadata''->>''tenant_id''')
  ), of_user (rule) as (
    select rule || 'ANDuser_id=''supabase:''||SELECTauth.jwt->>''sub''' from own
  ), expected_policies (place, policy, rule) as (
    select name, 'platform', 'PERMISSIVE ALL {service_role,symphainy_app} true true' from tables
    union all
    select place, 'own_rows', of_user.rule from of_user, unnest(array['chat_sessions', 'outbox']) as place
    union all
    select place, policy, of_user.rule
      from of_user, policies
     where policy = 'own_rows' and to_regprocedure(format('symphainy.%I(jsonb)', 'write_' || place)) is not null
       and place not in ('chat_sessions', 'sessions', 'user_accounts')
    union all
    select place, 'own_rows',
           of_user.rule || 'ANDartifact_typeINSELECTreadable_types.artifact_typeFROMsymphainy.readable_types'
      from of_user, unnest(array['artifacts', 'artifact_versions']) as place
    union all
    select 'artifact_log', 'own_rows',
           own.rule || 'ANDEXISTSSELECTFROMsymphainy.artifactsa'
                       'WHEREa.tenant_id=artifact_log.tenant_idANDa.artifact_id=artifact_log.artifact_id'
      from own
    union all
    select 'readable_types', 'all_types', 'PERMISSIVE SELECT {authenticated} true'
  ), readable (name) as (
    select 'artifact_index' union select place from expected_policies where policy in ('own_rows', 'all_types')
  ), users (role) as (
    values ('anon'), ('authenticated')
  ), platform (role) as (
    values ('service_role'), ('symphainy_app')
  )
  select json_build_object(
    'missing', array(
      select name from expected where name not in (select name from relations)
      union
      select name from expected_indexes
       where name not in (select c.relname from pg_catalog.pg_class as c
                            join pg_catalog.pg_index as i on i.indexrelid = c.oid and i.indisvalid
                           where c.relnamespace = 'symphainy'::regnamespace)
      union
      select 'the primary key of ' || name from tables
       where not exists (select from pg_catalog.pg_constraint as k where k.conrelid = tables.oid and k.contype = 'p')
      union
      select called.name || '()'
        from (select unnest(array['commit_intents', 'load', 'run']) as name
              union
              select found[1] from functions, regexp_matches(body, 'symphainy\.([a-z0-9_]+)\(', 'g') as found) as called
       where called.name not in (select name from functions)
      union
      select 'auth.jwt()' where to_regprocedure('auth.jwt()') is null
      order by 1),
    'without_walls', array(select name from tables where not has_walls order by 1),
    'views_of_owner', array(select name from relations where is_view and not is_invoker order by 1),
    'functions_of_owner', array(select distinct name from functions where not is_invoker order by 1),
    'other_policies', array(
      select format('%s on %s (%s)', policy, place,
                    case when made.rule is null then 'missing' when known.rule is null then 'extra' else 'changed' end)
        from policies as made full join expected_policies as known using (place, policy)
       where made.rule is distinct from known.rule and place in (select name from tables)
       order by 1),
    'open_to_users', array(
      select 'schema symphainy' from users
       where has_schema_privilege(role, 'symphainy', case role when 'anon' then 'usage, create' else 'create' end)
      union
      select name from users, relations
       where not is_sequence
         and (has_table_privilege(role, oid, 'insert, update, delete, truncate, references, trigger')
              or has_any_column_privilege(role, oid, 'insert, update, references')
              or (has_any_column_privilege(role, oid, 'select')
                  and not (role = 'authenticated' and name in (select name from readable))))
      union
      select name from users, relations
       where is_sequence and has_sequence_privilege(role, oid, 'usage, select, update')
      union
      select name || '()' from users, functions where has_function_privilege(role, oid, 'execute')
      order by 1),
    'closed_to_users', array(
      select 'schema ' || nspname from pg_catalog.pg_namespace
       where nspname in ('symphainy', 'auth') and not has_schema_privilege('authenticated', oid, 'usage')
      union
      select name from relations
       where name in (select name from readable) and not has_table_privilege('authenticated', oid, 'select')
      union
      select 'auth.jwt()' where not has_function_privilege('authenticated', to_regprocedure('auth.jwt()'), 'execute')
      order by 1),
    'closed_to_platform', array(
      select 'schema symphainy' from platform where not has_schema_privilege(role, 'symphainy', 'usage')
      union
      select name from platform, relations
       where case when is_sequence then not has_sequence_privilege(role, oid, 'usage')
                  when is_view then not has_table_privilege(role, oid, 'select')
                  else not (has_table_privilege(role, oid, 'select') and has_table_privilege(role, oid, 'insert')
                            and has_table_privilege(role, oid, 'update') and has_table_privilege(role, oid, 'delete'))
             end
      union
      select name || '()' from platform, functions
       where not has_function_privilege(role, oid, 'execute') and name not in ('expose', 'make_api')
         and case role when 'service_role' then name not in ('api_pieces', 'api_branches')
                       else name not in ('load', 'run') and not starts_with(name, 'api_') end
      order by 1))
$$;

grant execute on function symphainy.faults_in_walls() to symphainy_app;

notify pgrst, 'reload schema';

insert into symphainy.schema_migrations (name) values ('20261120091100_faults');
