"""What a realm team writes: a service that decides, and the result that it returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from symphainy_platform.context import ExecutionContext
    from symphainy_platform.settings import Settings
    from symphainy_platform.state.artifact import Artifact


@dataclass(frozen=True, slots=True)
class ArtifactAnswer:
    """An artifact in an answer, with response fields that are not stored in it (`returns_only`)."""

    artifact: Artifact
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IntentResult:
    """What a service decided.

    `artifacts` maps result names to an artifact (registered, updated or read), an
    `ArtifactAnswer`, or a small plain payload that no artifact stands behind. `events` are
    mappings with a `type` and the payload that the contract declares.
    """

    artifacts: Mapping[str, Artifact | ArtifactAnswer | Mapping[str, Any]] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()


class IntentService(ABC):
    """The handler of one intent type. One instance serves all executions: keep no state in it.

    A service reads and stages through `ctx.state_surface`, takes time and ids from `ctx`, and
    raises `IntentError("CODE")` with a code that its contract declares. It may be run again
    for the same intent when another writer was faster, so it must not act on the world, nor
    change what is inside its parameters.
    """

    intent_type: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; called once at start."""
        self.settings = settings

    async def restore(self, ctx: ExecutionContext, params: Any, name: str, artifact: Artifact) -> Mapping[str, Any]:
        """Return the secret fields of the answer `name` again, which are stored nowhere.

        Asked for replays only, of services whose contract marks fields of `returns` as secret.
        `artifact` is the version that the answered execution produced; `params` are those of now.
        """
        raise NotImplementedError

    @abstractmethod
    async def execute(self, ctx: ExecutionContext, params: Any) -> IntentResult:
        """Decide. `params` has one attribute per parameter of the contract (None when absent)."""
