"""Who may submit at all."""

from __future__ import annotations

from dataclasses import replace

from symphainy_platform.contract.expansion import is_from_before
from symphainy_platform.testing.callers import Who
from symphainy_platform.testing.endings import NotApplicable
from symphainy_platform.testing.trial import Trial
from symphainy_platform.testing.world import Call, World

_WHOEVER: tuple[Who, ...] = ("anonymous", "owner", "other_user", "other_tenant", "service")


async def missing(trial: Trial) -> None:
    """Without an identity: UNAUTHENTICATED, also when everything else is right."""
    call = await _identified(trial)
    await _refused(trial, call.by("anonymous"), "UNAUTHENTICATED", "without identity")


async def sessionless(trial: Trial) -> None:
    """With an identity that has no session, where the contract needs one: UNAUTHENTICATED."""
    _needs_identity(trial)
    if "session_ref" not in trial.contract.context:
        raise NotApplicable("the intent needs no session")
    sessionless = trial.call.by("owner", lambda identity: replace(identity, session_ref=None))
    await _refused(trial, sessionless, "UNAUTHENTICATED", "without a session")


async def external(trial: Trial) -> None:
    """With an identity that somebody else's token has introduced: UNAUTHENTICATED, it may open a session only."""
    introduced = (await _identified(trial)).by("owner", lambda identity: replace(identity, external=True))
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


async def proven(trial: Trial) -> None:
    """What the parameters prove counts, and not who brings them: it is always done on the same user's behalf."""
    if not trial.rules.is_public:
        raise NotApplicable("the caller's identity says on whose behalf it runs")
    async with trial.world() as world:
        if (await world.submit(trial.call.by("anonymous"))).error is not None:
            raise NotApplicable("the happy path is proven by the identity of its caller")
    for caller in _WHOEVER:
        async with trial.world() as world:
            result = await trial.happily(world, trial.call.by(caller))
            behalf = await _on_behalf(world, result.execution_id)
            owner = trial.owner(world)
        same = behalf == (owner.tenant_id, owner.user_id)
        trial.expect(same, f"brought by {caller}: it ran on behalf of {behalf}")


async def _on_behalf(world: World, execution_id: str) -> tuple[str, str] | None:
    rows = (await world.state()).rows("executions")
    found = [(row["tenant_id"], row["user_id"]) for row in rows if row["execution_id"] == execution_id]
    return found[0] if found else None


async def _identified(trial: Trial) -> Call:
    """The happy path where the caller's identity counts: of a public intent, without what its setup has proven."""
    if not trial.rules.is_public:
        return trial.call
    bare = trial.call.omitting(*(name for name, value in trial.call.params.items() if is_from_before(value)))
    async with trial.world() as world:
        counts = "user" in trial.contract.access and (await world.submit(bare)).error is None
    if not counts:
        raise NotApplicable("the intent is public: a proof says on whose behalf it runs")
    return bare


def _needs_identity(trial: Trial) -> None:
    if trial.rules.is_public:
        raise NotApplicable("the intent is public: a proof says on whose behalf it runs")


async def _refused(trial: Trial, call: Call, code: str, case: str) -> None:
    async with trial.world() as world:
        before = await world.state()
        trial.expect_refusal(await world.submit(call), code, case)
        trial.expect_unchanged(before, await world.state(), case)
