"""The parent of several workers: it starts them, replaces those that end, and passes on what it is told.

It opens no store and runs no event loop and no thread, so that it may fork at any time.
"""

from __future__ import annotations

import contextlib
import gc
import math
import os
import select
import shutil
import signal
import socket
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import structlog

from symphainy_platform.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE_SECONDS = 1.0
"""Before another start, when a worker ended before it served: what keeps it from serving may pass."""
_ASKING = (signal.SIGTERM, signal.SIGINT)
_HANDLED = (*_ASKING, signal.SIGCHLD)
_IN_ORDER = (0, *(-number for number in _ASKING))
"""Exit codes of workers that stopped when they were told, also before or after they served."""
_PID_BYTES = 4

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker has of its parent: the socket to serve on, and a link that ends when the parent does."""

    listener: socket.socket
    link: socket.socket
    folder: Path
    """For all workers of this parent, as long as it runs."""
    number: int
    """From 0; whoever replaces a worker has its number."""

    def report(self) -> None:
        """Tell the parent that this process serves."""
        self.link.send(os.getpid().to_bytes(_PID_BYTES, "big"))


class Parent:
    """Keeps `count` workers on one socket, until SIGTERM or SIGINT."""

    def __init__(self, listener: socket.socket, count: int, *, patience: float, announce: Callable[[], None]) -> None:
        """A stop takes `patience` seconds at the most; `announce` is called once, when all workers serve."""
        self._listener = listener
        self._count = count
        self._patience = patience
        self._announce = announce
        self._link, self._link_of_workers = _pair()
        self._woken, self._waker = _pair()
        self._told: deque[int] = deque()
        self._running: dict[int, int] = {}
        """The number of each worker, by its process id."""
        self._serving: set[int] = set()
        self._has_served = self._announced = self._stopping = False
        self._next_start = 0.0
        self._kill_at = math.inf
        self._code = 0

    def run(self) -> Worker:
        """Return in every worker. In the parent: stay until all have ended, then raise SystemExit.

        Its code is 0 when all ended in order, that of the first worker when it could not start, else 1.
        """
        gc.collect()
        gc.freeze()  # what is shared with the workers is not copied for a collection
        self._handle_signals()
        self._folder = Path(tempfile.mkdtemp(prefix="symphainy-workers-"))
        while self._running or not self._stopping:
            while self._lacks_one():
                if (worker := self._fork()) is not None:
                    return worker
            self._wait()
            self._read_reports()
            self._bury()
            self._pass_on()
        shutil.rmtree(self._folder, ignore_errors=True)
        raise SystemExit(self._code)

    def _handle_signals(self) -> None:
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in _ASKING:
            signal.signal(number, lambda number, _: self._told.append(number))
        signal.signal(signal.SIGCHLD, lambda *_: None)  # it only has to wake

    def _lacks_one(self) -> bool:
        """Whether to start another one now; the others wait for the first, which may have to migrate or to refuse."""
        wanted = 0 if self._stopping else self._count if self._has_served else 1
        return len(self._running) < wanted and monotonic() >= self._next_start

    def _fork(self) -> Worker | None:
        """Start a worker, which gets the return value; the parent gets None."""
        number = next(n for n in range(self._count) if n not in self._running.values())
        unblocked = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
        try:
            pid = os.fork()
        except OSError as error:
            self._could_not_fork(error)
            pid = None
        worker = self._become_worker(number) if pid == 0 else None
        signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
        if pid:
            self._running[pid] = number
        return worker

    def _become_worker(self, number: int) -> Worker:
        """Leave behind what is the parent's; the terminal's Ctrl-C is for the parent, too."""
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for each in _HANDLED:
            signal.signal(each, signal.SIG_DFL)
        for end in (self._link, self._woken, self._waker):
            end.close()
        return Worker(self._listener, self._link_of_workers, self._folder, number)

    def _could_not_fork(self, error: OSError) -> None:
        if not self._has_served:
            msg = f"cannot start a worker: {error.strerror}"
            raise SettingsError(msg) from error
        _log.warning("worker_not_started", reason=error.strerror)
        self._next_start = monotonic() + _PAUSE_SECONDS

    def _wait(self) -> None:
        """Until a signal, a report, or the time for something."""
        at = min(self._kill_at, self._next_start if self._next_start > monotonic() else math.inf)
        timeout = None if at == math.inf else max(0.0, at - monotonic())
        select.select([self._woken, self._link], [], [], timeout)
        _read(self._woken)

    def _read_reports(self) -> None:
        reports = _read(self._link)
        for start in range(0, len(reports), _PID_BYTES):
            self._serves(int.from_bytes(reports[start : start + _PID_BYTES], "big"))

    def _serves(self, pid: int) -> None:
        if pid not in self._running:  # it reported, and ended
            return
        _log.info("worker_serves", pid=pid)
        self._serving.add(pid)
        self._has_served = True
        if len(self._serving) == self._count and not self._announced:
            self._announced = True
            self._announce()

    def _bury(self) -> None:
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        del self._running[pid]
        served = pid in self._serving
        self._serving.discard(pid)
        if self._stopping:
            self._code = self._code or int(code not in _IN_ORDER)
        elif not self._has_served:  # it has said why
            self._stopping, self._code = True, max(code, 1)
        else:
            _log.warning("worker_ended", pid=pid, code=code)
            self._next_start = 0.0 if served else monotonic() + _PAUSE_SECONDS

    def _pass_on(self) -> None:
        """Stop the workers in order; a second signal tells them not to wait, and none waits for ever."""
        while self._told:
            self._told.popleft()
            self._send(signal.SIGINT if self._stopping else signal.SIGTERM)
            if not self._stopping:
                self._stopping, self._kill_at = True, monotonic() + self._patience
        if monotonic() >= self._kill_at:
            self._send(signal.SIGKILL)
            self._kill_at = math.inf

    def _send(self, number: int) -> None:
        for pid in self._running:
            os.kill(pid, number)  # they are our children until they are buried


def _pair() -> tuple[socket.socket, socket.socket]:
    pair = socket.socketpair()
    for end in pair:
        end.settimeout(0)
    return pair


def _read(end: socket.socket) -> bytes:
    """Take what waits; reports come whole, because each is written by one call."""
    with contextlib.suppress(BlockingIOError):
        return end.recv(65536)
    return b""
