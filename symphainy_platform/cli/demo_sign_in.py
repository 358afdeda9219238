"""The demo's chapters on sessions: sign in, refresh from two tabs, a stolen token, sign out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from symphainy_platform.context import Identity
from symphainy_platform.errors import IntentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symphainy_platform.platform import Platform
    from symphainy_platform.runtime.execution import ExecutionResult

_TENANT = "acme"
_OPERATOR = Identity(tenant_id=_TENANT, user_id="operator", roles=frozenset({"service"}))
_EMAIL, _PASSWORD = "ann@acme.example", "a walk along the river"


class Teller(Protocol):
    """Tells one chapter, and whether its promise was kept."""

    def tell(self, title: str, text: str, *, ok: bool) -> None:
        """Tell it."""


class SignInDemo:
    """The chapters, in order; each goes on with the session of the one before."""

    def __init__(self, platform: Platform, story: Teller) -> None:
        """Tell `story` on this platform."""
        self._platform = platform
        self._story = story
        self._held: dict[str, Any] = {}

    async def run(self) -> None:
        """Tell them all."""
        account = {"email": _EMAIL, "password": _PASSWORD, "name": "Ann"}
        await self._platform.submit_intent("create_user_account", account, identity=_OPERATOR)
        await self._signed_in()
        await self._two_tabs()
        await self._stolen()
        await self._terminated()

    async def _signed_in(self) -> None:
        wrong = await self._authenticated("a walk along the canal")
        session = await self._sign_in()
        self._story.tell(
            "signed in",
            f"With her password, and no other, Ann opens the session {session['session_ref']}",
            ok=not wrong["authenticated"] and session["lifecycle_state"] == "ACTIVE",
        )

    async def _two_tabs(self) -> None:
        left, right = await asyncio.gather(self._refresh(self._held), self._refresh(self._held))
        tokens = {_payload(result)["session_token"] for result in (left, right)}
        self._story.tell(
            "two tabs refreshed",
            "Both sent the same token, at once; both hold the same successor",
            ok=len(tokens) == 1 and left.idempotent_replay != right.idempotent_replay,
        )
        self._held |= _payload(left)

    async def _stolen(self) -> None:
        stolen = dict(self._held)
        for _ in range(2):
            self._held |= _payload(await self._refresh(self._held))
        thief = await self._refused("refresh_session", stolen)
        ann = await self._refused("refresh_session", self._held)
        self._story.tell(
            "stolen token replayed",
            f"A token of long ago comes back: {thief}, and the session is revoked for everybody: {ann}",
            ok=(thief, ann) == ("SESSION_TOKEN_REUSED", "SESSION_TERMINATED"),
        )

    async def _terminated(self) -> None:
        await self._sign_in()
        ended = _payload(await self._public("terminate_session", _proof_of(self._held)))
        refused = await self._refused("refresh_session", self._held)
        self._story.tell(
            "signed out",
            f"Ann ends her session; nothing refreshes it any more: {refused}",
            ok=ended["lifecycle_state"] == "TERMINATED" and refused == "SESSION_TERMINATED",
        )

    async def _sign_in(self) -> Mapping[str, Any]:
        proof = (await self._authenticated(_PASSWORD))["authentication_token"]
        self._held = dict(_payload(await self._public("create_session", {"authentication_token": proof})))
        return self._held

    async def _authenticated(self, password: str) -> Mapping[str, Any]:
        given = {"tenant": _TENANT, "email": _EMAIL, "password": password}
        return _payload(await self._public("authenticate_user", given), "authentication_result")

    async def _refresh(self, held: Mapping[str, Any]) -> ExecutionResult:
        return await self._public("refresh_session", _proof_of(held))

    async def _refused(self, intent: str, held: Mapping[str, Any]) -> str:
        try:
            await self._public(intent, _proof_of(held))
        except IntentError as error:
            return error.code
        return "accepted"

    async def _public(self, intent: str, parameters: Mapping[str, Any]) -> ExecutionResult:
        return await self._platform.submit_intent(intent, parameters, identity=None)


def _payload(result: ExecutionResult, name: str = "session") -> Mapping[str, Any]:
    payload: Mapping[str, Any] = result.artifacts[name]["semantic_payload"]
    return payload


def _proof_of(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: held[name] for name in ("session_id", "session_token")}
