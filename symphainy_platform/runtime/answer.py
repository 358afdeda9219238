"""From what was decided or stored to what a caller sees: artifacts are shown at their version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog

from symphainy_platform.errors import HandlerError, IntentError, NotFound
from symphainy_platform.faults import frames
from symphainy_platform.runtime.execution import Execution, ExecutionResult
from symphainy_platform.service import ArtifactAnswer, IntentResult
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.records import ExecutionRecord, ExecutionStatus, LogWrite
from symphainy_platform.state.store import ArtifactById, Store, load_one
from symphainy_platform.state.view import ArtifactView, Presenter

Restore = Callable[[str, Artifact], Awaitable[Mapping[str, Any]]]
"""Makes the secret fields of one named artifact of an answer again."""

log = structlog.get_logger(__name__)


class Answers:
    """Shows artifacts through the presenter of their type, the same for first answers and replays."""

    def __init__(self, store: Store, presenter_of: Callable[[str], Presenter]) -> None:
        """Read versions and logs from `store`."""
        self._store = store
        self._presenter_of = presenter_of

    async def show(
        self, artifact: Artifact, options: Mapping[str, Any], written: Sequence[LogWrite] = ()
    ) -> dict[str, Any]:
        """The semantic payload of one version; `options` only shape it (`view: true`)."""
        presenter = self._presenter_of(artifact.artifact_type)
        try:
            return dict(await presenter(ArtifactView(artifact, self._store, options, written)))
        except IntentError:
            raise
        except Exception as error:  # the plugin boundary: a presenter may raise anything
            log.error(  # noqa: TRY400 - a traceback may show parameters
                "presenter_failed",
                artifact_type=artifact.artifact_type,
                error_type=type(error).__name__,
                at=frames(error),
            )
            raise HandlerError("The artifact cannot be shown; what was committed stands.") from error

    async def first(self, execution: Execution, result: IntentResult) -> ExecutionResult:
        """The answer of the execution that just decided it."""
        return ExecutionResult(
            execution_id=execution.execution_id,
            intent_type=execution.route.contract.intent_type,
            artifacts={name: _entry(await self._shown(answer, execution)) for name, answer in result.artifacts.items()},
            events=[dict(event) for event in result.events],
        )

    async def replay(
        self,
        record: ExecutionRecord,
        options: Mapping[str, Any],
        *,
        replayed: bool = True,
        restore: Restore | None = None,
    ) -> ExecutionResult:
        """The stored answer, with the original execution_id; a stored failure is raised again.

        Secret fields are in no record: they come from `restore`, or are left out.
        """
        if record.status is ExecutionStatus.FAILED:
            raise stored_failure(record)
        answer = record.answer
        stored = answer.artifacts if answer else {}
        artifacts = {
            name: _entry(await self._stored(record, name, item, options, restore)) for name, item in stored.items()
        }
        return ExecutionResult(
            execution_id=(answer.answered_by if answer else None) or record.execution_id,
            intent_type=record.intent_type,
            artifacts=artifacts,
            events=[dict(event) for event in (answer.events if answer else ())],
            idempotent_replay=replayed,
        )

    async def _shown(
        self, answer: Artifact | ArtifactAnswer | Mapping[str, Any], execution: Execution
    ) -> dict[str, Any]:
        options, written = execution.params.view_options, execution.written.entries if execution.written else ()
        if isinstance(answer, Artifact):
            return await self.show(answer, options, written)
        if isinstance(answer, ArtifactAnswer):
            return {**await self.show(answer.artifact, options, written), **answer.extra}
        return dict(answer)

    async def _stored(
        self,
        record: ExecutionRecord,
        name: str,
        item: Mapping[str, Any],
        options: Mapping[str, Any],
        restore: Restore | None,
    ) -> dict[str, Any]:
        if "inline" in item:
            return dict(item["inline"])
        artifact_id, version = item["ref"]
        artifact = await load_one(self._store, ArtifactById(record.tenant_id, artifact_id, version))
        if artifact is None:
            raise NotFound("The version that this execution produced is no longer retained.")
        restored = await restore(name, artifact) if restore else {}
        return {**await self.show(artifact, options), **item.get("extra", {}), **restored}


def stored_failure(record: ExecutionRecord) -> IntentError:
    """The recorded failure as it was raised."""
    stored = record.error or {}
    error = IntentError(
        stored.get("code"),
        stored.get("message"),
        kind=stored.get("kind"),
        retryable=stored.get("retryable"),
        details=stored.get("details"),
    )
    error.legacy_code = stored.get("legacy_code")
    error.execution_id = record.execution_id
    error.intent_type = record.intent_type
    error.trace_id = record.trace_id
    return error


def _entry(payload: dict[str, Any]) -> dict[str, Any]:
    return {"result_type": "artifact", "semantic_payload": payload, "renderings": {}}
