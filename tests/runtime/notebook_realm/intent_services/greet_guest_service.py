from notebook_realm.script import ScriptedService


class GreetGuestService(ScriptedService):
    intent_type = "greet_guest"
