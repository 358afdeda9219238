"""Wrong proofs, secrets and effects of failures: each breaks one sentence of 40-auth-sessions."""

from dataclasses import replace

from bugs_at_the_gate import identified_as
from planting import shows_in
from vault_realm import box
from vault_realm.box_key import BoxKey
from vault_realm.intent_services import open_box_service, turn_key_service

from symphainy_platform import Identity, IntentError, Proven
from symphainy_platform.contract.compiled_key import CompiledIdempotency
from symphainy_platform.runtime import commit, decide
from symphainy_platform.runtime import replay as replay_stage

OpenBox = open_box_service.OpenBoxService
TurnKey = turn_key_service.TurnKeyService


@shows_in("open_box", "turn_key")
def secret_in_the_record(patch):
    """the record of an execution holds the answer's secret fields"""
    patch.setattr(commit, "_open", lambda fields, _: dict(fields))


@shows_in("turn_key")
def secret_of_the_caller_in_the_payload(patch):
    """the token that was sent is stored with the box"""
    real = TurnKey.execute

    async def execute(self, ctx, params):
        result = await real(self, ctx, params)
        turned = ctx.state_surface.staged.artifacts[ctx.facts["box_id"]].artifact
        changed = ctx.state_surface.update_artifact(turned, {**turned.semantic_payload, "label": params.token})
        return replace(result, artifacts=await box.answer(ctx, changed))

    patch.setattr(TurnKey, "execute", execute)


@shows_in("turn_key")
def secret_in_the_log_of_a_replay(patch):
    """restoring an answer logs its token"""
    real = TurnKey.restore

    async def restore(self, ctx, params, name, artifact):
        restored = await real(self, ctx, params, name, artifact)
        ctx.log.info("restored", **restored)
        return restored

    patch.setattr(TurnKey, "restore", restore)


@shows_in("turn_key")
def secret_in_a_refusal(patch):
    """a refusal shows the key that would have been right"""
    real = BoxKey.prove

    async def prove(self, attempt):
        try:
            return await real(self, attempt)
        except IntentError as error:
            error.details["sent"] = attempt.params.token
            raise

    patch.setattr(BoxKey, "prove", prove)


@shows_in("open_box", "turn_key")
def secret_left_out_of_replays(patch):
    """a replay lacks the secret fields"""

    async def nothing(*_):
        return {}

    patch.setattr(OpenBox, "restore", nothing)
    patch.setattr(TurnKey, "restore", nothing)


@shows_in("turn_key")
def another_secret_restored(patch):
    """a replay gives the key that was presented instead of the one that was answered"""

    async def restore(_self, _ctx, params, *_):
        return {"token": params.token}

    patch.setattr(TurnKey, "restore", restore)


@shows_in("turn_key")
def secret_of_this_process(patch):
    """the secret is made of what only this process knows"""
    real = box.box_key

    async def key(keys, *parts):
        return f"{await real(keys, *parts)}"[:-4] + f"{id(keys) % 65536:04x}"

    patch.setattr(box, "box_key", key)
    patch.setattr("vault_realm.box_key.box_key", key)


@shows_in("turn_key")
def proof_ignores_the_tenant(patch):
    """the proof looks for the box in the tenant where it was in the tests of its author"""
    patch.setattr(BoxKey, "tenant_of", lambda *_: "acme")


@shows_in("turn_key")
def proof_of_another_user(patch):
    """the proof names the box where it should name its owner"""
    real = BoxKey.prove

    async def prove(self, attempt):
        proven = await real(self, attempt)
        return Proven(identity=Identity(proven.identity.tenant_id, proven.facts["box_id"]), facts=proven.facts)

    patch.setattr(BoxKey, "prove", prove)


@shows_in("turn_key")
def proof_proves_nothing(patch):
    """any token opens the box"""
    real = BoxKey.prove

    async def prove(self, attempt):
        try:
            return await real(self, attempt)
        except IntentError:
            found = await self.platform.artifact("acme", attempt.params.box_id)
            facts = {"box_id": found.artifact_id, "gen": found.semantic_payload["gen"]}
            return Proven(identity=Identity("acme", found.user_id), facts=facts)

    patch.setattr(BoxKey, "prove", prove)


