"""Who may submit at all."""

from __future__ import annotations

from dataclasses import replace

from symphainy_platform.testing.endings import NotApplicable
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Call


async def missing(trial: Trial) -> None:
    """Without an identity: UNAUTHENTICATED, also when everything else is right."""
    _needs_identity(trial)
    await _refused(trial, trial.call.by("anonymous"), "UNAUTHENTICATED", "without identity")


async def sessionless(trial: Trial) -> None:
    """With an identity that has no session, where the contract needs one: UNAUTHENTICATED."""
    _needs_identity(trial)
    if "session_ref" not in trial.contract.context:
        raise NotApplicable("the intent needs no session")
    sessionless = trial.call.by("owner", lambda identity: replace(identity, session_ref=None))
    await _refused(trial, sessionless, "UNAUTHENTICATED", "without a session")


async def external(trial: Trial) -> None:
    """With an identity that somebody else's token has introduced: UNAUTHENTICATED, it may open a session only."""
    _needs_identity(trial)
    introduced = trial.call.by("owner", lambda identity: replace(identity, external=True))
    await _refused(trial, introduced, "UNAUTHENTICATED", "with an external identity")


async def forbidden(trial: Trial) -> None:
    """With an identity that lacks the role or the permissions: PERMISSION_DENIED."""
    _needs_identity(trial)
    if not trial.contract.permissions and "service" not in trial.contract.access:
        raise NotApplicable("every authenticated user may submit it")
    if not trial.contract.permissions and "user" in trial.contract.access:
        raise NotApplicable("every authenticated user may submit it")
    nobody = trial.call.by("owner", lambda identity: replace(identity, roles=frozenset()))
    await _refused(trial, nobody, "PERMISSION_DENIED", "without a role")


def _needs_identity(trial: Trial) -> None:
    if trial.rules.is_public:
        raise NotApplicable("the intent is public: a proof says on whose behalf it runs")


async def _refused(trial: Trial, call: Call, code: str, case: str) -> None:
    async with trial.world() as world:
        before = await world.state()
        trial.expect_refusal(await world.submit(call), code, case)
        trial.expect_unchanged(before, await world.state(), case)
