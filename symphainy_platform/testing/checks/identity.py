"""Who may submit at all."""

from __future__ import annotations

from dataclasses import replace

from symphainy_platform.testing.trial import NotApplicable, Trial
from symphainy_platform.testing.world import Call


async def missing(trial: Trial) -> None:
    """Without an identity: UNAUTHENTICATED, also when everything else is right."""
    if "public" in trial.contract.access:
        raise NotApplicable("the intent is public")
    await _refused(trial, trial.call.by(None), "UNAUTHENTICATED", "without identity")


async def sessionless(trial: Trial) -> None:
    """With an identity that has no session, where the contract needs one: UNAUTHENTICATED."""
    if "session_ref" not in trial.contract.context:
        raise NotApplicable("the intent needs no session")
    await _refused(trial, trial.call.by(replace(trial.owner, session_ref=None)), "UNAUTHENTICATED", "without a session")


async def forbidden(trial: Trial) -> None:
    """With an identity that lacks the role or the permissions: PERMISSION_DENIED."""
    if not trial.contract.permissions and "service" not in trial.contract.access:
        raise NotApplicable("every authenticated user may submit it")
    if not trial.contract.permissions and "user" in trial.contract.access:
        raise NotApplicable("every authenticated user may submit it")
    nobody = replace(trial.owner, roles=frozenset())
    await _refused(trial, trial.call.by(nobody), "PERMISSION_DENIED", "without a role")


async def _refused(trial: Trial, call: Call, code: str, case: str) -> None:
    async with trial.world() as world:
        before = await world.state()
        trial.expect_refusal(await world.submit(call), code, case)
        trial.expect_unchanged(before, await world.state(), case)
