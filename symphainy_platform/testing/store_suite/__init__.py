"""The store suite: what the port promises, as tests that any store binds.

A binding is a class with two fixtures (`SqliteStore` stands for the store under test):

    class TestSqliteStore(StoreSuite):
        @pytest.fixture
        def store_factory(self, tmp_path):
            return lambda clock, home="main": SqliteStore(tmp_path / f"{home}.db", clock)

        @pytest.fixture
        def read_table(self, tmp_path): ...

`store_factory(clock, home="main")` makes an unopened store; equal homes within a test are the same
database, a fresh one for each test. `read_table(table)` reads all rows of a domain table of home
"main" as a list of dicts, however the database does that.
"""

from symphainy_platform.testing.store_suite.audit import AuditChecks
from symphainy_platform.testing.store_suite.commits import CommitChecks
from symphainy_platform.testing.store_suite.due import DueChecks
from symphainy_platform.testing.store_suite.events import EventChecks
from symphainy_platform.testing.store_suite.keys import KeyChecks
from symphainy_platform.testing.store_suite.lifetime import LifetimeChecks
from symphainy_platform.testing.store_suite.listings import ListingChecks
from symphainy_platform.testing.store_suite.logs import LogChecks
from symphainy_platform.testing.store_suite.reads import ReadChecks
from symphainy_platform.testing.store_suite.samples import ManualClock
from symphainy_platform.testing.store_suite.sealed_keys import SealedKeyChecks
from symphainy_platform.testing.store_suite.sweeps import SweepChecks


class StoreSuite(
    CommitChecks,
    KeyChecks,
    ReadChecks,
    ListingChecks,
    LogChecks,
    EventChecks,
    SealedKeyChecks,
    SweepChecks,
    DueChecks,
    LifetimeChecks,
    AuditChecks,
):
    """Every check; bind this."""


__all__ = ["ManualClock", "StoreSuite"]
