"""Artifacts that an intent reads: absent, foreign, in a wrong state, of a wrong type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from symphainy_platform.context import Identity
from symphainy_platform.contract.effects import ReadSpec
from symphainy_platform.contract.scenario import Caller, Fixture
from symphainy_platform.testing.trial import NotApplicable, Skipped, Trial
from symphainy_platform.testing.world import Call, Outcome, World

_NOWHERE = "00000000-0000-4000-8000-000000000000"
_OF_THIS_EXECUTION = ("execution_id", "trace_id")


class _Refusal(NamedTuple):
    """The code that must come, and how reports name the case."""

    code: str
    case: str


async def absent(trial: Trial) -> None:
    """An id that nobody has."""
    for read in _reads(trial):
        async with trial.world() as world:
            await _refused(
                trial, world, trial.call.sending(**{read.id: _NOWHERE}), _Refusal(read.absent, "an unknown id")
            )


async def wrong_state(trial: Trial) -> None:
    """An artifact of the caller in every state that the contract does not admit."""
    reads = [read for read in _reads(trial) if read.must_be]
    if not reads:
        raise NotApplicable("no read names states")
    for read in reads:
        states = trial.subject.catalog.lifecycle(read.artifact).states - set(read.must_be)
        for state in sorted(states):
            fixture = _fixture(trial, read).model_copy(update={"state": state})
            expected = _Refusal(read.wrong_state or read.absent, f"{read.id} in state {state}")
            await _refused_with(trial, read, fixture, trial.owner, expected)


async def wrong_type(trial: Trial) -> None:
    """An artifact of the caller that is of another type: as if there were none."""
    for read in _reads(trial):
        fixture = _fixture(trial, read).model_copy(update={"artifact": "compliance_other", "rows": ()})
        expected = _Refusal(read.absent, f"{read.id} of another type")
        await _refused_with(trial, read, fixture, trial.owner, expected)


async def other_tenant(trial: Trial) -> None:
    """The same user_id in another tenant: the answer for an absent artifact, word for word."""
    await _same_as_absent(trial, "other_tenant")


async def other_user(trial: Trial) -> None:
    """Another user of the same tenant: the answer for an absent artifact, word for word."""
    await _same_as_absent(trial, "other_user")


async def default_of_others(trial: Trial) -> None:
    """What `default_from` finds is the caller's own: with others' artifacts it answers as with none."""
    defaults = [read for read in _reads(trial) if trial.contract.params[read.id].default_from]
    if not defaults:
        raise NotApplicable("no id has a default")
    for read in defaults:
        call = trial.call.omitting(read.id)
        async with trial.world(given=_besides(trial, read)) as world:
            alone = await world.submit(call)
        async with trial.world(given=_besides(trial, read)) as world:
            for caller in ("other_user", "other_tenant"):
                await world.put([_fixture(trial, read)], _identity(trial, caller))
            among_others = await world.submit(call)
        trial.expect(_words(alone) == _words(among_others), f"{read.id}: the default is somebody else's artifact")


async def _same_as_absent(trial: Trial, caller: Caller) -> None:
    for read in _reads(trial):
        fixture = _fixture(trial, read)
        call = trial.call.sending(**{read.id: fixture.id})
        async with trial.world(given=_besides(trial, read)) as world:
            nobodys = await world.submit(call)
        expected = _Refusal(read.absent, f"{read.id} of {caller}")
        foreign = await _refused_with(trial, read, fixture, _identity(trial, caller), expected)
        trial.expect(_words(nobodys) == _words(foreign), f"{read.id} of {caller}: tells itself from an absent one")


async def _refused_with(trial: Trial, read: ReadSpec, fixture: Fixture, owner: Identity, expected: _Refusal) -> Outcome:
    async with trial.world(given=_besides(trial, read)) as world:
        await world.put([fixture], owner)
        return await _refused(trial, world, trial.call.sending(**{read.id: fixture.id}), expected)


async def _refused(trial: Trial, world: World, call: Call, expected: _Refusal) -> Outcome:
    before = await world.state()
    outcome = await world.submit(call)
    trial.expect_refusal(outcome, expected.code, expected.case)
    trial.expect_unchanged(before, await world.state(), expected.case)
    return outcome


def _reads(trial: Trial) -> Sequence[ReadSpec]:
    if not trial.contract.effects.reads:
        raise NotApplicable("the intent reads no artifact")
    return trial.contract.effects.reads


def _fixture(trial: Trial, read: ReadSpec) -> Fixture:
    """The artifact that the sample works on, else any fixture of its type."""
    declared = [fixture for fixture in trial.contract.fixtures.values() if fixture.artifact == read.artifact]
    found = trial.sample.fixture_of(read.artifact) or next(iter(declared), None)
    if found is None:
        raise Skipped(f"the contract has no fixture of type {read.artifact}")
    return found


def _besides(trial: Trial, read: ReadSpec) -> list[Fixture]:
    """The sample's fixtures but those of the read's type."""
    return [fixture for fixture in trial.sample.given if fixture.artifact != read.artifact]


def _identity(trial: Trial, caller: Caller) -> Identity:
    found = trial.subject.identity(caller)
    return found if found is not None else trial.owner


def _words(outcome: Outcome) -> object:
    """An outcome without what differs between any two executions."""
    if outcome.error is None:
        return outcome.answer
    body = {key: value for key, value in outcome.error.to_dict().items() if key not in _OF_THIS_EXECUTION}
    return body, outcome.error.kind
