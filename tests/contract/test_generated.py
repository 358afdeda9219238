import json
import re
import shutil
from collections.abc import Iterator

import pytest
from minimal_contract import CONTRACTS, MINIMAL

from symphainy_platform.contract.generate import generate
from symphainy_platform.contract.lint import lint
from symphainy_platform.contract.load import load_folders
from symphainy_platform.contract.openapi import openapi
from symphainy_platform.contract.render import render_contract
from symphainy_platform.contract.schema import FORMATS, artifacts_schema, format_schema, parameters_schema

DOCUMENTS = sorted((CONTRACTS / "rendered").rglob("*.md"))
SECTIONS = [
    "1. Intent Overview",
    "2. Intent Parameters",
    "3. Intent Returns",
    "4. Artifact Registration",
    "5. Idempotency",
    "6. Implementation Details",
    "7. Frontend Integration",
    "8. Error Handling",
    "9. Testing & Validation",
    "10. Contract Compliance",
]


def test_nothing_has_drifted():
    assert generate(CONTRACTS, check=True) == []


def test_our_contracts_have_no_findings():
    assert lint(CONTRACTS) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_has_no_placeholder(document):
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert not re.search(r"(?<!\w)\[[A-Z][a-z]+(?:\W[^]\n]*)?\](?!\()", prose)


@pytest.mark.parametrize(
    "document", [path for path in DOCUMENTS if path.parent.name != "journeys"], ids=lambda path: path.stem
)
def test_a_document_has_the_ten_sections_in_order(document):
    text = document.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == SECTIONS
    for block in re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL):
        json.loads(block)


def test_every_table_row_is_closed():
    for document in DOCUMENTS:
        rows = [line for line in document.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
        assert all(row.endswith("|") for row in rows)


def test_drift_is_found_and_mended(tmp_path):
    folder = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, folder)
    document = folder / "rendered" / "coexistence" / "get_chat_session.md"
    orphan = folder / "rendered" / "coexistence" / "gone.md"
    document.write_text("edited by hand", encoding="utf-8")
    orphan.write_text("of an intent that is gone", encoding="utf-8")
    assert generate(folder, check=True) == [document, orphan]
    assert [finding.file for finding in lint(folder)] == [str(document), str(orphan)]
    assert generate(folder) == [document, orphan]
    assert generate(folder, check=True) == []
    assert not orphan.exists()


def test_a_thin_contract_renders_too(folder):
    catalog = load_folders([folder(note_thing=MINIMAL)])
    text = render_contract(catalog.contracts["note_thing", 1].value)
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == SECTIONS


LINTED = {
    "no examples": ("", "", "a ready contract has examples"),
    "no message": (", message: The notebook is full.", "", "has no message"),
    "another file name": ("note_thing\nversion", "note_stuff\nversion", "the file is called note_thing.yaml"),
    "another handler": ("note_thing_service", "note_service", "not named after its intent"),
    "no proof": ("access: user", "access: public", "neither tenant nor user"),
    "no such permission": ("access: user", "access: user\npermissions: [note.write]", "no role gives"),
    "no such journey": ("access: user", "access: user\njourneys: [journey_x]", "no journey"),
    "no type file": ("", "", "no type file declares `note`"),
}


@pytest.mark.parametrize(("old", "new", "words"), LINTED.values(), ids=LINTED)
def test_warnings(folder, old, new, words):
    findings = lint(folder(note_thing=MINIMAL.replace(old, new, 1) if old else MINIMAL))
    assert any(words in finding.message for finding in findings)
    assert {str(finding.severity) for finding in findings} == {"warning"}


def references(node) -> Iterator[str]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from references(child)
    if isinstance(node, dict) and isinstance(node.get("$ref"), str):
        yield node["$ref"]


def resolves(document, reference):
    node = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return isinstance(node, dict)


@pytest.mark.parametrize("name", FORMATS)
def test_references_of_a_format_schema_resolve(name):
    schema = format_schema(name)
    assert schema["$schema"].endswith("2020-12/schema")
    assert all(resolves(schema, reference) for reference in references(schema))


