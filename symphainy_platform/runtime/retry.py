"""How often an execution is run again when another writer was faster, and after which pause."""

from __future__ import annotations

import asyncio
import random

MAX_ATTEMPTS = 32
"""Writers in one process queue and try one at a time when others are faster; this bounds a livelock."""

_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.1


async def pause_before(attempt: int) -> None:
    """Wait before attempt number `attempt` (1 is the first try: no wait), with full jitter, ≤ 0.1 s."""
    if attempt > 1:
        bound = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
        await asyncio.sleep(random.uniform(0, bound))  # noqa: S311 - jitter, not a secret
