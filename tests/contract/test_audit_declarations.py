"""`audit: true` on an event: what the platform takes from it, and what the linter and the document say."""

import pytest
from minimal_contract import MINIMAL

from symphainy_platform.contract.lint import lint
from symphainy_platform.contract.load import ContractInvalid, load_folders
from symphainy_platform.contract.render import render_contract

AUDITED = MINIMAL.replace("{type: thing_noted, ", "{type: thing_noted, audit: true, ")
FAILING = MINIMAL.replace("{NOTE_FULL: {", "{NOTE_FULL: {effects: {events: [{type: notebook_filled, audit: true}]}, ")
ANOTHER = MINIMAL.replace("note_thing", "note_again")
WORDS = "another declaration of thing_noted has it audited"


def test_events_of_successes_and_of_failures_are_audited(folder):
    catalog = load_folders([folder(note_thing=AUDITED, note_again=FAILING.replace("note_thing", "note_again"))])
    assert catalog.audited_events == {"thing_noted", "notebook_filled"}


def test_nothing_is_audited_by_itself(folder):
    assert load_folders([folder(note_thing=MINIMAL)]).audited_events == frozenset()


def test_an_event_of_the_answer_only_cannot_be_audited(folder):
    text = AUDITED.replace("audit: true", "audit: true, answer_only: true")
    with pytest.raises(ContractInvalid, match="an answer_only event is none"):
        load_folders([folder(note_thing=text)])


@pytest.mark.parametrize(("text", "told"), [(ANOTHER, True), (ANOTHER.replace("thing_noted", "other"), False)])
def test_a_declaration_that_is_silent_on_what_another_has_audited_is_told(folder, text, told):
    findings = [each for each in lint(folder(note_thing=AUDITED, note_again=text)) if WORDS in each.message]
    assert [(each.severity.value, each.fix) for each in findings] == [("warning", "add audit: true")] * told


def test_the_document_says_that_an_event_is_kept(folder):
    catalog = load_folders([folder(note_thing=AUDITED)])
    assert "`thing_noted` - Required, kept in the audit chain" in render_contract(catalog.newest("note_thing"), catalog)
