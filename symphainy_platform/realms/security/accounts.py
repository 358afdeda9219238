"""User accounts: the account, its credential, and the e-mail address that leads to it (40-auth-sessions).

Three artifacts of one user. The address is one of its own, so that its id, a keyed hash, lets no
second account of a tenant have it; the credential is one, so that nothing that shows an account
can show it.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from symphainy_platform import Artifact, ArtifactView, ExecutionContext, IntentError, KeyRing, isoformat
from symphainy_platform.realms.security.passwords import hash_of_nobody
from symphainy_platform.realms.security.spelling import caseless, composed

USER_ACCOUNT = "user_account"
"""Artifact type, and name of the artifact in answers. Its id is the user_id, and its state the status."""

CREDENTIAL = "credential"
USER_EMAIL = "user_email"
USER_DIRECTORY = "user_directory"

DIRECTORY_ID = "user_directory"
"""One in each tenant that has accounts."""

ACTIVE = "ACTIVE"
DISABLED = "DISABLED"

UNKNOWN_USER = "unknown"
"""On whose behalf somebody is refused whose address no account has; no account has this id."""

_TABLE = "user_accounts"
_SERVICE_ROLE = "service"
_PREFIX = "usr_"
_CONTROL = frozenset({"Cc", "Zl", "Zp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What an account begins with; `address_id` names the artifact of its e-mail address."""

    email: str
    address_id: str
    name: str | None
    roles: tuple[str, ...]
    password_hash: str = field(repr=False)


async def address_id_of(keys: KeyRing, tenant_id: str, email: str) -> str:
    """The id of an address in a tenant: the same for all its spellings, and tells nothing of it."""
    name = await keys.keyed("user-email", tenant_id, caseless(email))
    return f"eml_{base64.urlsafe_b64encode(name[:16]).rstrip(b'=').decode()}"


def credential_id_of(user_id: str) -> str:
    """The id of a user's credential."""
    return f"crd_{user_id.removeprefix(_PREFIX)}"


def accepted_email(email: str) -> str:
    """The address in Unicode NFC; INVALID_PARAMETER_VALUE for one with characters that nobody sees."""
    if not email.isprintable():
        raise _refused("email", "an e-mail address of visible characters")
    return composed(email)


def accepted_name(name: str | None) -> str | None:
    """The name; INVALID_PARAMETER_VALUE for one with control characters, or with nothing to see."""
    if name is not None and (not name.strip() or any(unicodedata.category(char) in _CONTROL for char in name)):
        raise _refused("name", "a name without control characters")
    return name


def accepted_roles(roles: Iterable[str]) -> tuple[str, ...]:
    """The roles, each once, in order; INVALID_PARAMETER_VALUE for `service`: a user is never a service."""
    found = tuple(sorted(set(roles)))
    if _SERVICE_ROLE in found:
        raise _refused("roles", f"roles of a user, not `{_SERVICE_ROLE}`")
    return found


async def stage_new(ctx: ExecutionContext, new: NewAccount) -> Artifact:
    """Stage an ACTIVE account with its credential and its address, all owned by the new user."""
    user_id = f"{_PREFIX}{ctx.new_id().replace('-', '')}"
    account = ctx.state_surface.register_artifact(
        USER_ACCOUNT,
        {"email": new.email, "name": new.name, "roles": list(new.roles), "epoch": 1},
        artifact_id=user_id,
        lifecycle_state=ACTIVE,
        semantic_descriptor={"kind": USER_ACCOUNT},
        materializations=({"table": _TABLE},),
        owner=user_id,
    )
    ctx.state_surface.register_artifact(
        CREDENTIAL,
        await _sealed(ctx, user_id, new.password_hash),
        artifact_id=credential_id_of(user_id),
        semantic_descriptor={"kind": "password"},
        parent_artifacts=(user_id,),
        owner=user_id,
    )
    ctx.state_surface.register_artifact(
        USER_EMAIL,
        {"user_id": user_id},
        artifact_id=new.address_id,
        semantic_descriptor={"kind": USER_EMAIL},
        parent_artifacts=(user_id,),
        owner=user_id,
    )
    await _open_directory(ctx)
    return _with_row(ctx, account)


