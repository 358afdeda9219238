"""`symphainy doctor` on a Supabase project: what it finds, and that it says how to mend it."""

import asyncio
import json
import os
import subprocess
import sys

import pytest
from faulty_proxy import NOT_EXPOSED, FaultyProxy
from servers.supabase_gateway import PUBLISHABLE_KEY, SECRET_KEY

from symphainy_platform.state.postgres.migrate import known_steps
from symphainy_platform.state.supabase.doctor import examine

ALL = [
    "supabase API",
    "supabase key",
    "supabase schema",
    "supabase migrations",
    "supabase objects",
    "supabase row level security",
    "supabase policies",
    "supabase views",
    "supabase functions",
    "supabase grants of users",
    "supabase reads of users",
    "supabase grants of the platform",
]


async def faults(url, key=SECRET_KEY):
    """The first check that failed, and all that is said of it."""
    found = await examine(url, key)
    assert [finding.check for finding in found] == ALL[: len(found)] or not found[-1].ok
    return {finding.check: finding.detail for finding in found if not finding.ok}


@pytest.mark.usefixtures("store")
async def test_a_sound_project_has_no_fault(projects):
    found = await examine(projects.url(), SECRET_KEY)
    assert [finding.check for finding in found if finding.ok] == ALL
    assert all(finding.ok for finding in found)


@pytest.mark.usefixtures("store")
async def test_keys_that_are_no_secret_key(projects):
    wrong = await faults(projects.url(), "sb_secret_wrong")
    assert "copy a secret key" in wrong["supabase key"]
    public = await faults(projects.url(), PUBLISHABLE_KEY)
    assert "is the publishable key" in public["supabase key"]


async def test_an_empty_project(projects):
    found = await faults(projects.url())
    assert "supabase db push" in found["supabase migrations"]


async def test_missing_and_unknown_migrations(projects, open_store, connect):
    await open_store()
    database = await connect(user="postgres")
    last = list(known_steps())[-1]
    await database.execute("delete from symphainy.schema_migrations where name = $1", last)
    found = await faults(projects.url())
    assert f"missing: {last}; run `supabase db push`" in found["supabase migrations"]
    await database.execute("insert into symphainy.schema_migrations values ($1), ('99990101000000_later')", last)
    assert "upgrade the program" in (await faults(projects.url()))["supabase migrations"]


async def test_walls_that_were_pulled_down(projects, open_store, connect):
    await open_store()
    database = await connect(user="postgres")
    await database.execute("""
        alter table symphainy.executions no force row level security;
        alter table symphainy.sealed_keys disable row level security;
        alter view symphainy.artifact_index set (security_invoker = false);
        grant select on symphainy.meta to anon;
        grant update on symphainy.artifacts to authenticated;
        grant execute on function symphainy.purge(jsonb) to public;
        revoke delete on symphainy.outbox from service_role;
    """)
    found = await faults(projects.url())
    assert found["supabase row level security"].startswith("executions, sealed_keys is off or not")
    assert found["supabase views"].endswith("alter view symphainy.NAME set (security_invoker = true)")
    assert found["supabase grants of users"].startswith("artifacts, meta, purge() is open")
    assert found["supabase grants of the platform"].startswith("outbox is closed")


@pytest.mark.usefixtures("store")
async def test_what_stands_before_the_database(projects):
    proxy = FaultyProxy(projects.url())
    try:
        proxy.fail(NOT_EXPOSED)
        assert "exposed schemas" in (await faults(proxy.url))["supabase schema"]
        for fault in ("502", "HTML", "drop", "429"):
            proxy.fail(fault)
            assert "Check SUPABASE_URL" in (await faults(proxy.url))["supabase API"], fault
    finally:
        proxy.close()
    assert "cannot be reached" in (await faults(proxy.url))["supabase API"]


@pytest.mark.usefixtures("store")
async def test_the_command_line_reports_it_and_shows_no_key(projects, tmp_path):
    def doctor(**environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SYMPHAINY_", "SUPABASE_"))}
        return subprocess.run(
            [sys.executable, "-m", "symphainy_platform.cli", "doctor", "--json"],
            cwd=tmp_path,
            env=clean | {"SYMPHAINY_STORE": "supabase"} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def told(**environment):
        done = await asyncio.to_thread(doctor, **environment)
        report = json.loads(done.stdout)
        return done, {check["check"]: check for check in report["checks"]}, {s["name"]: s for s in report["settings"]}

    done, checks, settings = await told(SUPABASE_URL=projects.url(), SUPABASE_SECRET_KEY=SECRET_KEY)
    assert done.returncode == 0, done.stdout
    assert set(ALL) <= set(checks)
    assert (settings["supabase_url"]["value"], settings["supabase_url"]["source"]) == (projects.url(), "environment")
    assert settings["supabase_secret_key"]["value"] == "****"
    assert SECRET_KEY not in done.stdout + done.stderr
    done, checks, _ = await told(SUPABASE_URL=projects.url(), SUPABASE_SECRET_KEY="sb_secret_wrong")
    assert done.returncode == 1
    assert not checks["supabase key"]["ok"]
    assert "sb_secret_wrong" not in done.stdout + done.stderr
    done, checks, _ = await told(SUPABASE_URL=projects.url())
    assert "SUPABASE_SECRET_KEY" in checks["store"]["detail"]
