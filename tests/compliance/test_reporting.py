"""What the suite says of contracts that cannot be attacked in full, and how it says it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import ledger_realm
import pytest
from ledger_realm.intent_services.deposit_service import DepositService

from symphainy_platform import Platform, Settings
from symphainy_platform.testing.checks import CHECKS
from symphainy_platform.testing.compliance import attacks, run_compliance
from symphainy_platform.testing.endings import Skipped
from symphainy_platform.testing.report import Finding, Report, Verdict
from symphainy_platform.testing.selection import FolderRealm
from symphainy_platform.testing.stores import STORES, SqliteBinding

HERE = Path(__file__).parent
LEDGER = HERE / "ledger_realm" / "contracts"
ADDITION = """
compliance:
  expected_failures: {%s: It is known.}
"""


@pytest.fixture
def variant(tmp_path):
    """The ledger's contracts in a folder of their own, with one of them changed."""

    def make(intent, change):
        folder = tmp_path / "contracts"
        for file in LEDGER.rglob("*.yaml"):
            text = file.read_text()
            copy = folder / file.relative_to(LEDGER)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(change(text) if file.stem == intent else text)
        return FolderRealm(folder)

    return make


async def verdicts(realm, folder, intent, *checks):
    wanted = attacks(plugins=[realm], select=lambda found: found.name == intent)
    found = [await attack.run(folder / attack.check) for attack in wanted if attack.check in checks]
    return {finding.check: finding.verdict for finding in found}


async def test_a_contract_without_service_is_unimplemented_not_skipped(variant, tmp_path):
    realm = variant("deposit", lambda text: text.replace("deposit_service", "no_such_service") + "status: draft\n")
    report = await run_compliance(tmp_path, plugins=[realm], names=["deposit"])
    assert [finding.verdict for finding in report.findings] == [Verdict.UNIMPLEMENTED]
    assert not report.ok


@pytest.fixture
def with_a_draft(variant):
    """The ledger's contracts, and a draft of the next major of one."""
    realm = variant("deposit", str)
    text = (LEDGER / "ledger" / "deposit.yaml").read_text().replace("version: 1.0.0", "version: 2.0.0\nstatus: draft")
    (realm.folder / "ledger" / "deposit.v2.yaml").write_text(text.replace("deposit_service", "deposit_v2_service"))
    return realm


def test_a_draft_of_the_next_major_hides_no_check_of_the_one_that_serves(with_a_draft):
    planned = attacks(plugins=[with_a_draft], select=lambda found: found.name == "deposit")
    assert {(attack.subject, attack.action is None) for attack in planned} == {("deposit", False), ("deposit@2", True)}


async def test_callers_are_not_told_of_a_draft_that_nothing_serves(with_a_draft, tmp_path):
    async with Platform.open(Settings(home=tmp_path), plugins=[with_a_draft]) as platform:
        assert platform.contracts.newest("deposit").version == "1.0.0"


async def test_an_expected_failure_is_strict(variant, tmp_path, monkeypatch):
    realm = variant("deposit", lambda text: text + ADDITION % "params.range")
    assert await verdicts(realm, tmp_path / "1", "deposit", "params.range") == {"params.range": Verdict.UNEXPECTED_PASS}
    realm = variant("deposit", lambda text: text + ADDITION % "example.fills")
    monkeypatch.setattr(DepositService, "exceeds", lambda _, balance, limit: balance >= limit)
    assert await verdicts(realm, tmp_path / "2", "deposit", "example.fills") == {
        "example.fills": Verdict.EXPECTED_FAILURE
    }


async def test_an_expected_failure_of_an_unknown_check_fails(variant, tmp_path):
    realm = variant("deposit", lambda text: text + ADDITION % "params.everything")
    found = await verdicts(realm, tmp_path, "deposit", "params.everything")
    assert found == {"params.everything": Verdict.FAILED}


async def test_without_a_happy_example_checks_are_skipped_with_the_reason(variant, tmp_path):
    realm = variant("deposit", lambda text: text[: text.index("examples:")] + text[text.index("handler:") :])
    (attack,) = (
        attack
        for attack in attacks(plugins=[realm], select=lambda found: found.name == "deposit")
        if attack.check == "replay.same"
    )
    finding = await attack.run(tmp_path)
    assert (finding.verdict, finding.reason) == (Verdict.SKIPPED, "the contract has no happy example to vary")


async def test_what_a_service_raises_is_a_finding(tmp_path, monkeypatch):
    async def explode(*_):
        raise RuntimeError

    monkeypatch.setattr(DepositService, "execute", explode)
    report = await run_compliance(tmp_path, plugins=[ledger_realm], names=["deposit"], stop_at_first=True)
    assert report.failures


