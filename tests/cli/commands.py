"""What tests of the command line share: who asks, a server of their own, and an answer that is good."""

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager

ANN = ("--tenant", "acme", "--user", "ann")
EVE = ("--tenant", "elsewhere", "--user", "eve")
SIGN_IN = '"type":"session_'  # what a command on a server does before and after
MASTER_KEY = {"SYMPHAINY_MASTER_KEY": "bWFzdGVyIGtleSBvZiB0aGUgY29tbWFuZCBsaW5lIC0"}
CREATE = ("submit", "initialize_chat_session", *ANN)


def good(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def serving(folder, **chosen):
    process = subprocess.Popen(
        [sys.executable, "-m", "symphainy_platform.cli", "serve", "--port", "0"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
        | MASTER_KEY
        | chosen,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()
