"""`symphainy serve --workers N`: several processes behind one address."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from typing import TYPE_CHECKING

from symphainy_platform.errors import SettingsError
from symphainy_platform.http.parent import Parent, Worker
from symphainy_platform.http.server import CLOSE_SECONDS, Server, listening, refuse_settings, url_of
from symphainy_platform.http.worker_metrics import WorkerMetrics
from symphainy_platform.platform import Platform

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from symphainy_platform.settings import Settings

_ENDING_SECONDS = 10
"""What a worker gets beyond its drain to close the store; then it hangs."""


def fork_workers(settings: Settings, announce: Callable[[str], None]) -> Worker:
    """Listen and start the workers: returns in each of them, for `serve_as_worker`; see `Parent.run`.

    `announce` is told the URL once all of them serve. Raises SettingsError when the settings do not allow it.
    """
    refuse_workers(settings)
    refuse_settings(settings)
    listener = listening(settings)
    return Parent(
        listener,
        settings.workers,
        patience=settings.drain_seconds + CLOSE_SECONDS + _ENDING_SECONDS,
        announce=lambda: announce(url_of(listener)),
    ).run()


def refuse_workers(settings: Settings) -> None:
    """Raise when several processes cannot share the store, or cannot be had on this system."""
    if settings.store.startswith("sqlite:"):
        msg = f"{settings.workers} workers need a store that they share: a sqlite store is served by one process; "
        raise SettingsError(msg + "choose a postgresql:// store, or one worker")
    if not hasattr(os, "fork"):
        msg = "this system cannot fork: serve with one worker, and start several servers behind a proxy"
        raise SettingsError(msg)


async def serve_as_worker(settings: Settings, worker: Worker) -> None:
    """Serve on the parent's socket until it says so, or is gone. Raises as `serve` does."""
    with worker.listener, worker.link:
        async with Platform.open(settings) as platform:
            await platform.keys.check()
            await _WorkerServer(platform, worker).run_until_stopped()


class _WorkerServer(Server):
    """A server that stops when its parent tells it, or has gone."""

    def __init__(self, platform: Platform, worker: Worker) -> None:
        async def report(*_: object) -> None:
            worker.report()

        self._metrics = WorkerMetrics(platform.telemetry.registry, worker.folder, worker.number)
        super().__init__(platform, worker.listener, report, self._metrics.exposed)
        self._worker = worker

    async def run_until_stopped(self) -> None:
        """Serve, and leave the figures for the other workers meanwhile."""
        keeping = asyncio.create_task(self._metrics.keep())
        try:
            await super().run_until_stopped()
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and to watch for the parent's end."""
        asyncio.get_running_loop().add_reader(self._worker.link, self._left_alone)
        await super().startup(sockets)

    def on_signal(self, number: int) -> None:
        """Stop in order; only SIGINT hurries.

        A service manager sends SIGTERM to every process, and so does the parent that got it, too.
        """
        if number == signal.SIGINT:
            super().on_signal(number)
        else:
            self.stop()

    def _left_alone(self) -> None:
        """Leave the address to the next parent at once, and finish what runs."""
        asyncio.get_running_loop().remove_reader(self._worker.link)
        for server in self.servers:
            server.close()
        self._worker.listener.close()
        shutil.rmtree(self._worker.folder, ignore_errors=True)  # nobody else will
        self.stop()
