"""A public intent without its proof must never be served: the start is refused, with a sentence."""

from types import SimpleNamespace

import pytest

from symphainy_platform import Platform, PluginError, Realm, hookimpl

CONTRACT = """
contract: 1
version: 1.0.0
realm: shop
owner: Tests
purpose: For these tests.
intent: enter_shop
{access}
params: {{ticket: {{type: string, required: true, secret: true}}}}
idempotency: {idempotency}
effects: {{reads: [{reads}]}}
returns: {{guest: {{name: {{type: string}}, code: {{type: string, secret: {secret}}}}}}}
errors: {{NO_SUCH_SHELF: {{kind: not_found}}}}
handler: {handler}.enter_shop_service
"""

SERVICE = """
from symphainy_platform import IntentService

class EnterShop(IntentService):
    intent_type = "enter_shop"

    async def execute(self, ctx, params): ...

{methods}
"""

NONE = "{none: Everybody may come twice.}"
KEYED = "{scope: [tenant_id], key: [%s], ttl: 1h%s}"
READ = "{artifact: shelf, id: proof.shelf_id, absent: NO_SUCH_SHELF}"


class Ticket:
    facts = frozenset({"ticket_id"})

    async def prove(self, attempt): ...


class WithoutFacts:
    async def prove(self, attempt): ...


class WithAListOfFacts(WithoutFacts):
    facts = ("ticket_id",)


class WithoutProve:
    facts = frozenset()


@pytest.fixture
def shop(request, tmp_path, monkeypatch):
    """Makes the plugin of a shop; its modules have names of their own, for the interpreter keeps them."""
    made = iter(range(9))

    def make(proofs, methods="", name="shop", **parts):
        module = f"{name}_{abs(hash(request.node.name))}_{next(made)}"
        (tmp_path / module).mkdir()
        (tmp_path / module / "enter_shop_service.py").write_text(SERVICE.format(methods=methods))
        values = {"access": "access: public\nproof: ticket", "idempotency": NONE, "reads": "", "secret": "false"}
        (tmp_path / module / "contracts").mkdir()
        text = CONTRACT.format(**({"handler": module} | values | parts))
        (tmp_path / module / "contracts" / "enter_shop.yaml").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        realms = [Realm("shop", tmp_path / module / "contracts")]
        hooks = {"symphainy_realms": hookimpl(lambda: realms), "symphainy_proofs": hookimpl(proofs)}
        return SimpleNamespace(__name__=name, **hooks)

    return make


async def start(settings, *plugins):
    async with Platform.open(settings, plugins=plugins) as platform:
        return platform.contracts.newest("enter_shop")


async def sentence(settings, *plugins):
    with pytest.raises(PluginError) as refused:
        await start(settings, *plugins)
    return str(refused.value)


def tickets():
    return {"ticket": Ticket()}


def no_proofs():
    return {}


def fails():
    raise ValueError("boom")


async def test_a_public_intent_with_its_proof_is_served(settings, shop):
    key = KEYED % ("proof.ticket_id", "")
    assert await start(settings, shop(tickets, idempotency=key)) is not None


BROKEN = [
    (fails, "shop fails in symphainy_proofs: ValueError: boom"),
    (lambda: None, "shop fails in symphainy_proofs: TypeError"),
    (lambda: ["ticket"], "shop fails in symphainy_proofs: ValueError"),
    (lambda: {"ticket": 5}, "shop brings a int where a Proof is expected: ticket"),
    (lambda: {"ticket": WithoutFacts()}, "shop brings a WithoutFacts where a Proof is expected"),
    (lambda: {"ticket": WithAListOfFacts()}, "shop brings a WithAListOfFacts where a Proof is expected"),
    (lambda: {"ticket": WithoutProve()}, "shop brings a WithoutProve where a Proof is expected"),
    (no_proofs, "enter_shop is public, but no plugin registers a proof named 'ticket'"),
    (lambda: {"tickets": Ticket()}, "enter_shop is public, but no plugin registers a proof named 'ticket'"),
]


@pytest.mark.parametrize(("proofs", "words"), BROKEN)
async def test_a_broken_proof_stops_the_start(settings, shop, proofs, words):
    assert words in await sentence(settings, shop(proofs))


@pytest.mark.parametrize("access", ["access: public", "access: [user, public]"])
async def test_a_public_intent_that_names_no_proof_stops_the_start(settings, shop, access):
    words = await sentence(settings, shop(tickets, access=access))
    assert "enter_shop.yaml: enter_shop is public, but no plugin registers a proof named None" in words


async def test_two_proofs_of_one_name_stop_the_start(settings, shop):
    other = SimpleNamespace(__name__="other", symphainy_proofs=hookimpl(tickets))
    words = await sentence(settings, shop(tickets), other)
    assert "Two plugins bring a proof ticket" in words
    assert "shop" in words
    assert "other" in words


FACTS = [
    ({"idempotency": KEYED % ("proof.ticket_no", "")}, "enter_shop names proof.ticket_no"),
    ({"reads": READ}, "enter_shop names proof.shelf_id"),
]


@pytest.mark.parametrize(("parts", "words"), FACTS)
async def test_a_fact_that_the_proof_does_not_give_stops_the_start(settings, shop, parts, words):
    told = await sentence(settings, shop(tickets, **parts))
    assert f"{words}, which the proof ticket does not give" in told


async def test_a_draft_that_nobody_serves_yet_needs_no_proof_yet(settings, shop):
    draft = "access: public\nproof: ticket\nstatus: draft"
    plugin = shop(no_proofs, access=draft, handler="shop_of_tomorrow")
    assert await start(settings, plugin) is None


async def test_a_draft_that_is_served_needs_its_proof(settings, shop):
    words = await sentence(settings, shop(no_proofs, access="access: public\nproof: ticket\nstatus: draft"))
    assert "no plugin registers a proof named 'ticket'" in words


LACKING = [
    ("", {"secret": "true"}, "does not define restore"),
    ("", {"idempotency": KEYED % ("proof.ticket_id", ", replay_while: open_still")}, "has none"),
    (
        "    def open_still(self, ctx, params): ...",
        {"idempotency": KEYED % ("proof.ticket_id", ", replay_while: open_still")},
        "async def open_still",
    ),
]


@pytest.mark.parametrize(("methods", "parts", "words"), LACKING)
async def test_a_service_that_cannot_answer_a_replay_stops_the_start(settings, shop, methods, parts, words):
    key = {"idempotency": KEYED % ("proof.ticket_id", "")}
    assert words in await sentence(settings, shop(tickets, methods, **(key | parts)))


async def test_a_service_that_can_answer_a_replay_is_served(settings, shop):
    methods = """
    async def restore(self, ctx, params, name, artifact): ...
    async def open_still(self, ctx, params): ...
"""
    key = KEYED % ("proof.ticket_id", ", replay_while: open_still")
    assert await start(settings, shop(tickets, methods, idempotency=key, secret="true")) is not None


async def test_a_secret_answer_that_is_never_replayed_needs_no_restoring(settings, shop):
    """Public intents ignore the caller's key, so that one without a key of its own has no replays."""
    assert await start(settings, shop(tickets, secret="true")) is not None


async def test_a_secret_answer_that_a_callers_own_key_replays_needs_restoring(settings, shop):
    assert "does not define restore" in await sentence(settings, shop(tickets, access="access: user", secret="true"))
