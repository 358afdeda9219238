from notebook_realm.script import ScriptedService


class TidyNotesService(ScriptedService):
    intent_type = "tidy_notes"
