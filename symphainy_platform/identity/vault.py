"""The sealed keys of the store, as this process knows them: loaded, opened, made, replaced."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from symphainy_platform.errors import StartError
from symphainy_platform.identity.master_key import SETTING, master_key, master_key_file
from symphainy_platform.identity.ring_keys import KNOWN_WITHIN, OpenKeys, new_key, open_keys, sealer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symphainy_platform.context import Clock
    from symphainy_platform.identity.sealing import SealingKey
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.records import SealedKey
    from symphainy_platform.state.store import Store

_EMBEDDED = "sqlite"  # the one store that lies in a data folder; every other is shared by machines


class Vault:
    """Knows every key of the store, and asks again when that is a second old (by the injected clock).

    Raises `StartError` when the master key is not the one that sealed them.
    """

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        """Touch nothing before the first use."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._master: SealingKey | None = None
        self._rows: Sequence[SealedKey] = ()
        self._keys = OpenKeys()
        self._loaded_at: datetime | None = None
        self._searched_at: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def keys(self) -> OpenKeys:
        """Every key, known for at most a second."""
        if self._is_old(self._loaded_at):
            async with self._one_at_a_time:
                if self._is_old(self._loaded_at):
                    await self._load()
        return self._keys

    async def keys_with(self, kid: str) -> OpenKeys:
        """Every key; one of another process that was made since counts, too.

        An id that nobody knows costs one look at the store a second, however often it comes.
        """
        keys = await self.keys()
        if kid not in keys:
            async with self._one_at_a_time:  # whoever comes while somebody looks sees what was found
                if kid not in self._keys and self._is_old(self._searched_at):
                    self._searched_at = self._clock.now()
                    await self._load()
        return self._keys

    async def reload(self) -> OpenKeys:
        """Every key, as the store has them now."""
        async with self._one_at_a_time:
            await self._load()
        return self._keys

    async def current(self, purpose: str) -> str:
        """The kid of the purpose's current key; the first call of all makes it."""
        keys = await self.keys()
        return keys.current.get(purpose) or await self.replace(purpose, None)

    async def replace(self, purpose: str, kid: str | None) -> str:
        """Put a new key in the place of `kid` (None: of no key); returns the one that is there afterwards.

        When somebody else was faster, it is theirs.
        """
        async with self._one_at_a_time:
            await self._load()  # knows whether there are keys, which a new master key could not open
            if self._keys.current.get(purpose) == kid:
                master = self._master or await self._find_master(may_make=True)
                await self._store.keep_key(new_key(purpose, master, self._clock.now()), kid)
                await self._load()
        return self._keys.current[purpose]

    async def forget(self, kids: Sequence[str]) -> None:
        """Delete these keys from the store; the next use looks at what is left."""
        await self._store.forget_keys(kids)
        self._loaded_at = None

    async def _load(self) -> None:
        before = self._clock.now()
        rows = await self._store.keys()
        if rows != self._rows:
            self._keys = await self._opened(rows)
            self._rows = rows
        self._loaded_at = before

    async def _opened(self, rows: Sequence[SealedKey]) -> OpenKeys:
        if not rows:
            return OpenKeys()
        master = self._master or await self._find_master(may_make=False)
        if any(sealer_of(row) != master.kid for row in rows):
            msg = f"{self._place_of_master()} is not the key that sealed the keys of this store: use the one that did"
            raise StartError(msg)
        return open_keys(rows, master)

    async def _find_master(self, *, may_make: bool) -> SealingKey:
        in_data_folder = self._store.name == _EMBEDDED
        self._master = await asyncio.to_thread(
            master_key, self._settings, in_data_folder=in_data_folder, may_make=may_make
        )
        return self._master

    def _place_of_master(self) -> str:
        in_settings = self._settings.master_key is not None
        return SETTING if in_settings else f"the master key in {master_key_file(self._settings.home)}"

    def _is_old(self, moment: datetime | None) -> bool:
        """Whether a second has passed since; a clock that went back makes everything old."""
        return moment is None or not moment <= self._clock.now() < moment + KNOWN_WITHIN
