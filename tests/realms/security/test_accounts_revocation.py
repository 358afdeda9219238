"""Another password, or no more access: whatever was opened before ends in the same commit."""

import asyncio

import pytest
from account_platform import EMAIL, OTHER_PASSWORD, PASSWORD, SERVICE, opened, owner_of

from symphainy_platform import Identity, IntentError
from symphainy_platform.state.store import ArtifactById, load_one


@pytest.fixture
async def accounts(tmp_path):
    async with opened(tmp_path) as found:
        yield found


async def refusal(call):
    with pytest.raises(IntentError) as refused:
        await call
    return refused.value


async def change(accounts, identity, current=PASSWORD, new=OTHER_PASSWORD, **parameters):
    parameters = {"current_password": current, "new_password": new, **parameters}
    return await accounts.submit("change_password", identity, **parameters)


async def state_of(accounts, session):
    found = await load_one(accounts.platform.store, ArtifactById("acme", session["session_ref"]))
    return found.lifecycle_state


def types_of(result):
    return [event["type"] for event in result.events]


async def test_only_the_new_password_is_recognized(accounts):
    made = await accounts.create()
    result = await change(accounts, owner_of(made))
    assert types_of(result) == ["password_changed"]
    assert [(await accounts.authenticate(password=word))["authenticated"] for word in (PASSWORD, OTHER_PASSWORD)] == [
        False,
        True,
    ]


async def test_the_callers_own_session_lives_on_and_all_others_end(accounts):
    made = await accounts.create()
    here, phone, tablet = [await accounts.sign_in() for _ in range(3)]
    result = await change(accounts, owner_of(made, here["session_ref"]))
    assert types_of(result) == ["password_changed", "session_revoked", "session_revoked"]
    assert {event["session_ref"] for event in result.events[1:]} == {phone["session_ref"], tablet["session_ref"]}
    assert [await state_of(accounts, session) for session in (here, phone, tablet)] == ["ACTIVE", "REVOKED", "REVOKED"]
    identity = await accounts.platform.identify(here["session_token"])
    assert identity.session_ref == here["session_ref"]
    assert (await refusal(accounts.platform.identify(phone["session_token"]))).code == "SESSION_TERMINATED"


async def test_a_session_of_before_goes_on_after_a_refresh_too(accounts):
    made = await accounts.create()
    here = await accounts.sign_in()
    await change(accounts, owner_of(made, here["session_ref"]))
    parameters = {"session_id": here["session_id"], "session_token": here["session_token"]}
    refreshed = await accounts.answer("refresh_session", **parameters)
    assert (await accounts.platform.identify(refreshed["session_token"])).user_id == made["user_id"]


async def test_a_proof_of_before_opens_nothing(accounts):
    made = await accounts.create()
    proof = await accounts.proof()
    await change(accounts, owner_of(made))
    error = await refusal(accounts.submit("create_session", authentication_token=proof))
    assert error.code == "INVALID_AUTHENTICATION_TOKEN"


async def test_an_open_session_of_somebody_else_stays(accounts):
    made = await accounts.create()
    await accounts.create("bob@example.com")
    bob = await accounts.sign_in(email="bob@example.com")
    await change(accounts, owner_of(made))
    assert await state_of(accounts, bob) == "ACTIVE"


async def test_disabling_ends_every_session_and_proof(accounts):
    made = await accounts.create()
    sessions, proof = [await accounts.sign_in() for _ in range(3)], await accounts.proof()
    result = await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")
    assert types_of(result) == ["user_account_updated", *["session_revoked"] * 3]
    assert {await state_of(accounts, session) for session in sessions} == {"REVOKED"}
    assert (await refusal(accounts.submit("create_session", authentication_token=proof))).http_status == 401
    found = await accounts.events("session_revoked")
    assert {(event.user_id, event.payload["reason"]) for event in found} == {(made["user_id"], "account_disabled")}
    assert [event.artifact_id for event in found] == [event.payload["session_ref"] for event in found]


