"""A writer that waits for its turn looks for its key meanwhile: in its turn others wait for what it reads."""

import asyncio

from runtime_callers import ANN, Caller

from symphainy_platform.state.store import ArtifactById, ExecutionByKey, LogKeys


class HeldStore:
    """Notes what is read; what looks into a log waits for `go_on`."""

    def __init__(self, load):
        self._load = load
        self.asked = []
        self.go_on = asyncio.Event()

    async def load(self, reads):
        kinds = [type(read) for read in reads]
        self.asked.append(kinds)
        if LogKeys in kinds:
            await self.go_on.wait()
        return await self._load(reads)

    async def until_asked(self, *kinds):
        async with asyncio.timeout(10):
            while list(kinds) not in self.asked:  # noqa: ASYNC110 - the writers run meanwhile
                await asyncio.sleep(0)


async def test_a_waiting_writer_looks_for_its_key_before_its_turn(opened, monkeypatch):
    async with opened() as platform:
        ann = Caller(platform, ANN)
        begun = await ann("initialize_chat_session", initial_context={"conversation_history": [{"id": "m0"}]})
        session_id = begun.artifacts["chat_session"]["semantic_payload"]["chat_session_id"]

        async def update(number):
            history = {"conversation_history": [{"id": f"m{number}"}]}
            return await ann("update_chat_context", chat_session_id=session_id, context_updates=history)

        held = HeldStore(platform.store.load)
        monkeypatch.setattr(platform.store, "load", held.load)
        first = asyncio.create_task(update(1))
        await held.until_asked(LogKeys)
        assert held.asked == [[ArtifactById, ExecutionByKey], [LogKeys]]
        second = asyncio.create_task(update(2))
        await held.until_asked(ExecutionByKey)
        held.go_on.set()
        await asyncio.gather(first, second)
        assert sum(kinds.count(ExecutionByKey) for kinds in held.asked) == len((first, second))
        replayed = await update(2)
        assert replayed.idempotent_replay
        assert replayed.execution_id == second.result().execution_id
