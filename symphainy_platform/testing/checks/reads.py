"""Artifacts that an intent reads: absent, foreign, in a wrong state, of a wrong type.

What is read is a fixture of the contract, or what the setup of the happy path has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

from symphainy_platform.contract.effects import ReadSpec
from symphainy_platform.contract.scenario import Caller, Fixture
from symphainy_platform.contract.spec import PROOF
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.testing.endings import Broken, NotApplicable, Skipped
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.values import another_id
from symphainy_platform.testing.variation import accepts
from symphainy_platform.testing.world import Call, Outcome, World

_NOWHERE = "00000000-0000-4000-8000-000000000000"
_OTHER_TYPE = "compliance_other"
_OF_THIS_EXECUTION = ("execution_id", "trace_id")


class _Refusal(NamedTuple):
    """The code that must come, and how reports name the case."""

    code: str
    case: str


async def absent(trial: Trial) -> None:
    """An id that nobody has."""
    for read in _reads(trial):
        async with trial.world() as world:
            await _refused(trial, world, _nowhere(trial, read), _Refusal(read.absent, "an unknown id"))


async def wrong_state(trial: Trial) -> None:
    """An artifact of the caller in every state that the contract does not admit."""
    reads = [read for read in _reads(trial) if read.must_be]
    if not reads:
        raise NotApplicable("no read names states")
    for read in reads:
        states = trial.subject.catalog.lifecycle(read.artifact).states - set(read.must_be)
        for state in sorted(states):
            expected = _Refusal(read.wrong_state or read.absent, f"{read.id} in state {state}")
            await _Case(trial, read).refused(expected, lifecycle_state=state)


async def wrong_type(trial: Trial) -> None:
    """An artifact of the caller that is of another type: as if there were none."""
    for read in _reads(trial):
        expected = _Refusal(read.absent, f"{read.id} of another type")
        await _Case(trial, read).refused(expected, artifact_type=_OTHER_TYPE)


async def other_tenant(trial: Trial) -> None:
    """The same user_id in another tenant: the answer for an absent artifact, word for word."""
    await _same_as_absent(trial, "other_tenant")


async def other_user(trial: Trial) -> None:
    """Another user of the same tenant: the answer for an absent artifact, word for word."""
    if trial.rules.of_services:
        raise NotApplicable("only services submit it, and they work on the whole tenant")
    await _same_as_absent(trial, "other_user")


async def default_of_others(trial: Trial) -> None:
    """What `default_from` finds is the caller's own: with others' artifacts it answers as with none."""
    defaults = [read for read in _reads(trial) if trial.contract.params[read.id].default_from]
    if not defaults:
        raise NotApplicable("no id has a default")
    for read in defaults:
        call = trial.call.omitting(read.id)
        async with _besides(trial, read) as world:
            alone = await world.submit(call)
        async with _besides(trial, read) as world:
            for caller in ("other_user", "other_tenant"):
                await world.put([_fixture(trial, read)], trial.identity(world, caller))
            among_others = await world.submit(call)
        trial.expect(_words(alone) == _words(among_others), f"{read.id}: the default is somebody else's artifact")


async def _same_as_absent(trial: Trial, caller: Caller) -> None:
    for read in _reads(trial):
        case = _Case(trial, read)
        expected = _Refusal(read.absent, f"{read.id} of {caller}")
        nobodys, foreign = await case.absent(caller), await case.foreign(caller, expected)
        trial.expect(_words(nobodys) == _words(foreign), f"{read.id} of {caller}: tells itself from an absent one")


@dataclass(frozen=True, slots=True)
class _Case:
    """One read of the happy path, whose artifact is not as it should be."""

    trial: Trial
    read: ReadSpec

    async def refused(self, expected: _Refusal, **changes: Any) -> None:
        """The artifact of the happy path has changed; another type makes it another artifact."""
        async with self.trial.world() as world:
            artifact = await self._artifact(world)
            if "artifact_type" in changes:
                changes["artifact_id"] = another_id(artifact.artifact_id)
            await world.alter(artifact, **changes)
            call = self.trial.call.sending(**{self.read.id: changes.get("artifact_id", artifact.artifact_id)})
            await _refused(self.trial, world, call, expected)

    async def absent(self, caller: Caller) -> Outcome:
        """Somebody's submission with an id that nobody has."""
        if self._is_fixture:
            async with _besides(self.trial, self.read) as world:
                return await world.submit(self._of_fixture())
        async with self.trial.world() as world:
            return await world.submit(_nowhere(self.trial, self.read).by(caller))

    async def foreign(self, caller: Caller, expected: _Refusal) -> Outcome:
        """The owner's submission with an id of theirs; where nothing can be made theirs, theirs with the owner's."""
        if self._is_fixture:
            async with _besides(self.trial, self.read) as world:
                await world.put([_fixture(self.trial, self.read)], self.trial.identity(world, caller))
                return await _refused(self.trial, world, self._of_fixture(), expected)
        async with self.trial.world() as world:
            await self._artifact(world)
            return await _refused(self.trial, world, self.trial.call.by(caller), expected)

    @property
    def _is_fixture(self) -> bool:
        return _find_fixture(self.trial, self.read) is not None

    def _of_fixture(self) -> Call:
        return self.trial.call.sending(**{self.read.id: _fixture(self.trial, self.read).id})

    async def _artifact(self, world: World) -> Artifact:
        """What the happy path would read in this world."""
        sent = world.params(self.trial.call).get(self.read.id)
        if sent is None:
            sent = _fixture(self.trial, self.read).id
        found = await world.artifact(self.trial.owner(world).tenant_id, sent)
        if found is None:
            raise Broken(f"the happy path reads no {self.read.artifact}: there is none under its {self.read.id}")
        return found


