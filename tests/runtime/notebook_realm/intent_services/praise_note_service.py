from notebook_realm.script import ScriptedService


class PraiseNoteService(ScriptedService):
    intent_type = "praise_note"
