"""Wrong stages before the claim: identify, validate, bind."""

from dataclasses import replace

from planting import shows_in

from symphainy_platform import Identity, IntentError
from symphainy_platform.contract import parameters, validators
from symphainy_platform.errors import PermissionDenied
from symphainy_platform.runtime import bind, commit, dispatcher, identify
from symphainy_platform.state.surface import StateSurface


def identified_as(patch, changed):
    """Let another identity than the caller's come to the stage `identify`."""
    real = dispatcher.identify

    async def of_another(contract, request, ask, roles):
        return await real(contract, replace(request, identity=changed(request.identity)), ask, roles)

    patch.setattr(dispatcher, "identify", of_another)


@shows_in("get_chat_session")
def anonymous_is_somebody(patch):
    """a caller without identity is taken for a default user"""
    identified_as(patch, lambda who: who or Identity("acme", "1ann"))


@shows_in("deposit")
def session_not_needed(patch):
    """an identity without a session will do, whatever the contract's context says"""
    identified_as(patch, lambda who: who and replace(who, session_ref="s"))


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


@shows_in("deposit", "label_box")
def state_not_checked(patch):
    """must_be is not checked"""
    patch.setattr(bind, "check_states", lambda _: None)


@shows_in("close_account")
def state_before_replay(patch):
    """the state is checked before the replay: an intent that ends a state refuses its own duplicate"""
    real = bind.check_owned
    patch.setattr(bind, "check_owned", lambda execution: (real(execution), bind.check_states(execution)))


@shows_in("deposit", "label_box")
def owner_not_checked(patch):
    """another user's artifact may be named"""
    patch.setattr(bind, "_may_see", lambda _, read, found: found is not None and found.artifact_type == read.artifact)
    real = StateSurface.get_artifact

    async def anybodys(self, artifact_id):
        return self._bound.get(artifact_id) or await real(self, artifact_id)

    patch.setattr(StateSurface, "get_artifact", anybodys)


@shows_in("deposit", "label_box")
def type_not_checked(patch):
    """an artifact of another type may be named"""
    patch.setattr(bind, "_may_see", lambda run, _, found: found is not None and found.user_id == run.identity.user_id)


@shows_in("get_chat_session")
def foreign_is_forbidden(patch):
    """a foreign artifact is PERMISSION_DENIED, so that its existence shows"""
    real = bind._may_see

    def may_see(execution, read, found):
        if found is not None and found.user_id != execution.identity.user_id:
            raise PermissionDenied
        return real(execution, read, found)

    patch.setattr(bind, "_may_see", may_see)


@shows_in("deposit")
def client_key_not_checked(patch):
    """any text is accepted as Idempotency-Key"""
    patch.setattr(dispatcher, "idempotency_key", lambda value: value)


@shows_in("audit_account")
def roles_not_checked(patch):
    """access and permissions are declared and not enforced"""
    patch.setattr(identify, "admit", lambda _contract, identity, _roles: identity)
