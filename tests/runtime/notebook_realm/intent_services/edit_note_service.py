from notebook_realm.script import ScriptedService


class EditNoteService(ScriptedService):
    intent_type = "edit_note"
