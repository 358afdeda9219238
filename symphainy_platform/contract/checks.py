"""All rules between the parts of contracts, types and journeys, on one screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from symphainy_platform.contract.artifact_type import TypeFile
from symphainy_platform.contract.catalog import Catalog, Sourced
from symphainy_platform.contract.findings import Finding
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.rules import audit, completeness, cookies, effects, examples, journeys, parameters

CONTRACT_RULES: tuple[Callable[[Catalog, Sourced[Contract]], Iterator[Finding]], ...] = (
    parameters.patterns_compile,
    parameters.defaults_are_valid,
    parameters.default_sources_exist,
    parameters.limit_codes_are_declared,
    parameters.aliases_are_unique,
    parameters.errors_of_the_runtime_agree,
    parameters.key_components_exist,
    parameters.key_is_of_one_user,
    parameters.next_write_can_come,
    parameters.derivations_agree,
    effects.reads_are_of_parameters,
    effects.codes_of_reads_are_declared,
    effects.states_are_of_the_type,
    effects.writes_are_of_the_type,
    effects.writes_are_declared_once,
    effects.types_are_declared,
    effects.events_fit,
    effects.secrets_are_kept,
    effects.secret_answers_are_flat,
    effects.error_effects_are_possible,
    effects.answers_are_declared,
    effects.identity_is_proven,
    audit.audited_everywhere,
    cookies.cookies_carry_tokens,
    examples.contract_examples,
    journeys.journeys_exist,
    completeness.file_is_named_after_intent,
    completeness.handler_is_named_after_intent,
    completeness.ready_contract_is_complete,
    completeness.errors_have_messages,
    completeness.writes_have_a_key,
)
JOURNEY_RULES: tuple[Callable[[Catalog, Sourced[Journey]], Iterator[Finding]], ...] = (
    journeys.steps_exist,
    examples.journey_scenarios,
)
TYPE_RULES: tuple[Callable[[Catalog, Sourced[TypeFile]], Iterator[Finding]], ...] = (
    journeys.default_states_exist,
    journeys.sweeps_are_possible,
    journeys.states_are_reachable,
)


def check_catalog(catalog: Catalog) -> Iterator[Finding]:
    """Yield what is wrong between values that are each well-formed."""
    for contract in catalog.contracts.values():
        for contract_rule in CONTRACT_RULES:
            yield from contract_rule(catalog, contract)
    for journey in catalog.journeys.values():
        for journey_rule in JOURNEY_RULES:
            yield from journey_rule(catalog, journey)
    for type_file in catalog.types.values():
        for type_rule in TYPE_RULES:
            yield from type_rule(catalog, type_file)
