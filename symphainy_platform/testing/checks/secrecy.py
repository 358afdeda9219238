"""No value that the contract calls secret stands anywhere but in the answer."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import orjson
import structlog

from symphainy_platform.testing.checks.failures import failing_examples
from symphainy_platform.testing.endings import NotApplicable
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Outcome

_SHORTEST_SECRET = 4


async def kept(trial: Trial) -> None:
    """No secret value at rest, in an event, in a line of a log or on the terminal, or in a failure's envelope.

    Neither one of the happy path (twice: a replay gives secrets again), nor one of its setup.
    """
    with _everything_said() as said:
        async with trial.world() as world:
            await trial.happily(world)
            await world.submit(trial.call)
            refused = await world.submit(trial.call.sending(compliance_unknown=1))
            at_rest, published = await world.at_rest(), repr(await world.events())
    if not world.hidden:
        raise NotApplicable("nothing is secret")
    places = {"at rest": at_rest, "in an event": published, "in a log line": said(), "in a failure": _envelope(refused)}
    for place, text in places.items():
        trial.expect(not _stands_in(text, world.hidden), f"a secret value stands {place}")
    await _kept_in_failures(trial)


async def _kept_in_failures(trial: Trial) -> None:
    for failing in failing_examples(trial):
        with _everything_said() as said:
            async with failing.world() as world:
                refused = _envelope(await world.submit(failing.call))
                at_rest = await world.at_rest()
        for place, text in (("at rest", at_rest), ("in a log line", said()), ("in the envelope", refused)):
            trial.expect(not _stands_in(text, world.hidden), f"{failing.code}: a secret value stands {place}")


def _envelope(outcome: Outcome) -> str:
    return repr(outcome.error.to_dict()) if outcome.error else ""


def _stands_in(text: str, hidden: set[str]) -> bool:
    """Whether one of these stands in a text, plainly or as JSON and Python would write it."""
    long_enough = [secret for secret in hidden if len(secret) >= _SHORTEST_SECRET]
    return any(form in text for secret in long_enough for form in _forms(secret))


def _forms(secret: str) -> set[str]:
    json = orjson.dumps(secret).decode()[1:-1]
    return {form for plain in (secret, json) for form in (plain, repr(plain)[1:-1])}


@contextmanager
def _everything_said() -> Iterator[Callable[[], str]]:
    """All that is logged, by structlog or by the standard library from debug on, and all that is printed."""
    lines: list[str] = []
    printed = io.StringIO()
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with structlog.testing.capture_logs() as entries, redirect_stdout(printed), redirect_stderr(printed):
            yield lambda: "\n".join([*lines, *map(repr, entries), printed.getvalue()])
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
