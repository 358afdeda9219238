"""The platform's own keys, as they are sealed: reading, replacing and forgetting them."""

from __future__ import annotations

from collections.abc import Sequence

from symphainy_platform.state.postgres.driver import Connection
from symphainy_platform.state.postgres.queries import SQL
from symphainy_platform.state.records import SealedKey


async def read_keys(connection: Connection) -> list[SealedKey]:
    """Return every key, oldest first."""
    return [
        SealedKey(purpose=purpose, kid=kid, public=public, sealed=sealed, created_at=created_at, rotated_at=rotated_at)
        for purpose, kid, public, sealed, created_at, rotated_at in await connection.fetch(SQL["keys"])
    ]


async def keep_key(connection: Connection, new: SealedKey, replaces: str | None) -> bool:
    """Make `new` the current key of its purpose, if `replaces` is that now; tell whether it was."""
    kept: bool = await connection.fetchval(
        SQL["keep_key"], new.purpose, new.kid, new.public, new.sealed, new.created_at, new.rotated_at, replaces
    )
    return kept


async def forget_keys(connection: Connection, kids: Sequence[str]) -> None:
    """Delete rotated keys; a current one stays."""
    await connection.execute(SQL["forget_keys"], list(kids))
