"""Random sequences of intents through every store: equal answers, equal rows, equal events in their order.

The Supabase API, which takes ten times as long as the others, goes through fewer of them.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sequences import Chatting, Employing, SigningIn

TIMES = 10 if os.environ.get("SYMPHAINY_TEST_SOAK") else 1
"""How many times as many sequences `make soak` runs."""

STEPS = 20


@pytest.mark.timeout(900 * TIMES)
@pytest.mark.parametrize(
    ("lockstep", "machine", "sequences"),
    [
        ("embedded_and_served", Chatting, 100),
        ("embedded_and_served", SigningIn, 60),
        ("embedded_and_served", Employing, 40),
        ("every_store", Chatting, 10),
        ("every_store", SigningIn, 6),
        ("every_store", Employing, 4),
    ],
    indirect=["lockstep"],
)
def test_stores_agree(lockstep, machine, sequences):
    class Led(machine):
        pass

    Led.lockstep = lockstep
    lasting = settings(
        max_examples=sequences * TIMES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Led, settings=lasting)
    assert lockstep.sequences >= sequences * TIMES
