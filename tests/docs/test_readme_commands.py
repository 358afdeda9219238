"""The shell lines of the README are run, in order, in an empty folder, and its request is answered."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from symphainy_platform import Platform, Settings
from symphainy_platform.http import create_app

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
LINES = [line.partition(" # ")[0].strip() for block in BLOCKS for line in block.replace("\\\n", "").splitlines()]
COMMANDS = [line for line in LINES if "symphainy" in line]
REQUEST = next(line for line in LINES if line.startswith("curl"))


@pytest.fixture
def shell(tmp_path):
    """Run a line as somebody who has activated the environment; answer what it prints."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
    environment = {**ours, "PATH": f"{Path(sys.executable).parent}:{ours['PATH']}"}

    def run(line):
        done = subprocess.run(  # noqa: S603 - lines of our own README
            ["sh", "-ec", line],  # noqa: S607
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
        return done.stdout

    return run


def test_commands_run(shell):
    assert len(COMMANDS) >= 5
    for line in COMMANDS:
        shell(line.replace(" --follow", ""))


async def test_request_is_answered_with_the_token(shell, tmp_path):
    token = await asyncio.to_thread(shell, next(line for line in COMMANDS if "TOKEN=" in line) + '\necho "$TOKEN"')
    url = re.search(r"https?://\S+", REQUEST)[0]
    headers = {
        name: value.replace("$TOKEN", token.strip()) for name, value in re.findall(r'"([\w-]+): (.+?)"', REQUEST)
    }
    async with Platform.open(Settings(home=tmp_path / ".symphainy")) as platform:
        transport = httpx.ASGITransport(create_app(platform))
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.post(url, headers=headers, json=json.loads(re.search(r"-d '(.+)'", REQUEST)[1]))
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