async def test_a_skip_does_not_hide_what_was_found_before(variant, tmp_path, monkeypatch):
    async def half_done(trial):
        trial.expect(holds=False, problem="it answers 2")
        raise Skipped("there is nothing more to attack")

    monkeypatch.setitem(CHECKS, "params.null", half_done)
    found = await verdicts(variant("deposit", str), tmp_path, "deposit", "params.null")
    assert found == {"params.null": Verdict.FAILED}


def test_the_table_shows_every_check_and_the_worst_of_the_examples():
    report = Report(
        [
            _finding("params.null", Verdict.PASSED),
            _finding("params.enum", Verdict.NOT_APPLICABLE, "no enumeration"),
            _finding("replay.same", Verdict.SKIPPED, "no happy example"),
            _finding("example.one", Verdict.PASSED),
            _finding("example.two", Verdict.FAILED, problems=("it answers 2",)),
        ]
    )
    text = "\n".join(report.lines())
    assert "contracts on sqlite" in text
    for line in ("params.null  ok", "params.enum  -", "replay.same  skip", "examples     FAIL 1/2"):
        assert line in text
    assert "deposit · example.two (sqlite): failed\n    it answers 2" in text
    assert "deposit · replay.same (sqlite): skipped\n    no happy example" in text


def test_a_wide_table_is_cut_into_several():
    names = [f"intent_number_{number}" for number in range(12)]
    report = Report([_finding("params.null", Verdict.PASSED, subject=name) for name in names])
    lines = list(report.lines(width=80))
    assert max(map(len, lines[:-1])) <= 80
    assert all(any(name in line for line in lines) for name in names)


def _finding(check, verdict, reason="", *, problems=(), subject="deposit"):
    return Finding(store="sqlite", subject=subject, check=check, verdict=verdict, reason=reason, problems=problems)


@pytest.fixture
def run_pytest(tmp_path):
    """Runs `pytest` in a folder of its own, as a realm team would, with the ledger importable."""

    def run(*arguments):
        return subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(HERE)},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    return run


def test_pytest_contracts_attacks_a_foreign_folder(run_pytest, tmp_path):
    report = tmp_path / "report.json"
    ran = run_pytest(f"--contracts={LEDGER}", f"--contracts-report={report}", "-q", "-k", "params or example")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "contracts on sqlite" in ran.stdout
    written = json.loads(report.read_bytes())
    assert written["ok"]
    assert {finding["subject"] for finding in written["findings"]} == {
        "audit_account",
        "close_account",
        "deposit",
        "open_account",
    }


def test_pytest_contracts_attacks_one_file_and_makes_the_report_folder(run_pytest, tmp_path):
    report = tmp_path / "reports" / "of_today" / "report.json"
    file = LEDGER.parents[3] / "contracts" / "coexistence" / "get_chat_session.yaml"
    ran = run_pytest(f"--contracts={file}", f"--contracts-report={report}", "-q", "-k", "params.null")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [finding["subject"] for finding in json.loads(report.read_bytes())["findings"]] == ["get_chat_session"]


def test_a_report_of_nothing_is_not_ok():
    assert not Report().ok


def test_pytest_contracts_refuses_a_name_that_is_nothing(run_pytest):
    ran = run_pytest("--contracts=no_such_realm")
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no contract in no_such_realm" in ran.stderr


def test_without_the_option_the_plugin_only_offers_fixtures(run_pytest, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import asyncio, sys\n"
        "from symphainy_platform import Identity\n"
        "def test_it(open_platform, manual_clock):\n"
        "    async def go():\n"
        "        async with open_platform() as platform:\n"
        "            return await platform.submit_intent('get_chat_session', {}, identity=Identity('t', 'u'))\n"
        "    assert asyncio.run(go()).artifacts['chat_session']['semantic_payload'] == {'exists': False}\n"
        "    assert 'symphainy_platform.testing.collection' not in sys.modules\n"
    )
    ran = run_pytest("-q")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


class SecondStore(SqliteBinding):
    name = "second"


async def test_another_store_joins_with_one_line(tmp_path):
    stores = (*STORES, SecondStore())
    report = await run_compliance(tmp_path, plugins=[ledger_realm], names=["audit_account"], stores=stores)
    assert report.ok
    by_store = {name: [f.check for f in report.findings if f.store == name] for name in ("sqlite", "second")}
    assert by_store["sqlite"] == by_store["second"]
    assert "contracts on second" in list(report.lines())
