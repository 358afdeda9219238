"""Setups: what is played before an example, and what the suite says when it cannot be."""

import pytest
import vault_realm

from symphainy_platform.context import Identity
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.roles import NO_ROLES
from symphainy_platform.contract.scenario import Setup
from symphainy_platform.testing.callers import Cast
from symphainy_platform.testing.endings import Broken
from symphainy_platform.testing.setups import play_setup
from symphainy_platform.testing.stores import SqliteBinding
from symphainy_platform.testing.values import another_id
from symphainy_platform.testing.world import Call, Worlds

OPEN = {"intent": "open_box", "params": {"label": "letters"}, "save": {"box": "box.box_id", "key": "box.token"}}
TURN = {
    "intent": "turn_key",
    "caller": "anonymous",
    "params": {"tenant": {"$caller": "tenant_id"}, "box_id": {"$ref": "box"}, "token": {"$ref": "key"}},
}


def setups(**named):
    return {name: Setup.model_validate(setup) for name, setup in named.items()}


@pytest.fixture
async def world(tmp_path):
    async with Worlds(tmp_path, SqliteBinding(), [vault_realm]).new() as made:
        yield made


async def test_steps_are_played_in_order_and_what_they_save_is_sent(world):
    told = setups(box={"steps": [OPEN]}, turned={"on": "box", "steps": [{**TURN, "save": {"next": "box.token"}}]})
    await play_setup(world, told, "turned")
    assert world.saved["next"] != world.saved["key"]
    assert world.secrets == {world.saved["key"], world.saved["next"]}
    sent = world.params(Call(intent="turn_key", params={"token": {"$ref": "next"}, "tenant": {"$caller": "tenant_id"}}))
    assert sent == {"token": world.saved["next"], "tenant": "acme"}


async def test_a_setup_says_who_the_callers_are_from_then_on(world):
    told = setups(
        ann={"owner": {"user_id": "usr_ann", "session_ref": "ref", "roles": ["auditor"]}},
        both={"on": "ann", "steps": [OPEN], "other_user": {"user_id": {"$ref": "box"}}},
    )
    await play_setup(world, told, "both")
    assert world.identity(Call(intent="open_box", params={})) == Identity(
        "acme", "usr_ann", frozenset({"auditor"}), session_ref="ref"
    )
    assert world.identity(Call(intent="open_box", params={}, caller="other_user")).user_id == world.saved["box"]
    assert world.identity(Call(intent="open_box", params={}, caller="anonymous")) is None


BROKEN = {
    r"step 1 of the setup \(turn_key\) answers BOX_NOT_FOUND": [
        {
            **TURN,
            "params": {"tenant": "acme", "box_id": "3d0c2a52-91f4-4d3b-8a06-2f6b1f0f8f11", "token": f"1.{'0' * 24}"},
        }
    ],
    r"step 2 of the setup \(open_box\) answers INVALID_PARAMETER_VALUE": [OPEN, {**OPEN, "params": {"label": ""}}],
    r"step 1 of the setup \(shut_box\) has no service": [{"intent": "shut_box", "params": {}}],
    r"step 1 of the setup \(open_box\) answers nothing at box.colour": [{**OPEN, "save": {"colour": "box.colour"}}],
}


@pytest.mark.parametrize(("sentence", "steps"), BROKEN.items())
async def test_a_setup_that_cannot_be_played_says_at_which_step(world, sentence, steps):
    with pytest.raises(Broken, match=sentence):
        await play_setup(world, setups(broken={"steps": steps}), "broken")


async def test_time_passes_in_a_setup(world):
    before = world.clock.now()
    await play_setup(world, setups(later={"steps": [{**OPEN, "after": "1h"}]}), "later")
    assert (world.clock.now() - before).total_seconds() == 3600


CONTRACT = Contract.model_construct(access=("user",), permissions=(), context=("tenant_id",))


def test_the_neighbours_names_are_the_owners_when_they_are_joined():
    owner, neighbour = (Cast().identity(who, CONTRACT, NO_ROLES) for who in ("owner", "neighbour"))
    assert owner.tenant_id + owner.user_id == neighbour.tenant_id + neighbour.user_id
    assert owner.tenant_id != neighbour.tenant_id


@pytest.mark.parametrize("text", ["0b6e9d1c-5f0a-4a3e-9c1d-2f7f3a1b8e55", "usr_019bff5300", "Zz_-aAgG09"])
def test_another_id_has_the_same_form(text):
    other = another_id(text)
    assert other != text
    assert [c.isdigit() for c in other] == [c.isdigit() for c in text]
    assert [c in "0123456789abcdef-" for c in other] == [c in "0123456789abcdef-" for c in text]
