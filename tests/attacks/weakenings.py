"""Seeded weakenings: one guard missing at a time. Each must break at least one attack, or that attack proves nothing.

A weakening patches the process of the server under attack, and names the attacks that should notice it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from attacks import runs, weakened

from symphainy_platform import reading
from symphainy_platform.context import Identity
from symphainy_platform.contract.parameters import Parameters
from symphainy_platform.http import credentials, intents, introspection, layers, request, session_cookie
from symphainy_platform.http.session_cookie import CookieUse
from symphainy_platform.http.token_watch import TokenWatch
from symphainy_platform.identity import claims, keyring
from symphainy_platform.identity.keyring import KeyRing
from symphainy_platform.identity.ring_keys import TokenKey
from symphainy_platform.platform import Platform
from symphainy_platform.realms.security import refresh_rules, session, session_source, session_tokens
from symphainy_platform.realms.security.account_proofs import AuthenticationOrIdentity
from symphainy_platform.realms.security.intent_services import create_session_service, refresh_session_service
from symphainy_platform.realms.security.intent_services.change_password_service import ChangePasswordService
from symphainy_platform.realms.security.intent_services.create_session_service import CreateSessionService
from symphainy_platform.realms.security.intent_services.refresh_session_service import RefreshSessionService
from symphainy_platform.realms.security.rate_limits import RateLimits
from symphainy_platform.realms.security.session import Session
from symphainy_platform.realms.security.session_proofs import OpeningProof, SessionTokenProof
from symphainy_platform.realms.security.session_source import SessionTokens
from symphainy_platform.runtime import commit, dispatcher
from symphainy_platform.runtime.key import Keys
from symphainy_platform.runtime.telemetry import Telemetry
from symphainy_platform.state import surface
from symphainy_platform.state.recent import RecentArtifacts
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.surface import StateSurface

_AGES = 1e9
_ROTATE = refresh_rules.Verdict.ROTATE

AT_REFRESH = "forged tokens refresh"
AS_BEARERS = "forged tokens as bearers"
FORGED_PROOFS = "forged proofs"
USED_PROOFS = "used proofs"
OTHERS = "tokens of others"
ENDED = "ended sessions"
REPLACED = "replaced tokens"
CLAIMED = "claimed identities"
FOREIGN = "foreign things"
ESCALATION = "escalation"
SITES = "other sites"
COOKIES = "cookies"
LIMITS = "limits"


@dataclass(frozen=True)
class Weakening:
    """What is missing, and what should notice: attacks of `group` whose name holds `part`, or a whole `run`."""

    patches: tuple
    """(owner, name, value) each."""
    group: str = ""
    part: str = ""
    run: Callable | None = None


def _missing(owner, name, value, group="", part="", **more):
    return Weakening(((owner, name, value),), group, part, **more)


def _told(value):
    return _missing(Telemetry, "_log", weakened.logging(value), AT_REFRESH, "key of somebody else")


def _sites(guard, part):
    return Weakening(((intents, "guard_post", guard), (introspection, "guard_post", guard)), SITES, part)


TOKENS = {
    "signature not verified": _missing(keyring, "check_signature", weakened.nothing, AT_REFRESH, "signature of zeros"),
    "key of an ended rotation verifies": _missing(TokenKey, "verifies", lambda *_: True, OTHERS, "key that has ended"),
    "iss not compared": _missing(KeyRing, "_read", weakened.named("aud"), AT_REFRESH, "iss of"),
    "aud not compared": _missing(KeyRing, "_read", weakened.named("iss"), AT_REFRESH, "aud of"),
    "neither iss nor aud compared, as bearers": _missing(KeyRing, "_read", weakened.named(), AS_BEARERS, "iss of"),
    "typ not compared": _missing(keyring, "read_unverified", weakened.any_kind, AT_REFRESH, "typ "),
    "more header fields admitted": _missing(keyring, "read_unverified", weakened.any_header, AT_REFRESH, "jwk"),
    "more claims admitted": _missing(claims, "_has_shape", weakened.more_claims, AT_REFRESH, "unknown claim"),
    "times may be anything": _missing(
        claims, "is_time", lambda value: isinstance(value, int | float), AT_REFRESH, "a fraction"
    ),
    "whole numbers may be true": _missing(
        claims, "_CHECKS", {**claims._CHECKS, int: lambda value: isinstance(value, int)}, AT_REFRESH, "gen true"
    ),
    "spelling not canonical": _missing(claims, "canonical_base64url", weakened.loose_base64url, AT_REFRESH, "padded"),
    "nbf and iat ignored": _missing(session_tokens, "_refuse_future", weakened.nothing, AT_REFRESH, "31 seconds"),
    "nbf and iat ignored, of proofs": _missing(
        session_tokens, "_refuse_future", weakened.nothing, FORGED_PROOFS, "31 seconds"
    ),
}

ROWS = {
    "tenant not matched, at refresh": _missing(
        SqliteStore, "load", weakened.load_of_any_tenant, OTHERS, "refresh_session: tid of another"
    ),
    "tenant not matched, of bearers": _missing(
        SqliteStore, "load", weakened.load_of_any_tenant, OTHERS, "bearer: tid of another"
    ),
    "tenant not matched, of artifacts": _missing(
        SqliteStore, "load", weakened.load_of_any_tenant, FOREIGN, "by the service of another tenant"
    ),
    "sub not compared": _missing(refresh_rules, "rule_3_row", weakened.row(sub=False), OTHERS, "sub of a colleague"),
    "sub not compared, of bearers": _missing(
        SessionTokens, "_session", weakened.session_of_anyone, OTHERS, "bearer: sub of"
    ),
    "sid not compared": _missing(refresh_rules, "rule_3_row", weakened.row(sid=False), OTHERS, "sid of a colleague"),
    "type of the artifact not compared": _missing(
        SessionTokens, "_session", weakened.session_of_any_type, OTHERS, "bearer: sid of an account"
    ),
    "form of the session's id not checked": _missing(
        refresh_rules, "is_session_id", lambda _: True, "session ids", "42 characters"
    ),
    "gen not compared": _missing(
        refresh_session_service, "judge", weakened.judging(lambda *_: _ROTATE), REPLACED, "twice"
    ),
    "gen not compared, of bearers": _missing(
        session_source, "_refuse_generation", weakened.nothing, REPLACED, "bearer: replaced"
    ),
    "gen ahead admitted": _missing(
        refresh_session_service, "judge", weakened.judging(weakened.refusing_as), OTHERS, "gen ahead"
    ),
    "reuse refused, but nothing revoked": _missing(
        RefreshSessionService, "_refuse", weakened.refused_without_effect, REPLACED, "replaced"
    ),
    "expiry refused, but nothing recorded": _missing(
        RefreshSessionService, "_refuse", weakened.refused_without_effect, ENDED, "the grace is over"
    ),
    "state of the row ignored": _missing(
        refresh_rules, "rule_4_state", weakened.nothing, ENDED, "refresh_session: term"
    ),
    "state of the row ignored, of bearers": _missing(
        session_source, "_refuse_ended", weakened.nothing, ENDED, "bearer: terminated"
    ),
    "exp ignored, of bearers": _missing(
        session_source, "_refuse_ended", weakened.ended_by_state_only, ENDED, "bearer: expired"
    ),
    "grace unbounded": _missing(session, "GRACE", _AGES, ENDED, "refresh_session: the grace is over"),
    "longest life unbounded": _missing(session, "LONGEST_LIFE", _AGES, ENDED, "a week old"),
    "overlap unbounded": _missing(refresh_rules, "OVERLAP", _AGES, REPLACED, "10.001"),
    "overlap unbounded, of bearers": _missing(session_source, "OVERLAP", _AGES, REPLACED, "bearer: replaced"),
    "lost answers without a bound": _missing(refresh_rules, "LOST_ANSWER", _AGES, REPLACED, "unused, 60.001"),
    "lost answers although the successor was seen": _missing(
        refresh_rules, "rule_6_overlap", weakened.lost_answer_blind, REPLACED, "used, 10.001"
    ),
    "stored successors answered whatever happened since": _missing(
        RefreshSessionService, "successor_stands", weakened.true, ENDED, "just after a refresh"
    ),
    "epoch not compared": _missing(Session, "belongs_to", weakened.belongs(epoch=False), ENDED, "epoch moved"),
    "account's state ignored": _missing(
        Session, "belongs_to", weakened.belongs(active=False), ENDED, "disabled by other hands"
    ),
    "ended sessions known from memory": _missing(RecentArtifacts, "forget", weakened.nothing, ENDED, "bearer: revoked"),
    "other sessions live on after a password": _missing(
        ChangePasswordService, "_end_others", weakened.none_of_them, ENDED, "password changed"
    ),
}

PROOFS = {
    "exp of a proof ignored": _missing(session_tokens, "_refuse_past", weakened.nothing, USED_PROOFS, "a minute old"),
    "epoch of a proof ignored": _missing(
        OpeningProof, "_by_token", weakened.opening_in_any_epoch, FORGED_PROOFS, "create_session: epoch"
    ),
    "account of a proof not asked": _missing(
        AuthenticationOrIdentity, "_by_token", weakened.rights_of_any_account, USED_PROOFS, "asked for rights"
    ),
    "proof answered again although its session is in use": _missing(
        CreateSessionService, "untouched", weakened.true, USED_PROOFS, "in use"
    ),
    "proof not used up": _missing(CreateSessionService, "_refuse_used", weakened.nothing_async, USED_PROOFS, "in use"),
    "each use of a proof opens another session": _missing(
        OpeningProof, "_proven", weakened.proven_anew, USED_PROOFS, "used, its session is in use"
    ),
    "user_id believed": _missing(OpeningProof, "prove", weakened.named_user, USED_PROOFS, "for somebody else"),
    "public intents believe the header": _missing(
        AuthenticationOrIdentity, "prove", weakened.bearer_first, USED_PROOFS, "Ann's bearer"
    ),
    "external identities admitted": Weakening(
        ((dispatcher, "identify", weakened.identify_external), (Platform, "identify", Platform._proven_by)),
        OTHERS,
        "a user's token of a command line",
    ),
}

EDGE = {
    "origin compared by its beginning": _sites(
        weakened.guard(lambda sent, ours: len(sent) == 1 and sent[0].startswith(tuple(ours))), "longer"
    ),
    "origin compared by its end": _sites(
        weakened.guard(lambda sent, ours: len(sent) == 1 and sent[0].endswith(ours[0].partition("://")[2])), "subdomain"
    ),
    "origin compared without its scheme": _sites(
        weakened.guard(lambda sent, ours: [one.partition("//")[2] for one in sent] == [ours[0].partition("//")[2]]),
        "without TLS",
    ),
    "a missing origin admitted": _sites(weakened.guard(lambda sent, ours: not sent or sent[0] in ours), "origin none"),
    "null origin admitted": _sites(weakened.guard(lambda sent, ours: sent == ["null"] or sent == list(ours)), "null"),
    "the first of two origins counts": _sites(weakened.guard(lambda sent, ours: sent[:1] == list(ours)), "two"),
    "only cookies guarded": _sites(
        weakened.guard(lambda sent, ours: sent == list(ours), also_without_cookie=False), "sign-in"
    ),
    "any Authorization exempts": _sites(weakened.exempted_by_any_authorization, "Basic"),
    "media type not compared": _missing(credentials, "require_json", weakened.nothing, SITES, "as "),
    "the first of two cookies counts": _missing(
        credentials,
        "_session_cookies",
        lambda scope, of=credentials._session_cookies: of(scope)[:1],
        COOKIES,
        "two session cookies",
    ),
    "the cookie wins over Authorization": _missing(
        intents, "credentials_of", weakened.cookie_first, COOKIES, "Authorization beside"
    ),
    "token in the parameters believed": _missing(
        CookieUse, "filled", lambda self, sent, token: {self.parameter: token, **sent}, COOKIES, "in the parameters"
    ),
    "token left in the body": _missing(CookieUse, "_without_field", lambda _, told: told, COOKIES, "to no script"),
    "cookie without attributes": _missing(session_cookie, "_ATTRIBUTES", "Path=/", COOKIES, "to no script"),
    "cookie not cleared": _missing(CookieUse, "taken", lambda _, told, __: (told, []), COOKIES, "clears"),
    "headers of every answer missing": _missing(layers, "EVERY_ANSWER", [], AT_REFRESH, "words"),
    "JSON read leniently": _missing(request, "parse_json", weakened.loose_json, "bodies", "twice"),
    "depth of JSON not bounded": _missing(request, "parse_json", weakened.loose_json, "bodies", "65 deep"),
    "unknown parameters admitted": _missing(Parameters, "validate", weakened.lenient, "session fixation", "roles"),
    "rate limits off": _missing(RateLimits, "hit", weakened.nothing, LIMITS, "a sixth guess"),
    "limits believe X-Forwarded-For": _missing(
        intents, "client_of", weakened.forwarded_client, LIMITS, "forwarded for somebody"
    ),
    "forged tokens use up refreshes": _missing(
        SessionTokenProof, "prove", weakened.limited_before_proven, LIMITS, "use up nobody's"
    ),
    "Idempotency-Keys of the whole tenant": _missing(
        Keys, "client_guard", weakened.guard_of_tenant, "Idempotency-Keys", "colleague"
    ),
}

SECRETS = {
    "session ids logged": _told(lambda execution: execution.request.parameters.get("session_id")),
    "tokens logged": _told(lambda execution: execution.request.parameters.get("session_token")),
    "session ids kept": Weakening(
        weakened.keeping_ids(create_session_service), run=runs.no_secret_is_at_rest_in_events_or_in_logs
    ),
    "secrets kept in the answer": _missing(
        commit, "_open", lambda fields, _: dict(fields), run=runs.no_secret_is_at_rest_in_events_or_in_logs
    ),
    "sessions of others listed": _missing(
        surface, "ArtifactListing", weakened.listing_of_the_tenant, FOREIGN, "sessions of others"
    ),
    "sessions of others revoked": _missing(StateSurface, "_may_see", lambda *_: True, ESCALATION, "of a colleague"),
    "artifacts of others shown": _missing(reading, "_may_see", lambda *_: True, FOREIGN, "by a colleague"),
    "events of others streamed": _missing(
        Platform, "events", weakened.events_of_the_tenant, run=runs.a_stream_tells_of_nobody_else
    ),
    "streams outlive their session": _missing(
        TokenWatch, "holds", weakened.true, run=runs.a_stream_ends_with_its_session
    ),
    "everybody introspects": _missing(
        Identity, "is_service", property(lambda _: True), ESCALATION, "introspection, by a user"
    ),
    "roles that begin like a service": _missing(
        Identity,
        "is_service",
        property(lambda self: any(role.startswith("service") for role in self.roles)),
        ESCALATION,
        "of many roles",
    ),
    "introspection of every tenant": _missing(
        introspection, "_told_of", weakened.told_of_any_tenant, OTHERS, "introspection: session of another tenant"
    ),
}

WEAKENINGS = TOKENS | ROWS | PROOFS | EDGE | SECRETS
