"""Public intents: a proof in the parameters says who it is, and nothing else does."""

import asyncio

import pytest
from notebook_realm.script import greet_guest
from runtime_callers import ANN, BOB, EVE, ROBOT, Caller

from symphainy_platform import Client, Identity, IntentError, Proven
from symphainy_platform.errors import NotFound, PermissionDenied
from symphainy_platform.runtime.execution import IntentRequest

WORDS = "t1 ann pass-1 -"
FACTS = {"pass_id": "p", "note_id": "-"}


def asking(intent="greet_guest", identity=None, bearer=None, client=Client(), **params):  # noqa: B008 - it is frozen
    params = params or {"words": WORDS}
    return IntentRequest(intent_type=intent, parameters=params, identity=identity, bearer=bearer, client=client)


async def refusal(platform, request):
    with pytest.raises(IntentError) as refused:
        await platform.dispatch(request)
    return refused.value


async def test_the_proof_says_on_whose_behalf_it_runs(platform, anybody, ann):
    answer = await anybody("greet_guest", words=WORDS)
    assert answer.artifacts["guest"]["semantic_payload"] == {"pass_id": "pass-1"}
    assert (await ann.status(answer.execution_id))["status"] == "completed"
    for stranger in (BOB, EVE):
        with pytest.raises(NotFound):
            await platform.read.execution(answer.execution_id, identity=stranger)


async def test_a_proof_is_told_what_was_asked_and_by_whom(platform, proving, clock):
    attempts = []

    async def prove(attempt):
        attempts.append(attempt)
        return Proven(identity=BOB, facts=FACTS)

    proving(prove)
    client = Client("192.0.2.1", "a browser")
    answer = await platform.dispatch(asking(identity=ANN, bearer="own:t1:eve", client=client))
    [told] = attempts
    assert (told.intent_type, told.execution_id) == ("greet_guest", answer.execution_id)
    assert (told.params.words, told.bearer, told.identity) == (WORDS, "own:t1:eve", ANN)
    assert (told.client, told.now) == (client, clock.now())
    assert WORDS not in repr(told)
    assert "own:t1:eve" not in repr(told)


async def test_a_service_is_told_what_the_proof_found_out(platform, scripted):
    seen = {}

    async def look(ctx, params):
        seen.update(facts=dict(ctx.facts), caller=(ctx.tenant_id, ctx.user_id), client=ctx.client)
        return await greet_guest(ctx, params)

    scripted("greet_guest", look)
    await platform.dispatch(asking(client=Client("192.0.2.1")))
    assert seen == {
        "facts": {"pass_id": "pass-1", "note_id": "-"},
        "caller": ("t1", "ann"),
        "client": Client("192.0.2.1"),
    }


async def test_other_intents_have_no_facts(ann, scripted):
    async def look(ctx, _):
        raise IntentError("REFUSED", details={"facts": dict(ctx.facts)})

    scripted("write_note", look)
    assert (await ann.failure("write_note", text="x")).details == {"facts": {}}


@pytest.mark.parametrize("identity", [None, BOB, ROBOT, Identity("t1", "guest", external=True)])
@pytest.mark.parametrize("bearer", [None, "own:t2:bob", "guest:t1:bob", "garbage", ""])
async def test_whoever_brings_the_proof_it_is_the_proof_that_counts(platform, identity, bearer):
    answer = await platform.dispatch(asking(identity=identity, bearer=bearer))
    assert (await Caller(platform, ANN).status(answer.execution_id))["status"] == "completed"


async def test_no_identity_source_is_asked_for_a_public_intent(platform, monkeypatch):
    async def fails(_):
        pytest.fail("it was asked")

    monkeypatch.setattr("notebook_realm.proving.WordsOfACaller.identify", lambda _, token: fails(token))
    await platform.dispatch(asking(bearer="own:t1:bob"))


