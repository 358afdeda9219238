-- A sweep gives up the keys that have expired by the database's clock; p_now is null but for tests.
create or replace function symphainy.sweep(p_now timestamptz, p_executions_until timestamptz,
                                           p_events_until timestamptz, p_passed jsonb, p_limit integer) returns jsonb
  language plpgsql set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := coalesce(p_now, clock_timestamp());
  v_executions jsonb;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('symphainy.sweep', 0)) then
    return null;
  end if;
  v_executions := symphainy.delete_old_executions(v_now, p_executions_until, p_passed, p_limit);
  return jsonb_build_object(
    'keys', symphainy.release_expired_keys(v_now, p_limit),
    'executions', v_executions -> 'deleted', 'looked_at', v_executions -> 'looked_at',
    'passed', v_executions -> 'passed',
    'events', symphainy.delete_old_events(p_events_until, p_limit));
end
$$;

insert into symphainy.schema_migrations (name) values ('20261120091300_time_of_sweeps');
