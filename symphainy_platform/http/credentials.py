"""Who asks, as a request says it: an Authorization header, or the browser's session cookie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symphainy_platform.errors import CsrfRejected, Unauthenticated
from symphainy_platform.http.request import header_values, require_json

if TYPE_CHECKING:
    from starlette.types import Scope

    from symphainy_platform.settings import Settings

COOKIE_NAME = "__Host-session"
"""Browsers keep such a cookie to one host, to TLS and to the path `/` (RFC 6265bis, section 4.1.3)."""

FORWARDED_HOST = "symphainy.forwarded_host"
"""Where a scope keeps the host that the trusted proxy was asked for."""

_BEARER = re.compile(r"bearer ([!-~]+)", re.IGNORECASE)
_VISIBLE = re.compile("[!-~]+")
_DEFAULT_PORT = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token of a request; None where there is none, or another thing than one."""

    token: str | None

    def required(self) -> str:
        """Return the token; raises `Unauthenticated`."""
        if self.token is None:
            raise Unauthenticated
        return self.token


def credentials_of(settings: Settings, scope: Scope) -> Credentials:
    """Read the Authorization header, and in cookie mode without one the cookie.

    Raises `Unauthenticated` for two session cookies: one of them was planted.
    """
    if header_values(scope, b"authorization"):
        return Credentials(_bearer(scope))
    cookies = _session_cookies(scope) if settings.session_cookie else []
    if len(cookies) > 1:
        message = "The request holds two session cookies; sign in again."
        raise Unauthenticated(message)
    return Credentials(cookies[0] if cookies else None)


def guard_post(settings: Settings, scope: Scope) -> None:
    """Refuse a POST that another site's page could have made a browser send.

    Raises `UnsupportedMediaType`, then (in cookie mode, also without a cookie: somebody else's
    sign-in is forged, too) `CsrfRejected`. A bearer token is exempt: only a page that knows one sends it.
    """
    require_json(scope)
    if not settings.session_cookie or _bearer(scope) is not None:
        return
    origins = [value.decode("latin-1") for value in header_values(scope, b"origin")]
    if len(origins) != 1 or origins[0] not in (settings.public_origins or own_origin(scope)):
        raise CsrfRejected


def own_origin(scope: Scope) -> tuple[str, ...]:
    """The origin that this request was sent to, as the server or its trusted proxy saw it; none if that is unclear."""
    hosts = header_values(scope, b"host")
    host = scope.get(FORWARDED_HOST) or (hosts[0].decode("latin-1") if len(hosts) == 1 else "")
    scheme = scope.get("scheme", "http")
    return (f"{scheme}://{host.lower().removesuffix(_DEFAULT_PORT.get(scheme, ''))}",) if host else ()


def _bearer(scope: Scope) -> str | None:
    values = header_values(scope, b"authorization")
    match = _BEARER.fullmatch(values[0].decode("latin-1")) if len(values) == 1 else None
    return match[1] if match else None


def _session_cookies(scope: Scope) -> list[str]:
    pairs = (pair for line in header_values(scope, b"cookie") for pair in line.decode("latin-1").split(";"))
    named = (pair.strip(" \t").partition("=") for pair in pairs)
    return [value if _VISIBLE.fullmatch(value) else "" for name, _, value in named if name == COOKIE_NAME]