async def test_a_refusal_that_is_declared_is_completed(anybody, database):
    failure = await anybody.failure("greet_guest", words="no pass")
    assert (failure.code, failure.message, failure.http_status) == ("PASS_REFUSED", "This is no pass.", 401)
    assert failure.to_dict()["legacy_code"] == "N-001"
    assert database("SELECT count(*) FROM outbox") == [(0,)]


async def test_a_refusal_of_the_runtimes_own_needs_no_declaration(anybody, proving):
    async def prove(_):
        raise PermissionDenied

    proving(prove)
    assert await anybody.code("greet_guest", words=WORDS) == "PERMISSION_DENIED"


async def test_a_refusal_that_is_not_declared_is_a_violation(anybody, proving):
    async def prove(_):
        raise IntentError("NOT_IN_THE_CONTRACT")

    proving(prove)
    assert await anybody.code("greet_guest", words=WORDS) == "CONTRACT_VIOLATION"


CRASHES = [ValueError("hunter2"), KeyError("hunter2"), TimeoutError("hunter2"), OSError(28, "hunter2"), SystemExit(3)]


@pytest.mark.parametrize("crash", CRASHES, ids=lambda crash: type(crash).__name__)
async def test_a_crash_of_the_proof_leaks_nothing(anybody, proving, logged, crash):
    async def prove(_):
        raise crash

    proving(prove)
    failure = await anybody.failure("greet_guest", words=WORDS)
    assert failure.code == "HANDLER_ERROR"
    assert [line["error_type"] for line in logged if line["event"] == "proof_failed"] == [type(crash).__name__]
    assert "hunter2" not in f"{failure.to_dict()} {logged}"


async def test_a_proof_whose_own_task_was_cancelled_has_a_code_too(anybody, proving):
    async def prove(_):
        inner = asyncio.create_task(asyncio.Event().wait())
        inner.cancel()
        await inner

    proving(prove)
    assert await anybody.code("greet_guest", words=WORDS) == "HANDLER_ERROR"


async def test_a_proof_that_takes_too_long_is_ended(opened, proving):
    async def prove(_):
        await asyncio.Event().wait()

    proving(prove)
    async with opened(default_deadline_seconds=0.05) as platform:
        assert (await refusal(platform, asking())).code == "EXECUTION_TIMEOUT"


ODD = [
    None,
    True,
    ANN,
    {"identity": ANN, "facts": FACTS},
    Proven(identity=ANN),
    Proven(identity=ANN, facts={"pass_id": "p"}),
]


@pytest.mark.parametrize("proven", ODD, ids=str)
async def test_a_proof_gives_all_that_it_promises(anybody, proving, database, proven):
    async def prove(_):
        return proven

    proving(prove)
    assert await anybody.code("greet_guest", words=WORDS) == "CONTRACT_VIOLATION"
    assert database("SELECT count(*) FROM outbox") == [(0,)]


async def test_parameters_are_checked_before_the_proof_sees_them(anybody, proving):
    async def prove(_):
        pytest.fail("it was asked")

    proving(prove)
    assert await anybody.code("greet_guest", words=7) == "INVALID_PARAMETER_TYPE"
    assert await anybody.code("greet_guest") == "MISSING_PARAMETER"


async def test_a_clients_key_means_nothing_to_a_public_intent(platform, anybody, database):
    """Whoever has not said who it is has no keys of its own: another's pass is not answered with an answer of mine."""
    first = await anybody("greet_guest", "key", words=WORDS)
    again = await anybody("greet_guest", "key", words=WORDS)
    other = await anybody("greet_guest", "key", words="t1 bob pass-2 -")
    assert len({answer.execution_id for answer in (first, again, other)}) == 3
    assert not again.idempotent_replay
    await platform.drain()
    assert database("SELECT count(*) FROM executions WHERE client_key_digest IS NOT NULL") == [(0,)]


async def test_one_pass_is_one_loan_whoever_shows_it_and_whatever_else_it_says(anybody, ann):
    first = await anybody("lend_note", words="t1 ann pass-1 -")
    again = await ann("lend_note", words="t1 ann pass-1 other")
    other = await anybody("lend_note", words="t1 ann pass-2 -")
    assert (again.execution_id, again.idempotent_replay) == (first.execution_id, True)
    assert other.execution_id != first.execution_id


