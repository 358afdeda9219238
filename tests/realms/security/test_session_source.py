"""Session tokens as bearers: whom they prove, until when, and how soon every process knows (40-auth-sessions)."""

import asyncio
import base64
import json

import pytest
from account_platform import OTHER_PASSWORD, PASSWORD, SERVICE
from signed_in import ANN, DAY, GRACE, HOUR, INSTANT, LONGEST, code_of, signed_in

from symphainy_platform import Identity, IntentError
from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.identity.source import tokens_of
from symphainy_platform.state.recent import MAX_AGE_SECONDS

KNOWN_AFTER = MAX_AGE_SECONDS


@pytest.fixture
async def sessions(tmp_path):
    async with signed_in(tmp_path) as found:
        yield found


@pytest.fixture
async def elsewhere(sessions, tmp_path):
    """Another process, as far as memory goes, over the same file and by the same clock."""
    async with signed_in(tmp_path, sessions.clock) as found:
        yield found


@pytest.fixture
async def held(sessions):
    return await sessions.open()


@pytest.fixture
async def employed(sessions):
    """The session of somebody with an account."""
    await sessions.create(roles=["author"])
    return sessions.held(await sessions.sign_in())


# Whom it proves


async def test_a_session_proves_its_user_with_the_roles_it_was_opened_with(sessions):
    held = await sessions.open(Identity("acme", "ann", frozenset({"author", "service"})))
    assert await sessions.identify(held) == Identity("acme", "ann", frozenset({"author"}), session_ref=held.ref)


async def test_with_an_account_the_accounts_roles_count(sessions, employed):
    assert (await sessions.identify(employed)).roles == {"author"}


