"""The caller's own Idempotency-Key: a second guard, stored, for a day."""

from __future__ import annotations

from symphainy_platform.testing.callers import Who
from symphainy_platform.testing.checks.replay import expect_replay
from symphainy_platform.testing.endings import NotApplicable, Skipped
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.variation import variations, varied_names, with_other_keys
from symphainy_platform.testing.world import TICK, World

_KEY = "compliance-key-1"
_MALFORMED = ("", "x" * 256, "a b", "key\n", "\tkey", "schlüssel", "\x7f", "a\x00b")
_LARGEST = "~" * 255
_OTHERS: tuple[Who, ...] = ("other_user", "other_tenant")


async def replay(trial: Trial) -> None:
    """Long after the contract's own key has ended, the caller's key still gets the stored answer."""
    _needs_identity(trial)
    call = trial.call.keyed(_KEY)
    async with trial.world() as world:
        first = await world.submit(call)
        await _end_contract_key(trial, world)
        await expect_replay(trial, world, first, call, "the same Idempotency-Key")


async def _end_contract_key(trial: Trial, world: World) -> None:
    """Let only the caller's key hold: pass the window, or write something else in between."""
    if trial.rules.lifetime < _ttl(trial):
        world.clock.advance(trial.rules.lifetime + TICK)
    if trial.rules.until_next_write:
        try:
            (other,) = with_other_keys(trial, 1)
        except (NotApplicable, Skipped):
            return
        await world.submit(other)


async def reused(trial: Trial) -> None:
    """The same key with other parameters: IDEMPOTENCY_KEY_REUSED, and nothing written."""
    _needs_identity(trial)
    names = varied_names(trial)
    if not names:
        raise NotApplicable("no parameter has an effect that may be varied")
    async with trial.world() as world:
        await trial.happily(world, trial.call.keyed(_KEY))
        before = await world.state()
        for other in variations(trial, names):
            trial.expect_refusal(await world.submit(other.keyed(_KEY)), "IDEMPOTENCY_KEY_REUSED", "other parameters")
        trial.expect_unchanged(before, await world.state(), "after the refusals")


async def malformed(trial: Trial) -> None:
    """Anything but 1 to 255 visible ASCII characters: INVALID_IDEMPOTENCY_KEY, and nothing written."""
    _needs_identity(trial)
    async with trial.world() as world:
        before = await world.state()
        for key in _MALFORMED:
            outcome = await world.submit(trial.call.keyed(key))
            trial.expect_refusal(outcome, "INVALID_IDEMPOTENCY_KEY", f"the key {key[:10]!r}")
        trial.expect_unchanged(before, await world.state(), "after the refusals")
        longest = await world.submit(trial.call.keyed(_LARGEST))
        trial.expect(longest.code is None, f"a key of 255 characters is refused: {longest}")


async def scope(trial: Trial) -> None:
    """The same key of another user or tenant is another key."""
    _needs_identity(trial)
    call = trial.call.keyed(_KEY)
    async with trial.world() as world:
        first = await trial.happily(world, call)
        for caller in _strangers(trial):
            foreign = await world.submit(call.by(caller))
            trial.expect(foreign.execution_id != first.execution_id, f"{caller} gets the owner's execution")
            trial.expect(foreign.code != "IDEMPOTENCY_KEY_REUSED", f"{caller} collides with the owner's key")


async def ignored(trial: Trial) -> None:
    """A public intent keeps no key of its caller: nobody has been identified whose key it could be."""
    if not trial.rules.is_public:
        raise NotApplicable("every caller has keys of their own")
    async with trial.world() as world:
        first = await trial.happily(world, trial.call.keyed(_KEY))
        rows = [row for row in (await world.state()).rows("executions") if row["execution_id"] == first.execution_id]
    trial.expect(rows, "its execution is not recorded")
    trial.expect(all(row["client_key_digest"] is None for row in rows), "the caller's key is kept")


def _strangers(trial: Trial) -> tuple[Who, ...]:
    """Those who may have nothing of the owner's; another service, which finds nothing to change, names its producer."""
    shares = trial.rules.of_services and trial.rules.has_writes and not trial.rules.must_write
    return _OTHERS[1:] if shares else _OTHERS


async def expiry(trial: Trial) -> None:
    """A day later the key holds no more."""
    _needs_identity(trial)
    if trial.rules.has_writes and not trial.rules.must_write:
        raise NotApplicable("an update that changes nothing answers as a replay anyway")
    if trial.rules.lifetime > _ttl(trial):
        raise NotApplicable("the contract's own key lives longer")
    call = trial.call.keyed(_KEY)
    async with trial.world() as world:
        first = await trial.happily(world, call)
        world.clock.advance(_ttl(trial) + TICK)
        again = await world.submit(call)
        trial.expect(again.execution_id != first.execution_id, "after its lifetime the key still answers")


def _needs_identity(trial: Trial) -> None:
    if trial.rules.is_public:
        raise NotApplicable("public intents ignore the caller's key")


def _ttl(trial: Trial) -> int:
    return trial.subject.limits["client_key_ttl_seconds"]
