"""Wrong sessions: each breaks one rule of 40-auth-sessions."""

import base64
import json
from dataclasses import replace

from planting import shows_in

from symphainy_platform import IntentError
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.realms.security import refresh_rules, session_proofs
from symphainy_platform.realms.security.intent_services import (
    acknowledge_session_service,
    create_session_service,
    expire_session_service,
    list_sessions_service,
    refresh_session_service,
    revoke_session_service,
)
from symphainy_platform.realms.security.refresh_rules import Verdict
from symphainy_platform.realms.security.session import Session

Refresh = refresh_session_service.RefreshSessionService
Create = create_session_service.CreateSessionService
Revoke = revoke_session_service.RevokeSessionService


@shows_in("refresh_session")
def no_grace(patch):
    """rule 4: a session ends when it expires"""
    patch.setattr(Session, "ends_at", Session.expires_at)


@shows_in("refresh_session")
def endless_grace(patch):
    """rule 4: an expired session can be refreshed for good"""
    patch.setattr(Session, "ends_at", Session.must_end_at)


@shows_in("refresh_session")
def no_longest_life(patch):
    """rule 5: a session lives on as long as it is refreshed"""
    patch.setattr(Session, "must_end_at", property(lambda _: 1e11))


@shows_in("refresh_session")
def hours_add_up(patch):
    """rule 5: every refresh adds its hours to what is left"""
    patch.setattr(refresh_session_service, "max", lambda old, new: old + new - 1_769_515_200, raising=False)


@shows_in("refresh_session")
def refresh_may_shorten(patch):
    """rule 5: a refresh for a shorter time shortens the session"""
    patch.setattr(refresh_session_service, "max", lambda _, new: new, raising=False)


@shows_in("refresh_session")
def no_overlap(patch):
    """rule 6: the token before is at once a stolen one"""
    patch.setattr(refresh_rules, "rule_6_overlap", lambda *_: False)


@shows_in("refresh_session")
def overlap_without_end(patch):
    """rule 6: the token before always gets the successor"""
    patch.setattr(refresh_rules, "rule_6_overlap", lambda *_: True)


@shows_in("refresh_session")
def use_is_not_looked_at(patch):
    """rule 6: an answer counts as lost although its token was used"""
    patch.setattr(Session, "seen", property(lambda _: False))


@shows_in("refresh_session")
def lost_answer_is_lost(patch):
    """rule 6: a lost answer is given again for ten seconds only"""
    patch.setattr(refresh_rules, "LOST_ANSWER", refresh_rules.OVERLAP)


@shows_in("refresh_session")
def theft_is_refused_alone(patch):
    """rule 7: an old token is refused, and the session lives on"""

    def refuse(_self, _ctx, _session, code):
        raise IntentError(code)

    patch.setattr(Refresh, "_refuse", refuse)


@shows_in("refresh_session")
def theft_is_not_noticed(patch):
    """rule 7: any generation of the token is as good as the current one"""
    real = refresh_session_service.judge

    def judge(found, account, _gen, now):
        return real(found, account, found.gen, now)

    patch.setattr(refresh_session_service, "judge", judge)


@shows_in("refresh_session")
def old_token_gets_the_successor(patch):
    """rule 7: a token two generations back is answered as the one before"""
    real = refresh_session_service.judge

    def judge(found, account, gen, now):
        return Verdict.SUCCESSOR if gen < found.gen else real(found, account, gen, now)

    patch.setattr(refresh_session_service, "judge", judge)


@shows_in("refresh_session")
def ended_is_not_looked_at(patch):
    """rule 4: a session that was terminated is refreshed"""
    patch.setattr(refresh_rules, "rule_4_state", lambda *_: None)


@shows_in("refresh_session")
def id_of_any_form(patch):
    """rule 1: an id of another form is looked up"""
    patch.setattr(refresh_rules, "rule_1_shape", lambda _: None)


@shows_in("refresh_session", "terminate_session")
def signature_not_checked(patch):
    """rule 2: what a token says is believed"""

    async def verify(_self, token, *_):
        body = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    patch.setattr(KeyRing, "verify", verify)


@shows_in("refresh_session")
def token_of_any_session(patch):
    """rule 3: the token need not be one of the session that is named"""

    async def row(_keys, _id, _claims, found):
        if found is None:
            raise IntentError("SESSION_NOT_FOUND")
        return Session(found)

    patch.setattr(refresh_rules, "rule_3_row", row)


@shows_in("refresh_session")
def another_token_restored(patch):
    """a replayed refresh gives the token that was sent"""

    async def restore(_self, _ctx, params, *_):
        return {"session_id": params.session_id, "session_token": params.session_token}

    patch.setattr(Refresh, "restore", restore)


