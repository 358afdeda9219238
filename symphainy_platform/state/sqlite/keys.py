"""The platform's own keys, as they are sealed: reading, replacing and forgetting them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from symphainy_platform.state.records import SealedKey
from symphainy_platform.state.rows import to_json
from symphainy_platform.state.sqlite.connection import transaction
from symphainy_platform.state.sqlite.queries import SQL


def read_keys(connection: sqlite3.Connection) -> list[SealedKey]:
    """Return every key, oldest first."""
    return [
        SealedKey(purpose=purpose, kid=kid, public=public, sealed=sealed, created_at=created_at, rotated_at=rotated_at)
        for purpose, kid, public, sealed, created_at, rotated_at in connection.execute(SQL["keys"]).fetchall()
    ]


def keep_key(connection: sqlite3.Connection, new: SealedKey, replaces: str | None) -> bool:
    """Make `new` the current key of its purpose, if `replaces` is that now; tell whether it was."""
    with transaction(connection):
        row = connection.execute(SQL["current_key"], (new.purpose,)).fetchone()
        if (row[0] if row else None) != replaces:
            return False
        connection.execute(SQL["rotate_key"], (new.created_at, new.purpose))
        values = (new.purpose, new.kid, new.public, new.sealed, new.created_at, new.rotated_at)
        connection.execute(SQL["insert_key"], values)
    return True


def forget_keys(connection: sqlite3.Connection, kids: Sequence[str]) -> None:
    """Delete rotated keys; a current one stays."""
    with transaction(connection):
        connection.execute(SQL["forget_keys"], (to_json(list(kids)),))
