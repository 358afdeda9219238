from notebook_realm.script import ScriptedService


class KeepNoteService(ScriptedService):
    intent_type = "keep_note"
