"""Work on large values leaves the event loop, so that nobody else waits for it (10-runtime, "HTTP")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import orjson

from symphainy_platform import ExecutionContext

LARGE_BYTES = 262_144
"""From this much JSON on, work on it is heavy."""

P = ParamSpec("P")
T = TypeVar("T")


def is_large(value: Any) -> bool:
    """Whether a value is more than LARGE_BYTES of JSON; costs a fraction of any work on it."""
    return len(orjson.dumps(value)) > LARGE_BYTES


async def computed(
    ctx: ExecutionContext,
    heavy: bool,  # noqa: FBT001 - the rest is the work's
    work: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run pure work here, or off the event loop when it is `heavy`."""
    return await ctx.run_blocking(work, *args, **kwargs) if heavy else work(*args, **kwargs)
