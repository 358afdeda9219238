"""Behind a proxy: what it says of the request that it was sent is believed of it alone."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from symphainy_platform.http.credentials import FORWARDED_HOST
from symphainy_platform.http.request import header_values

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class TrustedProxy:
    """Takes scheme, client and host from `X-Forwarded-*` headers, when the trusted proxy sends them."""

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        """Wrap `app`; `trusted` is an address or a network."""
        self._app = ProxyHeadersMiddleware(cast("Any", app), trusted)
        self._trusted = ipaddress.ip_network(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the host (uvicorn's layer leaves it alone), then the rest."""
        hosts = header_values(scope, b"x-forwarded-host") if self._is_trusted(scope) else []
        if len(hosts) == 1 and b"," not in hosts[0]:
            scope[FORWARDED_HOST] = hosts[0].decode("latin-1").strip()
        await self._app(cast("Any", scope), cast("Any", receive), cast("Any", send))

    def _is_trusted(self, scope: Scope) -> bool:
        client = scope.get("client")
        if scope["type"] != "http" or client is None:
            return False
        try:
            return ipaddress.ip_address(client[0]) in self._trusted
        except ValueError:  # a socket without an address
            return False
