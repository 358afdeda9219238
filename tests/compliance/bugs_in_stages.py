"""Wrong stages of the runtime: identify, validate, bind, key, claim, replay, check, commit, publish."""

from dataclasses import replace

from ledger_realm.intent_services.deposit_service import DepositService
from planting import shows_in

from symphainy_platform import Identity, IntentError, reading
from symphainy_platform.contract import parameters, validators
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.compiled_key import CompiledIdempotency
from symphainy_platform.errors import DatabaseUnavailable, PermissionDenied
from symphainy_platform.runtime import bind, check, claim, commit, decide, dispatcher, replay, settle
from symphainy_platform.runtime.answer import Answers
from symphainy_platform.runtime.key import Keys
from symphainy_platform.state.records import Duplicate
from symphainy_platform.state.surface import StateSurface


@shows_in("get_chat_session")
def anonymous_is_somebody(patch):
    """a caller without identity is taken for a default user"""
    real = dispatcher.identify
    patch.setattr(dispatcher, "identify", lambda c, who, roles: real(c, who or Identity("acme", "1ann"), roles))


@shows_in("deposit")
def bool_for_integer(patch):
    """validation takes true for 1 and "1" for 1"""
    patch.setitem(
        validators._BUILDERS,
        "integer",
        lambda shape, _: validators.core_schema.int_schema(strict=False, ge=shape.min, le=shape.max),
    )


@shows_in("deposit")
def limit_off_by_one(patch):
    """a maximum is itself refused"""
    patch.setitem(
        validators._BUILDERS,
        "integer",
        lambda shape, _: validators.core_schema.int_schema(strict=True, ge=shape.min, lt=shape.max),
    )


@shows_in("deposit")
def limit_too_wide(patch):
    """a minimum lets one less pass"""
    patch.setitem(
        validators._BUILDERS,
        "integer",
        lambda shape, _: validators.core_schema.int_schema(strict=True, gt=(shape.min or 0) - 2, le=shape.max),
    )


@shows_in("initialize_chat_session")
def bytes_off_by_one(patch):
    """a value of exactly max_bytes is refused"""
    size_check = validators._size_check

    def one_less(shape, settings):
        return size_check(shape, {name: value - 1 for name, value in settings.items()})

    patch.setattr(validators, "_size_check", one_less)


@shows_in("open_account")
def unknown_ignored(patch):
    """unknown parameters are dropped in silence"""
    real = parameters.Parameters.validate
    patch.setattr(
        parameters.Parameters,
        "validate",
        lambda self, sent: real(self, {name: value for name, value in sent.items() if name in self._absent}),
    )


@shows_in("deposit")
def refusals_are_recorded(patch):
    """a request that validation refuses leaves an execution row"""
    real = dispatcher.Dispatcher._admit

    async def admit(self, execution):
        try:
            await real(self, execution)
        except IntentError as error:
            if hasattr(execution, "identity"):
                await self._parts.writer.enqueue(commit.failure(execution, error))
            raise

    patch.setattr(dispatcher.Dispatcher, "_admit", admit)


@shows_in("deposit")
def state_not_checked(patch):
    """must_be is not checked"""
    patch.setattr(bind, "check_states", lambda _: None)


@shows_in("close_account")
def state_before_replay(patch):
    """the state is checked before the replay: an intent that ends a state refuses its own duplicate"""
    real = bind.check_owned
    patch.setattr(bind, "check_owned", lambda execution: (real(execution), bind.check_states(execution)))


@shows_in("deposit", "update_chat_context")
def owner_not_checked(patch):
    """another user's artifact may be named"""
    patch.setattr(bind, "_is_owned", lambda read, found, _: found is not None and found.artifact_type == read.artifact)
    real = StateSurface.get_artifact

    async def anybodys(self, artifact_id):
        return self._bound.get(artifact_id) or await real(self, artifact_id)

    patch.setattr(StateSurface, "get_artifact", anybodys)


@shows_in("deposit")
def type_not_checked(patch):
    """an artifact of another type may be named"""
    patch.setattr(bind, "_is_owned", lambda _, found, user_id: found is not None and found.user_id == user_id)


@shows_in("get_chat_session")
def foreign_is_forbidden(patch):
    """a foreign artifact is PERMISSION_DENIED, so that its existence shows"""
    real = bind._is_owned

    def owned(read, found, user_id):
        if found is not None and found.user_id != user_id:
            raise PermissionDenied
        return real(read, found, user_id)

    patch.setattr(bind, "_is_owned", owned)


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
def client_key_not_checked(patch):
    """any text is accepted as Idempotency-Key"""
    patch.setattr(dispatcher, "idempotency_key", lambda value: value)


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
def replay_has_own_execution(patch):
    """a replay names its own execution_id"""
    real = Answers.replay

    async def renamed(self, record, options, *, replayed=True):
        answer = await real(self, record, options, replayed=replayed)
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


@shows_in("deposit")
def claim_released_early(patch):
    """the claim is no claim, and a duplicate that the store refuses is answered as a success"""
    patch.setattr(claim.Claims, "hold", lambda *_: claim.NOTHING)
    real = settle._committed

    async def committed(parts, execution, result, handed):
        outcome = await handed
        if isinstance(outcome, Duplicate):
            return await settle._first(parts, execution, execution.execution_id, result)
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
            return await settle._first(parts, execution, execution.execution_id, result)

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


@shows_in("audit_account")
def roles_not_checked(patch):
    """access and permissions are declared and not enforced"""
    patch.setattr(dispatcher, "identify", lambda _contract, identity, _roles: identity)
