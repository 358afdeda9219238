import pytest
from broken_contracts import BROKEN
from minimal_contract import CONTRACTS, MINIMAL

from symphainy_platform.contract.findings import ContractInvalid
from symphainy_platform.contract.load import load_folders
from symphainy_platform.errors import ContractError


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
    folders = {folder: {path.stem for path in (CONTRACTS / folder).glob("*.yaml")} for folder in ("types", "journeys")}
    intents = {path.stem for realm in ("coexistence", "security") for path in (CONTRACTS / realm).glob("*.yaml")}
    assert {name for name, _ in catalog.contracts} == intents >= {"update_chat_context", "create_user_account"}
    assert set(catalog.journeys) == folders["journeys"] >= {"journey_coexistence_chat_session"}
    assert set(catalog.types) == folders["types"] >= {"chat_session", "user_account"}


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


def test_a_shape_of_two_files_names_both(folder):
    root = folder(a__shared=SHARED, b__shared=SHARED)
    with pytest.raises(ContractInvalid, match=r"`shared\.text` is declared twice") as raised:
        load_folders([root])
    assert str(root / "a" / "shared.yaml") in str(raised.value)
    assert str(root / "b" / "shared.yaml") in str(raised.value)


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
