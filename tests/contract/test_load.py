import pytest
from minimal_contract import CONTRACTS, MINIMAL

from symphainy_platform.contract.findings import ContractInvalid
from symphainy_platform.contract.load import load_folders
from symphainy_platform.errors import ContractError

TEXT = "{type: string, required: true, max_length: 10}"

# name: (what is replaced, by what, line of the finding, words in it)
BROKEN = {
    "unknown field": ("purpose:", "porpose:", 6, "did you mean `purpose`"),
    "unknown field of a parameter": (TEXT, "{type: string, requird: true}", 9, "did you mean `required`"),
    "missing field": ("owner: Notebook Team\n", "", 1, "owner"),
    "unknown type": ("type: string, required: true, max", "type: strng, required: true, max", 9, "string"),
    "version": ("1.0.0", "'1.0'", 3, "version"),
    "capital intent": ("note_thing\nv", "NoteThing\nv", 2, "intent"),
    "duration": ("60s", "1 minute", 10, "60s, 15m, 24h"),
    "an unquoted word": ("Note a thing.", "yes", 6, "quote it"),
    "a number for text": ("Notebook Team", "7", 5, "quote it"),
    "limit of another type": (TEXT, "{type: integer, max_length: 10}", 9, "only to email, string"),
    "enum of another type": (TEXT, "{type: string, enum: [1]}", 9, "no value of type string"),
    "min above max": (TEXT, "{type: integer, min: 2, max: 1}", 9, "min is above max"),
    "broken pattern": (TEXT, "{type: string, pattern: '('}", 9, "not a regular expression"),
    "pattern with look-ahead": (TEXT, "{type: string, pattern: '(?=a)'}", 9, "look-around"),
    "required with default": (TEXT, "{type: string, required: true, default: a}", 9, "only one"),
    "default outside enum": (TEXT, "{type: string, enum: [a, b], default: c}", 9, "one of: a, b"),
    "default of another type": (TEXT, "{type: integer, default: a}", 9, "an integer"),
    "null default": (TEXT, "{type: string, max_length: 1, default: too long}", 9, "characters"),
    "unknown default source": (TEXT, "{type: uuid, default_from: active_note}", 9, "active_note"),
    "unknown limit code": (TEXT, "{type: string, max_bytes: 9, too_large: NOTE_FUL}", 9, "did you mean `NOTE_FULL`"),
    "limit code without limit": (TEXT, "{type: string, too_large: NOTE_FULL}", 9, "needs max_bytes"),
    "alias of another parameter": (TEXT, "{type: string, aliases: [text]}", 9, "two parameters"),
    "unknown key component": ("key: [user_id, text]", "key: [user_id, txt]", 10, "did you mean `text`"),
    "view in the key": (TEXT, "{type: string, view: true}", 10, "only shapes the answer"),
    "neither key nor none": (
        "{scope: [tenant_id], key: [user_id, text], window: 60s}",
        "{scope: [tenant_id]}",
        10,
        "either a key",
    ),
    "key and none": ("window: 60s", "window: 60s, none: why", 10, "none"),
    "key for ever": (", window: 60s", "", 10, "window or a ttl"),
    "derived but unused": ("window: 60s", "window: 60s, derive: {hash: hash}", 10, "not part of the key"),
    "covers nothing": (
        "key: [user_id, text], window: 60s",
        "key: [hash], window: 60s, derive: {hash: {by: hash, covers: [txt]}}",
        10,
        "no parameter `txt`",
    ),
    "derived parameter": ("window: 60s", "window: 60s, derive: {text: text}", 10, "a parameter already"),
    "unknown state": ("to: PENDING", "to: PENDNG", 15, "did you mean `PENDING`"),
    "illegal first state": ("to: PENDING", "to: ARCHIVED", 15, "may not go from nothing"),
    "create from a state": ("{to: PENDING}", "{from: [PENDING], to: READY}", 15, "create has only"),
    "illegal transition": (
        "operation: create\n      lifecycle: {to: PENDING}",
        "operation: update\n      lifecycle: {from: [PENDING], to: DELETED}",
        15,
        "may not go from PENDING to DELETED",
    ),
    "write of nothing": ("artifact: note\n      operation", "operation", 13, "one of artifact, log, table"),
    "write of two things": ("artifact: note", "artifact: note\n      table: notes", 13, "one of artifact, log, table"),
    "log of nobody": (
        "  events:",
        "    - {log: lines, of: page, operation: append}\n  events:",
        17,
        "does not write page",
    ),
    "secret in an event": (
        "thing_noted, payload: {text: {type: string, required: true}}",
        "thing_noted, payload: {text: {type: string, secret: true}}",
        17,
        "secret",
    ),
    "secret at rest": (
        "payload: {text: {type: string, required: true}}\n  events",
        "payload: {text: {type: string, secret: true}}\n  events",
        16,
        "stored in clear",
    ),
    "event twice": ("events: [{type: thing_noted", "events: [{type: thing_noted}, {type: thing_noted", 17, "twice"),
    "returns_only of nothing": ("errors:", "returns_only: [tezt]\nerrors:", 19, "did you mean `text`"),
    "returns_only that is stored": ("errors:", "returns_only: [text]\nerrors:", 19, "is stored"),
    "kind of a runtime code": ("errors: {", "errors: {VERSION_CONFLICT: {kind: gone}, ", 19, "kind: conflict"),
    "unknown kind": ("kind: conflict", "kind: conflicts", 19, "conflict"),
    "proof of a user intent": ("access: user", "access: user\nproof: token", 8, "public"),
    "permissions of a public intent": ("access: user", "access: public\npermissions: [a]", 8, "public"),
    "unknown access": ("access: user", "access: usr", 7, "access"),
    "deprecated until when": ("access: user", "access: user\nstatus: deprecated", 8, "deprecated_until"),
    "handler is no path": ("handler: notebook.intent_services.note_thing_service", "handler: service", 20, "handler"),
    "unknown reference": (TEXT, "{$ref: notes.text}", 9, "no shape `notes.text`"),
    "example without fixture": ("handler:", "examples: {a: {given: [b], params: {}}}\nhandler:", 20, "no fixture `b`"),
    "example with unknown error": (
        "handler:",
        "examples: {a: {params: {}, error: NOTE_FUL}}\nhandler:",
        20,
        "NOTE_FUL",
    ),
    "example with unknown answer": (
        "handler:",
        "examples: {a: {params: {}, returns: {nte: {}}}}\nhandler:",
        20,
        "`note`",
    ),
    "example with unknown event": (
        "handler:",
        "examples: {a: {params: {}, emits: [noted]}}\nhandler:",
        20,
        "thing_noted",
    ),
    "example that counts nothing": (
        "handler:",
        "examples: {a: {params: {}, events: {x: 1}}}\nhandler:",
        20,
        "no intent emits x",
    ),
    "example with an unknown form": (
        "handler:",
        "examples: {a: {params: {text: {$txt: a}}}}\nhandler:",
        20,
        "unknown form",
    ),
    "example with both forms": (
        "handler:",
        "examples: {a: {params: {}, steps: [{params: {}}]}}\nhandler:",
        20,
        "either",
    ),
    "example of an unknown intent": (
        "handler:",
        "examples: {a: {steps: [{intent: x, params: {}}]}}\nhandler:",
        20,
        "`x`",
    ),
    "repetition of the future": (
        "handler:",
        "examples: {a: {params: {}, same_execution_as: 1}}\nhandler:",
        20,
        "not before this one",
    ),
    "fixture in no state": (
        "handler:",
        "fixtures: {a: {artifact: note, id: x, state: OPEN, payload: {text: a}}}\nhandler:",
        20,
        "no state OPEN",
    ),
    "fixture that nobody could write": (
        "handler:",
        "fixtures: {a: {artifact: note, id: x, state: READY, payload: {txt: a}}}\nhandler:",
        20,
        "txt",
    ),
}


