"""Random sequences of intents, as a machine for Hypothesis: what may be done next, and with what."""

from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from symphainy_platform import Identity

_TEXTS = ["Hello", "How are you?", "café", "", "line\nbreak \u2028 \U0001f600"]
_messages = st.builds(
    lambda number, role, text: {
        "id": f"m{number}",
        "role": role,
        "content": text,
        "timestamp": f"2026-01-27T12:{number:02}:00Z",
    },
    st.integers(0, 3),
    st.sampled_from(["user", "assistant"]),
    st.sampled_from(_TEXTS),
) | st.builds(
    lambda number, text: {"role": "user", "content": text, "timestamp": f"2026-01-27T12:{number:02}:00Z"},
    st.integers(0, 9),
    st.sampled_from(_TEXTS),
)
_contexts = st.fixed_dictionaries(
    {},
    optional={
        "conversation_history": st.lists(_messages, max_size=4),
        "shared_intent": st.sampled_from(["greeting", "plan", "", None]),
        "labels": st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
        "pillar_context": st.dictionaries(
            st.sampled_from(["content", "insights"]),
            st.dictionaries(st.sampled_from(["files", "rate", "ok"]), st.sampled_from([1, 1.5, True, None, "x"])),
            max_size=2,
        ),
    },
)
_updates = st.fixed_dictionaries(
    {"context_updates": _contexts},
    optional={
        "merge_strategy": st.sampled_from(["merge", "replace"]),
        "active_agent": st.sampled_from(["guide", "liaison_content"]),
        "history_limit": st.sampled_from([0, 2]),
    },
)
_agents = st.sampled_from([None, "guide", "liaison_content"])
_users = st.sampled_from(["ann", "ann", "bob"])
_keys = st.sampled_from([None, None, "key-1", "key-2"])
_numbers = st.integers(0, 40)
_emails = st.sampled_from(["ann@example.com", "bob@example.com"])
_passwords = st.sampled_from(["correct horse battery", "better horse battery"])
_hours = st.sampled_from([None, 1, 24, 1000])
_AT_ONCE = {"initialize_chat_session", "update_chat_context", "get_chat_session"}
"""What has one outcome, however equal calls meet. Of equal revocations any may be the one that revokes, sessions of one
instant end in any order, and passwords are hashed in threads, which draw their salts in any order."""
_pauses = st.sampled_from([0.5, 9, 10, 59, 60, 61, 3600, 8 * 3600, 86_399, 86_400, 8 * 86_400, 40 * 86_400])


@dataclass(frozen=True)
class Call:
    """One submission, which can be repeated."""

    intent: str
    identity: Identity | None
    parameters: dict
    key: str | None = None

    def __call__(self, side):
        return side.dispatch(self.intent, self.identity, self.parameters, self.key)


@dataclass(frozen=True)
class Held:
    """What a client holds of its session: the newest token, and the one before."""

    opened: dict
    token: str

    @property
    def identity(self):
        return Identity(self.opened["tenant_id"], self.opened["user_id"], session_ref=self.opened["session_ref"])

    @property
    def parameters(self):
        return {"session_id": self.opened["session_id"], "session_token": self.token}


def given(**parameters):
    return {name: value for name, value in parameters.items() if value is not None}


def payload(result, name):
    return result.get("artifacts", {}).get(name, {}).get("semantic_payload", {})


