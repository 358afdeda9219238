from notebook_realm.script import ScriptedService


class CopyNoteService(ScriptedService):
    intent_type = "copy_note"
