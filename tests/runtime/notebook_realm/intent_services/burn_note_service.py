from notebook_realm.script import ScriptedService


class BurnNoteService(ScriptedService):
    intent_type = "burn_note"
