"""Checks of the platform's own keys: one is current per purpose, whoever replaces it."""
# ruff: noqa: S101, D102 - checks assert; their names say what they prove

from __future__ import annotations

import asyncio
from dataclasses import replace

from symphainy_platform.state.records import SealedKey
from symphainy_platform.state.store import Store
from symphainy_platform.testing.store_suite.samples import CREATED, ManualClock, StoreChecks, StoreFactory, opened

ROTATED = "2026-01-02T00:00:00.000000Z"


def sealed(kid: str, purpose: str = "tokens", created_at: str = CREATED) -> SealedKey:
    """A key whose bytes JSON could not hold."""
    return SealedKey(purpose=purpose, kid=kid, public=b"\x00\xff", sealed=b"\xfe" * 90, created_at=created_at)


async def kids(store: Store) -> list[str]:
    """The kids of all keys, in the order of the store."""
    return [key.kid for key in await store.keys()]


class SealedKeyChecks(StoreChecks):
    """What keys(), keep_key() and forget_keys() promise."""

    async def test_a_new_store_has_no_keys(self, store: Store) -> None:
        assert list(await store.keys()) == []

    async def test_the_first_key_is_kept_as_it_is(self, store: Store) -> None:
        assert await store.keep_key(sealed("k1"), None)
        assert list(await store.keys()) == [sealed("k1")]

    async def test_a_second_first_key_comes_too_late(self, store: Store) -> None:
        await store.keep_key(sealed("k1"), None)
        assert not await store.keep_key(sealed("k2"), None)
        assert list(await store.keys()) == [sealed("k1")]

    async def test_a_replaced_key_is_rotated_when_the_new_one_was_made(self, store: Store) -> None:
        await store.keep_key(sealed("k1"), None)
        assert await store.keep_key(sealed("k2", created_at=ROTATED), "k1")
        assert list(await store.keys()) == [
            replace(sealed("k1"), rotated_at=ROTATED),
            sealed("k2", created_at=ROTATED),
        ]

    async def test_a_key_that_is_not_current_cannot_be_replaced(self, store: Store) -> None:
        await store.keep_key(sealed("k1"), None)
        await store.keep_key(sealed("k2"), "k1")
        before = list(await store.keys())
        for stale in ("k1", "unknown", None):
            assert not await store.keep_key(sealed("k3"), stale)
        assert list(await store.keys()) == before

    async def test_a_key_that_replaces_an_unknown_one_is_not_kept(self, store: Store) -> None:
        assert not await store.keep_key(sealed("k1"), "unknown")
        assert await kids(store) == []

    async def test_purposes_have_a_current_key_each(self, store: Store) -> None:
        assert await store.keep_key(sealed("k1"), None)
        assert await store.keep_key(sealed("k2", "sealing"), None)
        assert not await store.keep_key(sealed("k3", "sealing"), "k1")
        assert await store.keep_key(sealed("k4"), "k1")
        assert [(key.kid, key.rotated_at is None) for key in await store.keys()] == [
            ("k1", False),
            ("k2", True),
            ("k4", True),
        ]

    async def test_keys_of_one_moment_keep_their_order(self, store: Store) -> None:
        names = ["k9", "k1", "k5", "k3"]
        for name, before in zip(names, [None, *names], strict=False):
            assert await store.keep_key(sealed(name), before)
        assert await kids(store) == names

    async def test_of_simultaneous_first_keys_one_wins(self, store: Store) -> None:
        kept = await asyncio.gather(*(store.keep_key(sealed(f"k{n}"), None) for n in range(8)))
        assert sorted(kept) == [False] * 7 + [True]
        assert await kids(store) == [f"k{kept.index(True)}"]

    async def test_of_simultaneous_first_keys_of_two_stores_one_wins(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        other = await opened(store_factory, clock)
        try:
            kept = await asyncio.gather(store.keep_key(sealed("k1"), None), other.keep_key(sealed("k2"), None))
            assert sorted(kept) == [False, True]
            assert await kids(store) == await kids(other) == ["k1" if kept[0] else "k2"]
        finally:
            await other.close()

    async def test_rotated_keys_are_forgotten(self, store: Store) -> None:
        await store.keep_key(sealed("k1"), None)
        await store.keep_key(sealed("k2"), "k1")
        await store.keep_key(sealed("k3"), "k2")
        await store.forget_keys(["k1", "unknown"])
        assert await kids(store) == ["k2", "k3"]

    async def test_a_current_key_is_never_forgotten(self, store: Store) -> None:
        await store.keep_key(sealed("k1"), None)
        await store.forget_keys(["k1"])
        await store.forget_keys([])
        assert await kids(store) == ["k1"]

    async def test_keys_outlive_the_store_object(
        self, store: Store, store_factory: StoreFactory, clock: ManualClock
    ) -> None:
        await store.keep_key(sealed("k1"), None)
        await store.close()
        again = await opened(store_factory, clock)
        try:
            assert await kids(again) == ["k1"]
        finally:
            await again.close()
