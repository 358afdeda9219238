-- One call writes a batch of intents: `symphainy.commit_intents`.
--
-- A batch is {"executions": […], "supersedes": […], "expects": […], "artifacts": […], "entries": […],
-- "rows": […], "events": […]}; parts without records are left out. Every record has `n`, the number of
-- its item from 0, and records stand in the order of their items. JSON values (payloads, answers,
-- bodies) are texts, so that they are stored as they were written; digests are hexadecimal.
--
-- A lock is taken in one statement and what it protects is read in the next one: a single statement
-- would keep the snapshot from before its wait.

-- The records of one item of a batch, as a batch of one.
create function symphainy.item_of(p_batch jsonb, p_number integer) returns jsonb
  language sql immutable set search_path = ''
as $$
  select jsonb_object_agg(part.key, (
           select jsonb_agg(record order by place)
             from jsonb_array_elements(part.value) with ordinality as each(record, place)
            where (record ->> 'n')::integer = p_number))
         filter (where exists (
           select from jsonb_array_elements(part.value) as record where (record ->> 'n')::integer = p_number))
    from jsonb_each(p_batch) as part
$$;

-- Wait for every writer to an artifact of the batch, always in the same order. Whoever emits an event
-- of an artifact waits, too: this is what puts the events of one artifact in the order of their commits.
create function symphainy.lock_artifacts(p_batch jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(place)
     from (select distinct hashtextextended(artifact_id, hashtextextended(tenant_id, 0)) as place
             from (select tenant_id, artifact_id
                     from jsonb_to_recordset(p_batch -> 'artifacts') as w(tenant_id text, artifact_id text)
                    union all
                   select tenant_id, artifact_id
                     from jsonb_to_recordset(p_batch -> 'expects') as x(tenant_id text, artifact_id text)
                    union all
                   select tenant_id, artifact_id
                     from jsonb_to_recordset(p_batch -> 'events') as v(tenant_id text, artifact_id text)
                    where artifact_id is not null) as touched
            order by place
           offset 0) as sorted;
end
$$;

-- The first version that an item expects or replaces and that is not current: {artifact_id, version},
-- or null. Of several writes to one artifact, a later one replaces what the one before it wrote.
create function symphainy.conflict_in(p_batch jsonb) returns jsonb
  language plpgsql stable set search_path = ''
as $$
declare
  v_found jsonb;
begin
  if p_batch ? 'expects' then
    select jsonb_build_object('artifact_id', x.artifact_id, 'version', coalesce(a.version, 0)) into v_found
      from rows from (jsonb_to_recordset(p_batch -> 'expects')
             as (tenant_id text, artifact_id text, version bigint, execution_id text))
           with ordinality as x(tenant_id, artifact_id, version, execution_id, place)
      left join symphainy.artifacts as a on a.tenant_id = x.tenant_id and a.artifact_id = x.artifact_id
     where x.version <> coalesce(a.version, 0) or x.execution_id <> coalesce(a.execution_id, '')
     order by place limit 1;
  end if;
  if v_found is null and p_batch ? 'artifacts' then
    select jsonb_build_object('artifact_id', w.artifact_id, 'version', w.version) into v_found
      from (select w.artifact_id, w.base_version, w.base_execution_id, w.place,
                   coalesce(lag(w.version) over chain, a.version, 0) as version,
                   coalesce(lag(w.execution_id) over chain, a.execution_id, '') as execution_id
              from rows from (jsonb_to_recordset(p_batch -> 'artifacts')
                     as (tenant_id text, artifact_id text, version bigint, execution_id text,
                         base_version bigint, base_execution_id text))
                   with ordinality
                   as w(tenant_id, artifact_id, version, execution_id, base_version, base_execution_id, place)
              left join symphainy.artifacts as a on a.tenant_id = w.tenant_id and a.artifact_id = w.artifact_id
            window chain as (partition by w.tenant_id, w.artifact_id order by w.place)) as w
     where w.base_version <> w.version or (w.base_version > 0 and w.base_execution_id <> w.execution_id)
     order by place limit 1;
  end if;
  return v_found;
end
$$;

-- Whether a key still holds: it has not expired, and the version that it hangs on is current.
create function symphainy.holds(p_tenant text, p_expires_at timestamptz, p_artifact text, p_version bigint,
                                p_now timestamptz) returns boolean
  language plpgsql stable set search_path = ''
as $$
begin
  return p_expires_at > p_now
     and (p_artifact is null
          or exists (select from symphainy.artifacts
                      where tenant_id = p_tenant and artifact_id = p_artifact and version = p_version));
end
$$;

-- An execution as JSON; what is JSON in it stays text.
create function symphainy.as_record(p_execution symphainy.executions) returns jsonb
  language sql stable set search_path = ''
as $$
  select to_jsonb(p_execution)
      || jsonb_build_object('answer', p_execution.answer::text, 'error', p_execution.error::text)
$$;

-- Why one item cannot be written: it is stored already, somebody holds one of its keys, or a version is
-- not current, looked at in this order. Null when nothing stands against it.
create function symphainy.outcome_against(p_one jsonb, p_now timestamptz) returns jsonb
  language plpgsql stable set search_path = ''
as $$
declare
  v_own jsonb := p_one -> 'executions' -> 0;
  v_tenant text := v_own ->> 'tenant_id';
  v_given_up text[] := array(select s ->> 'execution_id' from jsonb_array_elements(p_one -> 'supersedes') as s);
  v_found symphainy.executions;
  v_conflict jsonb;
begin
  select * into v_found from symphainy.executions
   where tenant_id = v_tenant and execution_id = v_own ->> 'execution_id';
  if found then
    return jsonb_build_object('committed_at', v_found.committed_at);
  end if;
  if v_own ? 'key_digest' then
    select * into v_found from symphainy.executions
     where tenant_id = v_tenant and key_digest = decode(v_own ->> 'key_digest', 'hex')
       and execution_id <> all (v_given_up)
       and symphainy.holds(tenant_id, key_expires_at, key_head_artifact, key_head_version, p_now);
    if found then
      return jsonb_build_object('by', 'key', 'record', symphainy.as_record(v_found));
    end if;
  end if;
  if v_own ? 'client_key_digest' then
    select * into v_found from symphainy.executions
     where tenant_id = v_tenant and client_key_digest = decode(v_own ->> 'client_key_digest', 'hex')
       and execution_id <> all (v_given_up)
       and symphainy.holds(tenant_id, client_key_expires_at, client_key_head_artifact, client_key_head_version, p_now);
    if found then
      return jsonb_build_object('by', 'client_key', 'record', symphainy.as_record(v_found));
    end if;
  end if;
  v_conflict := symphainy.conflict_in(p_one);
  if v_conflict is not null then
    return jsonb_build_object('conflict', v_conflict);
  end if;
  return null;
end
$$;

-- Insert the executions with their keys. The unique indexes refuse what is taken (and wait for whoever
-- is about to take it); returns how many were inserted.
create function symphainy.claim(p_batch jsonb, p_now timestamptz) returns integer
  language plpgsql set search_path = ''
as $$
declare
  v_count integer;
begin
  insert into symphainy.executions
         (tenant_id, execution_id, user_id, session_ref, intent_type, contract_version, status, trace_id, started_at,
          committed_at, answer, error, wrote,
          key_digest, key_fingerprint, key_expires_at, key_head_artifact, key_head_version,
          client_key_digest, client_key_fingerprint, client_key_expires_at,
          client_key_head_artifact, client_key_head_version)
  select tenant_id, execution_id, user_id, session_ref, intent_type, contract_version, status, trace_id, started_at,
         p_now, answer::json, error::json, wrote,
         decode(key_digest, 'hex'), decode(key_fingerprint, 'hex'), p_now + make_interval(secs => key_lifetime),
         key_head_artifact, key_head_version,
         decode(client_key_digest, 'hex'), decode(client_key_fingerprint, 'hex'),
         p_now + make_interval(secs => client_key_lifetime),
         client_key_head_artifact, client_key_head_version
    from jsonb_to_recordset(p_batch -> 'executions')
      as x(tenant_id text, execution_id text, user_id text, session_ref text, intent_type text,
           contract_version text, status text, trace_id text, started_at timestamptz,
           answer text, error text, wrote text[],
           key_digest text, key_fingerprint text, key_lifetime double precision,
           key_head_artifact text, key_head_version bigint,
           client_key_digest text, client_key_fingerprint text, client_key_lifetime double precision,
           client_key_head_artifact text, client_key_head_version bigint)
   order by tenant_id, key_digest, client_key_digest
  on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Give up the keys that one item supersedes, and those of its own that hold no more elsewhere. Whether they
-- hold is asked again: somebody may have claimed one since it was last looked at.
create function symphainy.release_keys(p_one jsonb, p_now timestamptz) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  v_own jsonb := p_one -> 'executions' -> 0;
  v_tenant text := v_own ->> 'tenant_id';
  v_given_up text[] := array(select s ->> 'execution_id' from jsonb_array_elements(p_one -> 'supersedes') as s
                              order by 1);
  v_count integer;
  v_released boolean;
begin
  update symphainy.executions
     set key_digest = null, key_fingerprint = null, key_expires_at = null,
         key_head_artifact = null, key_head_version = null,
         client_key_digest = null, client_key_fingerprint = null, client_key_expires_at = null,
         client_key_head_artifact = null, client_key_head_version = null
   where tenant_id = v_tenant and execution_id = any (v_given_up);
  get diagnostics v_count = row_count;
  v_released := v_count > 0;
  update symphainy.executions
     set key_digest = null, key_fingerprint = null, key_expires_at = null,
         key_head_artifact = null, key_head_version = null
   where tenant_id = v_tenant and key_digest = decode(v_own ->> 'key_digest', 'hex')
     and not symphainy.holds(tenant_id, key_expires_at, key_head_artifact, key_head_version, p_now);
  get diagnostics v_count = row_count;
  v_released := v_released or v_count > 0;
  update symphainy.executions
     set client_key_digest = null, client_key_fingerprint = null, client_key_expires_at = null,
         client_key_head_artifact = null, client_key_head_version = null
   where tenant_id = v_tenant and client_key_digest = decode(v_own ->> 'client_key_digest', 'hex')
     and not symphainy.holds(tenant_id, client_key_expires_at, client_key_head_artifact, client_key_head_version,
                             p_now);
  get diagnostics v_count = row_count;
  return v_released or v_count > 0;
end
$$;

-- Write artifacts whose versions were checked under their locks: heads that are replaced are kept as
-- versions, and so is what the batch itself replaces; the last write of each artifact becomes its head.
-- Not called write_…: by that name, artifacts would be a domain table.
create function symphainy.store_artifacts(p_artifacts jsonb) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_expected bigint;
  v_done bigint;
begin
  with written as materialized (
    select w.*, lag(place) over chain is null as is_first, lead(place) over chain is null as is_last
      from rows from (jsonb_to_recordset(p_artifacts)
             as (tenant_id text, artifact_id text, artifact_type text, user_id text, version bigint,
                 lifecycle_state text, semantic_payload text, semantic_descriptor text, intent_type text,
                 execution_id text, parent_artifacts text, materializations text, logs text,
                 created_at timestamptz, updated_at timestamptz, due_at timestamptz, base_version bigint))
           with ordinality
           as w(tenant_id, artifact_id, artifact_type, user_id, version, lifecycle_state, semantic_payload,
                semantic_descriptor, intent_type, execution_id, parent_artifacts, materializations, logs,
                created_at, updated_at, due_at, base_version, place)
    window chain as (partition by tenant_id, artifact_id order by place)
  ), kept as (
    insert into symphainy.artifact_versions
    select a.*
      from written as w
      join symphainy.artifacts as a
        on a.tenant_id = w.tenant_id and a.artifact_id = w.artifact_id and a.version = w.base_version
     where w.is_first and w.base_version > 0
    returning 1
  ), passed as (
    insert into symphainy.artifact_versions
    select tenant_id, artifact_id, artifact_type, user_id, version, lifecycle_state, semantic_payload::json,
           semantic_descriptor::json, intent_type, execution_id, parent_artifacts::json, materializations::json,
           logs::json, created_at, updated_at, due_at
      from written where not is_last
  ), heads as (
    insert into symphainy.artifacts as a
    select tenant_id, artifact_id, artifact_type, user_id, version, lifecycle_state, semantic_payload::json,
           semantic_descriptor::json, intent_type, execution_id, parent_artifacts::json, materializations::json,
           logs::json, created_at, updated_at, due_at
      from written where is_last
     order by tenant_id, artifact_id
    on conflict (tenant_id, artifact_id) do update
       set artifact_type = excluded.artifact_type, user_id = excluded.user_id, version = excluded.version,
           lifecycle_state = excluded.lifecycle_state, semantic_payload = excluded.semantic_payload,
           semantic_descriptor = excluded.semantic_descriptor, intent_type = excluded.intent_type,
           execution_id = excluded.execution_id, parent_artifacts = excluded.parent_artifacts,
           materializations = excluded.materializations, logs = excluded.logs, created_at = excluded.created_at,
           updated_at = excluded.updated_at, due_at = excluded.due_at
    returning (xmax = 0) as created
  )
  select (select count(*) from written where is_first and base_version > 0)
           + (select count(*) from written where is_first and base_version = 0),
         (select count(*) from kept) + (select count(*) from heads where created)
    into v_expected, v_done;
  if v_expected <> v_done then
    raise exception 'an artifact was changed without its lock' using errcode = '40001';
  end if;
end
$$;

create function symphainy.write_entries(p_entries jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  insert into symphainy.artifact_log
  select tenant_id, artifact_id, log, generation, seq, revision, entry_key, body::json, version
    from jsonb_to_recordset(p_entries)
      as x(tenant_id text, artifact_id text, log text, generation bigint, seq bigint, revision bigint,
           entry_key text, body text, version bigint);
end
$$;

create function symphainy.write_events(p_events jsonb, p_now timestamptz) returns void
  language plpgsql set search_path = ''
as $$
begin
  insert into symphainy.outbox
         (position, tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload, created_at)
  select (select base from symphainy.outbox_state) + pg_current_xact_id()::text::bigint,
         tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload::json, p_now
    from rows from (jsonb_to_recordset(p_events)
           as (tenant_id text, user_id text, execution_id text, intent_type text, type text, artifact_id text,
               payload text))
         with ordinality as x(tenant_id, user_id, execution_id, intent_type, type, artifact_id, payload, place)
   order by place;
end
$$;

-- Domain rows, table by table: made anew whenever a table is admitted, see make_row_writer.
create function symphainy.write_rows(p_rows jsonb) returns void
  language plpgsql set search_path = ''
as $$
begin
  raise exception 'there is no domain table' using errcode = 'undefined_table';
end
$$;

-- Make `symphainy.write_<table>`, which sets the values of rows or inserts them, and let write_rows know it.
-- Not an upsert: that would ask for all columns that may not be null, also of an update. Several writes to
-- one row are merged first; the usual single one takes a shorter way.
create function symphainy.make_row_writer(p_table text) returns void
  language plpgsql set search_path = ''
as $$
declare
  v_columns text;
  v_same_row text;
  v_changed text;
begin
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum),
         string_agg(format('t.%1$I = (row_key).%1$I', a.attname), ' and ' order by a.attnum)
           filter (where a.attnum = any (c.conkey)),
         string_agg(format('changed.%1$I = (row_key).%1$I', a.attname), ' and ' order by a.attnum)
           filter (where a.attnum = any (c.conkey))
    into strict v_columns, v_same_row, v_changed
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_constraint as c on c.conrelid = a.attrelid and c.contype = 'p'
   where a.attrelid = format('symphainy.%I', p_table)::regclass and a.attnum > 0 and not a.attisdropped;
  execute format(
    $sql$
      create or replace function symphainy.%1$I(p_rows jsonb) returns void
        language plpgsql set search_path = ''
      as $body$
      declare
        row_key symphainy.%2$I;
        row_values jsonb;
      begin
        if jsonb_array_length(p_rows) = 1 then
          row_key := jsonb_populate_record(null::symphainy.%2$I, p_rows -> 0 -> 'key'
                                           || jsonb_build_object('tenant_id', p_rows -> 0 -> 'tenant_id'));
          row_values := p_rows -> 0 -> 'values';
          update symphainy.%2$I as t
             set (%3$s) = (select %3$s from jsonb_populate_record(t, row_values))
           where %4$s;
          if not found then
            insert into symphainy.%2$I (%3$s) select %3$s from jsonb_populate_record(row_key, row_values);
          end if;
          return;
        end if;
        with v as materialized (
          select jsonb_populate_record(null::symphainy.%2$I, x.key || jsonb_build_object('tenant_id', x.tenant_id))
                   as row_key,
                 coalesce(jsonb_object_agg(v.name, v.value order by x.place) filter (where v.name is not null), '{}')
                   as row_values  -- the values of a later row win
            from rows from (jsonb_to_recordset(p_rows) as (tenant_id text, key jsonb, values jsonb))
                 with ordinality as x(tenant_id, key, values, place)
            left join lateral jsonb_each(x.values) as v(name, value) on true
           group by x.tenant_id, x.key
        ), changed as (
          update symphainy.%2$I as t
             set (%3$s) = (select %3$s from jsonb_populate_record(t, v.row_values))
            from v
           where %5$s
          returning t.*
        )
        insert into symphainy.%2$I (%3$s)
        select n.* from v, jsonb_populate_record(v.row_key, v.row_values) as n
         where not exists (select from changed where %6$s);
      end
      $body$
    $sql$,
    'write_' || p_table, p_table, v_columns, v_same_row,
    replace(v_same_row, '(row_key)', '(v.row_key)'), replace(v_changed, '(row_key)', '(v.row_key)'));
  execute format('revoke all on function symphainy.%I(jsonb) from public', 'write_' || p_table);
  execute format('grant execute on function symphainy.%I(jsonb) to symphainy_app, service_role', 'write_' || p_table);
  perform symphainy.make_write_rows();
end
$$;

-- Make write_rows for the tables that have a writer now: static calls, whose plans are made once.
create function symphainy.make_write_rows() returns void
  language plpgsql set search_path = ''
as $$
declare
  v_calls text;
begin
  select string_agg(format('when %L then perform symphainy.%I(v_rows);', c.relname, 'write_' || c.relname), E'\n')
    into strict v_calls
    from pg_catalog.pg_class as c
   where c.relnamespace = 'symphainy'::regnamespace and c.relkind in ('r', 'p')
     and to_regprocedure(format('symphainy.%I(jsonb)', 'write_' || c.relname)) is not null;
  execute format(
    $sql$
      create or replace function symphainy.write_rows(p_rows jsonb) returns void
        language plpgsql set search_path = ''
      as $body$
      declare
        v_table text;
        v_rows jsonb;
      begin
        for v_table, v_rows in
          select p_rows -> 0 ->> 'table', p_rows where jsonb_array_length(p_rows) = 1
          union all
          (select record ->> 'table', jsonb_agg(record order by place)
             from jsonb_array_elements(p_rows) with ordinality as each(record, place)
            where jsonb_array_length(p_rows) > 1
            group by 1 order by 1)
        loop
          case v_table
            %s
            else raise exception 'there is no such domain table' using errcode = 'undefined_table';
          end case;
        end loop;
      end
      $body$
    $sql$, v_calls);
end
$$;

-- Everything of a batch beside its executions.
create function symphainy.write_effects(p_batch jsonb, p_now timestamptz) returns void
  language plpgsql set search_path = ''
as $$
begin
  if p_batch ? 'artifacts' then
    perform symphainy.store_artifacts(p_batch -> 'artifacts');
  end if;
  if p_batch ? 'entries' then
    perform symphainy.write_entries(p_batch -> 'entries');
  end if;
  if p_batch ? 'rows' then
    perform symphainy.write_rows(p_batch -> 'rows');
  end if;
  if p_batch ? 'events' then
    perform symphainy.write_events(p_batch -> 'events', p_now);
  end if;
end
$$;

-- Whether an item expects a version of an artifact that the batch writes: it then depends on its neighbours.
create function symphainy.expects_own(p_batch jsonb) returns boolean
  language plpgsql immutable set search_path = ''
as $$
begin
  return p_batch ? 'expects' and jsonb_array_length(p_batch -> 'executions') > 1 and exists (
    select from jsonb_to_recordset(p_batch -> 'expects') as x(tenant_id text, artifact_id text)
      join jsonb_to_recordset(p_batch -> 'artifacts') as w(tenant_id text, artifact_id text)
        on w.tenant_id = x.tenant_id and w.artifact_id = x.artifact_id);
end
$$;

-- Write the whole batch at once, or nothing (false) when any item needs a look of its own.
create function symphainy.commit_together(p_batch jsonb, p_now timestamptz) returns boolean
  language plpgsql set search_path = ''
as $$
begin
  if p_batch ? 'supersedes' or symphainy.expects_own(p_batch) or symphainy.conflict_in(p_batch) is not null then
    return false;
  end if;
  if symphainy.claim(p_batch, p_now) < jsonb_array_length(p_batch -> 'executions') then
    delete from symphainy.executions as e
     using jsonb_to_recordset(p_batch -> 'executions') as x(tenant_id text, execution_id text)
     where e.tenant_id = x.tenant_id and e.execution_id = x.execution_id and e.xmin = pg_current_xact_id()::xid;
    return false;
  end if;
  perform symphainy.write_effects(p_batch, p_now);
  return true;
end
$$;

-- The usual single intent (at most one artifact, with at most one event and that of this artifact; nothing
-- superseded or expected) by plain statements. False, and nothing is written, when anything stands against it.
create function symphainy.commit_plain(p_one jsonb, p_now timestamptz) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  v_own jsonb := p_one -> 'executions' -> 0;
  v_new symphainy.artifacts;
  v_base bigint := (p_one -> 'artifacts' -> 0 ->> 'base_version')::bigint;
begin
  if symphainy.claim(p_one, p_now) = 0 then
    return false;
  end if;
  if v_base is not null then
    select tenant_id, artifact_id, artifact_type, user_id, version, lifecycle_state, semantic_payload::json,
           semantic_descriptor::json, intent_type, execution_id, parent_artifacts::json, materializations::json,
           logs::json, created_at, updated_at, due_at
      into v_new
      from jsonb_to_record(p_one -> 'artifacts' -> 0)
        as x(tenant_id text, artifact_id text, artifact_type text, user_id text, version bigint,
             lifecycle_state text, semantic_payload text, semantic_descriptor text, intent_type text,
             execution_id text, parent_artifacts text, materializations text, logs text,
             created_at timestamptz, updated_at timestamptz, due_at timestamptz);
    if v_base = 0 then
      insert into symphainy.artifacts select v_new.* on conflict do nothing;
    else
      insert into symphainy.artifact_versions
      select * from symphainy.artifacts
       where tenant_id = v_new.tenant_id and artifact_id = v_new.artifact_id and version = v_base
         and execution_id = coalesce(p_one -> 'artifacts' -> 0 ->> 'base_execution_id', execution_id);
    end if;
    if not found then
      delete from symphainy.executions
       where tenant_id = v_own ->> 'tenant_id' and execution_id = v_own ->> 'execution_id';
      return false;
    end if;
    if v_base > 0 then
      update symphainy.artifacts
         set artifact_type = v_new.artifact_type, user_id = v_new.user_id, version = v_new.version,
             lifecycle_state = v_new.lifecycle_state, semantic_payload = v_new.semantic_payload,
             semantic_descriptor = v_new.semantic_descriptor, intent_type = v_new.intent_type,
             execution_id = v_new.execution_id, parent_artifacts = v_new.parent_artifacts,
             materializations = v_new.materializations, logs = v_new.logs, created_at = v_new.created_at,
             updated_at = v_new.updated_at, due_at = v_new.due_at
       where tenant_id = v_new.tenant_id and artifact_id = v_new.artifact_id;
    end if;
  end if;
  perform symphainy.write_effects(p_one - 'artifacts', p_now);
  return true;
end
$$;

-- Write one item, or say what stands against it: {committed_at}, {by, record} or {conflict}.
create function symphainy.commit_alone(p_one jsonb, p_now timestamptz) returns jsonb
  language plpgsql set search_path = ''
as $$
declare
  v_against jsonb;
  v_released boolean;
begin
  for attempt in 1 .. 5 loop
    v_against := symphainy.outcome_against(p_one, p_now);
    if v_against is not null then
      return v_against;
    end if;
    v_released := symphainy.release_keys(p_one, p_now);
    if symphainy.claim(p_one, p_now) = 1 then
      perform symphainy.write_effects(p_one, p_now);
      return jsonb_build_object('committed_at', p_now);
    end if;
    exit when v_released;  -- somebody took a key that was free a moment ago, and we gave up others for it
  end loop;
  raise exception 'the keys of an execution were taken meanwhile' using errcode = '40001';
end
$$;

-- Write each item of a batch whole or not at all; durable when the transaction is.
--
-- Answers {"committed_at", "position", "outcomes"}: the position of the events, and one outcome per item in
-- order, or null for them all when each was written at `committed_at` (the usual case). An item that the schema refuses
-- fails the whole call: call again with each item alone. So do deadlocks (40P01), lock timeouts (55P03)
-- and lost races (40001). p_now is null but for tests: the clock is the database's, read after the locks.
--
-- Few rows of large tables are touched, always by an index: plans that were made while a table was small
-- must not read all of it later.
create function symphainy.commit_intents(p_batch jsonb, p_now timestamptz default null) returns jsonb
  language plpgsql set search_path = '' set lock_timeout = '2s'
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz;
  v_outcomes jsonb := '[]';
  v_artifact jsonb := p_batch -> 'artifacts' -> 0;
  v_size integer := jsonb_array_length(p_batch -> 'executions');
  v_plain boolean := v_size = 1 and not p_batch ?| '{supersedes,expects}'
    and (p_batch -> 'artifacts' -> 1) is null and (p_batch -> 'events' -> 1) is null
    and (p_batch -> 'events' -> 0 ->> 'artifact_id' is null
         or p_batch -> 'events' -> 0 ->> 'artifact_id' is not distinct from v_artifact ->> 'artifact_id');
  v_written boolean;
begin
  if not v_plain then
    perform symphainy.lock_artifacts(p_batch);
  elsif v_artifact is not null then
    perform pg_advisory_xact_lock(
      hashtextextended(v_artifact ->> 'artifact_id', hashtextextended(v_artifact ->> 'tenant_id', 0)));
  end if;
  v_now := coalesce(p_now, clock_timestamp());
  if v_plain then
    v_written := symphainy.commit_plain(p_batch, v_now);
  else
    v_written := v_size > 1 and symphainy.commit_together(p_batch, v_now);
  end if;
  if not v_written then
    for v_number in 0 .. v_size - 1 loop
      v_outcomes := v_outcomes || symphainy.commit_alone(symphainy.item_of(p_batch, v_number), v_now);
    end loop;
  end if;
  return jsonb_build_object(
    'committed_at', v_now,
    'position', case when p_batch ? 'events' then
                  (select base from symphainy.outbox_state) + pg_current_xact_id_if_assigned()::text::bigint end,
    'outcomes', case when not v_written then v_outcomes end);
end
$$;

insert into symphainy.schema_migrations (name) values ('20261120090100_commit_intents');
