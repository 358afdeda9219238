"""What a lost commit would have written is shown to nobody."""

from runtime_callers import ANN, Caller


async def test_an_answer_after_a_lost_commit_shows_what_is_stored(opened, monkeypatch):
    """Another process stores the same message with more in it; then there is nothing left to change."""
    async with opened() as one, opened() as other:
        ours, theirs = Caller(one, ANN), Caller(other, ANN)
        await ours("initialize_chat_session")
        message = {"id": "a", "role": "user", "content": "x"}
        commit, waiting = one.store.commit, [{"conversation_history": [{**message, "mood": "calm"}]}]

        async def overtaken(batch):
            while waiting:
                await theirs("update_chat_context", context_updates=waiting.pop())
            return await commit(batch)

        monkeypatch.setattr(one.store, "commit", overtaken)
        answer = await ours("update_chat_context", context_updates={"conversation_history": [message]})
    shown = answer.artifacts["chat_session"]["semantic_payload"]
    assert answer.idempotent_replay
    assert shown["version"] == 2
    assert shown["context"]["conversation_history"] == [{**message, "mood": "calm"}]
