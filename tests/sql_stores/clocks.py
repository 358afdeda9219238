"""Processes whose clocks differ: windows are the database's. A suite over `store_with(clock)` and `beside`."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from symphainy_platform import Identity, Platform, Settings
from symphainy_platform.context import SystemClock

ANN = Identity(tenant_id="acme", user_id="ann")
_END_ALL_WINDOWS = """
    update symphainy.executions
       set key_expires_at = key_expires_at - interval '61 s', committed_at = committed_at - interval '61 s',
           client_key_expires_at = client_key_expires_at - interval '2 days'
"""


class WrongClock(SystemClock):
    """The clock of a machine that is so many seconds ahead."""

    def __init__(self, seconds):
        self._ahead = timedelta(seconds=seconds)

    def now(self):
        return super().now() + self._ahead


@asynccontextmanager
async def platform_at(store_with, home, seconds):
    clock = WrongClock(seconds)
    async with Platform.open(Settings(home=home), store=store_with(clock), clock=clock) as platform:
        yield platform


async def begin(platform, **options):
    return await platform.submit_intent("initialize_chat_session", {}, identity=ANN, **options)


@pytest.mark.parametrize("seconds", [-90, 61, 200_000])
@pytest.mark.parametrize("options", [{}, {"idempotency_key": "mine"}], ids=["its window", "the caller's key"])
class Clocks:
    async def test_a_window_is_open_as_long_as_the_database_says(self, store_with, beside, tmp_path, seconds, options):
        async with (
            platform_at(store_with, tmp_path, 0) as right,
            platform_at(store_with, tmp_path, seconds) as wrong,
        ):
            first = await begin(right, **options)
            assert (await begin(wrong, **options)).execution_id == first.execution_id
            await wrong.sweep()
            assert (await begin(right, **options)).execution_id == first.execution_id
            await beside(_END_ALL_WINDOWS)
            second = await begin(wrong, **options)
            assert second.execution_id != first.execution_id
            assert (await begin(right, **options)).execution_id == second.execution_id
