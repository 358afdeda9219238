from notebook_realm.script import ScriptedService


class AuditNotesService(ScriptedService):
    intent_type = "audit_notes"
