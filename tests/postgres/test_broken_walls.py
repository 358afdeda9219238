"""What `symphainy doctor` says of a database that somebody has changed by hand: one thing at a time."""

import json

import pytest

from symphainy_platform.state.postgres.connections import Database
from symphainy_platform.state.postgres.doctor import examine, findings

OWN = "tenant_id = ((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id')"
BREAKS = {
    "alter table symphainy.artifacts disable row level security": {"without_walls": ["artifacts"]},
    "alter table symphainy.meta no force row level security": {"without_walls": ["meta"]},
    "create policy leak on symphainy.artifacts for select to authenticated using (true)": {
        "other_policies": ["leak on artifacts (extra)"]
    },
    "drop policy own_rows on symphainy.chat_sessions;"
    "create policy own_rows on symphainy.chat_sessions for select to authenticated using (true)": {
        "other_policies": ["own_rows on chat_sessions (changed)"]
    },
    f"alter policy own_rows on symphainy.artifact_log using ({OWN})": {
        "other_policies": ["own_rows on artifact_log (changed)"]
    },
    "alter policy own_rows on symphainy.outbox to anon, authenticated": {
        "other_policies": ["own_rows on outbox (changed)"]
    },
    "alter policy platform on symphainy.executions using (tenant_id = 'acme')": {
        "other_policies": ["platform on executions (changed)"]
    },
    "drop policy platform on symphainy.executions": {"other_policies": ["platform on executions (missing)"]},
    "drop policy own_rows on symphainy.artifacts": {
        "other_policies": ["own_rows on artifacts (missing)"],
    },
    "create policy own_rows on symphainy.sessions for select to authenticated using (true)": {
        "other_policies": ["own_rows on sessions (extra)"]
    },
    "create policy nobody on symphainy.outbox as restrictive to service_role using (false)": {
        "other_policies": ["nobody on outbox (extra)"]
    },
    "grant select on symphainy.sealed_keys to authenticated": {"open_to_users": ["sealed_keys"]},
    "grant select (kid) on symphainy.sealed_keys to authenticated": {"open_to_users": ["sealed_keys"]},
    "grant select on symphainy.artifacts to anon": {"open_to_users": ["artifacts"]},
    "grant select on symphainy.executions to public": {"open_to_users": ["executions"]},
    "grant insert (tenant_id) on symphainy.artifacts to authenticated": {"open_to_users": ["artifacts"]},
    "grant update (context) on symphainy.chat_sessions to authenticated": {"open_to_users": ["chat_sessions"]},
    "grant trigger, references on symphainy.artifacts to authenticated": {"open_to_users": ["artifacts"]},
    "grant update on symphainy.artifact_index to authenticated": {"open_to_users": ["artifact_index"]},
    "grant usage on sequence symphainy.outbox_id_seq to anon": {"open_to_users": ["outbox_id_seq"]},
    "grant usage on schema symphainy to anon": {"open_to_users": ["schema symphainy"]},
    "grant create on schema symphainy to authenticated": {"open_to_users": ["schema symphainy"]},
    "grant execute on function symphainy.purge(jsonb) to public": {"open_to_users": ["purge()"]},
    "grant execute on function symphainy.commit_intents(jsonb, timestamptz) to authenticated": {
        "open_to_users": ["commit_intents()"]
    },
    "revoke select on symphainy.artifacts, symphainy.chat_sessions from authenticated": {
        "closed_to_users": ["artifacts", "chat_sessions"]
    },
    "revoke usage on schema symphainy from authenticated": {"closed_to_users": ["schema symphainy"]},
    "revoke usage on schema auth from authenticated": {"closed_to_users": ["schema auth"]},
    "revoke execute on function auth.jwt() from public": {"closed_to_users": ["auth.jwt()"]},
    "revoke execute on function symphainy.claim(jsonb, timestamptz) from service_role": {
        "closed_to_platform": ["claim()"]
    },
    "revoke execute on function symphainy.api_artifact(text, text) from service_role": {
        "closed_to_platform": ["api_artifact()"]
    },
    "revoke execute on function symphainy.begin_epoch() from symphainy_app": {"closed_to_platform": ["begin_epoch()"]},
    "revoke insert on symphainy.outbox from service_role": {"closed_to_platform": ["outbox"]},
    "revoke select on symphainy.meta from symphainy_app": {"closed_to_platform": ["meta"]},
    "revoke usage on schema symphainy from service_role": {"closed_to_platform": ["schema symphainy"]},
    "revoke usage on all sequences in schema symphainy from service_role": {
        "closed_to_platform": ["outbox_id_seq", "sealed_keys_id_seq"]
    },
    "alter function symphainy.commit_intents(jsonb, timestamptz) security definer": {
        "functions_of_owner": ["commit_intents"]
    },
    "alter function symphainy.claim(jsonb, timestamptz) reset search_path": {"functions_of_owner": ["claim"]},
    "alter view symphainy.artifact_index set (security_invoker = false)": {"views_of_owner": ["artifact_index"]},
    "drop function symphainy.claim(jsonb, timestamptz)": {"missing": ["claim()"]},
    "drop function symphainy.commit_intents(jsonb, timestamptz)": {"missing": ["commit_intents()"]},
    "drop function symphainy.api_artifact(text, text)": {"missing": ["api_artifact()"]},
    "drop view symphainy.artifact_index": {"missing": ["artifact_index"]},
    "drop table symphainy.artifact_log cascade": {"missing": ["artifact_log", "artifact_log_by_key"]},
    "drop index symphainy.executions_by_key": {"missing": ["executions_by_key"]},
    "alter table symphainy.meta drop constraint meta_pkey": {"missing": ["the primary key of meta"]},
}


