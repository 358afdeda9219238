"""The built-in identity sources, one plugin behind `symphainy_identity_sources`; here, the command line's tokens."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from symphainy_platform.hookspecs import IdentitySource, hookimpl
from symphainy_platform.identity.claims import token_type
from symphainy_platform.identity.keys import signing_key
from symphainy_platform.identity.tokens import TOKEN_TYPE, Tokens

if TYPE_CHECKING:
    from pathlib import Path

    from symphainy_platform.context import Clock, Identity
    from symphainy_platform.settings import Settings


def tokens_of(settings: Settings) -> Tokens:
    """Return the tokens of these settings' data folder; makes its key at the first call."""
    return _tokens(settings.home.absolute(), settings.issuer, settings.audience)


@lru_cache(maxsize=16)
def _tokens(home: Path, issuer: str, audience: str) -> Tokens:
    return Tokens(signing_key(home), issuer=issuer, audience=audience)


class CommandLineTokens:
    """Proves tokens of the command line; leaves every other kind to other sources."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Nothing is read (or made) in the data folder before the first token of this kind."""
        self._settings = settings
        self._clock = clock
        self._tokens: Tokens | None = None

    async def identify(self, token: str) -> Identity | None:
        """Return the identity; None for a token of another kind; raises `Unauthenticated`."""
        if token_type(token) != TOKEN_TYPE:
            return None
        if self._tokens is None:
            self._tokens = tokens_of(self._settings)
        return self._tokens.verify(token, self._clock)


@hookimpl
def symphainy_identity_sources(settings: Settings, clock: Clock) -> list[IdentitySource]:
    """Bring the tokens of the command line, and those of Supabase Auth when the settings name a project."""
    if settings.supabase_auth_url is None:
        return [CommandLineTokens(settings, clock)]
    from symphainy_platform.identity.supabase import SupabaseAuth  # noqa: PLC0415 - it brings an HTTP client

    return [CommandLineTokens(settings, clock), SupabaseAuth(settings, clock)]