async def _refused(trial: Trial, world: World, call: Call, expected: _Refusal) -> Outcome:
    before = await world.state()
    outcome = await world.submit(call)
    trial.expect_refusal(outcome, expected.code, expected.case)
    trial.expect_effects(before, await world.state(), outcome, expected.case)
    return outcome


def _nowhere(trial: Trial, read: ReadSpec) -> Call:
    """The happy path with an id that is of the right form, and nobody's."""
    sent = trial.seen.get(read.id)
    candidates = [_NOWHERE, *([another_id(sent)] if isinstance(sent, str) else [])]
    for candidate in candidates:
        call = trial.call.sending(**{read.id: candidate})
        if accepts(trial, call):
            return call
    raise Skipped(f"no other {read.id} can be made up")


def _reads(trial: Trial) -> Sequence[ReadSpec]:
    reads = trial.contract.effects.reads
    if not reads:
        raise NotApplicable("the intent reads no artifact")
    named = [read for read in reads if not read.id.startswith(PROOF)]
    if not named:
        raise NotApplicable("the proof says what is read: whoever has another proof reads something else")
    return named


def _find_fixture(trial: Trial, read: ReadSpec) -> Fixture | None:
    """The artifact that the sample works on, else any fixture of its type."""
    declared = [fixture for fixture in trial.contract.fixtures.values() if fixture.artifact == read.artifact]
    return trial.sample.fixture_of(read.artifact) or next(iter(declared), None)


def _fixture(trial: Trial, read: ReadSpec) -> Fixture:
    found = _find_fixture(trial, read)
    if found is None:
        raise Skipped(f"the contract has no fixture of type {read.artifact}, and its happy path sends no {read.id}")
    return found


def _besides(trial: Trial, read: ReadSpec) -> AbstractAsyncContextManager[World]:
    """A world with the sample's fixtures but those of the read's type."""
    given = [fixture for fixture in trial.sample.given if fixture.artifact != read.artifact]
    return trial.world(given=given, before=trial.sample.before)


def _words(outcome: Outcome) -> object:
    """An outcome without what differs between any two executions."""
    if outcome.error is None:
        return outcome.answer
    body = {key: value for key, value in outcome.error.to_dict().items() if key not in _OF_THIS_EXECUTION}
    return body, outcome.error.kind
