"""Every attack answers with its declared code, changes nothing but what is declared, and leaks nothing."""

import pytest
from attacks.groups import GROUPS
from attacks.playing import Playing

CASES = [(group, name) for group, cases in GROUPS.items() for name in cases]


@pytest.fixture(scope="module")
def playing(tmp_path_factory):
    with Playing.on(tmp_path_factory) as playing:
        yield playing


@pytest.mark.parametrize(("group", "name"), CASES, ids=[f"{group}-{name}" for group, name in CASES])
def test_the_attack_fails(playing, group, name):
    playing.play(group, name)


def test_there_are_enough_attacks():
    assert len(CASES) >= 200
