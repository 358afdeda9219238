-- Statistics of young tables, in time: docs/adr/0016-statistics-of-young-databases.md.
--
-- Plans are kept. Those of a table that was never analysed may look a row up by its tenant alone. The platform has
-- its tables analysed while they are small; the database would come to it a minute or two later.

-- Analyse every table of the platform; returns how many there are.
create function symphainy.analyse_tables() returns bigint
  language plpgsql set search_path = ''
as $$
declare
  v_tables text;
  v_count bigint;
begin
  select string_agg(format('symphainy.%I', relname), ', ' order by relname), count(*) into v_tables, v_count
    from pg_catalog.pg_class where relnamespace = 'symphainy'::regnamespace and relkind in ('r', 'p');
  execute 'analyze ' || v_tables;
  return v_count;
end
$$;

revoke all on function symphainy.analyse_tables() from public;
grant execute on function symphainy.analyse_tables() to symphainy_app, service_role;

-- Who works as the platform may do that from Postgres 17 on; before, only the owner of the tables may, and for others
-- the statement does nothing but warn.
do $$
begin
  if current_setting('server_version_num')::integer >= 170000 then
    execute 'grant maintain on all tables in schema symphainy to symphainy_app, service_role';
    execute 'alter default privileges in schema symphainy grant maintain on tables to symphainy_app, service_role';
  end if;
end
$$;

select symphainy.expose('executions_known_of', '', 'v', $sql$
  select reltuples::float8 from pg_catalog.pg_class where oid = 'symphainy.executions'::regclass
$sql$);

select symphainy.expose('analyse', '', 'v', $sql$
  select symphainy.analyse_tables()
$sql$, 'volatile');

select symphainy.make_api();

notify pgrst, 'reload schema';

insert into symphainy.schema_migrations (name) values ('20261120091000_statistics');
