from notebook_realm.script import ScriptedService


class ReadNoteService(ScriptedService):
    intent_type = "read_note"
