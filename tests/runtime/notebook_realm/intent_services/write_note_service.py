from notebook_realm.script import ScriptedService


class WriteNoteService(ScriptedService):
    intent_type = "write_note"
