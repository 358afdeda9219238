"""Random sequences of intents through every store: equal answers, equal rows, equal events in their order."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sequences import Chatting, Employing, SigningIn

TIMES = 10 if os.environ.get("SYMPHAINY_TEST_SOAK") else 1
"""How many times as many sequences `make soak` runs."""

STEPS = 20


@pytest.mark.timeout(900 * TIMES)
@pytest.mark.parametrize(("machine", "sequences"), [(Chatting, 100), (SigningIn, 60), (Employing, 40)])
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