class Submitting(RuleBasedStateMachine):
    """A tenant that nobody had before, and what was submitted in it."""

    lockstep = None
    """Set before the machine runs."""

    def __init__(self):
        super().__init__()
        self.tenant = self.lockstep.begin()
        self.robot = Identity(self.tenant, "robot", frozenset({"service"}))
        self.calls, self.executions, self.in_turn = [], [], True

    def submit(self, call):
        self.calls.append(call)
        result = self.lockstep.step(call)
        if result.get("execution_id"):
            self.executions.append((result["execution_id"], call.identity))
        return result

    def submit_at_once(self, calls):
        self.in_turn = False
        self.calls += calls
        return self.lockstep.at_once(calls)

    @precondition(lambda self: self.calls)
    @rule(number=_numbers)
    def repeat(self, number):
        """The same call once more: a replay, a conflict, or a new effect, as its contract has it."""
        self.submit(self.calls[number % len(self.calls)])

    @precondition(lambda self: self.calls)
    @rule(number=_numbers, key=_keys)
    def repeat_with_another_key(self, number, key):
        self.submit(replace(self.calls[number % len(self.calls)], key=key))

    @precondition(lambda self: self.calls)
    @rule(number=_numbers)
    def send_three_times_at_once(self, number):
        call = self.calls[number % len(self.calls)]
        if call.intent in _AT_ONCE:
            self.submit_at_once([call] * 3)

    @precondition(lambda self: self.executions)
    @rule(number=_numbers)
    def look_at_an_execution(self, number):
        execution_id, identity = self.executions[number % len(self.executions)]
        self.lockstep.step(lambda side: side.platform.read.execution(execution_id, identity=identity or self.robot))

    @rule(pause=_pauses)
    def wait(self, pause):
        self.lockstep.clock.advance(pause)

    @rule(pause=_pauses)
    def wait_and_sweep(self, pause):
        self.lockstep.clock.advance(pause)
        self.lockstep.step(_swept)

    @rule(user=_users)
    def list_artifacts(self, user):
        """The whole tenant's and a user's own, in pages of two."""
        for identity in (self.robot, Identity(self.tenant, user)):
            self.lockstep.step(lambda side, who=identity: _listed(side.platform.read, who))

    def teardown(self):
        self.lockstep.check(self.tenant, ordered=self.in_turn)


async def _swept(side):
    """What a sweep has removed; keys that go with their execution are counted as either."""
    totals = await side.platform.sweep()
    return totals.executions, totals.events, totals.artifacts


async def _listed(read, identity):
    pages, cursor, more = [], None, True
    while more:
        page = await read.artifacts(identity=identity, limit=2, cursor=cursor)
        pages.append(page["artifacts"])
        cursor = page["cursor"]
        more = cursor is not None
    return pages


class Chatting(Submitting):
    """What users do with their chat sessions."""

    def __init__(self):
        super().__init__()
        self.chats = []

    @initialize(context=_contexts)
    def the_first_chat(self, context):
        self.initialize("ann", context, None, None)

    @rule(user=_users, context=st.none() | _contexts, agent=_agents, key=_keys)
    def initialize(self, user, context, agent, key):
        sent = given(initial_context=context, active_agent=agent)
        found = self.submit(Call("initialize_chat_session", Identity(self.tenant, user), sent, key))
        self._remember(user, found)

    @rule(user=_users, sent=_updates, key=_keys)
    def update(self, user, sent, key):
        self._remember(user, self.submit(Call("update_chat_context", Identity(self.tenant, user), sent, key)))

    @precondition(lambda self: self.chats)
    @rule(number=_numbers, by=_users, context=_contexts, behind=st.integers(-1, 1), key=_keys)
    def update_a_version(self, number, by, context, behind, key):
        """Also somebody else's session, a version that was current once, and one that is none yet."""
        _, chat, version = self.chats[number % len(self.chats)]
        sent = given(context_updates=context, chat_session_id=chat, expected_version=max(1, version + behind))
        self._remember(by, self.submit(Call("update_chat_context", Identity(self.tenant, by), sent, key)))

    @precondition(lambda self: self.chats)
    @rule(number=_numbers, contexts=st.lists(_contexts, min_size=2, max_size=4))
    def update_at_once(self, number, contexts):
        """Each of them changes something: what one that does not names as its execution is a matter of moments."""
        user, chat, _ = self.chats[number % len(self.chats)]
        identity = Identity(self.tenant, user)
        changes = [{**context, "shared_intent": f"{len(self.calls)}/{each}"} for each, context in enumerate(contexts)]
        sent = [{"context_updates": context, "chat_session_id": chat} for context in changes]
        for found in self.submit_at_once([Call("update_chat_context", identity, each) for each in sent]):
            self._remember(user, found)

    @rule(user=_users, limit=st.sampled_from([None, 0, 1, 3]), before=st.sampled_from([None, None, 2, 5]))
    def get(self, user, limit, before):
        sent = given(history_limit=limit, before_seq=before)
        self.submit(Call("get_chat_session", Identity(self.tenant, user), sent))

    @precondition(lambda self: self.chats)
    @rule(number=_numbers)
    def look_at_versions(self, number):
        user, chat, version = self.chats[number % len(self.chats)]
        identity = Identity(self.tenant, user)
        self.lockstep.step(lambda side: side.platform.read.version(chat, version, identity=identity))
        self.lockstep.step(lambda side: side.platform.read.versions(chat, identity=identity, limit=2))

    @rule(user=_users, sent=st.sampled_from([{}, {"context_updates": "x"}, {"context_updates": {}, "unknown": 1}]))
    def send_what_is_wrong(self, user, sent):
        self.submit(Call("update_chat_context", Identity(self.tenant, user), sent))

    def _remember(self, user, found):
        if chat := payload(found, "chat_session"):
            self.chats.append((user, chat["chat_session_id"], chat["version"]))


