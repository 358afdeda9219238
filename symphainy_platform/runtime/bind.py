"""Stage `bind`: defaults from state, and the artifacts that the contract reads, in one load."""

from __future__ import annotations

from collections.abc import Sequence

from symphainy_platform.contract.compile import CompiledContract
from symphainy_platform.contract.effects import ReadSpec
from symphainy_platform.contract.spec import PROOF
from symphainy_platform.errors import IntentError
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.pending import PendingWrites
from symphainy_platform.state.store import ArtifactById, NewestArtifact, Store
from symphainy_platform.state.surface import StateSurface

Place = tuple[str, str]
"""Tenant and artifact id."""


async def bind_defaults(execution: Execution, store: Store) -> None:
    """Fill parameters that were not sent from their declared source, e.g. the user's active session."""
    params, identity = execution.params, execution.identity
    sources = [
        (name, source) for name, source in execution.route.contract.default_sources.items() if params[name] is None
    ]
    if not sources:
        return
    reads = [
        NewestArtifact(identity.tenant_id, identity.user_id, source.artifact_type, source.states)
        for _, source in sources
    ]
    for (name, _), found in zip(sources, await store.load(reads), strict=True):
        if found is not None:
            params = params.with_value(name, found.artifact_id)
            if not execution.route.contract.has_writes:
                execution.bound[found.artifact_id] = found
    execution.params = params


def artifact_reads(execution: Execution) -> list[ArtifactById]:
    """The reads of declared artifacts that are not in memory yet."""
    tenant_id = execution.identity.tenant_id
    return [
        ArtifactById(tenant_id, artifact_id)
        for read in execution.route.contract.reads
        if (artifact_id := execution.value(read.id)) is not None and artifact_id not in execution.bound
    ]


def bind_in_flight(
    execution: Execution, pending: PendingWrites, surface: StateSurface, places: Sequence[Place]
) -> None:
    """Take the heads that writers before us have handed over but that may not be durable yet."""
    for place in places:
        if (found := pending.head(*place)) is not None:
            artifact, outcome = found
            execution.bound[artifact.artifact_id] = artifact
            surface.keep(artifact)
            surface.waits_for.append(outcome)


def keep(execution: Execution, surface: StateSurface, loaded: Sequence[Artifact | None]) -> None:
    """Remember loaded artifacts for the checks below and for the service."""
    for artifact in loaded:
        if artifact is not None:
            execution.bound[artifact.artifact_id] = artifact
            surface.keep(artifact)


def check_owned(execution: Execution) -> None:
    """Absent or foreign: the code that the contract declares for it, the same for both."""
    contract = execution.route.contract
    for read in contract.reads:
        artifact_id = execution.value(read.id)
        if artifact_id is None:
            if read.unnamed != "allow":
                raise _declared(contract, read.absent)
        elif not _may_see(execution, read, execution.bound.get(artifact_id)):
            raise _declared(contract, read.absent, **_told_of(read))


def _may_see(execution: Execution, read: ReadSpec, found: Artifact | None) -> bool:
    """An own artifact of the declared type; an intent of services works on the whole tenant."""
    if found is None or found.artifact_type != read.artifact:
        return False
    return execution.route.contract.of_services or found.user_id == execution.identity.user_id


def check_states(execution: Execution) -> None:
    """In a wrong state: the declared code. After `replay`: an intent that ends a state answers its duplicates."""
    contract = execution.route.contract
    for read in contract.reads:
        found = execution.bound.get(execution.value(read.id))
        if found is not None and read.must_be and found.lifecycle_state not in read.must_be:
            code = read.wrong_state or read.absent
            raise _declared(contract, code, **_told_of(read, lifecycle_state=found.lifecycle_state))


def _told_of(read: ReadSpec, **details: str) -> dict[str, str]:
    """What callers are told of a read: nothing, when a proof has named the artifact and not they."""
    return {} if read.id.startswith(PROOF) else {"parameter": read.id, **details}


def _declared(contract: CompiledContract, code: str, **details: str) -> IntentError:
    error = IntentError(code, details=details)
    contract.complete(error)
    return error


def queued_artifacts(execution: Execution) -> list[Place]:
    """The bound artifacts that this intent may write: its writers queue for them, in this order."""
    contract = execution.route.contract
    if not contract.updated_types:
        return []
    written = {execution.value(read.id) for read in contract.reads if read.artifact in contract.updated_types}
    return sorted((execution.identity.tenant_id, artifact_id) for artifact_id in written if artifact_id)
