"""A chat history in memory: what ChatHistory needs of the State Surface, without a store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace

from symphainy_platform.realms.coexistence.chat_history import DIGESTS, HISTORY, ChatHistory
from symphainy_platform.realms.coexistence.messages import presented
from symphainy_platform.state.artifact import LogEntry, LogHead


@dataclass
class MemoryLog:
    entries: list[LogEntry] = field(default_factory=list)
    generation: int = 1
    rows_read: int = 0

    @property
    def head(self):
        return LogHead(generation=self.generation, count=len(self.entries))

    async def read(self, first, last):
        self.rows_read += max(0, min(last, len(self.entries)) - first + 1)
        return self.entries[first - 1 : last]

    async def find(self, keys):
        self.rows_read += len(keys)
        return {entry.key: entry for entry in self.entries if entry.key in set(keys)}

    def append(self, entries):
        for key, body in entries:
            assert all(entry.key != key for entry in self.entries), f"the key {key} is taken"
            self.entries.append(LogEntry(len(self.entries) + 1, key, body))

    def revise(self, entry, body):
        assert self.entries[entry.seq - 1].key == entry.key
        self.entries[entry.seq - 1] = entry._replace(body=body, revision=entry.revision + 1)

    def restart(self):
        self.entries = []
        self.generation += 1


class MemoryChat:
    """One session's history; `calls` counts what was sent off the event loop."""

    def __init__(self):
        self.logs = {HISTORY: MemoryLog(), DIGESTS: MemoryLog()}
        self.calls = Counter()

    def merge(self, incoming):
        return self._do("merged", incoming)

    def replace(self, incoming):
        return self._do("replaced", incoming)

    def log(self, _, name):
        return self.logs[name]

    async def run_blocking(self, work, *args, **kwargs):
        self.calls[work.__name__] += 1
        return work(*args, **kwargs)

    @property
    def entries(self):
        return self.logs[HISTORY].entries

    @property
    def stored(self):
        return [entry.body for entry in self.entries]

    @property
    def shown(self):
        return [presented(entry) for entry in self.entries]

    @property
    def texts(self):
        return [entry.body["content"] for entry in self.entries]

    def _do(self, verb, incoming):
        ctx = SimpleNamespace(state_surface=self, run_blocking=self.run_blocking)
        history = ChatHistory(ctx, None)
        update = finished(getattr(history, verb)(incoming))
        history.stage(update)
        return update


def finished(coroutine):
    """The result of a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    message = "the coroutine waited"
    raise AssertionError(message)
