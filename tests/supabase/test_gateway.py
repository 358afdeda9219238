"""The gateway of the tests itself: it leaves no process behind, and says what is missing."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from servers import supabase_gateway
from servers.supabase_gateway import GatewayError, SupabaseGateway

STARTER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from servers.supabase_gateway import SupabaseGateway
gateway = SupabaseGateway("postgresql://nobody@127.0.0.1:1")
gateway.start()
print(gateway.port, flush=True)
time.sleep(60)
"""


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_ends_with_its_starter_however_that_ends():
    command = [sys.executable, "-c", STARTER, str(Path(supabase_gateway.__file__).parents[1])]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
    port = int(starter.stdout.readline())
    assert listens(port)
    starter.kill()
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + 10
    while listens(port):
        assert time.monotonic() < deadline


def test_what_is_missing_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(supabase_gateway, "FOLDER", tmp_path)
    gateway = SupabaseGateway("postgresql://nobody@127.0.0.1:1")
    with pytest.raises(GatewayError, match="run `make setup`"):
        gateway.start()
    gateway.stop()
