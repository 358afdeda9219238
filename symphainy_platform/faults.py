"""Where an exception came from, in a form that may be logged."""

from __future__ import annotations

import traceback


def frames(error: BaseException) -> list[str]:
    """The places that an exception passed, innermost last: file, line and function.

    Neither its message nor any local variable: both may hold parameters or secrets.
    """
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
