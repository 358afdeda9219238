"""A bug as data: what it is called, where it shows, and how it gets into the running code."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Bug:
    name: str
    intents: tuple[str, ...]
    """What is attacked: the intents (or journeys) that the bug concerns."""
    plant: Callable[[pytest.MonkeyPatch], None]


def bugs_of(module) -> list[Bug]:
    """Every function of a module that `shows_in` has marked, named by its docstring."""
    return [
        Bug(function.__doc__, function.shows_in, function)
        for function in vars(module).values()
        if hasattr(function, "shows_in")
    ]


def shows_in(*intents):
    """Mark a function that plants a bug."""

    def mark(function):
        function.shows_in = intents
        return function

    return mark
