"""Names and tokens of sessions, and the proofs that open one (40-auth-sessions, "Ids and tokens").

A token is never stored: a session keeps what its current token is made of, and Ed25519 makes the
same bytes again.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from symphainy_platform import Artifact, IntentError, KeyRing, NotAToken
from symphainy_platform.realms.security.session_times import PROOF_LIFE, SKEW

if TYPE_CHECKING:
    from datetime import datetime

SESSION_TYPE = "sess+jwt"
PROOF_TYPE = "auth+jwt"

_SESSION_CLAIMS: Mapping[str, type] = {
    "sub": str,
    "tid": str,
    "sid": str,
    "gen": int,
    "jti": str,
    "iat": int,
    "nbf": int,
    "exp": int,
}
_PROOF_CLAIMS: Mapping[str, type] = {
    "sub": str,
    "tid": str,
    "epoch": int,
    "jti": str,
    "iat": int,
    "nbf": int,
    "exp": int,
}
_SESSION_ID = re.compile(r"sess_[A-Za-z0-9_-]{43}")
_REF_LENGTH = 22


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a verified session token says."""

    tenant_id: str
    user_id: str
    session_ref: str
    gen: int


@dataclass(frozen=True, slots=True)
class ProofClaims:
    """What a verified authentication token says; `proof_id` is its own, and used once."""

    tenant_id: str
    user_id: str
    epoch: int
    proof_id: str

    @property
    def opening_id(self) -> str:
        """What the id of the session that it opens is derived from, beside the tenant."""
        return f"auth:{self.proof_id}"


def is_session_id(text: str) -> bool:
    """Whether this has the form of a session id: looked at before anything is looked up."""
    return _SESSION_ID.fullmatch(text) is not None


async def session_id_of(keys: KeyRing, proof_id: str) -> str:
    """The id of the session that a proof opens: the same for the same proof, and guessed by nobody.

    Both the proof's id (from the system's CSPRNG) and the key are secret, so that the id is as
    random as if it were drawn, and need not be kept for a caller whose answer was lost.
    """
    return f"sess_{_text(await keys.keyed('session-id', proof_id))}"


async def ref_of(keys: KeyRing, session_id: str) -> str:
    """The session_ref of a session id."""
    return _text(await keys.keyed("session-ref", session_id))[:_REF_LENGTH]


async def id_hash_of(keys: KeyRing, session_id: str) -> str:
    """What a session keeps of its id: 64 hexadecimal digits."""
    return (await keys.keyed("session-hash", session_id)).hex()


async def is_id_of(keys: KeyRing, session_id: str, session: Artifact) -> bool:
    """Whether this is the id of the session, compared in constant time."""
    kept: str = session.semantic_payload["id_hash"]
    return hmac.compare_digest(await id_hash_of(keys, session_id), kept)


async def mint(keys: KeyRing, session: Artifact) -> str:
    """The token of the session's current generation: the same bytes each time.

    Raises LookupError when its key signs no more.
    """
    stored = session.semantic_payload
    jti = await keys.keyed("session-jti", session.artifact_id, str(stored["gen"]))
    claims = {
        "sub": session.user_id,
        "tid": session.tenant_id,
        "sid": session.artifact_id,
        "gen": stored["gen"],
        "jti": _text(jti)[:_REF_LENGTH],
        "iat": stored["iat"],
        "nbf": stored["iat"],
        "exp": stored["exp"],
    }
    return await keys.sign(SESSION_TYPE, claims, kid=stored["kid"])


async def read_token(keys: KeyRing, token: str, now: datetime) -> SessionClaims:
    """What a session token proves; NotAToken for all else. Its `exp` is not compared: the session's row decides."""
    claims = await keys.verify(token, SESSION_TYPE, _SESSION_CLAIMS)
    _refuse_future(claims, now)
    return SessionClaims(claims["tid"], claims["sub"], claims["sid"], claims["gen"])


async def mint_proof(keys: KeyRing, account: Artifact, proof_id: str, now: datetime) -> str:
    """An authentication token: proves this account, in its epoch, for PROOF_LIFE seconds."""
    issued = int(now.timestamp())
    claims = {
        "sub": account.artifact_id,
        "tid": account.tenant_id,
        "epoch": account.semantic_payload["epoch"],
        "jti": proof_id,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(PROOF_LIFE),
    }
    return await keys.sign(PROOF_TYPE, claims, kid=await keys.current())


async def read_proof(keys: KeyRing, token: str, now: datetime) -> ProofClaims:
    """What an authentication token proves now; INVALID_AUTHENTICATION_TOKEN for all else, without a reason."""
    try:
        claims = await keys.verify(token, PROOF_TYPE, _PROOF_CLAIMS)
        _refuse_future(claims, now)
        _refuse_past(claims, now)
    except NotAToken:
        raise IntentError("INVALID_AUTHENTICATION_TOKEN") from None
    return ProofClaims(claims["tid"], claims["sub"], claims["epoch"], claims["jti"])


def _refuse_future(claims: Mapping[str, Any], now: datetime) -> None:
    if max(claims["nbf"], claims["iat"]) > now.timestamp() + SKEW:
        raise NotAToken


def _refuse_past(claims: Mapping[str, Any], now: datetime) -> None:
    if now.timestamp() >= claims["exp"]:
        raise NotAToken


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
