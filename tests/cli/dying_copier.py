"""Copies a store in small pages, and kills itself after some of them: `dying_copier.py FROM TO PAGES`."""

import asyncio
import os
import signal
import sys

from symphainy_platform.cli.copying import _opened
from symphainy_platform.state.transfer import Copying

SMALL = 5


class Dying:
    """Counts what is told of the copy; the last one that it may hear is its end."""

    def __init__(self, left):
        self._left = left

    def __call__(self, *_):
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(source, target, pages):
    old, new = _opened(source), _opened(target)
    theirs, ours = old.transfer(), new.transfer()
    if await ours.unfinished() is None:
        await new.migrate()
    await Copying(theirs, ours, Dying(int(pages)), page=SMALL).run()
    for each in (theirs, ours, old, new):
        await each.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
