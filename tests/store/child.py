"""Another process on the same store: python child.py PATH VERB [ARGUMENT …]."""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

from symphainy_platform.state.records import Conflict
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import ArtifactById
from symphainy_platform.testing.store_suite import ManualClock
from symphainy_platform.testing.store_suite.samples import TENANT, artifact, everything, writing


async def commit_for_ever(store, name):
    """Commit batches, and say of each what was acknowledged."""
    for batch in itertools.count():
        ids = [f"{name}-{batch}-{n}" for n in range(4)]
        await store.commit([everything(f"exec_{each}", each) for each in ids])
        print(*ids, flush=True)  # noqa: T201 - to the parent


async def count_up(store, name, times):
    """Add one version to artifact `shared`, again after each conflict."""
    done = 0
    while done < int(times):
        (head,) = await store.load([ArtifactById(TENANT, "shared")])
        change = writing(f"exec_{name}_{done}_{head.version}", artifact("shared", version=head.version + 1))
        (outcome,) = await store.commit([change])
        done += not isinstance(outcome, Conflict)


async def die_before_commit(store, _name):
    """Be killed when everything is written but the COMMIT."""

    def die(statement):
        if statement == "COMMIT":
            os.kill(os.getpid(), signal.SIGKILL)

    await store._writer.run(lambda connection: connection.set_trace_callback(die))
    await store.commit([everything("exec_dying", "dying")])


async def migrate(store, _name):
    """Say which steps were applied (the store is opened by then)."""


VERBS = {each.__name__: each for each in (commit_for_ever, count_up, die_before_commit, migrate)}


async def main(path, verb, *arguments):
    store = SqliteStore(Path(path), ManualClock())
    print(*await store.migrate(), flush=True)  # noqa: T201 - to the parent
    await store.open()
    await VERBS[verb](store, *arguments)
    await store.close()


asyncio.run(main(*sys.argv[1:]))
