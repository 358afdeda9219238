"""The same submission again: the stored answer, the original execution, and no second effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from symphainy_platform.contract.scenario import Step
from symphainy_platform.testing import values
from symphainy_platform.testing.callers import Who
from symphainy_platform.testing.endings import NotApplicable, Skipped
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.variation import accepts, variations, varied_names
from symphainy_platform.testing.world import Call, Outcome, World

_OTHERS: tuple[Who, ...] = ("other_user", "other_tenant", "neighbour")


async def same(trial: Trial) -> None:
    """At once again: equal answer, same execution_id, nothing written."""
    needs_key(trial)
    async with trial.world() as world:
        first = await world.submit(trial.call)
        await expect_replay(trial, world, first, trial.call, "the second submission")


async def restart(trial: Trial) -> None:
    """Again after a restart of the process."""
    needs_key(trial)
    async with trial.world() as world:
        first = await world.submit(trial.call)
        await world.restart()
        await expect_replay(trial, world, first, trial.call, "after a restart")


async def view(trial: Trial) -> None:
    """With other `view: true` parameters it is still the same submission."""
    needs_key(trial)
    views = [name for name, param in trial.contract.params.items() if param.view]
    if not views:
        raise NotApplicable("no parameter only shapes the answer")
    async with trial.world() as world:
        first = await trial.happily(world)
        before = await world.state()
        for name in views:
            shown = values.plain(trial.contract.params[name])
            again = await world.submit(trial.call.sending(**{name: shown}))
            trial.expect(again.is_replay, f"with another {name}: {again} instead of a replay")
            trial.expect(again.execution_id == first.execution_id, f"with another {name}: another execution")
        trial.expect_unchanged(before, await world.state(), "after the replays")


async def default(trial: Trial) -> None:
    """A default that is sent is the default that is not sent: one and the same submission."""
    needs_key(trial)
    defaults = {name: param.default for name, param in trial.contract.params.items() if param.default is not None}
    if not defaults:
        raise NotApplicable("no parameter has a default")
    for name, value in defaults.items():
        silent, spoken = trial.call.omitting(name), trial.call.sending(**{name: value})
        await _same_submission(trial, silent, spoken, f"{name} with its default")


async def alias(trial: Trial) -> None:
    """A parameter under an earlier name is the same parameter; under two names at once it is refused."""
    needs_key(trial)
    params = trial.call.params
    aliases = [(name, alias) for name in params for alias in trial.contract.params[name].aliases]
    if not aliases:
        raise NotApplicable("no parameter of the happy path has an alias")
    for name, earlier in aliases:
        twice = trial.call.sending(**{earlier: params[name]})
        await _same_submission(trial, trial.call, twice.omitting(name), f"{name} as {earlier}")
        async with trial.world() as world:
            trial.expect_refusal(await world.submit(twice), "INVALID_PARAMETER_VALUE", f"{name} and {earlier}")


async def _same_submission(trial: Trial, one: Call, other: Call, when: str) -> None:
    async with trial.world() as world:
        await expect_replay(trial, world, await world.submit(one), other, when)


async def mismatch(trial: Trial) -> None:
    """The same key with other parameters: refused, or the stored answer where the contract says so."""
    needs_key(trial)
    outside_key = [name for name in varied_names(trial) if name not in trial.rules.in_key]
    if not outside_key:
        raise NotApplicable("every parameter with an effect is in the key")
    for call in variations(trial, names=outside_key):
        async with trial.world() as world:
            first = await world.submit(trial.call)
            if await _is_refused_anyway(trial, call):
                continue
            if trial.rules.rejects_mismatch:
                before = await world.state()
                trial.expect_refusal(await world.submit(call), "IDEMPOTENCY_KEY_REUSED", "other parameters")
                trial.expect_unchanged(before, await world.state(), "other parameters")
            else:
                await expect_replay(trial, world, first, call, "other parameters")


async def while_it_may(trial: Trial) -> None:
    """What `replay_while` decides is shown: an example repeats a submission, and gets the stored answer no more."""
    if trial.contract.idempotency.replay_while is None:
        raise NotApplicable("a stored answer is given as long as its key holds")
    if not any(_ends(example.all_steps) for example in trial.contract.examples.values()):
        raise Skipped("no example repeats a submission whose stored answer is no longer given")


def _ends(steps: Sequence[Step]) -> bool:
    """Whether a step that repeats an earlier one is refused, or decided anew."""
    return any(
        (later.error is not None or later.replay is False)
        and (earlier.intent, earlier.params, earlier.caller) == (later.intent, later.params, later.caller)
        for earlier, later in combinations(steps, 2)
    )


async def _is_refused_anyway(trial: Trial, call: Call) -> bool:
    """Whether a proof refuses these parameters before there is a key."""
    if not trial.rules.is_public:
        return False
    async with trial.world() as world:
        return (await world.submit(call)).error is not None


async def scope(trial: Trial) -> None:
    """Another user, another tenant, and one whose names concatenate to the owner's: their own execution, or none."""
    needs_key(trial)
    if trial.rules.is_public:
        raise NotApplicable("a proof says on whose behalf it runs, whoever submits it")
    async with trial.world() as world:
        first = await trial.happily(world)
        for caller in _OTHERS:
            foreign = await world.submit(trial.call.by(caller))
            identity = trial.identity(world, caller)
            who = f"{identity.tenant_id}/{identity.user_id}"
            trial.expect(foreign.execution_id != first.execution_id, f"{who} gets the owner's execution")
            trial.expect(not foreign.is_replay, f"{who} gets a replay of an execution that is not theirs")


async def concatenation(trial: Trial) -> None:
    """`ab`, `c` and `a`, `bc` are different keys: neighbouring text components are not joined."""
    needs_key(trial)
    shifted = next(_shifted(trial), None)
    if shifted is None:
        raise NotApplicable("the key has no two free texts side by side")
    async with trial.world() as world:
        first = await trial.happily(world)
        other = await world.submit(shifted)
        if other.error is not None and other.code != "IDEMPOTENCY_KEY_REUSED":
            raise Skipped(f"the shifted parameters answer {other}")
        trial.expect(other.code is None, f"the shifted key is taken for the same: {other}")
        trial.expect(other.execution_id != first.execution_id, "the shifted key gets the first one's answer")


def _shifted(trial: Trial) -> Iterator[Call]:
    """The happy call with one character moved from a component of the key to the next one."""
    call = trial.call
    for left, right in pairwise(trial.rules.key_components):
        first, second = call.params.get(left), call.params.get(right)  # those of a setup are no texts
        if isinstance(first, str) and isinstance(second, str) and len(first) > 1:
            moved = call.sending(**{left: first[:-1], right: first[-1] + second})
            if accepts(trial, moved):
                yield moved


def needs_key(trial: Trial) -> None:
    """Stop here when the intent has no idempotency key."""
    if not trial.rules.has_key:
        raise NotApplicable("the intent has no idempotency key")


async def expect_replay(trial: Trial, world: World, first: Outcome, call: Call, when: str) -> None:
    """Submit, and note a problem unless it is a replay of `first` that changes nothing."""
    before = await world.state()
    again = await world.submit(call)
    trial.expect(first.code is None, f"the happy path answers {first}")
    trial.expect(again.is_replay, f"{when}: {again} instead of a replay")
    trial.expect(again.execution_id == first.execution_id, f"{when}: not the original execution_id")
    trial.expect(again.answer == first.answer, f"{when}: another answer than the first")
    trial.expect_unchanged(before, await world.state(), when)
