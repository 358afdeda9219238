"""An appender that is killed: python dying_appender.py PATH MOMENT, which is `reading`, `writing` or `answering`."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from symphainy_platform.runtime.audit import Audit
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.testing.store_suite import ManualClock


def die(*_words, **_options):
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_commit(statement):
    if statement == "COMMIT":
        die()


async def main(path, moment):
    store = SqliteStore(Path(path), ManualClock())
    await store.open()
    real = store.append_audit

    async def append(*words, **options):
        await real(*words, **options)
        die()

    if moment == "writing":
        await store._writer.run(lambda connection: connection.set_trace_callback(die_at_commit))
    else:
        store.append_audit = die if moment == "reading" else append
    await Audit(store, frozenset({"signed_in", "signed_out"})).append()


asyncio.run(main(*sys.argv[1:]))