def header(**fields):
    text = json.dumps(fields, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


UNVERIFIABLE = {
    "nothing": "",
    "no token": "garbage",
    "a header alone": header(alg="EdDSA", typ="sess+jwt", kid="A" * 16),
    "no signature": f"{header(alg='none', typ='sess+jwt')}.{header(gen=1)}.",
    "an unknown key": f"{header(alg='EdDSA', typ='sess+jwt', kid='A' * 16)}.{header(gen=1)}.AAAA",
    "another kind": f"{header(alg='EdDSA', typ='auth+jwt', kid='A' * 16)}.{header(gen=1)}.AAAA",
}


@pytest.mark.parametrize("token", UNVERIFIABLE.values(), ids=UNVERIFIABLE)
async def test_what_cannot_be_verified_proves_nobody(sessions, token):
    assert await code_of(sessions.platform.identify(token)) == "UNAUTHENTICATED"


NOT_OF_A_SESSION = {
    "another tenant": {"tid": "umbrella"},
    "another user": {"sub": "bob"},
    "another session": {"sid": "A" * 22},
    "a generation to come": {"gen": 2},
    "a generation that never was": {"gen": -1},
    "made in a minute": {"iat": 1_769_515_260},
    "valid in a minute": {"nbf": 1_769_515_260},
}


@pytest.mark.parametrize("claims", NOT_OF_A_SESSION.values(), ids=NOT_OF_A_SESSION)
async def test_a_signed_token_that_is_of_no_session_proves_nobody(sessions, held, claims):
    assert await code_of(sessions.identify(await sessions.forged(held, **claims))) == "UNAUTHENTICATED"
    assert await sessions.state(held) == "ACTIVE"


async def test_a_token_of_something_that_is_no_session(sessions):
    account = await sessions.create()
    held = await sessions.open(Identity("acme", account["user_id"]))
    token = await sessions.forged(held, sid=account["user_id"])
    assert await code_of(sessions.identify(token)) == "UNAUTHENTICATED"


async def test_a_proof_of_signing_in_is_no_session(sessions):
    await sessions.create()
    assert await code_of(sessions.platform.identify(await sessions.proof())) == "UNAUTHENTICATED"


async def test_a_token_of_the_command_line_may_open_a_session_and_nothing_else(sessions):
    token = tokens_of(sessions.platform.settings).mint(ANN, ttl_seconds=60, clock=sessions.clock)
    assert await code_of(sessions.submit("list_sessions", bearer=token)) == "UNAUTHENTICATED"
    opened = sessions.held(await sessions.answer("create_session", bearer=token))
    assert (await sessions.identify(opened)).user_id == "ann"
    assert await code_of(sessions.submit("create_session", bearer=opened.token)) == "UNAUTHENTICATED"


# Until when

ENDS = {
    "the last moment": (24, DAY - INSTANT, None),
    "at its end": (24, DAY, "SESSION_EXPIRED"),
    "in the grace": (24, DAY + HOUR / 2, "SESSION_EXPIRED"),
    "after the grace": (24, DAY + GRACE, "SESSION_EXPIRED"),
    "the longest life, its last moment": (168, LONGEST - INSTANT, None),
    "the longest life": (168, LONGEST, "SESSION_EXPIRED"),
}


@pytest.mark.parametrize(("hours", "passed", "code"), ENDS.values(), ids=ENDS)
async def test_time_ends_the_use_of_a_token(sessions, hours, passed, code):
    held = await sessions.open(extend_hours=hours)
    sessions.advance(passed)
    assert await code_of(sessions.identify(held)) == code
    assert await sessions.state(held) == "ACTIVE"


async def test_an_expired_session_is_refreshed_and_used_again(sessions, held):
    sessions.advance(DAY)
    assert await code_of(sessions.submit("list_sessions", bearer=held.token)) == "SESSION_EXPIRED"
    renewed = await sessions.rotate(held)
    assert await code_of(sessions.submit("list_sessions", bearer=renewed.token)) is None


@pytest.mark.parametrize(
    ("how", "code", "legacy"),
    [("sweep", "SESSION_EXPIRED", "E-SESSION-001"), ("terminate", "SESSION_TERMINATED", None)],
)
async def test_an_ended_session_says_so(sessions, held, how, code, legacy):
    if how == "sweep":
        sessions.advance(DAY + GRACE)
        await sessions.platform.sweep()
    else:
        await sessions.terminate(held)
    with pytest.raises(IntentError) as refused:
        await sessions.submit("list_sessions", bearer=held.token)
    envelope = refused.value.to_dict()
    assert (envelope["error_code"], envelope.get("legacy_code")) == (code, legacy)
    assert refused.value.http_status == 401


OVERLAP = {"at once": (0, None), "its last moment": (10, None), "after it": (10 + INSTANT, "UNAUTHENTICATED")}


@pytest.mark.parametrize("used", [False, True], ids=["successor unused", "successor used"])
@pytest.mark.parametrize(("passed", "code"), OVERLAP.values(), ids=OVERLAP)
async def test_the_token_before_holds_ten_seconds_whatever_became_of_its_successor(sessions, held, used, passed, code):
    successor = await sessions.rotate(held)
    if used:
        await sessions.use(successor)
    sessions.advance(passed)
    assert await code_of(sessions.use(held)) == code
    assert await sessions.state(held) == "ACTIVE"
    assert await code_of(sessions.use(successor)) is None


async def test_an_older_token_proves_nobody_and_revokes_nothing(sessions, held):
    current = await sessions.rotate(await sessions.rotate(held))
    assert await code_of(sessions.use(held)) == "UNAUTHENTICATED"
    await sessions.terminate(current)
    assert await code_of(sessions.use(held)) == "UNAUTHENTICATED"
    assert await code_of(sessions.use(current)) == "SESSION_TERMINATED"
    assert await sessions.happened(held) == [
        "session_created", "session_refreshed", "session_refreshed", "session_terminated",
    ]  # fmt: skip


# How soon everybody knows


async def terminated(sessions, held):
    await sessions.terminate(held)


async def revoked(sessions, held):
    await sessions.revoke(held)


async def revoked_from_another(sessions, held):
    other = Identity(held.tenant, held.user, session_ref="A" * 22)
    await sessions.answer("revoke_session", other, scope="others")


async def disabled(sessions, held):
    await sessions.answer("set_user_status", SERVICE, user_id=held.user, status="DISABLED")


async def password_changed_elsewhere(sessions, held):
    other = sessions.held(await sessions.sign_in())
    assert other.ref != held.ref
    await change_password(sessions, other)


async def change_password(sessions, held):
    passwords = {"current_password": PASSWORD, "new_password": OTHER_PASSWORD}
    return await sessions.answer("change_password", held.owner, **passwords)


REVOKED = [terminated, revoked, revoked_from_another, disabled, password_changed_elsewhere]


@pytest.mark.parametrize("end", REVOKED, ids=lambda case: case.__name__)
async def test_revocation_holds_at_once_here_and_within_a_second_elsewhere(sessions, elsewhere, employed, end):
    for each in (sessions, elsewhere):
        await each.use(employed)
        await each.identify(employed)
    await end(sessions, employed)
    assert await code_of(sessions.identify(employed)) == "SESSION_TERMINATED"
    sessions.advance(KNOWN_AFTER)
    assert await code_of(elsewhere.identify(employed)) == "SESSION_TERMINATED"


async def test_a_stolen_token_that_was_played_again_ends_every_token_at_once(sessions, held):
    second = await sessions.rotate(held)
    third = await sessions.rotate(second)
    await sessions.use(third)
    assert await code_of(sessions.refresh(held)) == "SESSION_TOKEN_REUSED"
    assert await code_of(sessions.identify(third)) == "SESSION_TERMINATED"


async def test_no_use_is_admitted_after_the_answer_to_a_revocation(sessions, held):
    """Uses that look at the session while it is revoked leave nothing in memory that outlives the commit."""
    answered, late = asyncio.Event(), []

    async def use_again_and_again():
        for _ in range(200):
            before = answered.is_set()
            admitted = await code_of(sessions.identify(held)) is None
            late.append(before and admitted)
            sessions.platform._recent.forget(held.tenant, held.ref)
            await asyncio.sleep(0)

    users = [asyncio.create_task(use_again_and_again()) for _ in range(4)]
    await sessions.revoke(held)
    answered.set()
    await asyncio.gather(*users)
    assert not any(late)


async def test_other_roles_count_at_once_here_and_within_a_second_elsewhere(sessions, elsewhere, employed):
    for each in (sessions, elsewhere):
        assert (await each.identify(employed)).roles == {"author"}
    await sessions.answer("set_user_roles", SERVICE, user_id=employed.user, roles=["editor"])
    assert (await sessions.identify(employed)).roles == {"editor"}
    sessions.advance(KNOWN_AFTER)
    assert (await elsewhere.identify(employed)).roles == {"editor"}


async def test_a_successor_is_taken_at_once_elsewhere(sessions, elsewhere, held):
    await elsewhere.use(held)
    await elsewhere.identify(held)
    successor = await sessions.rotate(held)
    assert await code_of(elsewhere.identify(successor)) is None


async def test_whoever_changes_the_password_stays_signed_in_everywhere(sessions, elsewhere, employed):
    for each in (sessions, elsewhere):
        await each.use(employed)
        await each.identify(employed)
    elsewhere.platform._recent.forget(employed.tenant, employed.ref)
    await change_password(sessions, employed)
    for each in (sessions, elsewhere):
        assert await code_of(each.identify(employed)) is None


# The first use of a generation


@pytest.fixture
def commits(sessions, monkeypatch):
    """The intents whose executions are written."""
    written = []
    commit = sessions.platform.store.commit

    async def counted(batch):
        written.extend(each.execution.intent_type for each in batch)
        return await commit(batch)

    monkeypatch.setattr(sessions.platform.store, "commit", counted)
    return written


async def uses(sessions, held, count=20):
    await asyncio.gather(*(sessions.identify(held) for _ in range(count)))
    await sessions.settled()
    await sessions.platform.drain()


async def test_the_first_use_of_a_generation_costs_one_write_and_later_ones_none(sessions, held, commits):
    for _ in range(3):
        commits.clear()
        await uses(sessions, held)
        assert commits == ["acknowledge_session"]
        commits.clear()
        await uses(sessions, held)
        sessions.advance(2)
        await uses(sessions, held)
        assert commits == []
        held = await sessions.rotate(held)


async def test_a_first_use_that_could_not_be_noted_is_noted_by_the_next(sessions, held, monkeypatch):
    async def away(_batch):
        raise DatabaseUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(sessions.platform.store, "commit", away)
        await uses(sessions, held, 1)
    assert not (await sessions.session(held)).seen
    await uses(sessions, held, 1)
    assert (await sessions.session(held)).seen


async def test_a_use_that_races_with_a_refresh_never_marks_the_next_generation(sessions, elsewhere, held):
    await elsewhere.identify(held)
    for _ in range(20):
        identified = [each.identify(held) for each in (sessions, elsewhere) for _ in range(3)]
        *_, result = await asyncio.gather(*identified, sessions.refresh(held))
        await sessions.settled()
        await elsewhere.settled()
        assert not (await sessions.session(held)).seen
        held = held.after(result)


async def test_a_note_that_comes_after_the_rotation_marks_nothing(sessions, held):
    for generation, seen in ((3, False), (1, False), (2, True)):
        if generation == 3:
            await sessions.rotate(held)
        await sessions.answer("acknowledge_session", held.owner, generation=generation)
        assert (await sessions.session(held)).seen is seen


async def test_the_use_of_the_token_before_writes_nothing(sessions, held, commits):
    await uses(sessions, held)
    await sessions.rotate(held)
    await sessions.platform.drain()
    commits.clear()
    await uses(sessions, held)
    assert commits == []
