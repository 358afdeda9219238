"""Stage `prove`, of public intents: tenant and user come from what the parameters prove, before anything is bound."""

from __future__ import annotations

from collections.abc import Mapping

from symphainy_platform.contract.roles import Roles
from symphainy_platform.errors import ContractViolation
from symphainy_platform.hookspecs import Proof, ProofAttempt, Proven
from symphainy_platform.runtime.boundary import Boundary
from symphainy_platform.runtime.execution import Execution
from symphainy_platform.runtime.identify import admit


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
    with Boundary(execution, "proof_failed"):
        proven = await proof.prove(attempt)
    if not isinstance(proven, Proven) or proof.facts - proven.facts.keys():
        raise ContractViolation("The proof did not return all that it promises.")
    return proven
