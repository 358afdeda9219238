"""The realms that this repository ships keep their contracts, on every store."""

from symphainy_platform.testing.compliance import attacks, run_compliance
from symphainy_platform.testing.report import Verdict


async def test_our_realms_keep_their_contracts(tmp_path):
    report = await run_compliance(tmp_path)
    assert [str(finding) for finding in report.failures + report.skips] == []
    assert sum(finding.verdict is Verdict.PASSED for finding in report.findings) > 150


def test_every_intent_example_and_scenario_is_attacked():
    planned = {(attack.subject, attack.check) for attack in attacks()}
    assert ("update_chat_context", "example.a_b_a") in planned
    assert ("initialize_chat_session", "window.outside") in planned
    assert ("journey_coexistence_chat_session", "scenario.whole_conversation.broken_store_at_1") in planned
