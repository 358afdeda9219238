"""Code with a guard missing, to be put in the place of the real one by `weakenings`."""

import base64
import dataclasses
import json
import secrets
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import orjson
from identity.forging import b64

from symphainy_platform import Identity, IntentError
from symphainy_platform.context import Client
from symphainy_platform.contract.parameters import Parameters
from symphainy_platform.http import credentials, introspection, request
from symphainy_platform.http.request import header_values
from symphainy_platform.identity import claims, keyring
from symphainy_platform.platform import Platform
from symphainy_platform.realms.security import refresh_rules, session_source, session_tokens
from symphainy_platform.realms.security.account_proofs import AuthenticationOrIdentity
from symphainy_platform.realms.security.session import Session
from symphainy_platform.realms.security.session_proofs import OpeningProof, SessionTokenProof
from symphainy_platform.runtime.identify import admit
from symphainy_platform.runtime.key import Keys
from symphainy_platform.state import surface
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import ArtifactById


def nothing(*_args, **_kwargs):
    """Refuses nothing."""


async def nothing_async(*_args, **_kwargs):
    """Refuses nothing, either."""


async def true(*_args, **_kwargs):
    return True


async def none_of_them(*_args, **_kwargs):
    return []


def any_kind(token, _typ, shape, *, read=keyring.read_unverified):
    return read(token, claims.token_type(token), shape)


def more_claims(found, shape):
    return found.keys() >= shape.keys() and all(claims._check_of(name, shape)(found[name]) for name in shape)


def any_header(token, typ, shape, *, read=keyring.read_unverified):
    """Look at alg, typ and kid, whatever else the header holds."""
    header, payload, signature = token.split(".", 2)
    said = claims.json_object(claims.canonical_base64url(header))
    known = {name: said[name] for name in ("alg", "kid", "typ") if name in said}
    return read(".".join([b64(orjson.dumps(known)), payload, signature]), typ, shape)


def loose_base64url(part):
    bare = part.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def unnamed(_self, token, typ, shape):
    """Neither iss nor aud."""
    read = keyring.read_unverified(token, typ, shape)
    return keyring._Verified(typ, dict(shape), read.kid, {name: read.claims[name] for name in shape})


def named(*names):
    """Of iss and aud, only these."""

    def read(self, token, typ, shape):
        found = keyring.read_unverified(token, typ, shape)
        if any(found.claims[name] != self._named[name] for name in names):
            raise claims.NotAToken
        return keyring._Verified(typ, dict(shape), found.kid, {name: found.claims[name] for name in shape})

    return read


async def load_of_any_tenant(self, reads, *, load=SqliteStore.load):
    return await load(self, [anywhere(self, read) for read in reads])


def anywhere(store, read):
    if not isinstance(read, ArtifactById):
        return read
    with closing(sqlite3.connect(store._file.path)) as connection:
        found = connection.execute("SELECT tenant_id FROM artifacts WHERE artifact_id = ?", [read.artifact_id])
        row = found.fetchone()
    return dataclasses.replace(read, tenant_id=row[0]) if row else read


def row(*, sub=True, sid=True):
    """Rule 3 without one of its comparisons."""

    async def rule_3_row(keys, session_id, said, found):
        if found is None or not await session_tokens.is_id_of(keys, session_id, found):
            raise IntentError("SESSION_NOT_FOUND")
        if (sub and found.user_id != said.user_id) or (sid and found.artifact_id != said.session_ref):
            raise IntentError("INVALID_SESSION_TOKEN")
        return Session(found)

    return rule_3_row


async def session_of_anyone(self, said):
    found = await self._platform.recent.get(said.tenant_id, said.session_ref)
    if found is None or found.artifact_type != "session":
        raise session_source.Unauthenticated
    return Session(found)


async def session_of_any_type(self, said):
    found = await self._platform.recent.get(said.tenant_id, said.session_ref)
    if found is None or found.user_id != said.user_id:
        raise session_source.Unauthenticated
    return Session(found)


def judging(verdict):
    """Rules 4 to 8, but with another verdict on the generation."""

    def judge(found, account, gen, now):
        refresh_rules.rule_4_state(found, account, now)
        return verdict(found, gen)

    return judge


def refusing_as(found, gen):
    if gen == found.gen - 1:
        return refresh_rules.Verdict.SUCCESSOR
    if gen < found.gen:
        raise IntentError("INVALID_SESSION_TOKEN")
    return refresh_rules.Verdict.ROTATE


def lost_answer_blind(found, now):
    return found.rotated_at is not None and now.timestamp() - found.rotated_at <= refresh_rules.LOST_ANSWER


def refused_without_effect(_self, _ctx, _session, code):
    raise IntentError(code)


def ended_by_state_only(found, account, _now):
    if found.state == "EXPIRED":
        raise session_source.SessionExpired
    if found.state != "ACTIVE" or not found.belongs_to(account):
        raise session_source.SessionTerminated