async def test_the_same_pass_of_another_tenant_is_another_key(anybody):
    first = await anybody("lend_note", words="t1 ann pass-1 -")
    other = await anybody("lend_note", words="t2 ann pass-1 -")
    assert (other.execution_id != first.execution_id, other.idempotent_replay) == (True, False)


async def test_a_fact_says_which_artifact_is_read(anybody, ann, bob):
    mine, foreign = [(await who("write_note", text="x")).events[0]["note_id"] for who in (ann, bob)]
    turned = await anybody("turn_page", words=f"t1 ann p1 {mine}")
    assert turned.artifacts["note"]["semantic_payload"] == {"text": "x."}
    failures = [await anybody.failure("turn_page", words=f"t1 ann p2 {note}") for note in (foreign, "unknown")]
    assert [failure.code for failure in failures] == ["NOTE_NOT_FOUND"] * 2
    assert failures[0].details == failures[1].details


BY_BEARER = [
    ("own:t1:ann", "completed"),
    ("guest:t1:ann", "UNAUTHENTICATED"),
    ("other:t1:ann", "UNAUTHENTICATED"),
    ("", "UNAUTHENTICATED"),
    (None, "UNAUTHENTICATED"),
]


@pytest.mark.parametrize(("bearer", "outcome"), BY_BEARER)
async def test_a_bearer_token_is_asked_for_by_all_other_intents(platform, bearer, outcome):
    request = asking("write_note", bearer=bearer, text="x")
    if outcome == "completed":
        assert (await platform.dispatch(request)).status == outcome
    else:
        assert (await refusal(platform, request)).code == outcome


@pytest.mark.parametrize(
    ("intent", "params"),
    [("write_note", {"text": "x"}), ("audit_notes", {}), ("sign_note", {}), ("get_chat_session", {})],
)
@pytest.mark.parametrize("roles", [(), ("service", "signer")])
async def test_an_identity_that_is_only_introduced_submits_nothing(platform, database, intent, params, roles):
    guest = Identity("t1", "ann", roles, external=True)
    assert await Caller(platform, guest).code(intent, **params) == "UNAUTHENTICATED"
    assert database("SELECT count(*) FROM executions") == [(0,)]


async def test_only_an_identity_of_its_own_is_told_to_an_edge(platform):
    assert await platform.identify("own:t1:ann") == ANN
    for token in ("guest:t1:ann", "other", ""):
        with pytest.raises(IntentError) as refused:
            await platform.identify(token)
        assert refused.value.code == "UNAUTHENTICATED"


async def test_an_identity_in_this_process_is_not_overruled_by_a_bearer(platform):
    answer = await platform.dispatch(asking("write_note", identity=ANN, bearer="guest:t1:bob", text="x"))
    assert await Caller(platform, ANN).status(answer.execution_id)


SIGNER = Identity("t1", "ann", frozenset({"signer"}), session_ref="s1")
ADMITTED = [
    (SIGNER, "completed"),
    (Identity("t1", "ann", session_ref="s1"), "PERMISSION_DENIED"),
    (Identity("t1", "ann", frozenset({"service"}), session_ref="s1"), "PERMISSION_DENIED"),
    (Identity("t1", "ann", frozenset({"signer"})), "UNAUTHENTICATED"),
]


@pytest.mark.parametrize(("proven", "outcome"), ADMITTED)
@pytest.mark.parametrize("identity", [None, SIGNER], ids=["nobody", "a signer"])
async def test_permissions_and_session_are_those_of_whom_the_proof_proves(platform, proving, proven, outcome, identity):
    async def prove(_):
        return Proven(identity=proven, facts=FACTS)

    proving(prove)
    request = asking("sign_guest", identity=identity, words=WORDS)
    if outcome == "completed":
        assert (await platform.dispatch(request)).status == outcome
    else:
        assert (await refusal(platform, request)).code == outcome
