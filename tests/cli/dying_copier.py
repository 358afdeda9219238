"""Copies a store in small pages, and kills itself on the way: `dying_copier.py FROM TO (pages|milliseconds) NUMBER`."""

import asyncio
import os
import signal
import sys
import threading

from symphainy_platform.cli.copying import _opened
from symphainy_platform.state.transfer import Copying

SMALL = 3


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """Counts what is told of the copy; the last one that it may hear is its end."""

    def __init__(self, left):
        self._left = left

    def __call__(self, *_):
        self._left -= 1
        if self._left == 0:
            die()


async def main(source, target, unit, number):
    old, new = _opened(source), _opened(target)
    theirs, ours = old.transfer(), new.transfer()
    if await ours.unfinished() is None:
        await new.migrate()
    if unit == "milliseconds":
        threading.Timer(int(number) / 1000, die).start()
    await Copying(theirs, ours, Dying(int(number) if unit == "pages" else 0), page=SMALL).run()
    die()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
