from notebook_realm.script import ScriptedService


class ShelveNotesService(ScriptedService):
    intent_type = "shelve_notes"
