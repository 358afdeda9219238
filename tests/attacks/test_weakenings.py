"""Each seeded weakening breaks an attack that passes otherwise: the attacks see what they claim to see."""

import pytest
from attacks.attacked import attacked
from attacks.groups import GROUPS
from attacks.playing import Playing
from attacks.weakenings import WEAKENINGS


@pytest.mark.parametrize("name", WEAKENINGS)
def test_the_weakening_is_noticed(name, monkeypatch, tmp_path_factory):
    weakening = WEAKENINGS[name]
    for owner, attribute, value in weakening.patches:
        monkeypatch.setattr(owner, attribute, value)
    assert noticed(weakening, tmp_path_factory), "no attack notices"


def noticed(weakening, folders):
    """Whether an attack, or the run, fails as it should."""
    if weakening.run is not None:
        with attacked(folders.mktemp("attacked")) as server:
            return fails(weakening.run, server)
    chosen = [name for name in GROUPS[weakening.group] if weakening.part in name]
    assert chosen, "there are no such attacks"
    with Playing.on(folders) as playing:
        return any(fails(playing.play, weakening.group, name) for name in chosen)


def fails(attack, *args):
    try:
        attack(*args)
    except AssertionError:
        return True
    return False


def test_there_are_enough_weakenings():
    assert len(WEAKENINGS) >= 25
