"""The realm of docs/realms.md, taken from the page as it stands: linted, submitted to, and attacked."""

import re
import subprocess
import sys
from pathlib import Path

from symphainy_platform import hookspecs

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "realms.md").read_text("utf-8")
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


def write_realm(folder):
    for name, text in FILE.findall(GUIDE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "greetings" / "intent_services" / "__init__.py").touch()


async def test_the_realm_answers(tmp_path, monkeypatch, open_platform):
    write_realm(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import greetings  # noqa: PLC0415 - it exists only now

    from symphainy_platform import Identity  # noqa: PLC0415

    async with open_platform(plugins=[greetings]) as platform:
        ada = Identity(tenant_id="acme", user_id="ada")
        result = await platform.submit_intent("send_greeting", {"name": "Bob"}, identity=ada)
        again = await platform.submit_intent("send_greeting", {"name": "Bob"}, identity=ada)
    assert result.artifacts["greeting"]["semantic_payload"] == {"text": "Hello, Bob!"}
    assert again.idempotent_replay
    assert again.execution_id == result.execution_id


def test_the_realm_keeps_its_contract(tmp_path):
    write_realm(tmp_path)
    lint = [sys.executable, "-m", "symphainy_platform.cli", "contracts", "lint", "greetings/contracts"]
    done = subprocess.run(lint, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    attack = [sys.executable, "-m", "pytest", "--contracts=greetings/contracts", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(attack, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "0 failed" in done.stdout


def test_every_hook_is_on_the_page():
    hooks = {name for name in vars(hookspecs) if name.startswith("symphainy_")}
    assert {hook for hook in hooks if f"`{hook}`" not in GUIDE} == set()
