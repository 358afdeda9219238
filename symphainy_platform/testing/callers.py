"""Who submits in examples and checks."""

from __future__ import annotations

from symphainy_platform.context import Identity
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.roles import Roles
from symphainy_platform.contract.scenario import Caller

_TENANT, _OTHER_TENANT = "acme", "umbrella"
_USERS: dict[Caller, tuple[str, str]] = {
    "owner": (_TENANT, "1ann"),
    "other_user": (_TENANT, "bob"),
    "other_tenant": (_OTHER_TENANT, "1ann"),
    "service": (_TENANT, "robot"),
}

NEIGHBOUR = (f"{_TENANT}1", "ann")
"""Tenant and user that read like the owner's when they are written one after the other."""


def identity_of(caller: Caller, contract: Contract, roles: Roles) -> Identity | None:
    """The identity of a caller, with the roles that the contract's access needs; None: anonymous.

    `other_tenant` has the owner's user_id, so that only the tenant tells them apart.
    """
    if caller == "anonymous":
        return None
    return Identity(*_USERS[caller], roles=roles_for(caller, contract, roles), session_ref=_session_of(contract))


def neighbour(contract: Contract, roles: Roles) -> Identity:
    """Another user of another tenant whose names concatenate to the owner's."""
    return Identity(*NEIGHBOUR, roles=roles_for("owner", contract, roles), session_ref=_session_of(contract))


def _session_of(contract: Contract) -> str | None:
    """A session, where the contract needs one."""
    return "compliance-session" if "session_ref" in contract.context else None


def roles_for(caller: Caller, contract: Contract, roles: Roles) -> frozenset[str]:
    """The roles that let this caller in; `service` only where the contract admits nobody else."""
    needed = set(contract.permissions)
    granting = {name for name, given in roles.permissions.items() if needed.intersection(given)}
    only_services = "service" in contract.access and "user" not in contract.access
    serves = {"service"} if caller == "service" or only_services else set()
    return frozenset(granting | serves)