def test_the_openapi_document(catalog):
    document = openapi(catalog, "1.2.3")
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1.2.3"
    assert all(resolves(document, reference) for reference in references(document))
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids))
    assert {"submitIntent", "initialize_chat_session", "get_chat_session", "update_chat_context"} <= set(ids)
    assert all(operation["responses"] for operation in operations)
    assert json.loads(json.dumps(document)) == document


def test_path_parameters_are_declared(catalog):
    for path, methods in openapi(catalog, "1")["paths"].items():
        declared = {item["name"] for item in methods.get("get", {}).get("parameters", []) if item["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


def test_failures_are_typed_by_status(catalog):
    operation = openapi(catalog, "1")["paths"]["/api/intent/submit#update_chat_context"]["post"]
    assert {"400", "401", "403", "404", "409", "413", "415", "422", "500", "503", "504"} <= set(operation["responses"])
    not_found = operation["responses"]["404"]["content"]["application/json"]["schema"]["allOf"][1]
    assert not_found["properties"]["error_code"]["enum"] == ["SESSION_NOT_FOUND"]


def test_parameters_as_json_schema(catalog):
    schema = parameters_schema(catalog.newest("update_chat_context"))
    assert schema["required"] == ["context_updates"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["merge_strategy"]["enum"] == ["merge", "replace"]
    assert schema["properties"]["merge_strategy"]["default"] == "merge"
    assert schema["properties"]["expected_version"]["minimum"] == 1


def test_a_secret_of_an_answer_is_not_left_out_by_clients(folder):
    text = MINIMAL.replace(
        "returns: {note: {text:", "returns_only: [token]\nreturns: {note: {token: {type: string, secret: true}, text:"
    )
    contract = load_folders([folder(note_thing=text)]).contracts["note_thing", 1].value
    payload = artifacts_schema(contract)["properties"]["note"]["properties"]["semantic_payload"]
    assert payload["properties"]["token"] == {
        "type": "string",
        "format": "password",
        "x-secret": True,
        "readOnly": True,
    }


def test_a_document_shows_declared_parts_secrets_and_aliases(folder):
    shape = "{type: array, aliases: [texts], items: {type: object, properties: {pin: {type: string, secret: true}}}}"
    text = MINIMAL.replace("{type: string, required: true, max_length: 10}", shape)
    catalog = load_folders([folder(note_thing=text)])
    document = render_contract(catalog.contracts["note_thing", 1].value)
    said = "each an object; with `pin`? (a string; secret: never logged, never stored in clear); also as `texts`"
    assert said in document


def test_a_document_shows_that_callers_get_secrets(folder):
    returns = "returns: {note: {token: {type: string, secret: true, required: true}, text:"
    text = MINIMAL.replace("returns: {note: {text:", f"returns_only: [token]\n{returns}")
    document = render_contract(load_folders([folder(note_thing=text)]).contracts["note_thing", 1].value)
    assert '"token": "…"' in document


REFRESH_SAYS = (
    '"session_token": "…"',
    'commits all the same: from `"ACTIVE"` to `"EXPIRED"`, event `session_expired`)',
    "(401; `E-SESSION-001` to older clients; commits",
    "- `session_revoked` - Required (with `SESSION_TOKEN_REUSED`), kept in the audit chain",
    'to `"EXPIRED"` with `SESSION_EXPIRED`, or from `"ACTIVE"` to `"REVOKED"` with `SESSION_TOKEN_REUSED`; every other',
    '- **Artifact Type:** `"session"`\n',
)


@pytest.mark.parametrize("said", REFRESH_SAYS)
def test_a_document_says_what_failures_commit(said):
    assert said in (CONTRACTS / "rendered" / "security" / "refresh_session.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_says_of_each_artifact_once_what_may_become_of_it(document):
    artifacts = re.findall(
        r"^- `(\w+)`: from .*every other transition", document.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(artifacts) == len(set(artifacts))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_list_is_not_torn_at_its_commas(document):
    """`[signed, not stored]` in YAML is two entries: the second one would begin in the middle of a sentence."""
    assert not re.search(
        r"^ *- (?:and|or|not|also|one|all|newest) ", document.read_text(encoding="utf-8"), re.MULTILINE
    )
