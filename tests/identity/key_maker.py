"""Another process that uses the keys of a store for the first time: python key_maker.py HOME."""

import asyncio
import sys
from pathlib import Path

from symphainy_platform.context import SystemClock
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.settings import Settings
from symphainy_platform.state.sqlite.store import SqliteStore


async def main(home):
    clock = SystemClock()
    store = SqliteStore(home / "platform.db", clock)
    await store.migrate()
    await store.open()
    print("ready", flush=True)  # noqa: T201 - to the parent
    sys.stdin.readline()
    ring = KeyRing(store, Settings(home=home), clock)
    print(await ring.current(), (await ring.keyed("x")).hex(), flush=True)  # noqa: T201 - to the parent
    await store.close()


asyncio.run(main(Path(sys.argv[1])))
