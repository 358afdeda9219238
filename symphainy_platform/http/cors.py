"""CORS: pages of exact other origins may call, and in cookie mode some of them with the browser's cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

from symphainy_platform.http.request import header_values

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

    from symphainy_platform.settings import Settings

_CALLER_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "traceparent")
_PREFLIGHT_SECONDS = 600


def with_cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Wrap `app` as far as the settings name origins; none, by default."""
    if not settings.cors_origins:
        return app
    anonymous = _for_origins(app, settings.cors_origins, credentials=False)
    trusted = set(settings.cors_origins) & set(settings.public_origins) if settings.session_cookie else set()
    if not trusted:
        return anonymous
    return _ByOrigin(trusted, _for_origins(app, sorted(trusted), credentials=True), anonymous)


def _for_origins(app: ASGIApp, origins: Collection[str], *, credentials: bool) -> ASGIApp:
    return CORSMiddleware(
        app,
        allow_origins=tuple(origins),
        allow_methods=("GET", "POST"),
        allow_headers=_CALLER_HEADERS,
        allow_credentials=credentials,
        expose_headers=("Retry-After",),
        max_age=_PREFLIGHT_SECONDS,
    )


class _ByOrigin:
    """Lets the pages of trusted origins send the cookie and read the answer; others go on without it."""

    def __init__(self, trusted: Collection[str], with_cookie: ASGIApp, anonymous: ASGIApp) -> None:
        self._trusted = {origin.encode() for origin in trusted}
        self._with_cookie = with_cookie
        self._anonymous = anonymous

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origins = header_values(scope, b"origin") if scope["type"] == "http" else []
        trusted = len(origins) == 1 and origins[0] in self._trusted
        await (self._with_cookie if trusted else self._anonymous)(scope, receive, send)
