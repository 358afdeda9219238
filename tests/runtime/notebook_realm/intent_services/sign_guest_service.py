from notebook_realm.script import ScriptedService


class SignGuestService(ScriptedService):
    intent_type = "sign_guest"
