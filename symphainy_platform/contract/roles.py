"""Roles and the permissions that they give: one mapping, `roles.yaml`."""

from __future__ import annotations

from collections.abc import Iterable

from symphainy_platform.contract.spec import FormatVersion, Name, Spec, Text


class Roles(Spec):
    """Role → permissions. A role that is not listed has none."""

    roles: FormatVersion
    permissions: dict[Name, tuple[Text, ...]]

    def permissions_of(self, roles: Iterable[str]) -> frozenset[str]:
        """Every permission that any of these roles gives."""
        return frozenset(permission for role in roles for permission in self.permissions.get(role, ()))

    def merged(self, other: Roles) -> Roles:
        """Both mappings; a role of both has the permissions of both."""
        names = {**self.permissions, **other.permissions}
        merged = {
            name: tuple(dict.fromkeys((*self.permissions.get(name, ()), *other.permissions.get(name, ()))))
            for name in names
        }
        return Roles(roles=1, permissions=merged)


NO_ROLES = Roles(roles=1, permissions={})
"""The mapping of a folder without `roles.yaml`."""