@shows_in("create_session")
def id_kept(patch):
    """create_session: the session's id, a secret, stands where the browser's name should"""
    known = []
    identify, stage = Create._session_id, create_session_service.stage_opened

    async def session_id(self, ctx):
        known.append(await identify(self, ctx))
        return known[-1]

    patch.setattr(Create, "_session_id", session_id)
    patch.setattr(
        create_session_service, "stage_opened", lambda ctx, opened: stage(ctx, replace(opened, user_agent=known[-1]))
    )


@shows_in("create_session")
def any_user_is_opened_for(patch):
    """create_session: whoever is proven may open a session for anybody"""
    real = Create.execute

    async def execute(self, ctx, params):
        return await real(self, ctx, _With(params, user_id=None))

    patch.setattr(Create, "execute", execute)


class _With:
    """Parameters of which some are others."""

    def __init__(self, params, **others):
        self._params, self._others = params, others

    def __getattr__(self, name):
        return self._others[name] if name in self._others else getattr(self._params, name)


@shows_in("create_session")
def proof_used_twice(patch):
    """create_session: a proof opens as many sessions as it is sent"""
    real = session_proofs.OpeningProof._proven
    calls = iter(range(1_000_000))

    async def proven(self, identity, proof_id, account):
        return await real(self, identity, f"{proof_id}/{next(calls)}", account)

    patch.setattr(session_proofs.OpeningProof, "_proven", proven)


@shows_in("create_session")
def used_session_answered_again(patch):
    """create_session: the first answer is given again although its session was used"""

    async def always(*_):
        return True

    patch.setattr(Create, "untouched", always)


@shows_in("create_session")
def phone_and_laptop_share(patch):
    """create_session: one user has one session"""
    real = session_proofs.OpeningProof._proven

    async def proven(self, identity, _proof_id, account):
        return await real(self, identity, f"user:{identity.user_id}", account)

    patch.setattr(session_proofs.OpeningProof, "_proven", proven)


@shows_in("terminate_session")
def termination_of_what_was_revoked(patch):
    """terminate_session: a session that was revoked is answered as terminated"""
    patch.setattr(
        Session,
        "state",
        property(
            lambda self: {"REVOKED": "TERMINATED"}.get(self.artifact.lifecycle_state) or self.artifact.lifecycle_state
        ),
    )


@shows_in("terminate_session")
def termination_without_end(patch):
    """terminate_session: an expired session may always be terminated"""
    patch.setattr(Session, "ends_at", property(lambda _: 1e11))


@shows_in("revoke_session")
def others_are_all(patch):
    """revoke_session: scope others ends the caller's own session, too"""
    real = Revoke._chosen

    async def chosen(self, ctx, params):
        return await real(self, ctx, _With(params, scope=params.scope and "all"))

    patch.setattr(Revoke, "_chosen", chosen)


@shows_in("revoke_session")
def all_are_others(patch):
    """revoke_session: scope all leaves the caller's own session"""
    real = Revoke._chosen

    async def chosen(self, ctx, params):
        return await real(self, ctx, _With(params, scope=params.scope and "others"))

    patch.setattr(Revoke, "_chosen", chosen)


@shows_in("revoke_session")
def revoked_in_silence(patch):
    """revoke_session: one event for all the sessions that end"""
    real = Revoke.execute

    async def execute(self, ctx, params):
        result = await real(self, ctx, params)
        return type(result)(result.artifacts, result.events[:1])

    patch.setattr(Revoke, "execute", execute)


@shows_in("list_sessions")
def list_shows_none_as_expired(patch):
    """list_sessions: a session in its grace is shown as if it were valid"""
    patch.setattr(Session, "expires_at", property(lambda _: 1e11))


@shows_in("list_sessions")
def list_knows_no_current(patch):
    """list_sessions: no session is the caller's own"""
    real = list_sessions_service._entry
    patch.setattr(list_sessions_service, "_entry", lambda found, _, now: real(found, "", now))


@shows_in("acknowledge_session")
def any_generation_acknowledged(patch):
    """acknowledge_session: the use of an earlier token counts for its successor"""
    real = acknowledge_session_service.AcknowledgeSessionService.execute

    async def execute(self, ctx, params):
        found = await ctx.state_surface.get_artifact(ctx.session_ref or "")
        return await real(self, ctx, _With(params, generation=Session(found).gen if found else 0))

    patch.setattr(acknowledge_session_service.AcknowledgeSessionService, "execute", execute)


@shows_in("expire_session")
def living_sessions_expire(patch):
    """expire_session: whatever is named expires"""
    patch.setattr(Session, "ends_at", property(lambda _: 0.0))


@shows_in("expire_session")
def ended_without_its_row(patch):
    """expire_session: the end of a session is not written into its row"""

    def stage_ended(ctx, found, state, _):
        return ctx.state_surface.transition(found, state)

    patch.setattr(expire_session_service, "stage_ended", stage_ended)
