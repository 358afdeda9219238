"""What public contracts may name: facts of a proof, what an event is about, secrets that can be left out."""

import pytest
from minimal_contract import MINIMAL

from symphainy_platform.contract.compile import compile_contract
from symphainy_platform.contract.describe import describe
from symphainy_platform.contract.findings import ContractInvalid
from symphainy_platform.contract.load import load_folders
from symphainy_platform.contract.samples import sample
from symphainy_platform.contract.shape import Shape
from symphainy_platform.contract.validators import Fields

TEXT = "{type: string, required: true, max_length: 10}"
KEY = "key: [user_id, text], window: 60s"
EVENT = "{type: thing_noted, payload: {text: {type: string, required: true}}}"
RETURNS = "returns: {note: {text: {type: string, required: true}}}"
READS = "effects:\n  reads: [{artifact: note, id: %s, absent: NOTE_FULL}]"
TORN = "errors: {TORN: {kind: gone, effects: {events: [{type: torn, about: %s, payload: {%s}}]}}, "

PUBLIC = (("access: user", "access: public\nproof: ticket"),)

SOUND = {
    "a fact in the key": (*PUBLIC, (KEY, "key: [proof.ticket_id], window: 60s")),
    "a fact beside parameters": (*PUBLIC, (KEY, "key: [proof.ticket_id, text], window: 60s")),
    "a fact that names what is read": (*PUBLIC, ("effects:", READS % "proof.note_id")),
    "a question about the stored answer": (*PUBLIC, ("window: 60s", "window: 60s, replay_while: open_still")),
    "an event about its own field": ((EVENT, EVENT.replace("payload", "about: text, payload")),),
    "an error's event about its own field": (("errors: {", TORN % ("id", "id: {type: uuid, required: true}")),),
    "a secret at the top of an answer": ((RETURNS, "returns: {note: {text: {type: string, secret: true}}}"),),
    "a number above another": ((TEXT, "{type: number, above: 0, max: 168}"),),
}


def text(replacements):
    changed = MINIMAL
    for old, new in replacements:
        assert old in changed
        changed = changed.replace(old, new)
    return changed


@pytest.mark.parametrize("replacements", SOUND.values(), ids=SOUND)
def test_what_a_contract_may_say(folder, replacements):
    catalog = load_folders([folder(note_thing=text(replacements))])
    assert compile_contract(catalog.contracts["note_thing", 1].value, catalog, {})


BROKEN = {
    "a fact in the key without a proof": ((KEY, "key: [user_id, proof.ticket_id], window: 60s"), "has no proof"),
    "a fact that is read without a proof": (("effects:", READS % "proof.note_id"), "has no proof"),
    "a fact in the scope": (("scope: [tenant_id]", "scope: [tenant_id, proof.ticket_id]"), "tenant_id"),
    "a fact of a fact": ((KEY, "key: [user_id, proof.ticket.id], window: 60s"), "pattern"),
    "a fact without a name": ((KEY, "key: [user_id, proof.], window: 60s"), "pattern"),
    "a fact of something else": ((KEY, "key: [user_id, ticket.id], window: 60s"), "pattern"),
    "a question of a user's intent": (("window: 60s", "window: 60s, replay_while: open_still"), "only a public intent"),
    "an event about nothing": ((EVENT, EVENT.replace("payload", "about: txt, payload")), "did you mean `text`"),
    "an event about what may be absent": (
        (EVENT, "{type: thing_noted, about: id, payload: {id: {type: string}}}"),
        "not always",
    ),
    "an event about what may be null": (
        (EVENT, "{type: thing_noted, about: id, payload: {id: {type: uuid, required: true, nullable: true}}}"),
        "not always",
    ),
    "an event about a number": (
        (EVENT, "{type: thing_noted, about: n, payload: {n: {type: integer, required: true}}}"),
        "not always",
    ),
    "an error's event about nothing": (("errors: {", TORN % ("idd", "id: {type: uuid, required: true}")), "`id`"),
    "an error's event about what may be absent": (("errors: {", TORN % ("id", "id: {type: uuid}")), "not always"),
    "an audited event that is never published": (
        (EVENT, EVENT.replace("payload", "audit: true, answer_only: true, payload")),
        "published events",
    ),
    "a secret within an answer": (
        (RETURNS, "returns: {note: {text: {type: object, properties: {a: {type: string, secret: true}}}}}"),
        "a secret field of an answer stands at its top",
    ),
    "a secret within a list of an answer": (
        (RETURNS, "returns: {note: {text: {type: array, items: {type: string, secret: true}}}}"),
        "a secret field of an answer stands at its top",
    ),
    "an integer above another": ((TEXT, "{type: integer, above: 0}"), "only to number"),
    "a text above a number": ((TEXT, "{type: string, above: 0}"), "only to number"),
    "a word above": ((TEXT, "{type: number, above: zero}"), "above"),
    "nothing between": ((TEXT, "{type: number, above: 2, max: 2}"), "nothing is above this"),
    "a legacy code that is empty": (("{kind: conflict,", "{kind: conflict, legacy_code: '',"), "legacy_code"),
}


@pytest.mark.parametrize(("replacement", "words"), BROKEN.values(), ids=BROKEN)
def test_what_a_contract_must_not_say(folder, replacement, words):
    with pytest.raises(ContractInvalid) as raised:
        load_folders([folder(note_thing=text([replacement]))])
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("value", "taken"), [(0, False), (-0.0, False), (-1, False), (1e-300, True), (168, True), (168.0001, False)]
)
def test_above_is_never_equal(compile_text, value, taken):
    contract = compile_text((TEXT, "{type: number, required: true, above: 0, max: 168}"))
    if taken:
        assert contract.validate({"text": value})["text"] == value
    else:
        with pytest.raises(Exception, match=r"above 0|at most 168|0 <"):
            contract.validate({"text": value})


def test_above_is_told_as_it_is():
    shape = Shape(type="number", above=0, max=168)
    assert "above 0" in describe(shape)
    assert Fields({"hours": shape}, {}).check({"hours": sample(shape)})


def test_a_fact_is_a_component_of_its_own(compile_text):
    contract = compile_text(*PUBLIC, (KEY, "key: [text, proof.ticket_id], window: 60s"))
    params = contract.validate({"text": "a"})
    parts = contract.key_parts("t1", "ann", params, {}, {"ticket_id": "7", "other": "x"})
    assert parts[1:] == ["t1", "note_thing", 1, "a", "7"]


def test_secret_answers_are_known_by_name(compile_text):
    contract = compile_text((RETURNS, "returns: {note: {text: {type: string}, code: {type: string, secret: true}}}"))
    assert contract.secret_answers == {"note": {"code"}}
    assert contract.has_replays
