from notebook_realm.script import RESTORE, ScriptedService


class LendNoteService(ScriptedService):
    intent_type = "lend_note"

    async def restore(self, ctx, params, name, artifact):
        return await RESTORE["lend_note"](ctx, params, name, artifact)
