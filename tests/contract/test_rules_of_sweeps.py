"""What a type file may declare for artifacts that are due."""

import pytest
from minimal_contract import MINIMAL

from symphainy_platform.contract.findings import ContractInvalid
from symphainy_platform.contract.load import load_folders

NOTE = """\
type: 1
artifact: note
realm: notebook
lifecycle:
  initial: [PENDING]
  transitions: {PENDING: [CLOSED]}
  sweeps: %s
"""
END = MINIMAL.replace("note_thing", "end_note").replace("access: user", "access: %s").replace("\n  text:", "\n  %s:")
END = END.replace("key: [user_id, text]", "key: [user_id]").replace("text, ", "")
STATE = "to: PENDING"


def loaded(folder, sweeps, access="service", param="artifact_id"):
    return load_folders([folder(types__note=NOTE % sweeps, end_note=END % (access, param))])


SOUND = [
    "{}",
    "{PENDING: {submit: end_note}}",
    "{CLOSED: {purge: true}}",
    "{PENDING: {submit: end_note}, CLOSED: {purge: true}}",
]


@pytest.mark.parametrize("sweeps", SOUND)
def test_what_may_be_declared(folder, sweeps):
    assert loaded(folder, sweeps).types["note"].value.lifecycle.sweeps is not None


def test_the_parameter_may_have_another_name(folder):
    assert loaded(folder, "{PENDING: {submit: end_note, naming: note_id}}", param="note_id")


BROKEN = {
    "a state that is none": ("{PENDNG: {purge: true}}", {}, "did you mean `PENDING`"),
    "an intent that is none": (
        "{PENDING: {submit: end_nte}}",
        {},
        "no contract of services takes `artifact_id`: end_nte",
    ),
    "an intent of users": ("{PENDING: {submit: end_note}}", {"access": "user"}, "no contract of services"),
    "an intent of users, too": (
        "{PENDING: {submit: end_note}}",
        {"access": "[user, service]"},
        "no contract of services",
    ),
    "an intent that takes no such parameter": ("{PENDING: {submit: end_note}}", {"param": "note_id"}, "`artifact_id`"),
    "another parameter": ("{PENDING: {submit: end_note, naming: note_id}}", {}, "takes `note_id`"),
    "nothing": ("{PENDING: {}}", {}, "either submits an intent or purges"),
    "no purge": ("{PENDING: {purge: false}}", {}, "either submits an intent or purges"),
    "both": ("{PENDING: {submit: end_note, purge: true}}", {}, "either submits an intent or purges"),
    "an unknown field": ("{PENDING: {submti: end_note}}", {}, "did you mean `submit`"),
    "a word for a purge": ("{PENDING: {purge: 'yes'}}", {}, "purge"),
}


@pytest.mark.parametrize(("sweeps", "parts", "words"), BROKEN.values(), ids=BROKEN)
def test_what_must_not_be_declared(folder, sweeps, parts, words):
    with pytest.raises(ContractInvalid) as raised:
        loaded(folder, sweeps, **parts)
    [finding] = raised.value.findings
    assert (finding.file.rpartition("/")[2], finding.line) == ("note.yaml", 7)
    assert words in str(finding)