def belongs(*, active=True, epoch=True):
    def belongs_to(self, account):
        if self.account_id is None or account is None:
            return True
        return (not active or account.lifecycle_state == "ACTIVE") and (
            not epoch or account.semantic_payload["epoch"] == self.epoch
        )

    return belongs_to


async def opening_in_any_epoch(self, attempt):
    said = await session_tokens.read_proof(self._platform.keys, attempt.params.authentication_token, attempt.now)
    account = await self._platform.artifact(said.tenant_id, said.user_id)
    if account is None:
        raise IntentError("INVALID_AUTHENTICATION_TOKEN")
    return await self._proven(Identity(said.tenant_id, said.user_id), f"auth:{said.proof_id}", account)


async def rights_of_any_account(self, attempt):
    said = await session_tokens.read_proof(self._platform.keys, attempt.params.authentication_token, attempt.now)
    account = await self._platform.artifact(said.tenant_id, said.user_id)
    roles = account.semantic_payload["roles"] if account else ()
    return Identity(said.tenant_id, said.user_id, frozenset(roles))


async def bearer_first(self, attempt, *, prove=AuthenticationOrIdentity.prove):
    if attempt.bearer is None:
        return await prove(self, attempt)
    return self._proven(await self._by_identity(attempt), "identity")


async def named_user(self, attempt, *, prove=OpeningProof.prove):
    """Whoever the parameter says."""
    proven = await prove(self, attempt)
    user = attempt.params.user_id
    return dataclasses.replace(proven, identity=Identity(proven.identity.tenant_id, user)) if user else proven


async def identify_external(contract, asked, ask, roles):
    if contract.is_public:
        return None
    identity = asked.identity or (await ask(asked.bearer) if asked.bearer else None)
    if identity is None:
        raise session_source.Unauthenticated
    return admit(contract, identity, roles)


async def limited_before_proven(self, attempt, *, prove=SessionTokenProof.prove):
    self._limits.hit(attempt.intent_type, attempt.params.session_id, now=attempt.now)
    return await prove(self, attempt)


def guard(allows, *, also_without_cookie=True):
    """Guard against other sites, by another comparison."""

    def guard_post(settings, scope):
        request.require_json(scope)
        cookieless = not also_without_cookie and not header_values(scope, b"cookie")
        if not settings.session_cookie or credentials._bearer(scope) is not None or cookieless:
            return
        origins = [value.decode("latin-1") for value in header_values(scope, b"origin")]
        if not allows(origins, settings.public_origins or credentials.own_origin(scope)):
            raise credentials.CsrfRejected

    return guard_post


def exempted_by_any_authorization(settings, scope, *, guard=credentials.guard_post):
    return None if header_values(scope, b"authorization") else guard(settings, scope)


def cookie_first(settings, scope):
    cookies = credentials._session_cookies(scope) if settings.session_cookie else []
    return credentials.Credentials(cookies[0] if cookies else credentials._bearer(scope))


def forwarded_client(scope, *, client_of=request.client_of):
    claimed = header_values(scope, b"x-forwarded-for") or header_values(scope, b"forwarded")
    return Client(claimed[0].decode()) if claimed else client_of(scope)


def logging(value):
    """Log lines that say more than they should."""

    def log(self, execution, _intent, outcome, **_more):
        self._log_line("intent", outcome=outcome, said=value(execution))

    return log


def guard_of_tenant(self, execution, *, guard=Keys.client_guard):
    """An Idempotency-Key of the whole tenant."""
    identity = dataclasses.replace(execution.identity, user_id="everybody")
    common = SimpleNamespace(
        request=execution.request, route=execution.route, params=execution.params, identity=identity
    )
    return guard(self, common)


async def told_of_any_tenant(platform, token, asking, *, told=introspection._told_of):
    found = await introspection._identity_of(platform, token)
    return await told(platform, token, dataclasses.replace(asking, tenant_id=found.tenant_id) if found else asking)


def loose_json(body):
    try:
        return json.loads(body)
    except ValueError:
        raise request.NotStrictJson("it is no JSON") from None


def lenient(self, parameters, *, of=Parameters.validate):
    """Unknown parameters are left out."""
    return of(self, {name: value for name, value in parameters.items() if name in self._absent})


def events_of_the_tenant(self, *, identity, of=Platform.events, **asked):
    return of(self, identity=dataclasses.replace(identity, roles=frozenset({"service"})), **asked)


async def proven_anew(self, identity, proof_id, account, *, of=OpeningProof._proven):
    return await of(self, identity, f"{proof_id}/{secrets.token_hex(4)}", account)


def keeping_ids(service):
    """Keep a session's id in the place of the browser that it is of."""
    ids = []

    async def session_id_of(keys, proof_id, *, of=session_tokens.session_id_of):
        ids.append(await of(keys, proof_id))
        return ids[-1]

    return ((service, "session_id_of", session_id_of), (service, "_printable", lambda _: ids[-1]))


def listing_of_the_tenant(*, of=surface.ArtifactListing, **asked):
    return of(**{**asked, "user_id": None})
