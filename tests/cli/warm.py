"""Commands without what their imports take: each is a fork of a process that has imported everything before.

Run as a program it is that process. A command in it is one of its own all the same: its words, folder, environment,
inputs and outputs are those that were asked for, it reads the contracts itself, and it ends as Python ends.
"""

import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import tempfile

_COMMAND = "symphainy_platform.cli"
_LONGEST_REQUEST = 1 << 20


class WarmCommands:
    """The process, and how to ask it."""

    def __init__(self):
        """Start it."""
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            words = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(words, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)  # noqa: S603

    def run(self, words, *, cwd, env, stdin, timeout):
        """As subprocess.run does, with text."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin.encode())
            given.seek(0)
            request = json.dumps([[os.fsdecode(word) for word in words], str(cwd), env])
            socket.send_fds(self._ours, [request.encode()], [given.fileno(), out.fileno(), err.fileno()])
            self._ours.settimeout(timeout)
            code = int(self._ours.recv(16))
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(words, code, out.read().decode(), err.read().decode())

    def stop(self):
        """End it: it goes when nobody can ask any more."""
        self._ours.close()
        self._process.wait(10)


def _import_all():
    for package in ("symphainy_platform.cli", "symphainy_platform.state", "symphainy_platform.realms"):
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    importlib.import_module("symphainy_platform").Platform  # noqa: B018 - names of the public API are found when asked
    gc.freeze()  # else each fork looks through all that was imported, time and again


def _fork_of_each_request(asking):
    """Answer with the exit code of each; returns the words in the fork that is to run them, and None at the end."""
    while True:
        request, files, *_ = socket.recv_fds(asking, _LONGEST_REQUEST, 3)
        if not request:
            return None
        if (pid := os.fork()) == 0:
            words, folder, environment = json.loads(request)
            asking.close()
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            return words
        for file in files:
            os.close(file)
        asking.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


if __name__ == "__main__":
    _import_all()
    if (words := _fork_of_each_request(socket.socket(fileno=int(sys.argv[1])))) is not None:
        sys.argv = [_COMMAND, *words]
        sys.path[0] = ""
        runpy.run_module(_COMMAND, run_name="__main__", alter_sys=True)
