"""One attack's surroundings: a tenant of its own with people who are signed in, and how requests are sent."""

import base64
import itertools
import json
import secrets
import socket
from dataclasses import dataclass, field

from identity.forging import Forger

from symphainy_platform import Identity
from symphainy_platform.identity.source import tokens_of

PASSWORD = "correct horse battery"
COOKIE = "__Host-session"
HOUR = 3600
_SUBMIT = "/api/intent/submit"


@dataclass
class Person:
    """Somebody with a session: what only they should know is `session_id`, `token` and the password."""

    tenant: str
    name: str
    user_id: str
    session_id: str = ""
    token: str = ""
    ref: str = ""
    older: list = field(default_factory=list)
    """Tokens of earlier generations, oldest first."""
    email: str = ""
    proof: str = ""

    @property
    def identity(self):
        return Identity(self.tenant, self.user_id, session_ref=self.ref or None)


class Scene:
    """Ann, whom somebody attacks; Bob, her colleague; Eve, of another tenant. All are signed in."""

    _numbers = itertools.count(1)

    def __init__(self, server):
        self.server = server
        number = next(self._numbers)
        self.tenant, self.other_tenant = f"tenant{number}", f"foreign{number}"
        self.secrets = set()
        self.cora = self.laptop = self.kept_key = None
        server.clock.advance(61)  # no rate limit remembers the scene before
        self.ann = self.open_session(self.tenant, "ann")
        self.bob = self.open_session(self.tenant, "bob")
        self.eve = self.open_session(self.other_tenant, "eve")
        self.prepared_by, self.made_at, self.ready_at = (), server.clock.now(), server.clock.now()

    def prepare(self, steps):
        """Take the steps before an attack, unless this scene has taken just these."""
        if steps != self.prepared_by:
            for step in steps:
                step(self)
            self.prepared_by, self.ready_at = steps, self.server.clock.now()

    # What happens before an attack, within the server's process.

    def open_session(self, tenant, name, *, used=True):
        """Let somebody without an account in, as an identity from elsewhere is."""
        person = Person(tenant, name, f"{name}_{tenant}")
        return self._hold(person, self.run("create_session", {}, Identity(tenant, person.user_id)), used=used)

    def open_account(self, name, roles=(), *, used=True):
        """Make an account, and sign in with its password."""
        person = self.make_account(name, roles)
        self.authenticate(person)
        return self.sign_in(person, used=used)

    def make_account(self, name, roles=()):
        email = f"{name}@{self.tenant}.example"
        params = {"email": email, "password": PASSWORD, "roles": list(roles)}
        made = self.run("create_user_account", params, self.service)["user_account"]
        self.secrets.add(PASSWORD)
        return Person(self.tenant, name, made["user_id"], email=email)

    def authenticate(self, person):
        params = {"tenant": person.tenant, "email": person.email, "password": PASSWORD}
        person.proof = self.run("authenticate_user", params, None)["authentication_result"]["authentication_token"]
        self.secrets.add(person.proof)
        return person.proof

    def sign_in(self, person, *, used=True):
        return self._hold(person, self.run("create_session", {"authentication_token": person.proof}, None), used=used)

    def rotate(self, person, *, used=True, hours=24):
        """Refresh in the owner's name; the token before is kept among the older ones."""
        params = {"session_id": person.session_id, "session_token": person.token, "extend_hours": hours}
        person.older.append(person.token)
        return self._hold(person, self.run("refresh_session", params, None), used=used)

    def terminate(self, person):
        self.run("terminate_session", {"session_id": person.session_id, "session_token": person.token}, None)

    def as_service(self, intent, **params):
        return self.run(intent, params, self.service)

    def pass_time(self, seconds):
        self.server.clock.advance(seconds)

    @property
    def service(self):
        return Identity(self.tenant, "operator", frozenset({"service"}))

    def run(self, intent, params, identity):
        """Submit without HTTP; returns the payloads by name."""
        result = self.server.ask(self.server.platform.submit_intent(intent, params, identity=identity))
        return {name: entry["semantic_payload"] for name, entry in result.artifacts.items()}

    def use(self, person):
        """Let the owner use the current token."""
        self.server.ask(self.server.platform.identify(person.token))

    def _hold(self, person, answer, *, used):
        session = answer["session"]
        person.session_id, person.token, person.ref = (
            session["session_id"],
            session["session_token"],
            session["session_ref"],
        )
        self.secrets |= {person.session_id, person.token}
        if used:
            self.use(person)
        return person

    # What an attacker can make.

    def forger(self, person, typ="sess+jwt"):
        """Somebody who holds the server's own signing key, and starts from claims that are good."""
        claims = claims_of(person.token if typ == "sess+jwt" else person.proof)
        if typ == "auth+jwt":  # another test may have taken the proof's minute
            claims |= {"iat": self.now, "nbf": self.now, "exp": self.now + 60}
        forger = Forger(self.signing_key(), typ, claims)
        forger.now = self.now
        return forger

    @property
    def now(self):
        """Whole seconds since 1970, as the server has it."""
        return int(self.server.clock.now().timestamp())

    def fresh_proof(self, person):
        """Another proof of this minute, as authenticate_user would give it, without the time that a hash takes."""
        forger = self.forger(person, "auth+jwt")
        person.proof = forger.forge(claims=forger.claims | {"jti": secrets.token_hex(16)})
        self.secrets.add(person.proof)
        return person.proof

    def forged(self, person, **claims):
        """A session token that our key has signed, with other claims than it would."""
        forger = self.forger(person)
        return forger.forge(claims=forger.claims | claims)

    def signing_key(self):
        """The key that signs now, read from the store with the master key."""
        ring = self.server.platform.keys
        kid = self.server.ask(ring.current())
        return self.server.ask(ring._vault.keys()).tokens[kid].pair

    def command_line_token(self, roles=(), tenant=None, user="ann", ttl=HOUR):
        """What `symphainy token` of the data folder makes."""
        identity = Identity(tenant or self.tenant, user, frozenset(roles))
        token = tokens_of(self.server.settings).mint(identity, ttl_seconds=ttl, clock=self.server.clock)
        self.secrets.add(token)
        return token

    # What an attacker sends.

    def submit(self, intent, params, *, bearer=None, headers=(), **envelope):
        body = {"intent_type": intent, "parameters": params, **envelope}
        return self.post(json.dumps(body).encode(), bearer=bearer, headers=headers)

    def post(self, body, *, bearer=None, headers=(), path=_SUBMIT, media="application/json"):
        sent = [("Content-Type", media)] if media else []
        return self.server.http.post(path, content=body, headers=[*sent, *self._authorized(bearer), *headers])

    def get(self, path, *, bearer=None, headers=()):
        return self.server.http.get(path, headers=[*self._authorized(bearer), *headers])

    def refresh(self, person, *, token=None, session_id=None, headers=(), **more):
        return self._with_token("refresh_session", person, token, session_id, headers, more)

    def end(self, person, *, token=None, session_id=None, headers=(), **more):
        return self._with_token("terminate_session", person, token, session_id, headers, more)

    def open(self, token, **more):
        """Submit create_session with an authentication token."""
        self._note(token)
        return self.submit("create_session", {"authentication_token": token, **more})

    def introspect(self, token, *, bearer=None):
        self._note(token)
        asking = bearer or self.command_line_token({"service"}, user="operator")
        return self.post(json.dumps({"token": token}).encode(), bearer=asking, path="/api/session/introspect")

    def raw(self, head, body=b""):
        """Bytes as no client library would send them; returns the answer's bytes."""
        host, port = self.server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(head.encode("latin-1") + b"\r\nHost: x\r\nConnection: close\r\n\r\n" + body)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def _with_token(self, intent, person, token, session_id, headers, more):  # noqa: PLR0913, PLR0917 - private
        token = person.token if token is None else token
        self._note(token)
        params = {"session_id": person.session_id if session_id is None else session_id, "session_token": token}
        return self.submit(intent, {**params, **more}, headers=headers)

    def _authorized(self, bearer):
        if bearer is None:
            return []
        self._note(bearer)
        return [("Authorization", f"Bearer {bearer}".encode())]

    def _note(self, token):
        """Nothing shows a token that was sent, whoever made it; short ones are words."""
        if isinstance(token, str) and len(token) > 40:
            self.secrets.add(token)


def claims_of(token):
    """What a token says."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
