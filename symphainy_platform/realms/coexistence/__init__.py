"""The coexistence realm: one chat session whose context all agents of a user share (seed 001)."""

from __future__ import annotations

from symphainy_platform import Realm, data_folder, hookimpl


@hookimpl
def symphainy_realms() -> list[Realm]:
    """Bring the chat intents; their contracts name their services."""
    return [Realm("coexistence", data_folder("contracts"))]
