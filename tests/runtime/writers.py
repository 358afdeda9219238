"""One process of several that write to one session: `writers.py HOME NAME WRITERS TURNS`; says what went wrong."""

import asyncio
import sys
from pathlib import Path

import structlog

from symphainy_platform import Identity, Platform, Settings

ANN = Identity("t1", "ann")


async def write(platform, name, turns):
    for turn in range(turns):
        key = f"{name}-{turn}"
        updates = {"conversation_history": [{"id": key, "content": "x"}], "pillar_context": {key: 1}}
        params = {"context_updates": updates, "history_limit": 0}
        await platform.submit_intent("update_chat_context", params, identity=ANN)


async def main(home, name, writers, turns):
    async with Platform.open(Settings(home=Path(home))) as platform:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        await platform.submit_intent("initialize_chat_session", {}, identity=ANN)
        await asyncio.gather(*(write(platform, f"{name}-{n}", int(turns)) for n in range(int(writers))))


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
asyncio.run(main(*sys.argv[1:]))
