-- Epochs of the outbox, bounded sweeps and purges, the platform's keys, the audit.

-- What tells this server from every other; nothing, where its operator does not let us know.
create function symphainy.server_identity() returns text
  language plpgsql stable set search_path = ''
as $$
begin
  return (select system_identifier::text from pg_control_system());
exception when insufficient_privilege then
  return '';
end
$$;

-- Tell apart what has the same positions but another history: a copy and its original, a dump that was
-- restored, a server that went back in time. Every connection of a store calls this first, so that no
-- commit of a new life comes before its epoch.
create function symphainy.begin_epoch() returns void
  language plpgsql set search_path = ''
as $$
declare
  v_lineage text := symphainy.server_identity() || '/'
                 || (select oid::text from pg_catalog.pg_database where datname = current_database());
  v_life text := v_lineage || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/'
              || extract(epoch from pg_postmaster_start_time())::text;
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
  if v_state.lineage <> v_lineage then  -- transaction ids begin anew: count on from the highest position
    v_state.base := v_after + 1;
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

-- Positions below this are complete: nobody can still commit an event there.
create function symphainy.horizon() returns bigint
  language plpgsql stable set search_path = ''
as $$
begin
  return (select base from symphainy.outbox_state) + pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
end
$$;

-- Clear keys that have expired; returns how many of both sorts.
create function symphainy.release_expired_keys(p_now timestamptz, p_limit integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_keys integer;
  v_client_keys integer;
begin
  update symphainy.executions
     set key_digest = null, key_fingerprint = null, key_expires_at = null,
         key_head_artifact = null, key_head_version = null
   where (tenant_id, execution_id) in (
           select tenant_id, execution_id from symphainy.executions where key_expires_at <= p_now
            order by key_expires_at limit p_limit for update skip locked);
  get diagnostics v_keys = row_count;
  update symphainy.executions
     set client_key_digest = null, client_key_fingerprint = null, client_key_expires_at = null,
         client_key_head_artifact = null, client_key_head_version = null
   where (tenant_id, execution_id) in (
           select tenant_id, execution_id from symphainy.executions where client_key_expires_at <= p_now
            order by client_key_expires_at limit p_limit - v_keys for update skip locked);
  get diagnostics v_client_keys = row_count;
  return v_keys + v_client_keys;
end
$$;

-- Delete old executions after a place in the order of commits, but those that stand behind a current
-- version or hold a key. Answers {"looked_at", "deleted", "passed": [committed_at, tenant_id, execution_id]}.
create function symphainy.delete_old_executions(p_now timestamptz, p_cutoff timestamptz, p_passed jsonb,
                                                p_limit integer) returns jsonb
  language sql set search_path = ''
as $$
  with old as materialized (
    select tenant_id, execution_id, committed_at,
           coalesce(key_expires_at > p_now, false) or coalesce(client_key_expires_at > p_now, false)
           or exists (select from unnest(wrote) as written(artifact_id)
                        join symphainy.artifacts as a
                          on a.tenant_id = e.tenant_id and a.artifact_id = written.artifact_id
                         and a.execution_id = e.execution_id) as kept
      from symphainy.executions as e
     where committed_at <= p_cutoff
       and (committed_at, tenant_id, execution_id)
           > ((p_passed ->> 0)::timestamptz, p_passed ->> 1, p_passed ->> 2)
     order by committed_at, tenant_id, execution_id
     limit p_limit
  ), deleted as (
    delete from symphainy.executions as e using old
     where not old.kept and e.tenant_id = old.tenant_id and e.execution_id = old.execution_id
    returning 1
  )
  select jsonb_build_object(
           'looked_at', (select count(*) from old),
           'deleted', (select count(*) from deleted),
           'passed', (select jsonb_build_array(committed_at, tenant_id, execution_id) from old
                       order by committed_at desc, tenant_id desc, execution_id desc limit 1))
$$;

-- Delete the oldest events, and remember how far: cursors before that have expired. The order of commits
-- decides: an event of a clock that ran ahead goes with those that came after it. Once the audit has begun,
-- what it has not taken stays.
create function symphainy.delete_old_events(p_cutoff timestamptz, p_limit integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_position bigint;
  v_id bigint;
  v_count integer;
begin
  select position, id into v_position, v_id
    from (select position, id, created_at from symphainy.outbox
           where position < symphainy.horizon() order by position, id limit p_limit) as oldest
   where created_at <= p_cutoff
     and exists (select from symphainy.audit_state as a
                  where a.types = '{}' or (oldest.position, oldest.id) <= (a.position, a.id))
   order by position desc, id desc limit 1;
  if not found then
    return 0;
  end if;
  delete from symphainy.outbox where (position, id) <= (v_position, v_id);
  get diagnostics v_count = row_count;
  update symphainy.outbox_state set swept_position = v_position, swept_id = v_id;
  return v_count;
end
$$;

-- One bounded step of a sweep, at most p_limit rows of each sort. Answers {"keys", "executions", "events",
-- "looked_at", "passed"}; null when another process is sweeping.
create function symphainy.sweep(p_now timestamptz, p_executions_until timestamptz, p_events_until timestamptz,
                                p_passed jsonb, p_limit integer) returns jsonb
  language plpgsql set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_executions jsonb;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('symphainy.sweep', 0)) then
    return null;
  end if;
  v_executions := symphainy.delete_old_executions(p_now, p_executions_until, p_passed, p_limit);
  return jsonb_build_object(
    'keys', symphainy.release_expired_keys(p_now, p_limit),
    'executions', v_executions -> 'deleted', 'looked_at', v_executions -> 'looked_at',
    'passed', v_executions -> 'passed',
    'events', symphainy.delete_old_events(p_events_until, p_limit));
end
$$;

-- Delete artifacts, each with its versions, logs and domain rows; those that were written since they were
-- found due stay whole. Takes [{"tenant_id", "artifact_id", "version", "tables": […]}]; returns how many went.
create function symphainy.purge(p_artifacts jsonb) returns integer
  language plpgsql set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_one record;
  v_table text;
  v_count integer := 0;
begin
  perform symphainy.lock_artifacts(jsonb_build_object('artifacts', p_artifacts));
  for v_one in
    select * from jsonb_to_recordset(p_artifacts)
        as x(tenant_id text, artifact_id text, version bigint, tables text[])
     order by tenant_id, artifact_id
  loop
    delete from symphainy.artifacts as a
     where a.tenant_id = v_one.tenant_id and a.artifact_id = v_one.artifact_id and a.version = v_one.version;
    continue when not found;
    delete from symphainy.artifact_versions as v
     where v.tenant_id = v_one.tenant_id and v.artifact_id = v_one.artifact_id;
    delete from symphainy.artifact_log as l
     where l.tenant_id = v_one.tenant_id and l.artifact_id = v_one.artifact_id;
    foreach v_table in array coalesce(v_one.tables, '{}') loop
      perform symphainy.delete_row(v_table, v_one.tenant_id, v_one.artifact_id);
    end loop;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- Delete the row of a domain table whose one key column beside the tenant has this value.
create function symphainy.delete_row(p_table text, p_tenant text, p_key text) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_column text;
begin
  select string_agg(a.attname, ',') into strict v_column
    from pg_catalog.pg_constraint as c
    join pg_catalog.pg_attribute as a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
   where c.conrelid = format('symphainy.%I', p_table)::regclass and c.contype = 'p' and a.attname <> 'tenant_id'
     and to_regprocedure(format('symphainy.%I(jsonb)', 'write_' || p_table)) is not null;
  execute format('delete from symphainy.%I where tenant_id = $1 and %I = $2', p_table, v_column)
    using p_tenant, p_key;
end
$$;

-- Make a key the current one of its purpose, if the current one is `p_replaces` (null: there is none).
create function symphainy.keep_key(p_purpose text, p_kid text, p_public bytea, p_sealed bytea,
                                   p_created_at timestamptz, p_rotated_at timestamptz, p_replaces text)
  returns boolean
  language plpgsql set search_path = '' set lock_timeout = '2s'
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('symphainy.keep_key', 0));
  if (select kid from symphainy.sealed_keys where purpose = p_purpose and rotated_at is null)
     is distinct from p_replaces then
    return false;
  end if;
  update symphainy.sealed_keys set rotated_at = p_created_at where purpose = p_purpose and rotated_at is null;
  insert into symphainy.sealed_keys (purpose, kid, public, sealed, created_at, rotated_at)
  values (p_purpose, p_kid, p_public, p_sealed, p_created_at, p_rotated_at);
  return true;
end
$$;

-- Append entries to the audit chains and move the position, if it is still `p_after`; else nothing (false).
-- Positions are {"cursor", "types", "position", "id"}, with sorted types.
create function symphainy.append_audit(p_entries jsonb, p_after jsonb, p_upto jsonb) returns boolean
  language plpgsql set search_path = '' set lock_timeout = '2s'
as $$
begin
  update symphainy.audit_state
     set cursor = p_upto ->> 'cursor', types = array(select jsonb_array_elements_text(p_upto -> 'types')),
         position = (p_upto ->> 'position')::bigint, id = (p_upto ->> 'id')::bigint
   where cursor = p_after ->> 'cursor' and types = array(select jsonb_array_elements_text(p_after -> 'types'));
  if not found then
    return false;
  end if;
  insert into symphainy.audit (tenant_id, seq, event_cursor, body, digest)
  select tenant_id, seq, event_cursor, body, decode(digest, 'hex')
    from jsonb_to_recordset(p_entries)
      as x(tenant_id text, seq bigint, event_cursor text, body text, digest text);
  return true;
end
$$;

insert into symphainy.schema_migrations (name) values ('20261120090200_upkeep');
