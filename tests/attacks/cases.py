"""What a case is, and how it is judged: the code, the status, what was stored, and what must not be shown."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from attacks.attacked import MASTER_KEY

from symphainy_platform.testing.state import difference

REQUIRED_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'",
}
_ENVELOPE = {"error", "error_code", "execution_id", "retryable", "details", "trace_id"}
_INSIDE = re.compile(
    r"traceback|\.py\b|/tmp/|/work/|/home/|site-packages|sqlite|\bselect .* from\b|\binsert into\b|\bupdate .* set\b|"
    r"object at 0x|platform\.db|master\.key",
    re.IGNORECASE,
)
"""What only somebody inside should see: paths, SQL, traces."""


@dataclass(frozen=True)
class Leaves:
    """What an attack may leave in the store, and all of it.

    `executions` are the (intent, status, code) of new rows; `events` the types in the outbox;
    `states` the lifecycle states that people's sessions end up in, of which nothing else changes.
    """

    executions: tuple = ()
    events: tuple = ()
    states: dict = field(default_factory=dict)
    opens: int = 0
    """How many sessions are new."""


NOTHING = Leaves()
"""A rejection before the claim."""


def recorded(intent, code, **more):
    """A failure after the claim: its execution, and what the contract declares for it."""
    return Leaves(executions=((intent, "failed", code),), **more)


def asked(intent, **more):
    """An answer: its execution, and its events."""
    return Leaves(executions=((intent, "completed", None),), **more)


@dataclass(frozen=True)
class Case:
    """One attack. `before` sets the scene, `send` makes the request, the rest is what must come of it."""

    send: Callable
    status: int
    code: str | None = None
    leaves: Leaves = NOTHING
    before: tuple = ()
    body: object = None
    """The whole body, when it is told here."""
    then: Callable | None = None
    """More to assert: takes the scene and the answer."""
    gives: bool = False
    """Whether the answer gives its caller secrets, as it should."""


def check(case, scene):
    """Play a case; raises AssertionError when anything of what it promises is not so."""
    server = scene.server
    scene.prepare(case.before)
    before, logged = server.state(), server.log.position
    answer = case.send(scene)
    after = server.state()
    _answered(case, answer)
    _changed(case, scene, difference(before, after), after)
    _kept_secret(case, scene, answer, server.log.since(logged))
    if case.then is not None:
        case.then(scene, answer)


def _answered(case, answer):
    told = answer.text[:300]
    assert answer.status_code == case.status, f"{answer.status_code} instead of {case.status}: {told}"
    for name, value in REQUIRED_HEADERS.items():
        assert answer.headers.get(name) == value, f"{name} is missing"
    assert "access-control-allow-origin" not in answer.headers
    if case.status >= 400:
        failure = answer.json()
        assert failure["error_code"] == case.code, f"{failure['error_code']} instead of {case.code}: {told}"
        assert set(failure) <= _ENVELOPE | {"intent_type", "legacy_code"}, f"the envelope holds more: {told}"
    if case.body is not None:
        assert answer.json() == case.body, told


def _changed(case, scene, change, after):
    leaves = case.leaves
    if leaves == NOTHING:
        assert not change, f"left {change}"
        return
    found = [(row["intent_type"], row["status"], _code_of(row)) for row in change.came("executions")]
    assert sorted(found, key=repr) == sorted(leaves.executions, key=repr), f"executed {found}"
    events = [row["type"] for row in change.came("outbox")]
    assert sorted(events) == sorted(leaves.events), f"emitted {events}"
    refs = {getattr(scene, name).ref: state for name, state in leaves.states.items()}
    touched = {row["artifact_id"] for row in change.went("artifacts")}
    assert touched == set(refs), f"changed {len(touched)} artifacts"
    for table in ("artifacts", "sessions"):
        states = {row.get("artifact_id", row.get("session_ref")): row["lifecycle_state"] for row in after.rows(table)}
        assert {ref: states[ref] for ref in refs} == refs, f"{table}: {states}"
    _nothing_else(change, leaves)


def _nothing_else(change, leaves):
    count = len(leaves.states)
    allowed = {"executions": (len(leaves.executions), 0), "outbox": (len(leaves.events), 0)}
    allowed |= dict.fromkeys(("artifacts", "sessions"), (count + leaves.opens, count))
    allowed["artifact_versions"] = (count, 0)  # what was overwritten
    expected = {table: shape for table, shape in allowed.items() if shape != (0, 0)}
    assert change.shape == expected, f"left {change}"


def _code_of(row):
    return json.loads(row["error"])["code"] if row["error"] else None


def _kept_secret(case, scene, answer, log):
    shown = "\n".join([*(f"{name}: {value}" for name, value in answer.headers.multi_items()), answer.text])
    if not case.gives:
        assert not (held := found_in(scene, shown)), f"the answer shows {held}"
    assert not (inside := _INSIDE.search(shown)), f"the answer shows {inside[0]!r}"
    assert not (held := found_in(scene, log)), f"the log shows {held}"
    assert not (inside := _INSIDE.search(log)), f"the log shows {inside[0]!r}"
    for line in log.splitlines():
        entry = json.loads(line)
        assert entry["level"] == "info", f"the attack broke something: {line}"


def found_in(scene, text):
    """How many of the run's secrets a text holds, and the beginning of one."""
    held = [secret for secret in {MASTER_KEY, *scene.secrets} if secret in text or _signature(secret) in text]
    return [f"{len(held)} secrets, such as {held[0][:12]}…"] if held else []


def _signature(secret):
    """The part of a token that is worth hiding most; of everything else, the whole."""
    last = secret.rpartition(".")[2]
    return last if len(last) > 40 else secret
