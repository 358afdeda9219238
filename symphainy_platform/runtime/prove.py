"""Stage `prove`, of public intents: tenant and user come from what the parameters prove, before anything is bound."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from symphainy_platform.contract.roles import Roles
from symphainy_platform.errors import ContractViolation, HandlerError, IntentError
from symphainy_platform.faults import frames
from symphainy_platform.hookspecs import Proof, ProofAttempt, Proven
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.runtime.identify import admit
from symphainy_platform.runtime.invoke import check_declared

log = structlog.get_logger(__name__)


async def prove(execution: Execution, proofs: Mapping[str, Proof], roles: Roles) -> None:
    """Let the contract's proof say on whose behalf a public intent runs; nothing to do for others."""
    contract, request = execution.route.contract, execution.request
    if not contract.is_public:
        return
    attempt = ProofAttempt(
        intent_type=contract.intent_type,
        execution_id=execution.execution_id,
        params=execution.params.values,
        bearer=request.bearer,
        identity=request.identity,
        client=request.client,
        now=execution.started_at,
    )
    proven = await _proven(execution, proofs[contract.proof or ""], attempt)
    execution.identity = admit(contract, proven.identity, roles)
    execution.facts = proven.facts
    execution.mark("prove")


async def _proven(execution: Execution, proof: Proof, attempt: ProofAttempt) -> Proven:
    try:
        proven = await proof.prove(attempt)
    except IntentError as error:
        check_declared(execution.route.contract, error)
        raise
    except Exception as error:  # the plugin boundary: a proof may raise anything
        log.error(  # noqa: TRY400 - a traceback may show parameters
            "proof_failed", execution_id=execution.execution_id, error_type=type(error).__name__, at=frames(error)
        )
        raise HandlerError from error
    if not isinstance(proven, Proven) or proof.facts - proven.facts.keys():
        raise ContractViolation("The proof did not return all that it promises.")
    return proven
