from notebook_realm.script import ScriptedService


class CloseNoteService(ScriptedService):
    intent_type = "close_note"
