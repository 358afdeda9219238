"""A realm of tests: boxes whose keys are tokens.

Turning a key gives the next one; an old one that comes back seals the box.
"""

from pathlib import Path

from symphainy_platform import Realm, hookimpl
from vault_realm.box_key import BoxKey


@hookimpl
def symphainy_realms():
    return [Realm("vault", Path(__file__).parent / "contracts")]


@hookimpl
def symphainy_proofs(platform):
    return {"box_key": BoxKey(platform)}
