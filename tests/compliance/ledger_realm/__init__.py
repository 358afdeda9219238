"""A small realm that keeps its contracts: accounts. The seeded bugs are put into its services."""

from pathlib import Path

from symphainy_platform import Realm, hookimpl


@hookimpl
def symphainy_realms():
    return [Realm("ledger", Path(__file__).parent / "contracts")]
