from notebook_realm.script import ScriptedService


class SignNoteService(ScriptedService):
    intent_type = "sign_note"
