"""What Supabase's own advisors find in the migrated database."""

import asyncio
import json
import os
import subprocess

import pytest
from servers.supabase_gateway import command


@pytest.fixture
def advise(databases, tmp_path):
    """Ask the advisors; an unused index is none of a database that nobody has used."""

    def ask():
        url = f"{databases.url(user='postgres')}?sslmode=disable"
        done = subprocess.run(  # noqa: S603 - the program of the tests
            command("db", "advisors", f"--db-url={url}", "--level=info", "--fail-on=none", "--output-format=json"),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=tmp_path,
            env={"PATH": os.defpath, "HOME": str(tmp_path), "DO_NOT_TRACK": "1"},
        )
        assert done.returncode == 0, done.stderr
        return [found for found in json.loads(done.stdout)["results"] if found["name"] != "unused_index"]

    return lambda: asyncio.to_thread(ask)


def places(found):
    return {f"{each['metadata']['schema']}.{each['metadata']['name']}" for each in found}


@pytest.mark.usefixtures("store")
async def test_the_advisors_find_nothing(advise):
    assert [each["detail"] for each in await advise()] == []


@pytest.mark.usefixtures("store")
async def test_the_advisors_do_look_at_the_schema(advise, connect):
    await (await connect(user="postgres")).execute("alter table symphainy.meta disable row level security")
    assert "symphainy.meta" in places(await advise())
