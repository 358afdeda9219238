-- Who may do what.
--
-- The platform (role symphainy_app, or Supabase's service_role) writes for all tenants; every statement of
-- it names its tenant. A frontend with a user's own token (role authenticated) reads that user's rows,
-- straight from the Supabase API, of the artifact types that are readable; it writes nothing.

-- Artifact types whose artifacts their owners may read as they are stored. What a presenter hides, or
-- what is sealed, does not belong here.
create table symphainy.readable_types (
  artifact_type text collate "C" not null primary key
);

insert into symphainy.readable_types values ('chat_session');

-- Put a table behind the walls: rows only by policies, for its owner as well, and one for the platform.
create function symphainy.wall_in(p_table text) returns void
  language plpgsql set search_path = ''
as $$
begin
  execute format('alter table symphainy.%I enable row level security', p_table);
  execute format('alter table symphainy.%I force row level security', p_table);
  execute format('create policy platform on symphainy.%I to symphainy_app, service_role'
                 ' using (true) with check (true)', p_table);
  execute format('revoke all on table symphainy.%I from public, anon, authenticated', p_table);
  execute format('grant select, insert, update, delete on table symphainy.%I to symphainy_app, service_role', p_table);
end
$$;

-- Make a table one that services write rows of. With `p_own_rows` its users may read their own
-- (tenant_id, user_id) rows straight from the Supabase API.
create function symphainy.admit_domain_table(p_table text, p_own_rows boolean default false) returns void
  language plpgsql set search_path = ''
as $$
begin
  perform symphainy.wall_in(p_table);
  perform symphainy.make_row_writer(p_table);
  if p_own_rows then
    execute format(
      $sql$
        create policy own_rows on symphainy.%I for select to authenticated
          using (tenant_id = ((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id')
                 and user_id = 'supabase:' || ((select auth.jwt()) ->> 'sub'))
      $sql$, p_table);
    execute format('grant select on table symphainy.%I to authenticated', p_table);
  end if;
end
$$;

-- Whoever migrates owns the tables, but meets their walls as everybody does.
do $$
begin
  if not pg_has_role(current_user, 'symphainy_app', 'usage') then
    execute format('grant symphainy_app to %I', current_user);
  end if;
end
$$;

select symphainy.wall_in(tablename) from pg_catalog.pg_tables
 where schemaname = 'symphainy' and tablename <> 'chat_sessions';
select symphainy.admit_domain_table('chat_sessions', true);

create policy own_rows on symphainy.artifacts for select to authenticated
  using (tenant_id = ((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id')
         and user_id = 'supabase:' || ((select auth.jwt()) ->> 'sub')
         and artifact_type in (select artifact_type from symphainy.readable_types));
create policy own_rows on symphainy.artifact_versions for select to authenticated
  using (tenant_id = ((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id')
         and user_id = 'supabase:' || ((select auth.jwt()) ->> 'sub')
         and artifact_type in (select artifact_type from symphainy.readable_types));
create policy own_rows on symphainy.artifact_log for select to authenticated
  using (tenant_id = ((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id')
         and exists (select from symphainy.artifacts as a
                      where a.tenant_id = artifact_log.tenant_id and a.artifact_id = artifact_log.artifact_id));
create policy own_rows on symphainy.outbox for select to authenticated
  using (tenant_id = ((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id')
         and user_id = 'supabase:' || ((select auth.jwt()) ->> 'sub'));
create policy all_types on symphainy.readable_types for select to authenticated using (true);

revoke all on schema symphainy from public;
revoke all on all functions in schema symphainy from public, anon, authenticated;
alter default privileges in schema symphainy revoke all on tables from public, anon, authenticated;
alter default privileges in schema symphainy revoke all on functions from public, anon, authenticated;

grant usage on schema symphainy to symphainy_app, service_role, authenticated;
grant select on symphainy.artifact_index to symphainy_app, service_role;
grant usage on all sequences in schema symphainy to symphainy_app, service_role;
grant execute on all functions in schema symphainy to symphainy_app, service_role;
grant select on symphainy.artifacts, symphainy.artifact_versions, symphainy.artifact_index, symphainy.artifact_log,
                symphainy.outbox, symphainy.readable_types
   to authenticated;

insert into symphainy.schema_migrations (name) values ('20261120090300_access');
