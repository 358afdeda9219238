"""The measure of the compliance suite: it must find every bug that is put into correct code, and none in it."""

import bugs_at_the_gate
import bugs_in_accounts
import bugs_in_parameters
import bugs_in_secrets
import bugs_in_services
import bugs_in_sessions
import bugs_in_stages
import bugs_in_stores
import ledger_realm
import pytest
import vault_realm
from argon2 import PasswordHasher
from planting import bugs_of

from symphainy_platform.plugins import load_plugins, load_realms
from symphainy_platform.realms.security import passwords
from symphainy_platform.settings import Settings
from symphainy_platform.testing.compliance import run_compliance

REALMS = (ledger_realm, vault_realm)
INTENTS = ("open_account", "deposit", "close_account", "audit_account", "open_box", "label_box", "turn_key")
PLACES = (
    bugs_at_the_gate,
    bugs_in_parameters,
    bugs_in_stages,
    bugs_in_stores,
    bugs_in_services,
    bugs_in_secrets,
    bugs_in_sessions,
    bugs_in_accounts,
)
BUGS = [bug for place in PLACES for bug in bugs_of(place)]


@pytest.fixture(scope="module")
def contracts():
    """What all files say, read once."""
    return load_realms(load_plugins(REALMS), Settings()).catalog


@pytest.fixture(autouse=True)
def _hashes_cost_nothing(monkeypatch):
    """No bug is in argon2 itself, and hundreds of passwords are hashed."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda _: hasher)


def test_there_are_enough_bugs():
    assert len(BUGS) >= 150
    assert len({bug.name for bug in BUGS}) == len(BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.plant.__name__)
async def test_a_seeded_bug_is_found(bug, contracts, monkeypatch, tmp_path):
    bug.plant(monkeypatch)
    report = await run_compliance(tmp_path, plugins=REALMS, names=bug.intents, contracts=contracts, stop_at_first=True)
    assert report.failures, f"nobody noticed: {bug.name}"


async def test_correct_code_has_no_failure(tmp_path):
    report = await run_compliance(tmp_path, plugins=REALMS, names=INTENTS)
    assert report.failures == []
    assert report.skips == []