@pytest.mark.parametrize(("old", "new", "line", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_contract_says_where_and_what(folder, old, new, line, words):
    assert old in MINIMAL
    root = folder(note_thing=MINIMAL.replace(old, new))
    with pytest.raises(ContractInvalid) as raised:
        load_folders([root])
    finding = raised.value.findings[0]
    assert (finding.file, finding.line) == (str(root / "note_thing.yaml"), line)
    assert words in str(finding)


def test_the_minimal_contract_is_sound(folder):
    assert list(load_folders([folder(note_thing=MINIMAL)]).contracts) == [("note_thing", 1)]


def test_our_contracts_are_sound(catalog):
    assert {name for name, _ in catalog.contracts} == {
        "initialize_chat_session",
        "get_chat_session",
        "update_chat_context",
    }
    assert set(catalog.journeys) == {"journey_coexistence_chat_session"}
    assert set(catalog.types) == {"chat_session"}


def test_a_broken_contract_is_a_start_error(folder):
    with pytest.raises(ContractError, match=r"note_thing\.yaml:1:1: error: owner"):
        load_folders([folder(note_thing=MINIMAL.replace("owner: Notebook Team\n", ""))])


def test_all_files_are_reported_at_once(folder):
    root = folder(one=MINIMAL.replace("owner:", "oner:"), two=MINIMAL.replace("realm:", "relm:"))
    with pytest.raises(ContractInvalid) as raised:
        load_folders([root])
    assert len(raised.value.findings) == 2


def test_a_duplicate_names_both_places(folder):
    root = folder(a__note_thing=MINIMAL, b__note_thing=MINIMAL)
    with pytest.raises(ContractInvalid) as raised:
        load_folders([root])
    assert str(root / "a" / "note_thing.yaml") in str(raised.value)
    assert str(root / "b" / "note_thing.yaml") in str(raised.value)


def test_two_majors_live_side_by_side(folder):
    root = folder(note_thing=MINIMAL, **{"note_thing.v2": MINIMAL.replace("1.0.0", "2.1.0")})
    catalog = load_folders([root])
    assert set(catalog.contracts) == {("note_thing", 1), ("note_thing", 2)}
    assert catalog.newest("note_thing").version == "2.1.0"
    assert catalog.newest("unknown") is None


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ContractInvalid, match="no such folder"):
        load_folders([tmp_path / "nowhere"])


def test_a_file_that_is_not_utf_8(folder):
    root = folder(note_thing=MINIMAL)
    (root / "note_thing.yaml").write_bytes(MINIMAL.encode() + b"# \xff")
    with pytest.raises(ContractInvalid, match="not UTF-8"):
        load_folders([root])


def test_a_file_of_no_kind(folder):
    with pytest.raises(ContractInvalid, match="begin with contract: 1"):
        load_folders([folder(x="a: 1")])


def test_contracts_use_types_of_other_folders(folder):
    text = MINIMAL.replace(
        "{type: string, required: true, max_length: 10}", "{type: uuid, default_from: active_chat_session}"
    )
    catalog = load_folders([folder(note_thing=text), CONTRACTS])
    assert catalog.default_sources["active_chat_session"].states == ("ACTIVE",)


SHARED = """\
type: 1
shapes:
  text: {type: string, max_length: 10}
  line: {$ref: shared.text, description: A line.}
  fields: {text: {$ref: shared.line, required: true}}
  loop: {$ref: shared.loop}
"""


def test_references_are_followed_and_overridden(folder):
    text = MINIMAL.replace(
        "{type: string, required: true, max_length: 10}", "{$ref: shared.line, max_length: 3, required: true}"
    )
    text = text.replace(
        "payload: {text: {type: string, required: true}}\n  events", "payload: {$ref: shared.fields}\n  events"
    )
    contract = load_folders([folder(note_thing=text, types__shared=SHARED)]).contracts["note_thing", 1].value
    assert (contract.params["text"].max_length, contract.params["text"].description) == (3, "A line.")
    assert contract.effects.writes[0].payload["text"].max_length == 10


def test_a_reference_to_itself(folder):
    text = MINIMAL.replace("{type: string, required: true, max_length: 10}", "{$ref: shared.loop}")
    with pytest.raises(ContractInvalid, match="leads back to itself"):
        load_folders([folder(note_thing=text, types__shared=SHARED)])


TYPES = {
    "unreachable state": ("lifecycle: {initial: [A], transitions: {B: [C]}}", "B cannot be reached"),
    "default in no state": ("lifecycle: {initial: [A]}\ndefaults: {open: {newest: [B]}}", "no state B"),
    "no initial state": ("lifecycle: {initial: []}", "initial"),
    "unknown field": ("lifecycles: {initial: [A]}", "did you mean `lifecycle`"),
}


@pytest.mark.parametrize(("text", "words"), TYPES.values(), ids=TYPES)
def test_a_broken_type_file(folder, text, words):
    with pytest.raises(ContractInvalid, match=words):
        load_folders([folder(types__note=f"type: 1\nartifact: note\n{text}\n")])


JOURNEY = """\
journey: 1
id: journey_notes
version: 1.0.0
title: Notes
realm: notebook
owner: Notebook Team
purpose: Take notes.
steps: [{intent: note_thing, title: Note}]
completion: {all_of: [note_thing]}
"""

JOURNEYS = {
    "unknown intent": ("intent: note_thing", "intent: note_thin", "did you mean `note_thing`"),
    "completion of no step": ("all_of: [note_thing]", "all_of: [note]", "is no step"),
    "two completions": ("all_of: [note_thing]", "all_of: [note_thing], any_of: [note_thing]", "one of any_of, all_of"),
    "scenario of an unknown intent": (
        "completion:",
        "scenarios: {a: {steps: [{params: {}}]}}\ncompletion:",
        "no intent",
    ),
}


@pytest.mark.parametrize(("old", "new", "words"), JOURNEYS.values(), ids=JOURNEYS)
def test_a_broken_journey(folder, old, new, words):
    text = MINIMAL.replace("owner:", "journeys: [journey_notes]\nowner:")
    with pytest.raises(ContractInvalid, match=words):
        load_folders([folder(note_thing=text, journeys__journey_notes=JOURNEY.replace(old, new))])


def test_roles_of_all_folders_together(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "roles.yaml").write_text("roles: 1\npermissions: {writer: [note.read], reader: [note.read]}\n")
    root = folder(roles="roles: 1\npermissions: {writer: [note.write]}\n")
    roles = load_folders([root]).roles
    assert roles.permissions_of(["writer", "reader"]) == {"note.write", "note.read"}
    assert roles.permissions_of(["unlisted"]) == frozenset()
