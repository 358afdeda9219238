"""Cookie mode: the session's token travels in the browser's cookie, in no parameter and in no body.

Which parameter and which field of an answer that is, contracts say (`cookie: session`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from symphainy_platform.errors import UnknownIntent, UnknownParameter
from symphainy_platform.http.credentials import COOKIE_NAME

if TYPE_CHECKING:
    from symphainy_platform.contract.model import Contract
    from symphainy_platform.http.answers import RawHeaders
    from symphainy_platform.platform import Platform

GRACE = timedelta(hours=1)
"""How long past its end a session may still be refreshed (40-auth-sessions, rule 4): the cookie lives as long."""

_ALIVE = "ACTIVE"
_SESSION = "session"
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"


@dataclass(frozen=True, slots=True)
class CookieUse:
    """What of one intent the cookie carries."""

    parameter: str | None = None
    names: frozenset[str] = frozenset()
    """Under which the parameter could be sent."""
    field: tuple[str, str] | None = None
    """Name of the answer's artifact, and of the field in it."""

    def filled(self, parameters: Mapping[str, Any], token: str | None) -> Mapping[str, Any]:
        """The parameters with the token; raises `UnknownParameter` when a caller sends it among them."""
        if self.parameter is None:
            return parameters
        for name in sorted(self.names & parameters.keys()):
            message = f"In cookie mode the parameter `{name}` is no parameter: the browser's cookie holds it."
            raise UnknownParameter(message, parameter=name, expected=f"the cookie {COOKIE_NAME}")
        return parameters if token is None else {**parameters, self.parameter: token}

    def taken(self, envelope: Mapping[str, Any], now: datetime) -> tuple[Mapping[str, Any], RawHeaders]:
        """The answer's envelope without the token, and the header that sets (or clears) the cookie."""
        if self.parameter is None and self.field is None:
            return envelope, []
        if any(state not in (None, _ALIVE) for state in _states(envelope["artifacts"])):
            return self._without_field(envelope), [_set_cookie("", 0)]
        payload = self._payload(envelope)
        token = payload.get(self.field[1]) if self.field else None
        if not isinstance(token, str):
            return envelope, []
        return self._without_field(envelope), [_set_cookie(token, _max_age(payload, now))]

    def _payload(self, envelope: Mapping[str, Any]) -> Mapping[str, Any]:
        artifact = envelope["artifacts"].get(self.field[0], {}) if self.field else {}
        payload: Mapping[str, Any] = artifact.get("semantic_payload", {})
        return payload

    def _without_field(self, envelope: Mapping[str, Any]) -> Mapping[str, Any]:
        payload = self._payload(envelope)
        if self.field is None or self.field[1] not in payload:
            return envelope
        name, field = self.field
        kept = {key: value for key, value in payload.items() if key != field}
        artifact = {**envelope["artifacts"][name], "semantic_payload": kept}
        return {**envelope, "artifacts": {**envelope["artifacts"], name: artifact}}


NO_COOKIE = CookieUse()


def cookie_use(platform: Platform, intent_type: str, contract_version: str | None) -> CookieUse:
    """What the cookie carries of this intent: nothing outside cookie mode, or when nobody knows the intent."""
    if not platform.settings.session_cookie:
        return NO_COOKIE
    try:
        route = platform.loaded.routes.resolve(intent_type, contract_version)
    except UnknownIntent:  # the dispatcher says so, with all that belongs to it
        return NO_COOKIE
    return _use_of(route.contract.contract)


def _use_of(contract: Contract) -> CookieUse:
    parameter = next((name for name, param in contract.params.items() if param.cookie == _SESSION), None)
    names = frozenset() if parameter is None else {parameter, *contract.params[parameter].aliases}
    fields = ((name, field) for name, shapes in contract.returns.items() for field in shapes)
    field = next((place for place in fields if contract.returns[place[0]][place[1]].cookie == _SESSION), None)
    return CookieUse(parameter, frozenset(names), field)


def _states(artifacts: Mapping[str, Any]) -> list[Any]:
    return [artifact.get("semantic_payload", {}).get("lifecycle_state") for artifact in artifacts.values()]


def _max_age(payload: Mapping[str, Any], now: datetime) -> int | None:
    """Seconds until the session is gone for good, when the browser is to remember it; None: until it is closed."""
    if payload.get("remember") is not True:
        return None
    until = datetime.fromisoformat(payload["expires_at"]) + GRACE
    return max(0, int((until - now).total_seconds()))


def _set_cookie(token: str, max_age: int | None) -> tuple[bytes, bytes]:
    age = "" if max_age is None else f"; Max-Age={max_age}"
    return b"set-cookie", f"{COOKIE_NAME}={token}; {_ATTRIBUTES}{age}".encode()
