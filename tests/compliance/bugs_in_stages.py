"""Wrong stages from the key on: key, claim, replay, check, commit, publish."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

from ledger_realm.intent_services.deposit_service import DepositService
from planting import shows_in

from symphainy_platform import reading
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.compiled_key import CompiledIdempotency
from symphainy_platform.errors import DatabaseUnavailable
from symphainy_platform.runtime import check, claim, commit, decide, dispatcher, replay, settle
from symphainy_platform.runtime.answer import Answers
from symphainy_platform.runtime.key import Keys
from symphainy_platform.state.records import Duplicate


@shows_in("open_account")
def raw_concatenation(patch):
    """the key is hashed over concatenated strings"""
    real = CompiledContract.key_parts
    patch.setattr(CompiledContract, "key_parts", lambda *args: ["".join(map(str, real(*args)))])


@shows_in("open_account", "initialize_chat_session")
def key_without_user(patch):
    """the user is left out of the key"""
    real = CompiledIdempotency.components_of
    patch.setattr(
        CompiledIdempotency,
        "components_of",
        lambda self, context, *rest: real(self, {**context, "user_id": ""}, *rest),
    )


@shows_in("open_account")
def key_without_tenant(patch):
    """the tenant is left out of the key, and of the look-up"""
    real = CompiledContract.key_parts
    patch.setattr(CompiledContract, "key_parts", lambda self, _, *rest: real(self, "", *rest))
    by_key = decide.ExecutionByKey
    patch.setattr(decide, "ExecutionByKey", lambda _, digest: by_key("acme", digest))


@shows_in("open_account")
def fingerprint_ignored(patch):
    """the same key with other parameters gets the old answer"""
    patch.setattr(CompiledContract, "rejects_mismatch", False)


@shows_in("deposit")
def client_fingerprint_ignored(patch):
    """the same Idempotency-Key with other parameters gets the old answer"""
    real = replay.client_replay

    def lenient(execution, record, now):
        guard = execution.client_guard
        if record is not None and guard is not None and record.client_key is not None:
            execution.client_guard = replace(guard, fingerprint=record.client_key.fingerprint)
        return real(execution, record, now)

    patch.setattr(dispatcher, "client_replay", lenient)


@shows_in("deposit", "get_chat_session")
def client_key_without_user(patch):
    """one user's Idempotency-Key answers another user"""
    real = Keys.client_guard

    def guard(self, execution):
        identity = execution.identity
        execution.identity = replace(identity, user_id="everybody")
        try:
            return real(self, execution)
        finally:
            execution.identity = identity

    patch.setattr(Keys, "client_guard", guard)


@shows_in("deposit")
def claim_kept_by_the_departed(patch):
    """a caller that is cancelled never releases its claim"""

    @asynccontextmanager
    async def hold(self, digest, _):
        while (holder := self._held.get(digest)) is not None:
            await asyncio.shield(holder)
        self._held[digest] = asyncio.get_running_loop().create_future()
        try:
            yield
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._release(digest)
            raise
        self._release(digest)

    patch.setattr(claim.Claims, "_hold", hold)


@shows_in("initialize_chat_session")
def window_ignored(patch):
    """a window never ends"""
    patch.setattr(replay, "_holds", lambda *_: True)


@shows_in("deposit")
def ttl_ignored(patch):
    """a ttl is taken for a day at least"""
    patch.setattr(CompiledIdempotency, "lifetime_seconds", property(lambda self: max(self.ttl_seconds or 0, 86_400)))


@shows_in("initialize_chat_session")
def window_extended(patch):
    """every replay extends the window"""
    real, replayed = replay._holds, {}

    def holds(record, key, heads, now):
        until = replayed.get(record.execution_id)
        if (until is None or until <= now) and not real(record, key, heads, now):
            return False
        replayed[record.execution_id] = now[:14] + "59:59.999999Z"
        return True

    patch.setattr(replay, "_holds", holds)


@shows_in("initialize_chat_session")
def window_too_short(patch):
    """a window ends a second early"""
    patch.setattr(CompiledIdempotency, "lifetime_seconds", property(lambda self: (self.window_seconds or 600) - 1))


@shows_in("update_chat_context")
def a_b_a_swallowed(patch):
    """the key outlives the next write"""
    patch.setattr(commit, "_scoped_guard", lambda execution, _: execution.guard)


@shows_in("deposit")
def failure_cached(patch):
    """every failure is kept as if it were final"""
    patch.setattr(CompiledContract, "is_final", lambda *_: True)


