"""What the store uses of asyncpg, typed: the driver has no types of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Runner(Protocol):
    """Lends connections to work that bears being run twice."""

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` on a connection; again when it was lost meanwhile."""


class Transaction(Protocol):
    """An `asyncpg.transaction.Transaction`: as a context manager, it also rolls back what was cancelled."""

    async def start(self) -> None:
        """Begin."""

    async def commit(self) -> None:
        """End it, and keep what it did."""

    async def rollback(self) -> None:
        """End it, and undo what it did."""

    async def __aenter__(self) -> None:
        """Begin."""

    async def __aexit__(self, *of_error: object) -> None:
        """Commit, or roll back after an error."""


class Connection(Protocol):
    """An `asyncpg.Connection`. Rows behave as tuples; errors are those of `faults.DATABASE_ERRORS`."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109 - asyncpg's
        """Run a statement (without arguments: a script) and return its tag."""

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """Return all rows."""

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """Return the first row, or None."""

    async def fetchval(self, query: str, *args: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - asyncpg's
        """Return the first column of the first row, or None."""

    def transaction(self, *, isolation: str | None = None, readonly: bool = False) -> Transaction:
        """Begin a transaction, and end it with the block."""

    def is_in_transaction(self) -> bool:
        """Tell whether a transaction is open."""

    def is_closed(self) -> bool:
        """Tell whether the connection has ended."""

    def get_server_version(self) -> Any:
        """Return the server's version, with a `major`."""

    def get_settings(self) -> Any:
        """Return what the server told of itself, among it `server_encoding`."""

    async def add_listener(self, channel: str, callback: Callable[[Any, int, str, str], None]) -> None:
        """Listen to a channel of NOTIFY."""

    async def close(self) -> None:
        """End the connection in order."""

    def terminate(self) -> None:
        """End the connection at once."""
