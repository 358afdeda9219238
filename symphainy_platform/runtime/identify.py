"""Stage `identify`: may this caller submit this intent?"""

from __future__ import annotations

from symphainy_platform.context import Identity
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.roles import Roles
from symphainy_platform.errors import PermissionDenied, Unauthenticated


def identify(contract: CompiledContract, identity: Identity | None, roles: Roles) -> Identity:
    """Return the proven identity, if the contract's access and permissions admit it."""
    if identity is None or (contract.needs_session and identity.session_ref is None):
        raise Unauthenticated
    if "user" not in contract.access and not ("service" in contract.access and identity.is_service):
        raise PermissionDenied(expected=sorted(contract.access))
    if contract.permissions and (missing := contract.permissions - roles.permissions_of(identity.roles)):
        raise PermissionDenied(missing_permissions=sorted(missing))
    return identity