@shows_in("deposit")
def failure_not_recorded(patch):
    """a failure of the service leaves no record"""

    async def nothing(*_):
        return None

    patch.setattr(settle, "record_failure", nothing)


@shows_in("deposit")
def replay_has_own_execution(patch):
    """a replay names its own execution_id"""
    real = Answers.replay

    async def renamed(self, record, options, **how):
        answer = await real(self, record, options, **how)
        return replace(answer, execution_id=f"{answer.execution_id}0")

    patch.setattr(Answers, "replay", renamed)


@shows_in("deposit")
def replay_emits_again(patch):
    """a replay publishes its events a second time"""
    real = settle._replayed

    async def replayed(parts, execution, record):
        event = commit.OutboxEvent(type="deposited", artifact_id=None, payload={})
        again = commit.Commit(
            execution=replace(record, execution_id=f"{execution.execution_id}", key=None), events=(event,)
        )
        await parts.writer.hand_over(again)
        return await real(parts, execution, record)

    patch.setattr(settle, "_replayed", replayed)


@shows_in("close_account")
def claim_released_before_the_commit(patch):
    """a caller that is cancelled after its hand-over releases its claim before the commit is decided"""
    real = claim.Claims.hold
    patch.setattr(claim.Claims, "hold", lambda self, guard, _: real(self, guard))


@shows_in("deposit")
def claim_released_early(patch):
    """the claim is no claim, and a duplicate that the store refuses is answered as a success"""
    patch.setattr(claim.Claims, "hold", lambda *_: claim.NOTHING)
    real = settle._committed

    async def committed(parts, execution, result, handed):
        outcome = await handed
        if isinstance(outcome, Duplicate):
            return await settle._first(parts, execution, result)
        return await real(parts, execution, result, handed)

    patch.setattr(settle, "_committed", committed)


@shows_in("deposit")
def store_failure_swallowed(patch):
    """an answer is given although the commit failed"""
    real = settle._committed

    async def committed(parts, execution, result, handed):
        try:
            return await real(parts, execution, result, handed)
        except DatabaseUnavailable:
            return await settle._first(parts, execution, result)

    patch.setattr(settle, "_committed", committed)


@shows_in("deposit")
def event_before_commit(patch):
    """events are published in a commit of their own, before the decision is durable"""
    real = decide.hand_over

    def hand_over(parts, execution, written):
        early = replace(written.execution, execution_id=f"{execution.execution_id}e", key=None, client_key=None)
        parts.writer.hand_over(commit.Commit(execution=early, events=written.events))
        return real(parts, execution, replace(written, events=()))

    patch.setattr(decide, "hand_over", hand_over)


@shows_in("update_chat_context")
def row_in_own_transaction(patch):
    """the domain row is written in a transaction of its own"""
    real = decide.hand_over

    def hand_over(parts, execution, written):
        early = replace(written.execution, execution_id=f"{execution.execution_id}r", key=None, client_key=None)
        parts.writer.hand_over(commit.Commit(execution=early, rows=written.rows))
        return real(parts, execution, replace(written, rows=()))

    patch.setattr(decide, "hand_over", hand_over)


@shows_in("open_account")
def events_in_wrong_order(patch):
    """events reach the outbox in reverse order"""
    real = commit._outbox
    patch.setattr(commit, "_outbox", lambda *args: tuple(reversed(real(*args))))


@shows_in("deposit")
def events_lost(patch):
    """events are in the answer and never in the outbox"""
    patch.setattr(commit, "_outbox", lambda *_: ())


@shows_in("deposit")
def undeclared_write_accepted(patch):
    """the check stage lets undeclared writes pass, and a service makes one"""
    patch.setattr(check, "_check_writes", lambda *_: None)
    real = DepositService.execute

    async def execute(self, ctx, params):
        values = {"user_id": ctx.user_id, "active_agent": "guide", "context": {}, "lifecycle_state": "ACTIVE"}
        moments = {"version": 1, "created_at": "2026", "updated_at": "2026"}
        ctx.state_surface.write_row("chat_sessions", {"chat_session_id": params.account_id}, {**values, **moments})
        return await real(self, ctx, params)

    patch.setattr(DepositService, "execute", execute)


@shows_in("deposit")
def others_see_the_execution(patch):
    """anybody of the tenant may ask for anybody's execution"""
    patch.setattr(reading, "_may_see", lambda *_: True)


@shows_in("deposit")
def unavailable_is_not_retryable(patch):
    """a store that does not answer is reported as a failure that no retry mends"""
    patch.setattr(DatabaseUnavailable, "default_retryable", False)
