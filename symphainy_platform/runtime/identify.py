"""Stage `identify`: who asks, and may this caller submit this intent?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from symphainy_platform.context import Identity
from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.roles import Roles
from symphainy_platform.errors import PermissionDenied, Unauthenticated
from symphainy_platform.runtime.execution import IntentRequest

Identify = Callable[[str], Awaitable[Identity]]
"""The identity that a bearer token proves; raises `Unauthenticated`."""


async def identify(contract: CompiledContract, request: IntentRequest, ask: Identify, roles: Roles) -> Identity | None:
    """The proven identity, if the contract's access and permissions admit it; None: a public intent has a proof."""
    if contract.is_public:
        return None
    identity = request.identity
    if identity is None and request.bearer is not None:
        identity = await ask(request.bearer)
    if identity is None or identity.external:
        raise Unauthenticated
    return admit(contract, identity, roles)


def admit(contract: CompiledContract, identity: Identity, roles: Roles) -> Identity:
    """The same identity; Unauthenticated or PermissionDenied when this contract does not admit it."""
    if contract.needs_session and identity.session_ref is None:
        raise Unauthenticated
    if not (contract.is_public or "user" in contract.access or ("service" in contract.access and identity.is_service)):
        raise PermissionDenied(expected=sorted(contract.access))
    if contract.permissions and (missing := contract.permissions - roles.permissions_of(identity.roles)):
        raise PermissionDenied(missing_permissions=sorted(missing))
    return identity
