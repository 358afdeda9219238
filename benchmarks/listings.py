"""The first page of every listing that a store has, each for many users in turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.fill_tables import USERS
from benchmarks.opened import TENANT
from symphainy_platform.context import SystemClock, isoformat
from symphainy_platform.state.postgres.store import PostgresStore
from symphainy_platform.state.store import ArtifactListing, DueArtifacts, EventFilter, NewestArtifact, Read, load_one

Page = Callable[[str], Awaitable[Any]]
"""Reads the first page for a user."""

_TIMES = 25
_TYPES = {"": None, " of a type": "type_1", " of a rare type": "rare"}
_STATES = {"": None, " in a state": "STATE_1", " in a rare state": "RARE"}


async def seconds_of_first_pages(store: PostgresStore) -> dict[str, float]:
    """The median seconds of each listing's first page."""
    return {name: await _median_seconds(page) for name, page in _pages(store).items()}


async def _median_seconds(page: Page) -> float:
    taken = []
    for number in range(_TIMES):
        began = perf_counter()
        await page(f"user_{number * 397 % USERS}")
        taken.append(perf_counter() - began)
    return median(taken)


def _pages(store: PostgresStore) -> dict[str, Page]:
    return _listings(store) | {
        "a user's newest": _read(store, lambda user: NewestArtifact(TENANT, user, "type_1", ("STATE_1", "RARE"))),
        "what is due": _read(store, lambda _: DueArtifacts(isoformat(SystemClock().now()), 50)),
        "a user's events": lambda user: store.events_after("0", EventFilter(tenant_id=TENANT, user_id=user), 50),
        "the tenant's events": lambda _: store.events_after("0", EventFilter(tenant_id=TENANT), 50),
        "events of a rare type": lambda _: store.events_after("0", EventFilter(tenant_id=TENANT, type="rare"), 50),
    }


def _listings(store: PostgresStore) -> dict[str, Page]:
    return {
        f"{'a user' if own else 'the tenant'}{of_type}{in_state}": _read(store, _listing(own, type_, state))
        for own in (True, False)
        for of_type, type_ in _TYPES.items()
        for in_state, state in _STATES.items()
    }


def _listing(own: bool, type_: str | None, state: str | None) -> Callable[[str], Read[Any]]:  # noqa: FBT001 - one place
    return lambda user: ArtifactListing(
        tenant_id=TENANT, user_id=user if own else None, artifact_type=type_, lifecycle_state=state
    )


def _read(store: PostgresStore, read: Callable[[str], Read[Any]]) -> Page:
    return lambda user: load_one(store, read(user))
