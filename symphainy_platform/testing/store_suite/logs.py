"""Checks of logs: ranges, edits, generations, and how a version left them."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

from typing import Any

import pytest

from symphainy_platform.state.artifact import LogEntry
from symphainy_platform.state.store import LogKeys, LogRange, Store, load_one
from symphainy_platform.testing.store_suite.samples import (
    LOG,
    TENANT,
    StoreChecks,
    artifact,
    commit_all,
    entry,
    writing,
)


def log_range(first: int = 1, last: int = 99, **changes: Any) -> LogRange:
    """A read of the log of a1."""
    values: dict[str, Any] = {"tenant_id": TENANT, "artifact_id": "a1", "log": LOG, "generation": 1}
    return LogRange(**(values | {"first": first, "last": last} | changes))


async def seqs(store: Store, read: LogRange) -> list[int]:
    """The seqs that a range holds."""
    return [found.seq for found in await load_one(store, read)]


async def texts(store: Store, read: LogRange) -> list[str]:
    """The wordings that a range holds."""
    return [found.body["content"] for found in await load_one(store, read)]


async def write_history(store: Store) -> None:
    """Version 1 writes two entries, 2 appends one, 3 edits the first, 4 edits it again, 5 starts anew."""
    steps = [
        (entry(1, "one"), entry(2, "two")),
        (entry(3, "three", version=2),),
        (entry(1, "one, edited", version=3, revision=1),),
        (entry(1, "one, edited twice", version=4, revision=2), entry(4, "four", version=4)),
        (entry(1, "anew", version=5, generation=2),),
    ]
    commits = [
        writing(f"exec_{version}", artifact(version=version), entries=entries)
        for version, entries in enumerate(steps, 1)
    ]
    await commit_all(store, *commits)


class LogChecks(StoreChecks):
    """What LogRange and LogKeys promise."""

    async def test_entry_comes_back_as_it_went_in(self, store: Store) -> None:
        await commit_all(store, writing("exec_1", artifact(), entries=(entry(1, 'ü "quoted"\n', key="schlüssel"),)))
        assert await load_one(store, log_range()) == [LogEntry(1, "schlüssel", {"content": 'ü "quoted"\n'}, 0)]

    @pytest.mark.parametrize(
        ("first", "last", "found"), [(1, 5, [1, 2, 3]), (2, 2, [2]), (3, 99, [3]), (4, 9, []), (3, 1, [])]
    )
    async def test_range_is_inclusive_and_ascending(
        self, store: Store, first: int, last: int, found: list[int]
    ) -> None:
        await commit_all(store, writing("exec_1", artifact(), entries=(entry(3), entry(1), entry(2))))
        assert await seqs(store, log_range(first, last)) == found

    async def test_long_log_is_read_whole(self, store: Store) -> None:
        await commit_all(store, writing("exec_1", artifact(), entries=tuple(entry(n) for n in range(1, 1001))))
        assert await seqs(store, log_range(1, 1000)) == list(range(1, 1001))

    async def test_edit_gives_the_newest_wording_in_its_place(self, store: Store) -> None:
        await write_history(store)
        found = await load_one(store, log_range())
        assert [(each.seq, each.key, each.revision) for each in found] == [
            (1, "k1", 2),
            (2, "k2", 0),
            (3, "k3", 0),
            (4, "k4", 0),
        ]
        assert found[0].body == {"content": "one, edited twice"}

    @pytest.mark.parametrize(
        ("version", "wordings"),
        [
            (1, ["one", "two"]),
            (2, ["one", "two", "three"]),
            (3, ["one, edited", "two", "three"]),
            (4, ["one, edited twice", "two", "three", "four"]),
            (5, ["one, edited twice", "two", "three", "four"]),
        ],
    )
    async def test_log_as_a_version_left_it(self, store: Store, version: int, wordings: list[str]) -> None:
        await write_history(store)
        assert await texts(store, log_range(version=version)) == wordings

    async def test_generations_do_not_meet(self, store: Store) -> None:
        await write_history(store)
        assert await texts(store, log_range(generation=2)) == ["anew"]
        assert await texts(store, log_range(generation=2, version=4)) == []
        assert await texts(store, log_range(generation=3)) == []

    async def test_logs_and_artifacts_do_not_meet(self, store: Store) -> None:
        mixed = (entry(1, "mine"), entry(1, "other log", log="digests"), entry(1, "other artifact", artifact_id="a2"))
        await commit_all(store, writing("exec_1", artifact(), entries=mixed))
        assert await texts(store, log_range()) == ["mine"]
        assert await texts(store, log_range(log="digests")) == ["other log"]
        assert await texts(store, log_range(artifact_id="a2")) == ["other artifact"]

    async def test_keys_find_their_entries_in_newest_wording(self, store: Store) -> None:
        await write_history(store)
        read = LogKeys(tenant_id=TENANT, artifact_id="a1", log=LOG, generation=1, keys=("k4", "unknown", "k1", "k1"))
        found = {each.key: each for each in await load_one(store, read)}
        assert {key: each.body["content"] for key, each in found.items()} == {"k1": "one, edited twice", "k4": "four"}

    async def test_any_number_of_keys(self, store: Store) -> None:
        keys = tuple(f"k{n}" for n in range(1, 1001))
        await commit_all(store, writing("exec_1", artifact(), entries=tuple(entry(n) for n in range(1, 1001))))
        for wanted in (keys, keys[:5], ()):
            read = LogKeys(tenant_id=TENANT, artifact_id="a1", log=LOG, generation=1, keys=wanted)
            assert sorted(each.key for each in await load_one(store, read)) == sorted(wanted)

    async def test_key_of_another_generation_is_free(self, store: Store) -> None:
        await write_history(store)
        read = LogKeys(tenant_id=TENANT, artifact_id="a1", log=LOG, generation=2, keys=("k1", "k2"))
        assert [each.body["content"] for each in await load_one(store, read)] == ["anew"]
