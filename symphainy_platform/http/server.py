"""`symphainy serve`: one process that listens, sweeps, and stops without losing an intent."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ipaddress
import signal
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import structlog
import uvicorn

from symphainy_platform.errors import IntentError, SettingsError
from symphainy_platform.http.app import build_app
from symphainy_platform.http.events import EventStreams
from symphainy_platform.http.protocol import BoundedProtocol
from symphainy_platform.http.proxy import TrustedProxy
from symphainy_platform.identity.master_key import refuse_serving_without_master_key
from symphainy_platform.identity.source import tokens_of
from symphainy_platform.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.types import ASGIApp

    from symphainy_platform.http.operations import Expose
    from symphainy_platform.settings import Settings

_AUDIT_SECONDS = 2
"""How often the events that came are taken into the audit chains."""
_LISTEN_BACKLOG = 2048
CLOSE_SECONDS = 2
"""What connections get to take their last answers, once the intents have ended."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = structlog.get_logger(__name__)

Announce = Callable[[Platform, str], Awaitable[None]]
"""Told once that requests are answered, and under which URL."""


async def serve(settings: Settings, announce: Announce) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises `StartError` when the settings, the address, the store or its keys do not allow it.
    """
    refuse_settings(settings)
    with listening(settings) as listener:
        async with Platform.open(settings) as platform:
            await platform.keys.check()
            await Server(platform, listener, announce).run_until_stopped()


def refuse_settings(settings: Settings) -> None:
    """Raise what can be said before anything is opened."""
    refuse_public_development(settings)
    refuse_serving_without_master_key(settings)
    tokens_of(settings)  # a key that cannot be used stops the start, rather than every request


def refuse_public_development(settings: Settings) -> None:
    """Raise when `dev` meets a host that others reach, or a store that others share."""
    if settings.dev and not _is_loopback(settings.host):
        msg = f"dev serves this machine only: host {settings.host!r} must be a loopback address such as 127.0.0.1"
        raise SettingsError(msg)
    if settings.dev and not settings.store.startswith("sqlite:"):
        msg = "dev prints a token and must not meet a shared store: choose a sqlite store, or leave dev"
        raise SettingsError(msg)


class Server(uvicorn.Server):
    """uvicorn, stopping in our order: refuse new intents, finish those under way, close."""

    def __init__(
        self, platform: Platform, listener: socket.socket, announce: Announce, expose: Expose | None = None
    ) -> None:
        """Serve `platform` on a listening socket; `expose` writes `/metrics`, else it has this process's figures."""
        self._platform = platform
        self._listener = listener
        self._announce = announce
        self._streams = EventStreams.of(platform.settings)
        self._stop_task: asyncio.Task[None] | None = None
        super().__init__(_config(build_app(platform, self._streams, expose), platform.settings))

    async def run_until_stopped(self) -> None:
        """Serve, sweep and audit until a signal comes; return when everything is finished."""
        upkeep = [
            asyncio.create_task(
                _regularly("sweep", self._platform.settings.sweep_interval_seconds, self._platform.sweep)
            ),
            asyncio.create_task(_regularly("audit", _AUDIT_SECONDS, self._platform.audit.append)),
        ]
        try:
            await self.serve(sockets=[self._listener])
        finally:
            self._streams.stopping.set()
            for task in upkeep:
                task.cancel()
            await asyncio.wait(upkeep)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle the signals in the loop; unlike uvicorn, do not raise them again: a stop asked for is no failure."""
        loop = asyncio.get_running_loop()
        before = {
            number: signal.signal(number, lambda number, _: loop.call_soon_threadsafe(self.on_signal, number))
            for number in _SIGNALS
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, then say so."""
        await super().startup(sockets)
        # What was loaded stays: left to the collector, each full collection stops every request for ~35 ms.
        gc.collect()
        gc.freeze()
        await self._announce(self._platform, url_of(self._listener))

    def on_signal(self, number: int) -> None:
        """Stop in order; a second signal does not wait any longer."""
        del number
        if not self.stop():
            self.should_exit = self.force_exit = True

    def stop(self) -> bool:
        """Stop in order; False when that is under way already."""
        if self._stop_task is not None:
            return False
        self._stop_task = asyncio.create_task(self._stop())
        return True

    async def _stop(self) -> None:
        self._platform.stop_accepting()
        self._streams.stopping.set()
        with contextlib.suppress(TimeoutError):  # what has not ended by then is cancelled with its connection
            async with asyncio.timeout(self._platform.settings.drain_seconds):
                await self._platform.drain()
        self.should_exit = True


async def _regularly(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do the work every so many seconds, whatever becomes of it; a store that stays away is said once."""
    said = None
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
            said = None
        except IntentError as error:  # the store is away: the next round may find it again
            if error.code != said:
                _log.warning(f"{name}_failed", code=error.code)
            said = error.code
        except Exception:  # noqa: BLE001 - the plugin boundary: a store that fails in its own way still serves
            _log.exception(f"{name}_failed")


def _config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        TrustedProxy(app, settings.trusted_proxy) if settings.trusted_proxy else app,
        loop="none",
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # one line per intent is logged by the runtime; a URL may hold what nobody should read
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=CLOSE_SECONDS,
    )


def listening(settings: Settings) -> socket.socket:
    """Return the socket that `settings` ask for, listening. Raises SettingsError for an address that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with contextlib.ExitStack() as undo:
            listener = undo.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_LISTEN_BACKLOG)
            undo.pop_all()
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        reason = error.strerror if isinstance(error, OSError) else "this is not the name of a host"
        msg = f"cannot listen on {settings.host} port {settings.port}: {reason} (choose another --host or --port)"
        raise SettingsError(msg) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL at which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