@shows_in("turn_key")
def proof_left_out_of_the_key(patch):
    """facts of the proof are no part of the key"""
    real = CompiledIdempotency.components_of
    patch.setattr(
        CompiledIdempotency,
        "components_of",
        lambda self, context, params, derived, facts: real(self, context, params, derived, dict.fromkeys(facts)),
    )


@shows_in("label_box")
def external_is_enough(patch):
    """an identity of somebody else's making may do everything"""
    identified_as(patch, lambda who: who and replace(who, external=False))


@shows_in("turn_key")
def replayed_although_it_may_not(patch):
    """replay_while is declared and never asked"""

    async def always(*_):
        return True

    patch.setattr(decide, "may_replay", always)
    patch.setattr(replay_stage, "may_replay", always)


@shows_in("turn_key")
def never_replayed(patch):
    """replay_while always says no"""

    async def never(*_):
        return False

    patch.setattr(TurnKey, "may_replay", never)


@shows_in("turn_key")
def effect_not_committed(patch):
    """a failure's effects are dropped"""
    patch.setattr(
        decide,
        "_refusal",
        lambda _parts, _execution, surface, error: decide.Decision(error=error, waits_for=tuple(surface.waits_for)),
    )


@shows_in("turn_key")
def effect_of_state_missing(patch):
    """the box is called sealed, and stays open"""
    patch.setattr(TurnKey, "move", lambda *_: None)


@shows_in("turn_key")
def effect_without_its_row(patch):
    """the box is sealed, and its row still says OPEN"""
    patch.setattr(TurnKey, "move", lambda _, ctx, found, state: ctx.state_surface.transition(found, state))


@shows_in("turn_key")
def effect_without_its_event(patch):
    """the box is sealed, and nobody is told"""
    patch.setattr(TurnKey, "events", lambda *_: [])


@shows_in("turn_key")
def effect_with_its_event_twice(patch):
    """the box is sealed, and everybody is told twice"""
    real = TurnKey.events
    patch.setattr(TurnKey, "events", lambda *args: 2 * real(*args))


@shows_in("turn_key")
def effect_too_wide(patch):
    """a failure may change content, and the service uses it"""
    patch.setattr(decide, "check_error_effects", lambda *_: None)
    real = TurnKey.move

    def move(self, ctx, found, state):
        real(self, ctx, found, state)
        changed = ctx.state_surface.current(found)
        ctx.state_surface.update_artifact(changed, {**changed.semantic_payload, "gen": 999})

    patch.setattr(TurnKey, "move", move)


@shows_in("turn_key")
def effect_on_another_box(patch):
    """a failure makes another box beside the one that it seals"""
    patch.setattr(decide, "check_error_effects", lambda *_: None)
    real = TurnKey.move

    def move(self, ctx, found, state):
        real(self, ctx, found, state)
        ctx.state_surface.register_artifact("box", found.semantic_payload, artifact_id=ctx.new_id())

    patch.setattr(TurnKey, "move", move)


@shows_in("turn_key")
def effect_into_another_state(patch):
    """what is lost is sealed, too"""
    patch.setattr(decide, "check_error_effects", lambda *_: None)
    real = TurnKey.move
    patch.setattr(TurnKey, "move", lambda self, ctx, found, _: real(self, ctx, found, "LOST"))


@shows_in("turn_key")
def effects_in_two_commits(patch):
    """the events of a failure are committed before its change of state"""
    real = decide.hand_over

    def hand_over(parts, execution, written):
        if written.execution.error is None:
            return real(parts, execution, written)
        early = replace(written.execution, execution_id=f"{execution.execution_id}e")
        parts.writer.hand_over(commit.Commit(execution=early, events=written.events))
        return real(parts, execution, replace(written, events=()))

    patch.setattr(decide, "hand_over", hand_over)


@shows_in("turn_key")
def effects_again_and_again(patch):
    """every call after the two hours loses the box once more"""

    def check_open(self, ctx, found):
        if found.lifecycle_state == "LOST":
            raise IntentError("BOX_LOST", events=self.events("box_lost", found))
        real(self, ctx, found)

    real = TurnKey.check_open
    patch.setattr(TurnKey, "check_open", check_open)


@shows_in("label_box")
def effects_of_every_failure(patch):
    """what a failing service has staged is committed, declared or not"""

    def refusal(parts, execution, surface, error):
        handed = decide.hand_over(parts, execution, commit.failure(execution, error, surface))
        return decide.Decision(error=error, handed=handed)

    patch.setattr(decide, "_refusal", refusal)