async def test_another_process_sees_it_within_a_second(tmp_path, accounts):
    made = await accounts.create()
    session = await accounts.sign_in()
    async with opened(tmp_path) as other:
        await other.platform.identify(session["session_token"])
        await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")
        other.clock.advance(1)
        assert (await refusal(other.platform.identify(session["session_token"]))).code == "SESSION_TERMINATED"


async def test_roles_reach_sessions_at_once(accounts):
    made = await accounts.create(roles=["editor"])
    session = await accounts.sign_in()
    assert (await accounts.platform.identify(session["session_token"])).roles == {"editor"}
    await accounts.submit("set_user_roles", SERVICE, user_id=made["user_id"], roles=["author"])
    assert (await accounts.platform.identify(session["session_token"])).roles == {"author"}


async def test_a_session_that_is_opened_meanwhile_does_not_slip_through(accounts):
    """Whatever order they commit in: afterwards no session of the account holds."""
    made = await accounts.create()
    proofs = [await accounts.proof() for _ in range(4)]
    opening = [accounts.submit("create_session", authentication_token=proof) for proof in proofs]
    disabling = accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")
    outcomes = await asyncio.gather(*opening[:2], disabling, *opening[2:], return_exceptions=True)
    tokens = [
        outcome.artifacts["session"]["semantic_payload"]["session_token"]
        for outcome in (*outcomes[:2], *outcomes[3:])
        if not isinstance(outcome, IntentError)
    ]
    for token in tokens:
        assert (await refusal(accounts.platform.identify(token))).code == "SESSION_TERMINATED"


WRONG = {"another": OTHER_PASSWORD, "empty": "", "in capitals": PASSWORD.upper()}


@pytest.mark.parametrize("current", WRONG.values(), ids=WRONG)
async def test_a_wrong_current_password_changes_nothing(accounts, current):
    made = await accounts.create()
    session = await accounts.sign_in()
    error = await refusal(change(accounts, owner_of(made), current, "a third password"))
    assert (error.code, error.http_status) == ("INVALID_CREDENTIALS", 403)
    assert await state_of(accounts, session) == "ACTIVE"
    assert (await accounts.authenticate())["authenticated"]


@pytest.mark.parametrize("new", ["short", "x" * 1025, EMAIL, "Password123"])
async def test_a_weak_new_password_changes_nothing(accounts, new):
    made = await accounts.create()
    assert (await refusal(change(accounts, owner_of(made), new=new))).code == "WEAK_PASSWORD"
    assert (await accounts.authenticate())["authenticated"]


async def test_a_user_whom_somebody_else_knows_has_no_password(accounts):
    await accounts.create()
    stranger = Identity("acme", "supabase:1", session_ref="somewhere")
    assert (await refusal(change(accounts, stranger))).code == "INVALID_CREDENTIALS"


async def test_guessing_by_a_stolen_session_is_slow(accounts):
    made = await accounts.create()
    codes = [(await refusal(change(accounts, owner_of(made), f"guess {n}"))).code for n in range(6)]
    assert codes == ["INVALID_CREDENTIALS"] * 5 + ["RATE_LIMITED"]
    accounts.clock.advance(61)
    assert types_of(await change(accounts, owner_of(made))) == ["password_changed"]


async def test_two_changes_at_once_leave_one_password(accounts):
    made = await accounts.create()
    news = ["the first of two", "the second of two"]
    changes = (change(accounts, owner_of(made), new=new) for new in news)
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert sorted(getattr(outcome, "code", "changed") for outcome in outcomes) == ["INVALID_CREDENTIALS", "changed"]
    recognized = [(await accounts.authenticate(password=new))["authenticated"] for new in news]
    assert sorted(recognized) == [False, True]


async def test_whom_somebody_else_introduces_is_not_told_why_an_account_opens_nothing(accounts):
    made = await accounts.create()
    await accounts.submit("set_user_status", SERVICE, user_id=made["user_id"], status="DISABLED")
    error = await refusal(accounts.submit("create_session", owner_of(made)))
    assert (error.code, dict(error.details)) == ("INVALID_AUTHENTICATION_TOKEN", {})
