"""The identity source of the command line's tokens: one plugin behind `symphainy_identify`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from symphainy_platform.hookspecs import hookimpl
from symphainy_platform.identity.claims import is_of_this_kind
from symphainy_platform.identity.keys import signing_key
from symphainy_platform.identity.tokens import Tokens

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


@hookimpl
def symphainy_identify(token: str, settings: Settings, clock: Clock) -> Identity | None:
    """Prove a token of the command line; leave every other kind to other sources."""
    return tokens_of(settings).verify(token, clock) if is_of_this_kind(token) else None
