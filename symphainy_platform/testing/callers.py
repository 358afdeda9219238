"""Who submits in examples and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from symphainy_platform.context import Identity
from symphainy_platform.contract.expansion import OWNER
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.roles import Roles
from symphainy_platform.contract.scenario import Actor, Caller, Saved, Setup

_TENANT, _OTHER_TENANT = "acme", "umbrella"
_SESSION = "compliance-session"

Who = Caller | Literal["neighbour"]
"""A caller of an example, or one whose tenant and user read like the owner's when they are joined."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a tenant; without `roles`, whoever is asked for has those that the intent needs."""

    user_id: str
    session_ref: str | None = None
    roles: tuple[str, ...] | None = None

    @classmethod
    def of(cls, actor: Actor, saved: Mapping[str, Any]) -> Person:
        """The person that a setup names."""
        session_ref = None if actor.session_ref is None else _text(actor.session_ref, saved)
        return cls(_text(actor.user_id, saved), session_ref, actor.roles)


def _text(value: str | Saved, saved: Mapping[str, Any]) -> str:
    return value.of(saved) if isinstance(value, Saved) else value


@dataclass(frozen=True, slots=True)
class Cast:
    """Who the callers are in one world: these, until its setup says otherwise."""

    owner: Person = Person("1ann")
    other_user: Person = Person("bob")

    def after(self, setup: Setup, saved: Mapping[str, Any]) -> Cast:
        """The cast once a setup has been played."""
        owner = Person.of(setup.owner, saved) if setup.owner else self.owner
        other = Person.of(setup.other_user, saved) if setup.other_user else self.other_user
        return Cast(owner, other)

    def facts(self) -> dict[str, str | None]:
        """What `$caller` gives in the params of examples."""
        named = {"tenant_id": _TENANT, "user_id": self.owner.user_id, "session_ref": self.owner.session_ref}
        return {f"{OWNER}{name}": value for name, value in named.items()}

    def identity(self, caller: Who, contract: Contract, roles: Roles) -> Identity | None:
        """The identity of a caller, with the roles that the contract's access needs; None: anonymous.

        `other_tenant` has the owner's user_id, so that only the tenant tells them apart.
        """
        if caller == "anonymous":
            return None
        tenant_id, person = self._people()[caller]
        needed = roles_for(caller, contract, roles) if person.roles is None else frozenset(person.roles)
        session_ref = person.session_ref or (_SESSION if "session_ref" in contract.context else None)
        return Identity(tenant_id, person.user_id, roles=needed, session_ref=session_ref)

    def _people(self) -> dict[Who, tuple[str, Person]]:
        owner = self.owner
        begins, rest = owner.user_id[:1], owner.user_id[1:]
        return {
            "owner": (_TENANT, owner),
            "other_user": (_TENANT, self.other_user),
            "other_tenant": (_OTHER_TENANT, owner),
            "service": (_TENANT, Person("robot")),
            "neighbour": (f"{_TENANT}{begins}", replace(owner, user_id=rest or owner.user_id)),
        }


def roles_for(caller: Who, contract: Contract, roles: Roles) -> frozenset[str]:
    """The roles that let this caller in; `service` only where the contract admits nobody else."""
    needed = set(contract.permissions)
    granting = {name for name, given in roles.permissions.items() if needed.intersection(given)}
    only_services = "service" in contract.access and "user" not in contract.access
    serves = {"service"} if caller == "service" or only_services else set()
    return frozenset(granting | serves)
