"""Logs: one JSON object a line in production, readable lines in a terminal.

Nothing that a caller sent is logged (10-runtime, "Time, ids, logs"); what is logged cannot forge
a line or move a terminal's cursor, and an exception is logged as its type and its frames: its
message may quote data.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import sys
import threading
import traceback
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import orjson
import structlog

from symphainy_platform.context import isoformat

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from structlog.typing import Processor

    from symphainy_platform.settings import Settings

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    0x0A: "\\n",
    0x0D: "\\r",
    0x09: "\\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_JSON_CONTROLS = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}
_FRAMES = 12


def configure_logs(settings: Settings) -> None:
    """Send all logs of this process, also those of libraries, to standard error in one format."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            timestamped,
            frames_only,
            *_renderers(readable=_is_readable(settings)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        logger_factory=_Lines(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_ToStructlog()], level=logging.WARNING, force=True)


class _Lines:
    """Writes lines; those of one round of the event loop in one call, because each call costs as much as a line.

    A line waits for the end of the round in which it was logged, never longer. Outside of an
    event loop, in other threads too, it is written at once.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Write to `file`, at the latest when the process ends in order."""
        self._file = file
        self._waiting: deque[bytes] = deque()
        self._writing = threading.Lock()
        self._flushing: asyncio.AbstractEventLoop | None = None
        atexit.register(self.flush)

    def __call__(self, *_names: Any) -> Self:
        """Be the logger of every name."""
        return self

    def msg(self, line: bytes) -> None:
        """Take a line."""
        self._waiting.append(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if self._flushing is not loop:
            self._flushing = loop
            loop.call_soon(self.flush)

    debug = info = warning = error = critical = exception = log = msg

    def flush(self) -> None:
        """Write what waits; lines that cannot be written (the disk is full, the reader has gone) are lost."""
        self._flushing = None
        with self._writing:
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if lines:
                # Raising would be logged, and fail again, without end; the intents matter more.
                with contextlib.suppress(OSError, ValueError):
                    self._file.write(b"\n".join([*lines, b""]))
                    self._file.flush()


def frames_only(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Replace an exception by its type and the innermost frames."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error_type"] = type(error).__qualname__
        event["frames"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        ]
    return event


def timestamped(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Add the time of the machine, UTC."""
    event["timestamp"] = isoformat(datetime.now(UTC))
    return event


def neutralized(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Write control characters in texts as escapes: a value stays within its line and its colour."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = value.translate(_CONTROLS)
    return event


def _is_readable(settings: Settings) -> bool:
    if settings.log_format == "auto":
        return settings.dev or sys.stderr.isatty()
    return settings.log_format == "console"


def _renderers(*, readable: bool) -> list[Processor]:
    if not readable:
        return [structlog.processors.JSONRenderer(serializer=_one_line)]
    return [neutralized, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()), _encoded]


def _one_line(event: Any, **_options: Any) -> bytes:
    """JSON on one line. It escapes the controls below U+0020 by itself; the others are rare enough to look after."""
    line: bytes = orjson.dumps(event, default=repr)
    if line.isascii() and b"\x7f" not in line:
        return line
    return line.decode().translate(_JSON_CONTROLS).encode()


def _encoded(_logger: Any, _method: str, line: Any) -> bytes:
    return str(line).encode(errors="backslashreplace")


class _ToStructlog(logging.Handler):
    """Hands records of the standard library's loggers (the server's, say) to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's message under its logger's name."""
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
