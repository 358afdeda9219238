"""Making session tokens, with one failure for whatever keeps a key from signing."""

from __future__ import annotations

from symphainy_platform import Artifact, IntentError, KeyRing, StartError
from symphainy_platform.realms.security.session_tokens import mint

_FAILED = "TOKEN_GENERATION_FAILED"


async def signing_kid(keys: KeyRing) -> str:
    """The key that signs now; TOKEN_GENERATION_FAILED when there is none that can be opened."""
    try:
        return await keys.current()
    except StartError as error:
        raise IntentError(_FAILED) from error


async def minted(keys: KeyRing, session: Artifact) -> str:
    """The session's current token; TOKEN_GENERATION_FAILED when it cannot be signed."""
    try:
        return await mint(keys, session)
    except (StartError, LookupError, ValueError) as error:
        raise IntentError(_FAILED) from error
