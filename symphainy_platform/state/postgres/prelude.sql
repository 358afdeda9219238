-- What Supabase provides, for a Postgres that is none: its roles and the claims of a user's token. Nothing
-- is touched where it exists. Runs before the migrations, in their transaction.

do $$
declare
  v_role text;
begin
  foreach v_role in array array['anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
      begin
        execute format('create role %I nologin', v_role);
      exception when duplicate_object or unique_violation then
        null;  -- roles belong to the server: the migration of another database was faster
      end;
    end if;
  end loop;
end
$$;

create schema if not exists auth;

do $$
begin
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb language sql stable
      as 'select coalesce(nullif(current_setting(''request.jwt.claims'', true), ''''), ''{}'')::jsonb';
    grant usage on schema auth to anon, authenticated, service_role;
  end if;
end
$$;
