"""Wrong services: each breaks one sentence of its contract or of 30-chat-context."""

import pytest
from ledger_realm.intent_services import deposit_service, open_account_service
from planting import shows_in

from symphainy_platform import IntentError
from symphainy_platform.realms.coexistence import chat_history, chat_session, shared_context
from symphainy_platform.realms.coexistence.intent_services import (
    get_chat_session_service,
    update_chat_context_service,
)
from symphainy_platform.runtime import bind
from symphainy_platform.runtime.answer import Answers
from symphainy_platform.state.surface import StateSurface

Deposit = deposit_service.DepositService
OpenAccount = open_account_service.OpenAccountService


@shows_in("update_chat_context")
def null_deletes(patch):
    """null removes a key, as in JSON Merge Patch"""
    real = shared_context.merged

    def merged(existing, updates):
        return {key: value for key, value in real(existing, updates).items() if value is not None}

    patch.setattr(update_chat_context_service, "merged", merged)


@shows_in("update_chat_context")
def shallow_merge(patch):
    """nested objects are replaced instead of merged"""
    patch.setattr(update_chat_context_service, "merged", lambda existing, updates: {**existing, **updates})


@shows_in("update_chat_context")
def arrays_are_joined(patch):
    """an array under a free key is appended to instead of replaced"""
    real = shared_context.merged

    def merged(existing, updates):
        joined = {
            key: existing[key] + value
            for key, value in updates.items()
            if isinstance(value, list) and isinstance(existing.get(key), list)
        }
        return real(existing, {**updates, **joined})

    patch.setattr(update_chat_context_service, "merged", merged)


@shows_in("update_chat_context")
def history_shrinks(patch):
    """a stale, shorter history replaces the longer one"""
    patch.setattr(chat_history.ChatHistory, "merged", chat_history.ChatHistory.replaced)


@shows_in("update_chat_context")
def duplicates_are_appended(patch):
    """a known message is not recognized by its id"""

    async def nothing(*_):
        return {}

    patch.setattr(chat_history.ChatHistory, "_found", nothing)


@shows_in("update_chat_context")
def history_limit_off_by_one(patch):
    """history_limit K carries K + 1 messages"""
    real = chat_session._page

    def page(view):
        limit = view.options.get("history_limit")
        options = view.options if limit is None else {**view.options, "history_limit": limit + 1}
        return real(chat_session.ArtifactView(view.artifact, view.store, options))

    patch.setattr(chat_session, "_page", page)


@shows_in("update_chat_context")
def expected_version_ignored(patch):
    """expected_version is not compared"""
    patch.setattr(StateSurface, "require_version", lambda *_: None)


@shows_in("get_chat_session")
def absence_is_an_answer(patch):
    """a named session that does not exist is answered with exists: false"""
    patch.setattr(bind, "check_owned", lambda _: None)
    real = get_chat_session_service.load_session

    async def load(ctx, session_id):
        try:
            return await real(ctx, session_id)
        except IntentError as error:
            raise IntentError("DATABASE_UNAVAILABLE") from error

    patch.setattr(get_chat_session_service, "load_session", load)


@shows_in("deposit")
def limit_in_service_off_by_one(patch):
    """the service refuses exactly the limit"""
    patch.setattr(Deposit, "exceeds", lambda _, balance, limit: balance >= limit)


@shows_in("deposit")
def balance_remembered(patch):
    """the service keeps the balance between executions"""

    def balance(self, account):
        self.known = getattr(self, "known", account.semantic_payload["balance"])
        return self.known

    patch.setattr(Deposit, "balance", balance)


@shows_in("deposit")
def error_swallowed(patch):
    """a store that does not answer is taken for an account that does not exist"""
    real = Deposit.execute

    async def execute(self, ctx, params):
        try:
            await ctx.state_surface.list_artifacts("account")
        except IntentError:
            return await real(self, ctx, params)
        return await real(self, ctx, params)

    patch.setattr(Deposit, "execute", execute)


@shows_in("open_account")
def secret_in_event(patch):
    """the pin goes into the label, and so at rest and into an event"""
    patch.setattr(OpenAccount, "label", lambda _, params: f"{params.number}/{params.pin}")


@shows_in("open_account")
def secret_logged(patch):
    """the pin is logged"""
    real = OpenAccount.execute

    async def execute(self, ctx, params):
        ctx.log.info("opening", pin=params.pin)
        return await real(self, ctx, params)

    patch.setattr(OpenAccount, "execute", execute)


@shows_in("open_account")
def secret_printed(patch):
    """the pin is printed"""
    real = OpenAccount.execute

    async def execute(self, ctx, params):
        print(params.pin)  # noqa: T201
        return await real(self, ctx, params)

    patch.setattr(OpenAccount, "execute", execute)


@shows_in("open_account")
def secret_in_a_failure(patch):
    """a refusal quotes the pin"""
    real = OpenAccount.execute

    async def execute(self, ctx, params):
        if params.number == "0":
            raise IntentError("NUMBER_RESERVED", details={"pin": params.pin})
        return await real(self, ctx, params)

    patch.setattr(OpenAccount, "execute", execute)


@shows_in("open_account")
def skipping_service(patch):
    """the service skips the test that attacks it"""

    async def execute(*_):
        pytest.skip("not today")

    patch.setattr(OpenAccount, "execute", execute)


@shows_in("open_account")
def answer_of_another_shape(patch):
    """the answer has a field of another type than the contract says"""
    real = Answers.show

    async def show(self, *args):
        return {**await real(self, *args), "balance": "0"}

    patch.setattr(Answers, "show", show)
