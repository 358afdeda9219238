"""`symphainy doctor` on a database: what it says of its catalog, and that it never shows a password."""

import asyncio
import json

import asyncpg
import pytest


@pytest.fixture
def url(databases):
    return databases.url("main")


def told(done):
    report = json.loads(done.stdout)
    return {check["check"]: check for check in report["checks"]}, {line["name"]: line for line in report["settings"]}


async def change(url, statement):
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


def test_a_database_that_was_changed_by_hand(symphainy, url):
    symphainy("migrate", "--store", url)
    done = symphainy("doctor", "--json", "--store", url)
    checks, _ = told(done)
    assert done.returncode == 0
    assert checks["database policies"]["ok"]
    asyncio.run(change(url, "create policy leak on symphainy.meta for select to anon using (true)"))
    done = symphainy("doctor", "--json", "--store", url)
    checks, _ = told(done)
    assert done.returncode == 1
    assert [name for name, check in checks.items() if not check["ok"]] == ["database policies"]
    assert checks["database policies"]["detail"].startswith("leak on meta (extra) is not as in supabase/migrations/")


def test_a_database_that_is_not_migrated_has_no_walls_yet(symphainy, url):
    checks, _ = told(symphainy("doctor", "--json", "--store", url))
    assert checks["store"]["detail"].startswith("to be applied at the next start")
    assert [name for name in checks if name.startswith("database")] == []


@pytest.mark.parametrize(
    "password", ["hem/lig", "hem#lig", "hem?lig", "hem@lig", "12/hemlig", "hem[lig", "hem lig", "hem%lig"]
)
def test_no_password_is_shown(symphainy, password):
    given = f"postgresql://ann:{password}@127.0.0.1:1/x"
    for words in (("doctor",), ("doctor", "--json"), ("migrate",)):
        done = symphainy(*words, "--store", given, SYMPHAINY_MIGRATION_URL=given)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert "hem" not in done.stdout + done.stderr
        assert "lig" not in (done.stdout + done.stderr).replace("sealed", "")


@pytest.mark.parametrize("password", ["hemlig", "hem/lig", "12#lig", "hem[lig", "hem@lig", "hem lig"])
def test_no_password_of_a_server_is_shown(symphainy, password):
    done = symphainy("--url", f"http://ann:{password}@127.0.0.1:1", "intents")
    assert done.returncode == 1
    assert done.stderr.startswith("SERVER_UNREACHABLE: No answer from ")
    assert "hem" not in done.stderr
    assert "lig" not in done.stderr