class SigningIn(Submitting):
    """What users do with their sessions, and services with accounts."""

    def __init__(self):
        super().__init__()
        self.held, self.users = [], []

    @initialize(hours=_hours)
    def the_first_session(self, hours):
        self.open("ann", hours)

    @rule(user=_users, hours=_hours)
    def open(self, user, hours):
        self._hold(self.submit(Call("create_session", Identity(self.tenant, user), given(extend_hours=hours))))

    @precondition(lambda self: self.held)
    @rule(number=_numbers, hours=_hours)
    def refresh(self, number, hours):
        """Also with a token that was replaced long ago."""
        held = self._one(number)
        self._hold(self.submit(Call("refresh_session", None, {**held.parameters, **given(extend_hours=hours)})))

    @precondition(lambda self: self.held)
    @rule(number=_numbers)
    def use(self, number):
        held = self._one(number)
        self.lockstep.step(lambda side: side.identify(held.token))

    @precondition(lambda self: self.held)
    @rule(number=_numbers)
    def terminate(self, number):
        self.submit(Call("terminate_session", None, self._one(number).parameters))

    @precondition(lambda self: self.held)
    @rule(number=_numbers, of=_numbers, scope=st.sampled_from([None, None, "others", "all"]))
    def revoke(self, number, of, scope):
        sent = {"scope": scope} if scope else {"session_ref": self._one(of).opened["session_ref"]}
        self.submit(Call("revoke_session", self._one(number).identity, sent))

    @precondition(lambda self: self.held)
    @rule(number=_numbers)
    def list_sessions(self, number):
        self.submit(Call("list_sessions", self._one(number).identity, {}))

    @rule()
    def let_everything_end(self):
        """What lives ends with its time; what has ended is purged with its retention."""
        for _ in range(2):
            self.lockstep.clock.advance(40 * 86_400)
            self.lockstep.step(_swept)

    def _hold(self, found):
        if session := payload(found, "session"):
            self.held.append(Held(session, session["session_token"]))

    def _one(self, number):
        return self.held[number % len(self.held)]


class Employing(SigningIn):
    """Sessions of users who have accounts."""

    @initialize(email=_emails, password=_passwords)
    def the_first_account(self, email, password):
        self.create(email, password, [])

    @rule(email=_emails, password=_passwords, roles=st.sampled_from([[], ["author"]]))
    def create(self, email, password, roles):
        sent = {"email": email, "password": password, "roles": roles}
        found = self.submit(Call("create_user_account", self.robot, sent))
        if account := payload(found, "user_account"):
            self.users.append(account["user_id"])

    @rule(email=_emails, password=_passwords)
    def sign_in(self, email, password):
        sent = {"tenant": self.tenant, "email": email, "password": password}
        found = payload(self.submit(Call("authenticate_user", None, sent)), "authentication_result")
        if found.get("authenticated"):
            self._hold(
                self.submit(Call("create_session", None, given(authentication_token=found["authentication_token"])))
            )

    @precondition(lambda self: self.users)
    @rule(number=_numbers, roles=st.sampled_from([[], ["author"]]))
    def set_roles(self, number, roles):
        sent = {"user_id": self.users[number % len(self.users)], "roles": roles}
        self.submit(Call("set_user_roles", self.robot, sent))

    @precondition(lambda self: self.users)
    @rule(number=_numbers, status=st.sampled_from(["ACTIVE", "DISABLED"]))
    def set_status(self, number, status):
        sent = {"user_id": self.users[number % len(self.users)], "status": status}
        self.submit(Call("set_user_status", self.robot, sent))

    @precondition(lambda self: self.held)
    @rule(number=_numbers, current=_passwords, new=_passwords)
    def change_password(self, number, current, new):
        sent = {"current_password": current, "new_password": new}
        self.submit(Call("change_password", self._one(number).identity, sent))
