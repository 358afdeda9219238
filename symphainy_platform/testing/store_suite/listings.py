"""Checks of listings: order, filters, pages and their cursors."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

from itertools import chain, product
from typing import Any

import pytest

from symphainy_platform.errors import InvalidParameterValue
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.store import ArtifactListing, ArtifactVersions, NewestArtifact, Store, load_one
from symphainy_platform.testing.store_suite.samples import (
    OTHER_TENANT,
    TENANT,
    USER,
    StoreChecks,
    artifact,
    commit_all,
    ids,
    writing,
)

FILTERS: dict[str, tuple[str | None, ...]] = {
    "user_id": (None, USER, "user-2", "nobody"),
    "artifact_type": (None, "chat_session", "mission"),
    "lifecycle_state": (None, "ACTIVE", "EXPIRED"),
}
COMBINATIONS = [dict(zip(FILTERS, values, strict=True)) for values in product(*FILTERS.values())]
BAD_CURSORS = ["", "0", "x", "AAAA", "not a cursor!", "ü", "e30", "W10", "A" * 40, "a\0", "\udc00"]


def created(second: int) -> str:
    """A time of creation."""
    return f"2026-01-01T00:00:{second:02d}.000000Z"


def population() -> list[Artifact]:
    """Artifacts of two users, types and states, some created in the same second, newest last."""
    kinds = product((USER, "user-2"), ("chat_session", "mission"), ("ACTIVE", "EXPIRED"), (1, 1, 2))
    return [
        artifact(f"a{n:02d}", user_id=user, artifact_type=kind, lifecycle_state=state, created_at=created(second))
        for n, (user, kind, state, second) in enumerate(kinds)
    ]


def expected_ids(filters: dict[str, str | None]) -> list[str]:
    """What a listing must answer, computed here."""
    found = [
        each
        for each in population()
        if all(wanted is None or getattr(each, name) == wanted for name, wanted in filters.items())
    ]
    return ids(sorted(found, key=lambda each: (each.created_at, each.artifact_id), reverse=True))


async def populate(store: Store) -> None:
    """Store the population, and a foreign artifact that no listing may show."""
    await commit_all(store, *(writing(f"exec_{each.artifact_id}", each) for each in population()))
    await commit_all(store, writing("exec_f", artifact("foreign", tenant_id=OTHER_TENANT)))


async def all_pages(store: Store, limit: int, **filters: Any) -> list[list[str]]:
    """Follow the cursors of a listing to its end."""
    pages, cursor = [], None
    while True:
        listing = ArtifactListing(tenant_id=TENANT, limit=limit, cursor=cursor, **filters)
        page = await load_one(store, listing)
        pages.append(ids(page.artifacts))
        cursor = page.cursor
        if cursor is None:
            return pages


class ListingChecks(StoreChecks):
    """What ArtifactListing, ArtifactVersions and NewestArtifact promise."""

    async def test_every_combination_of_filters_newest_first(self, store: Store) -> None:
        await populate(store)
        for filters in COMBINATIONS:
            assert await all_pages(store, 200, **filters) == [expected_ids(filters)], filters

    @pytest.mark.parametrize("limit", [1, 5, 12, 24])
    async def test_pages_join_without_gap_or_repetition(self, store: Store, limit: int) -> None:
        await populate(store)
        pages = await all_pages(store, limit)
        assert list(chain.from_iterable(pages)) == expected_ids({})
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert pages[-1]

    async def test_cursor_stays_valid_while_artifacts_come(self, store: Store) -> None:
        await populate(store)
        first = await load_one(store, ArtifactListing(tenant_id=TENANT, limit=10))
        await commit_all(store, writing("exec_new", artifact("zz", created_at=created(59))))
        rest = await load_one(store, ArtifactListing(tenant_id=TENANT, limit=200, cursor=first.cursor))
        assert ids(first.artifacts) + ids(rest.artifacts) == expected_ids({})

    @pytest.mark.parametrize("cursor", BAD_CURSORS)
    async def test_what_is_no_cursor_is_refused(self, store: Store, cursor: str) -> None:
        with pytest.raises(InvalidParameterValue) as refusal:
            await load_one(store, ArtifactListing(tenant_id=TENANT, cursor=cursor))
        assert refusal.value.details["parameter"] == "cursor"

    @pytest.mark.parametrize(
        "other",
        [{"user_id": USER}, {"artifact_type": "mission"}, {"lifecycle_state": "ACTIVE"}, {"tenant_id": OTHER_TENANT}],
        ids=lambda other: next(iter(other)),
    )
    async def test_cursor_of_another_listing_is_refused(self, store: Store, other: dict[str, Any]) -> None:
        await populate(store)
        page = await load_one(store, ArtifactListing(tenant_id=TENANT, limit=1))
        with pytest.raises(InvalidParameterValue):
            await load_one(store, ArtifactListing(**({"tenant_id": TENANT, "cursor": page.cursor} | other)))

    @pytest.mark.parametrize("limit", [0, -1, 201])
    async def test_limit_outside_its_bounds_is_refused(self, store: Store, limit: int) -> None:
        with pytest.raises(InvalidParameterValue) as refusal:
            await load_one(store, ArtifactListing(tenant_id=TENANT, limit=limit))
        assert refusal.value.details["parameter"] == "limit"

    async def test_listing_follows_a_transition(self, store: Store) -> None:
        await commit_all(store, writing("exec_1", artifact()))
        await commit_all(store, writing("exec_2", artifact(version=2, lifecycle_state="EXPIRED")))
        assert await all_pages(store, 9, lifecycle_state="ACTIVE") == [[]]
        assert await all_pages(store, 9, lifecycle_state="EXPIRED", artifact_type="chat_session") == [["a1"]]
        assert await all_pages(store, 9, user_id=USER, lifecycle_state="EXPIRED") == [["a1"]]

    async def test_listing_shows_the_current_version(self, store: Store) -> None:
        changed = artifact(version=2, semantic_payload={"n": 2})
        await commit_all(store, writing("exec_1", artifact()), writing("exec_2", changed))
        page = await load_one(store, ArtifactListing(tenant_id=TENANT))
        assert [(each.version, each.semantic_payload) for each in page.artifacts] == [(2, {"n": 2})]

    @pytest.mark.parametrize(
        ("states", "newest"),
        [(("ACTIVE",), "a3"), (("EXPIRED",), "a4"), (("ACTIVE", "EXPIRED"), "a4"), (("GONE",), None), ((), None)],
        ids=str,
    )
    async def test_newest_by_creation_then_id(self, store: Store, states: tuple[str, ...], newest: str | None) -> None:
        of_user = [("a1", "ACTIVE", 1), ("a3", "ACTIVE", 2), ("a2", "ACTIVE", 2), ("a4", "EXPIRED", 3)]
        made = [artifact(name, lifecycle_state=state, created_at=created(second)) for name, state, second in of_user]
        made += [artifact("b1", user_id="user-2", created_at=created(9))]
        made += [artifact("b2", artifact_type="mission", created_at=created(9))]
        await commit_all(store, *(writing(f"exec_{each.artifact_id}", each) for each in made))
        found = await load_one(store, NewestArtifact(TENANT, USER, "chat_session", states))
        assert (found and found.artifact_id) == newest

    @pytest.mark.parametrize(
        ("before", "limit", "versions"),
        [(None, 50, [5, 4, 3, 2, 1]), (None, 2, [5, 4]), (4, 2, [3, 2]), (1, 9, []), (99, 1, [5])],
    )
    async def test_versions_below_newest_first(
        self, store: Store, before: int | None, limit: int, versions: list[int]
    ) -> None:
        await commit_all(store, *(writing(f"exec_{n}", artifact(version=n)) for n in range(1, 6)))
        read = ArtifactVersions(tenant_id=TENANT, artifact_id="a1", before=before, limit=limit)
        assert [found.version for found in await load_one(store, read)] == versions
