"""Files of the data folder that only their owner may read, made once and atomically."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from symphainy_platform.errors import StartError

_OWNER_ONLY_FILE = 0o600
_OWNER_ONLY_FOLDER = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def made_once(path: Path, make: Callable[[], bytes], *, called: str) -> bytes:
    """Return what is in the file, which `make` fills at the first call; several processes get the same.

    Raises `StartError`, in which the file is `called` so, when it cannot be written, or when others may read it.
    """
    try:
        if not path.exists():
            _make(path, make())
        return _read(path, called)
    except OSError as error:
        msg = f"the {called} {path} cannot be used: {error.strerror}"
        raise StartError(msg) from error


def _make(path: Path, content: bytes) -> None:
    """Write a whole file beside `path`, then link it there: the first of several makers wins."""
    path.parent.parent.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    path.parent.mkdir(mode=_OWNER_ONLY_FOLDER, exist_ok=True)
    draft = path.with_name(f".{secrets.token_hex(8)}")
    try:
        _write_through(draft, content)
        with contextlib.suppress(FileExistsError):  # another process was faster: its key counts
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _write_through(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    """Make the new name durable: what a key signs or seals must outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, called: str) -> bytes:
    if path.stat().st_mode & _OTHERS:
        msg = f"others may read the {called} {path}: chmod 600 it"
        raise StartError(msg)
    return path.read_bytes()
