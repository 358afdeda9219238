"""The server under attack: a whole platform behind uvicorn in a thread, with a clock that cases move by hand."""

import asyncio
import base64
import io
import logging
import sys
import threading
from contextlib import contextmanager, suppress

import httpx
import structlog
import uvicorn
from pydantic import SecretStr
from structlog._config import BoundLoggerLazyProxy

from symphainy_platform import Platform, Settings
from symphainy_platform.http.app import build_app
from symphainy_platform.http.events import EventStreams
from symphainy_platform.http.server import _config
from symphainy_platform.observability import configure_logs
from symphainy_platform.testing.clock import ManualClock
from symphainy_platform.testing.state import State
from symphainy_platform.testing.stores import SqliteBinding

MASTER_KEY = base64.urlsafe_b64encode(b"master key of the attacked serve").decode()
"""What seals the keys of the attacked store; a secret of the run like every other."""

_ANSWER_SECONDS = 20
_AWAITED = {"_acknowledged"}
"""Coroutines that nobody waits for, and whose writes are no doing of the next request."""


class Log:
    """What the platform logs, as bytes, from the moment it is asked for."""

    def __init__(self):
        self.buffer = io.BytesIO()
        self.isatty = lambda: False

    def since(self, position):
        return self.buffer.getvalue()[position:].decode()

    @property
    def position(self):
        return self.buffer.tell()


@contextmanager
def captured_log(settings):
    """Log as `serve` does, into memory; put back what was there before."""
    log, before, root = Log(), structlog.get_config(), logging.getLogger()
    handlers, level, stderr = list(root.handlers), root.level, sys.stderr
    sys.stderr = log
    try:
        configure_logs(settings)
    finally:
        sys.stderr = stderr
    structlog.configure(cache_logger_on_first_use=False)
    _thaw()
    try:
        yield log
    finally:
        structlog.configure(**before)
        root.handlers[:], root.level = handlers, level


def _thaw():
    """Let loggers that were used before take the configuration of now."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("symphainy_platform")]
    for value in [value for module in modules for value in vars(module).values()]:
        if isinstance(value, BoundLoggerLazyProxy):
            vars(value).pop("bind", None)


class _Server(uvicorn.Server):
    """uvicorn without signals: it is stopped by its test."""

    def __init__(self, config):
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self):
        yield


class Attacked:
    """One running server: where requests go, and what they are compared with."""

    def __init__(self, settings, clock, log, contracts):
        self.settings = settings
        self.clock = clock
        self.log = log
        self.contracts = contracts
        self.scenes = 0
        self.platform = self.url = self.loop = self.failure = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        self._ready.wait(_ANSWER_SECONDS)
        if self.failure is not None:
            raise self.failure
        self.http = httpx.Client(base_url=self.url, timeout=_ANSWER_SECONDS, trust_env=False)

    def stop(self):
        self.http.close()
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_ANSWER_SECONDS)

    def ask(self, coroutine):
        """Run something within the server's process, such as what came before an attack."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(_ANSWER_SECONDS)

    def state(self):
        """Every row of every table, once all that was handed over is stored."""
        self.ask(self._settled())
        dump = SqliteBinding().dump(self.settings.home)
        return State({name: tuple(tuple(row.items()) for row in rows) for name, rows in dump.items()})

    async def _settled(self):
        while tasks := [task for task in asyncio.all_tasks() if task.get_coro().__name__ in _AWAITED]:
            await asyncio.wait(tasks)
        await self.platform.drain()

    def _run(self):
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - the thread that waits raises it
            self.failure = failure
        finally:
            self._ready.set()

    async def _serve(self):
        self.loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with Platform.open(self.settings, clock=self.clock, contracts=self.contracts) as self.platform:
            self.contracts = self.platform.loaded.catalog
            streams = EventStreams.of(self.settings)
            server = _Server(_config(build_app(self.platform, streams), self.settings))
            server.config.host, server.config.port = "127.0.0.1", 0
            serving = asyncio.create_task(server.serve())
            await server.listening.wait()
            port = server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            self._ready.set()
            await self._stop.wait()
            streams.stopping.set()
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving


_CONTRACTS = []
"""What the contract files say, read once in this process."""


@contextmanager
def attacked(folder, **chosen):
    """Serve a new store in `folder`."""
    settings = Settings(
        home=folder,
        master_key=SecretStr(MASTER_KEY),
        password_memory_kib=19456,
        event_heartbeat_seconds=0.05,
        **{"log_format": "json", **chosen},
    )
    with captured_log(settings) as log:
        server = Attacked(settings, ManualClock(), log, _CONTRACTS[0] if _CONTRACTS else None)
        server.start()
        _CONTRACTS[:] = [server.contracts]
        try:
            yield server
        finally:
            server.stop()