@pytest.fixture
async def database(open_store, connect):
    await open_store()
    return await connect(user="postgres")


async def found_after(database, statement):
    change = database.transaction()
    await change.start()
    try:
        await database.execute(statement)
        faults = json.loads(await database.fetchval("select symphainy.faults_in_walls()"))
    finally:
        await change.rollback()
    wrong = [finding.detail for finding in findings("x", faults) if not finding.ok]
    assert all(any(text.startswith(f"{', '.join(names)} ") for text in wrong) for names in faults.values() if names)
    return {kind: names for kind, names in faults.items() if names}


async def test_a_sound_database_has_no_fault(database):
    assert await found_after(database, "select 1") == {}


async def test_each_thing_that_is_broken_is_named_and_nothing_else(database):
    found = {statement: await found_after(database, statement) for statement in BREAKS}
    assert found == BREAKS


async def test_domain_tables_of_others_are_as_sound(database):
    admitted = """
        create table symphainy.notes (tenant_id text, note_id text, user_id text, primary key (tenant_id, note_id));
        select symphainy.admit_domain_table('notes', {});
    """
    for own_rows in ("false", "true"):
        assert await found_after(database, admitted.format(own_rows)) == {}
    leaking = f"{admitted.format('true')} alter policy own_rows on symphainy.notes using (true)"
    assert await found_after(database, leaking) == {"other_policies": ["own_rows on notes (changed)"]}


async def test_the_doctor_of_a_database(database, databases):
    there = Database(databases.url())
    assert {finding.ok for finding in await examine(there)} == {True}
    await database.execute("alter view symphainy.artifact_index set (security_invoker = false)")
    (fault,) = [finding for finding in await examine(there) if not finding.ok]
    assert fault.check == "database views"
    assert "alter view symphainy.NAME set (security_invoker = true)" in fault.detail
    await database.execute("alter view symphainy.artifact_index set (security_invoker = true)")
    assert all(finding.ok for finding in await examine(there))
    await database.execute("delete from symphainy.schema_migrations where name like '%faults'")
    assert await examine(there) == []  # the check of the store names the missing step
    (none,) = await examine(Database("postgresql://ann:hem/lig@127.0.0.1:1/x"))
    assert "percent-encoded" in none.detail
    assert "lig" not in none.detail
