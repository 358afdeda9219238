"""`demo`: the journeys of a session and of a chat session as a story, on a temporary store.

Every chapter checks what it tells: a platform that does not keep its promises fails the demo.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from symphainy_platform.cli.demo_sign_in import SignInDemo
from symphainy_platform.cli.output import print_json
from symphainy_platform.context import Identity
from symphainy_platform.errors import IntentError
from symphainy_platform.observability import configure_logs
from symphainy_platform.platform import Platform
from symphainy_platform.settings import Settings
from symphainy_platform.state.store import EventFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symphainy_platform.runtime.execution import ExecutionResult

_ANN = Identity(tenant_id="acme", user_id="ann")
_EVE = Identity(tenant_id="elsewhere", user_id="eve")
_BASE = [
    {"id": "m1", "role": "user", "content": "Where do we start?"},
    {"id": "m2", "role": "agent", "content": "With what you have."},
]


@dataclass(slots=True)
class _Story:
    """What was told so far; `kept` turns False with the first promise that was broken."""

    silent: bool
    chapters: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        return all(chapter["ok"] for chapter in self.chapters)

    def tell(self, title: str, text: str, *, ok: bool) -> None:
        self.chapters.append({"chapter": title, "text": text, "ok": ok})
        if not self.silent:
            mark = typer.style("✓" if ok else "✗", fg="green" if ok else "red", bold=True)
            typer.echo(f"{mark} {typer.style(f'{title:<24}', bold=True)} {text}")


async def tell(*, as_json: bool) -> bool:
    """Tell the story; returns whether every promise was kept."""
    story = _Story(silent=as_json)
    with tempfile.TemporaryDirectory(prefix="symphainy-demo-") as folder:
        settings = Settings(
            home=Path(folder), store=f"sqlite:///{folder}/platform.db", log_level="error", log_format="auto"
        )
        configure_logs(settings)
        async with Platform.open(settings) as platform:
            await SignInDemo(platform, story).run()
            await _Demo(platform, story).run()
    if as_json:
        print_json({"ok": story.kept, "chapters": story.chapters})
    return story.kept


class _Demo:
    """The chapters, in order."""

    def __init__(self, platform: Platform, story: _Story) -> None:
        self._platform = platform
        self._story = story
        self._session = ""

    async def run(self) -> None:
        await self._created_and_replayed()
        await self._merged()
        await self._two_tabs()
        await self._there_and_back()
        await self._stale_version()
        await self._foreign_tenant()
        await self._events()

    async def _created_and_replayed(self) -> None:
        first = await self._submit("initialize_chat_session", {})
        again = await self._submit("initialize_chat_session", {})
        self._session = _payload(first)["chat_session_id"]
        self._story.tell("created", f"Ann has the chat session {self._session}", ok=_payload(first)["version"] == 1)
        self._story.tell(
            "replayed",
            f"A second click is the same execution, {again.execution_id}",
            ok=again.idempotent_replay and again.execution_id == first.execution_id,
        )

    async def _merged(self) -> None:
        await self._update({"shared_intent": "migrate", "pillar_context": {"content": {"files": 3}}})
        after = await self._update({"pillar_context": {"content": {"mapped": True}}, "conversation_history": _BASE})
        context = _payload(after)["context"]
        expected = {"content": {"files": 3, "mapped": True}}
        self._story.tell(
            "merged",
            f"Two agents wrote into one context: {expected}",
            ok=context["pillar_context"] == expected and context["shared_intent"] == "migrate",
        )

    async def _two_tabs(self) -> None:
        left = {"id": "m3", "role": "user", "content": "From the left tab."}
        right = {"id": "m4", "role": "user", "content": "From the right tab."}
        await self._update({"conversation_history": [*_BASE, left]})
        after = await self._update({"conversation_history": [*_BASE, right]})
        ids = [message["id"] for message in _payload(after)["context"]["conversation_history"]]
        self._story.tell(
            "two tabs united",
            f"Both sent the whole history they knew; it holds {', '.join(ids)}",
            ok=ids == ["m1", "m2", "m3", "m4"],
        )

    async def _there_and_back(self) -> None:
        before = _payload(await self._read())["version"]
        for intent in ("compare", "migrate", "compare"):
            after = await self._update({"shared_intent": intent})
        version = _payload(after)["version"]
        self._story.tell(
            "A→B→A",
            f"Setting the first value again is no replay: versions {before + 1} to {version}",
            ok=version == before + 3 and _payload(after)["context"]["shared_intent"] == "compare",
        )

    async def _stale_version(self) -> None:
        refused = await self._refused(_ANN, {"context_updates": {"shared_intent": "late"}, "expected_version": 1})
        self._story.tell(
            "stale version refused", f"Version 1 is long gone: {refused}", ok=refused == "VERSION_CONFLICT"
        )

    async def _foreign_tenant(self) -> None:
        refused = await self._refused(_EVE, {"context_updates": {}, "chat_session_id": self._session})
        self._story.tell(
            "foreign tenant refused", f"To Eve the session does not exist: {refused}", ok=refused == "SESSION_NOT_FOUND"
        )

    async def _events(self) -> None:
        """Say what subscribers saw: one event for each change, none for replays, reads and refusals."""
        page = await self._platform.store.events_after("0", EventFilter(tenant_id=_ANN.tenant_id, user_id=_ANN.user_id))
        version = _payload(await self._read())["version"]
        self._story.tell(
            "events", f"Subscribers saw {len(page.events)}: one for each version", ok=len(page.events) == version
        )

    async def _submit(self, intent: str, parameters: Mapping[str, Any]) -> ExecutionResult:
        return await self._platform.submit_intent(intent, parameters, identity=_ANN)

    async def _read(self) -> ExecutionResult:
        return await self._submit("get_chat_session", {"history_limit": 0})

    async def _update(self, updates: Mapping[str, Any]) -> ExecutionResult:
        return await self._submit("update_chat_context", {"context_updates": updates})

    async def _refused(self, identity: Identity, parameters: Mapping[str, Any]) -> str:
        try:
            await self._platform.submit_intent("update_chat_context", parameters, identity=identity)
        except IntentError as error:
            return error.code
        return "accepted"


def _payload(result: ExecutionResult) -> Any:
    return result.artifacts["chat_session"]["semantic_payload"]