async def _open_directory(ctx: ExecutionContext) -> None:
    """Stage that the tenant has accounts, with the first of them."""
    if await ctx.state_surface.get_artifact(DIRECTORY_ID) is None:
        ctx.state_surface.register_artifact(
            USER_DIRECTORY, {"opened_at": isoformat(ctx.now())}, artifact_id=DIRECTORY_ID, owner=USER_DIRECTORY
        )


def stage_changed(ctx: ExecutionContext, account: Artifact, **fields: Any) -> Artifact:
    """Stage other values of some fields of the payload."""
    return _with_row(ctx, ctx.state_surface.update_artifact(account, {**account.semantic_payload, **fields}))


def stage_status(ctx: ExecutionContext, account: Artifact, status: str) -> Artifact:
    """Stage another status; with DISABLED a new epoch, so that nothing proven before holds."""
    moved = ctx.state_surface.transition(account, status)
    return stage_next_epoch(ctx, moved) if status == DISABLED else _with_row(ctx, moved)


def stage_next_epoch(ctx: ExecutionContext, account: Artifact) -> Artifact:
    """Stage the end of every proof and session that the account has given so far."""
    return stage_changed(ctx, account, epoch=account.semantic_payload["epoch"] + 1)


async def stage_password(ctx: ExecutionContext, credential: Artifact, password_hash: str) -> None:
    """Stage another password."""
    ctx.state_surface.update_artifact(credential, await _sealed(ctx, credential.user_id, password_hash))


async def password_hash_of(ctx: ExecutionContext, credential: Artifact | None, memory_kib: int) -> str:
    """The hash that a password is compared with; without a credential one that no password has."""
    if credential is None:
        return await hash_of_nobody(ctx.keys, memory_kib)
    sealed = base64.b64decode(credential.semantic_payload["sealed_hash"])
    return (await ctx.keys.unseal(sealed, place=_place(ctx, credential.user_id))).decode()


async def present_account(view: ArtifactView) -> Mapping[str, Any]:
    """Show an account."""
    account, stored = view.artifact, view.artifact.semantic_payload
    return {
        "user_id": account.artifact_id,
        "tenant_id": account.tenant_id,
        "email": stored["email"],
        "name": stored["name"],
        "roles": stored["roles"],
        "status": account.lifecycle_state,
        "version": account.version,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }


async def present_nothing(view: ArtifactView) -> Mapping[str, Any]:
    """Show that there is a credential, or an address, and nothing of it."""
    return {"user_id": view.artifact.user_id}


async def _sealed(ctx: ExecutionContext, user_id: str, password_hash: str) -> dict[str, str]:
    sealed = await ctx.keys.seal(password_hash.encode(), place=_place(ctx, user_id))
    return {"sealed_hash": base64.b64encode(sealed).decode(), "changed_at": isoformat(ctx.now())}


def _place(ctx: ExecutionContext, user_id: str) -> tuple[str, ...]:
    """Where a hash is at home: under another user it does not open."""
    return ctx.tenant_id, "artifacts", credential_id_of(user_id), "sealed_hash"


def _with_row(ctx: ExecutionContext, account: Artifact) -> Artifact:
    """Stage the row that follows the account."""
    stored = account.semantic_payload
    values = {
        "email": stored["email"],
        "name": stored["name"],
        "roles": stored["roles"],
        "status": account.lifecycle_state,
        "epoch": stored["epoch"],
        "version": account.version,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    }
    ctx.state_surface.write_row(_TABLE, {"user_id": account.artifact_id}, values)
    return account


def _refused(parameter: str, expected: str) -> IntentError:
    message = f"The parameter `{parameter}` must be {expected}."
    return IntentError("INVALID_PARAMETER_VALUE", message, details={"parameter": parameter, "expected": expected})
