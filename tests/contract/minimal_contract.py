"""A small sound contract that the tests break in one place each."""

from pathlib import Path

CONTRACTS = Path(__file__).parents[2] / "contracts"

MINIMAL = """\
contract: 1
intent: note_thing
version: 1.0.0
realm: notebook
owner: Notebook Team
purpose: Note a thing.
access: user
params:
  text: {type: string, required: true, max_length: 10}
idempotency: {scope: [tenant_id], key: [user_id, text], window: 60s}
effects:
  writes:
    - artifact: note
      operation: create
      lifecycle: {to: PENDING}
      payload: {text: {type: string, required: true}}
  events: [{type: thing_noted, payload: {text: {type: string, required: true}}}]
returns: {note: {text: {type: string, required: true}}}
errors: {NOTE_FULL: {kind: conflict, message: The notebook is full.}}
handler: notebook.intent_services.note_thing_service
"""
