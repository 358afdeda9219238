"""The key of a box: a token that names the box and its generation, and that nothing stores."""

from symphainy_platform import Identity, IntentError, Proven

DIGITS = 24


async def box_key(keys, tenant_id, box_id, gen):
    mac = await keys.keyed("box", tenant_id, box_id, str(gen))
    return f"{gen}.{mac.hex()[:DIGITS]}"


class BoxKey:
    facts = frozenset({"box_id", "gen"})

    def __init__(self, platform):
        self.platform = platform

    async def prove(self, attempt):
        params = attempt.params
        gen = int(params.token.partition(".")[0])
        box = await self.platform.artifact(self.tenant_of(params), params.box_id)
        if box is None:
            raise IntentError("BOX_NOT_FOUND")
        if params.token != await box_key(self.platform.keys, box.tenant_id, box.artifact_id, gen):
            raise IntentError("BAD_KEY")
        return Proven(identity=Identity(box.tenant_id, box.user_id), facts={"box_id": box.artifact_id, "gen": gen})

    def tenant_of(self, params):
        return params.tenant
