"""The public names are a promise: this list changes on purpose or not at all."""

import subprocess
import sys

import symphainy_platform

PUBLIC = """
Artifact ArtifactAnswer ArtifactLog ArtifactView Client Clock ContractError ExecutionContext ExecutionResult Identity
IdentitySource IntentError IntentResult IntentService KeyRing LogEntry LogHead NotAToken Platform PlatformContext
PluginError Proof ProofAttempt Proven RateLimited Realm SessionExpired SessionTerminated Settings SettingsError
StartError StateSurface Unauthenticated canonical_bytes data_folder digest hookimpl isoformat moment
token_type
"""


def test_the_public_names_are_these():
    assert symphainy_platform.__all__ == sorted(symphainy_platform.__all__)
    assert set(symphainy_platform.__all__) == set(PUBLIC.split())


def test_every_public_name_can_be_had():
    assert all(getattr(symphainy_platform, name) is not None for name in symphainy_platform.__all__)


def test_the_import_brings_no_server_and_no_database():
    script = "import sys, symphainy_platform; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    heavy = {"starlette", "uvicorn", "typer", "sqlite3", "supabase", "asyncpg", "httpx", "pydantic"}
    assert heavy.isdisjoint(done.stdout.split())
