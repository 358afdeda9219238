"""Symphainy Platform: an intent-dispatch runtime whose contracts are executed.

The public API; everything else may change. Names are imported when they are first used, so
that `import symphainy_platform` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symphainy_platform.canonical import canonical_bytes, digest
    from symphainy_platform.context import Client, Clock, ExecutionContext, Identity, isoformat, moment
    from symphainy_platform.errors import (
        ContractError,
        IntentError,
        PluginError,
        RateLimited,
        SessionExpired,
        SessionTerminated,
        SettingsError,
        StartError,
        Unauthenticated,
    )
    from symphainy_platform.hookspecs import (
        IdentitySource,
        PlatformContext,
        Proof,
        ProofAttempt,
        Proven,
        Realm,
        hookimpl,
    )
    from symphainy_platform.identity.claims import NotAToken, token_type
    from symphainy_platform.identity.keyring import KeyRing
    from symphainy_platform.platform import Platform
    from symphainy_platform.resources import data_folder
    from symphainy_platform.runtime.execution import ExecutionResult
    from symphainy_platform.service import ArtifactAnswer, IntentResult, IntentService
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.artifact import Artifact, LogEntry, LogHead
    from symphainy_platform.state.log import ArtifactLog
    from symphainy_platform.state.surface import StateSurface
    from symphainy_platform.state.view import ArtifactView

_HOMES = {
    "Artifact": "state.artifact",
    "ArtifactAnswer": "service",
    "ArtifactLog": "state.log",
    "ArtifactView": "state.view",
    "Client": "context",
    "Clock": "context",
    "ContractError": "errors",
    "ExecutionContext": "context",
    "ExecutionResult": "runtime.execution",
    "Identity": "context",
    "IdentitySource": "hookspecs",
    "IntentError": "errors",
    "IntentResult": "service",
    "IntentService": "service",
    "KeyRing": "identity.keyring",
    "LogEntry": "state.artifact",
    "LogHead": "state.artifact",
    "NotAToken": "identity.claims",
    "Platform": "platform",
    "PlatformContext": "hookspecs",
    "PluginError": "errors",
    "Proof": "hookspecs",
    "ProofAttempt": "hookspecs",
    "Proven": "hookspecs",
    "RateLimited": "errors",
    "Realm": "hookspecs",
    "SessionExpired": "errors",
    "SessionTerminated": "errors",
    "Settings": "settings",
    "SettingsError": "errors",
    "StartError": "errors",
    "StateSurface": "state.surface",
    "Unauthenticated": "errors",
    "canonical_bytes": "canonical",
    "data_folder": "resources",
    "digest": "canonical",
    "hookimpl": "hookspecs",
    "isoformat": "context",
    "moment": "context",
    "token_type": "identity.claims",
}

__all__ = [
    "Artifact",
    "ArtifactAnswer",
    "ArtifactLog",
    "ArtifactView",
    "Client",
    "Clock",
    "ContractError",
    "ExecutionContext",
    "ExecutionResult",
    "Identity",
    "IdentitySource",
    "IntentError",
    "IntentResult",
    "IntentService",
    "KeyRing",
    "LogEntry",
    "LogHead",
    "NotAToken",
    "Platform",
    "PlatformContext",
    "PluginError",
    "Proof",
    "ProofAttempt",
    "Proven",
    "RateLimited",
    "Realm",
    "SessionExpired",
    "SessionTerminated",
    "Settings",
    "SettingsError",
    "StartError",
    "StateSurface",
    "Unauthenticated",
    "canonical_bytes",
    "data_folder",
    "digest",
    "hookimpl",
    "isoformat",
    "moment",
    "token_type",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names."""
    return list(__all__)
