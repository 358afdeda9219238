from notebook_realm.script import ASKED, ScriptedService


class TurnPageService(ScriptedService):
    intent_type = "turn_page"

    async def still_open(self, ctx, params):
        return await ASKED["still_open"](ctx, params)
