"""The eight rules of `refresh_session`, in their order; the first that fails decides (40-auth-sessions).

Rules 1 to 3 prove the caller, before anything is keyed, claimed or replayed; rules 4 to 8 judge the
session as it stands in the transaction. The service and its proof only act on what is said here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from symphainy_platform import Artifact, IntentError, KeyRing, NotAToken, PlatformContext
from symphainy_platform.realms.security.session import SESSION, Session
from symphainy_platform.realms.security.session_times import LOST_ANSWER, OVERLAP
from symphainy_platform.realms.security.session_tokens import SessionClaims, is_id_of, is_session_id, read_token, ref_of

if TYPE_CHECKING:
    from datetime import datetime


class Verdict(Enum):
    """What becomes of a refresh that no rule refuses."""

    ROTATE = "a new generation"
    SUCCESSOR = "the same successor again"


@dataclass(frozen=True, slots=True)
class Presented:
    """A session id and a token that belong together."""

    session: Session
    claims: SessionClaims


async def present_token(platform: PlatformContext, session_id: str, token: str, now: datetime) -> Presented:
    """Rules 1 to 3: shape, signature, row."""
    rule_1_shape(session_id)
    claims = await rule_2_signature(platform.keys, token, now)
    session = await platform.artifact(claims.tenant_id, await ref_of(platform.keys, session_id))
    return Presented(await rule_3_row(platform.keys, session_id, claims, session), claims)


def judge(session: Session, account: Artifact | None, gen: int, now: datetime) -> Verdict:
    """Rules 4 to 8: state, current generation, the one before, older ones, later ones."""
    rule_4_state(session, account, now)
    if gen == session.gen:  # rule 5
        return Verdict.ROTATE
    if gen == session.gen - 1 and rule_6_overlap(session, now):
        return Verdict.SUCCESSOR
    if gen < session.gen:  # rule 7: stolen, or played again
        raise IntentError("SESSION_TOKEN_REUSED")
    raise IntentError("INVALID_SESSION_TOKEN")  # rule 8: ahead of the row


def rule_1_shape(session_id: str) -> None:
    """A session id has one form; parameters of a wrong type or value are refused by the contract."""
    if not is_session_id(session_id):
        raise IntentError(
            "INVALID_SESSION_ID", details={"parameter": "session_id", "expected": "sess_ and 43 base64url characters"}
        )


async def rule_2_signature(keys: KeyRing, token: str, now: datetime) -> SessionClaims:
    """The token is one of ours. Garbage never costs a look-up, and nothing says why it failed."""
    try:
        return await read_token(keys, token, now)
    except NotAToken:
        raise IntentError("INVALID_SESSION_TOKEN") from None


async def rule_3_row(keys: KeyRing, session_id: str, claims: SessionClaims, found: Artifact | None) -> Session:
    """There is such a session in the token's tenant, the same answer for foreign and unknown; and it is the token's."""
    if found is None or found.artifact_type != SESSION or not await is_id_of(keys, session_id, found):
        raise IntentError("SESSION_NOT_FOUND")
    if (found.artifact_id, found.user_id) != (claims.session_ref, claims.user_id):
        raise IntentError("INVALID_SESSION_TOKEN")
    return Session(found)


def rule_4_state(session: Session, account: Artifact | None, now: datetime) -> None:
    """The session is alive: once it has ended it is never opened again."""
    if session.state == "EXPIRED" or (session.state == "ACTIVE" and now.timestamp() >= session.ends_at):
        raise IntentError("SESSION_EXPIRED")
    if session.state != "ACTIVE" or not session.belongs_to(account):
        raise IntentError("SESSION_TERMINATED")


def rule_6_overlap(session: Session, now: datetime) -> bool:
    """The answer may have been lost, or another tab's refresh was under way."""
    if session.rotated_at is None:
        return False
    passed = now.timestamp() - session.rotated_at
    return passed <= OVERLAP or (passed <= LOST_ANSWER and not session.seen)
