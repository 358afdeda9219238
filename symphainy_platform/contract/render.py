"""Rendering: the familiar 10-section Markdown of an intent, and the document of a journey."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Any

import jinja2

from symphainy_platform.contract.catalog import Catalog
from symphainy_platform.contract.describe import describe
from symphainy_platform.contract.journey import Journey, JourneyStep
from symphainy_platform.contract.markdown import bullets, duration, flow, numbered, table
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.render_effects import (
    allowed_transitions,
    required_events,
    runtime_errors,
    written,
)
from symphainy_platform.contract.samples import sample_answer, sample_error
from symphainy_platform.contract.scenario import Scenario, Step
from symphainy_platform.contract.shape import Param, Shape

_STATUS = {
    "draft": "⏳ **DRAFT**",
    "ready": "✅ **READY** - executed and checked on every change",
    "deprecated": "⚠️ **DEPRECATED**",
}
_CALLERS = {
    "other_user": "another user of the tenant",
    "other_tenant": "a user of another tenant",
    "service": "a service",
    "anonymous": "nobody signed in",
}


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("symphainy_platform.contract"),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(()),  # Markdown, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"bullets": bullets, "numbered": numbered}
    return environment


def render_contract(contract: Contract, catalog: Catalog | None = None, source: str | None = None) -> str:
    """The 10-section document of one intent.

    `catalog` knows the titles of its journeys, `source` is the name of its file.
    """
    return (
        _templates()
        .get_template("intent.md.j2")
        .render(
            c=contract,
            source=source or f"the contract of {contract.intent}",
            status=_STATUS[contract.status],
            realm=f"{contract.realm.replace('_', ' ').title()} Solution",
            journeys=", ".join(_journey_name(catalog or Catalog(), name) for name in contract.journeys) or "None",
            flow=flow((box, ()) for box in contract.docs.flow or [f"{contract.intent} intent executes"]),
            **_parameters(contract),
            **_returns(contract),
            registration=list(_registration(contract)),
            writes=[written(write) for write in contract.effects.writes],
            key=_key(contract),
            scope=list(_scope(contract)),
            steps=_steps(contract),
            dependencies=_dependencies(contract),
            validation_errors=list(_validation_errors(contract)),
            runtime_errors=list(runtime_errors(contract)),
            **_scenarios(contract.examples),
            required_artifacts=[f"`{name}` - Required" for name in contract.returns],
            required_events=list(required_events(contract)),
            lifecycle=list(allowed_transitions(contract)),
        )
    )


def render_journey(journey: Journey, catalog: Catalog, source: str) -> str:
    """The document of one journey (seed 001)."""
    return (
        _templates()
        .get_template("journey.md.j2")
        .render(
            j=journey,
            source=source,
            status=_STATUS[journey.status],
            intents=[f"`{step.intent}` - {step.title}" for step in journey.steps],
            flow=_journey_flow(journey),
            observable="\n".join(_observable(number, step) for number, step in enumerate(journey.steps, start=1)),
            idempotency=_journey_idempotency(journey, catalog),
            completion=_completion(journey),
            **_scenarios(journey.scenarios),
        )
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _journey_name(catalog: Catalog, name: str) -> str:
    journey = catalog.journeys.get(name)
    return f"{journey.value.title} (`{name}`)" if journey else f"`{name}`"


def _parameters(contract: Contract) -> dict[str, str]:
    required = {name: param for name, param in contract.params.items() if param.required}
    optional = {name: param for name, param in contract.params.items() if not param.required}
    return {
        "required_parameters": table(
            ("Parameter", "Type", "Description", "Validation"),
            [(f"`{name}`", f"`{p.type}`", p.description or "-", _validation(p)) for name, p in required.items()],
        ),
        "optional_parameters": table(
            ("Parameter", "Type", "Description", "Validation", "Default"),
            [
                (f"`{name}`", f"`{p.type}`", p.description or "-", _validation(p), _default(p))
                for name, p in optional.items()
            ],
        ),
        "context": table(
            ("Metadata Key", "Type", "Description", "Source"),
            [(f"`{name}`", "`string`", contract.docs.context.get(name, "-"), "Runtime") for name in contract.context],
        ),
    }


def _validation(shape: Shape) -> str:
    """What is accepted, declared parts included."""
    parts = [describe(shape)]
    if shape.items is not None:
        parts.append(f"each {_validation(shape.items)}")
    if shape.properties:
        fields = (f"`{name}`{'' if s.required else '?'} ({_validation(s)})" for name, s in shape.properties.items())
        parts.append("with " + ", ".join(fields))
    if shape.secret:
        parts.append("secret: never logged, never stored in clear")
    if shape.cookie:
        parts.append("in cookie mode in the browser's cookie, not in the body")
    if isinstance(shape, Param) and shape.aliases:
        parts.append("also as " + ", ".join(f"`{alias}`" for alias in shape.aliases))
    return "; ".join(parts)


def _default(param: Param) -> str:
    if param.default_from:
        return f"the user's {param.default_from.replace('_', ' ')}"
    return f"`{json.dumps(param.default)}`" if param.has_default else "none"


def _returns(contract: Contract) -> dict[str, Any]:
    error = sample_error(contract)
    return {
        "success": _json(sample_answer(contract)),
        "answers": [(name, _answer_table(shapes)) for name, shapes in contract.returns.items()],
        "error": _json({key: error[key] for key in ("error", "error_code", "execution_id")}),
        "error_format": _json(error),
    }


def _answer_table(shapes: Mapping[str, Shape]) -> str:
    rows = [(f"`{n}`", f"`{s.type}`", "always" if s.required else "if any", _meaning(s)) for n, s in shapes.items()]
    return table(("Field", "Type", "Present", "Description"), rows)


def _meaning(shape: Shape) -> str:
    """What a field says, and what each of its items is made of."""
    items = shape.items.properties if shape.items else None
    parts = [shape.description or "-", f"Each with {', '.join(f'`{name}`' for name in items)}." if items else ""]
    return " ".join(part for part in parts if part)


def _registration(contract: Contract) -> Iterator[str]:
    declared = contract.docs.registration
    changed = {write.artifact for write in contract.effects.writes if write.artifact}
    types = changed or {read.artifact for read in contract.effects.reads}
    states = {write.lifecycle.to for write in contract.effects.writes if write.lifecycle}
    yield f"**Artifact ID:** {declared.artifact_id or 'None'}"
    yield "**Artifact Type:** " + (", ".join(f'`"{name}"`' for name in sorted(types)) or "None")
    yield "**Lifecycle State:** " + (", ".join(f'`"{state}"`' for state in sorted(states)) or "unchanged")
    yield f'**Produced By:** `{{ intent: "{contract.intent}", execution_id: "<execution_id>" }}`'
    yield f"**Semantic Descriptor:** {declared.semantic_descriptor or 'None'}"
    yield f"**Parent Artifacts:** {declared.parent_artifacts or 'None'}"
    yield f"**Materializations:** {declared.materializations or 'None'}"


def _key(contract: Contract) -> str:
    declared = contract.idempotency
    if declared.none is not None:
        return f"N/A ({declared.none})"
    parts = ["tenant_id", '"' + contract.intent + '"', str(contract.major)]
    parts += [name for name in declared.scope if name != "tenant_id"]
    return f"hash({' + '.join([*parts, *declared.key])})"


def _scope(contract: Contract) -> Iterator[str]:
    declared = contract.idempotency
    if declared.none is not None:
        yield "None: every call is executed"
        return
    yield "Per tenant, and per " + ", ".join(f"`{name}`" for name in declared.key)
    if declared.window:
        yield f"Window: {duration(declared.window)} from the first commit; replays do not extend it"
    if declared.until:
        yield "Holds until the next write: only while the version that it produced is the newest"
    if declared.ttl:
        yield f"Kept for {duration(declared.ttl)}"
    if declared.on_mismatch == "reject":
        yield "Same key, other parameters -> `IDEMPOTENCY_KEY_REUSED`"
    else:
        yield "Same key, other parameters -> the stored result"


def _steps(contract: Contract) -> str:
    lines = []
    for number, step in enumerate(contract.docs.implementation_steps, start=1):
        lines.append(f"{number}. **{step.title}**")
        lines += [f"   - {detail}" for detail in step.details]
    return "\n".join(lines) or "1. None"


def _dependencies(contract: Contract) -> str:
    declared = contract.docs.dependencies
    groups = {
        "Public Works": declared.public_works,
        "State Surface": declared.state_surface,
        "Runtime": declared.runtime,
    }
    lines = []
    for name, entries in groups.items():
        lines.append(f"- **{name}:**" if entries else f"- **{name}:** None")
        lines += [f"  - `{entry}` - {what}" for entry, what in entries.items()]
    return "\n".join(lines)


_RULES = (
    ("A required parameter is missing", "MISSING_PARAMETER"),
    ("A parameter that the contract does not have", "UNKNOWN_PARAMETER"),
    ("A parameter of the wrong type, null included", "INVALID_PARAMETER_TYPE"),
    ("A parameter outside what the contract allows", "INVALID_PARAMETER_VALUE"),
)


def _validation_errors(contract: Contract) -> Iterator[str]:
    for words, code in _RULES:
        yield f"{words} -> `{code}`"
    for name, param in contract.params.items():
        if param.max_bytes and param.too_large:
            yield f"`{name}` is over {param.max_bytes:,} bytes -> `{param.too_large}`"
        if param.max_depth and param.too_deep:
            yield f"`{name}` is nested beyond {param.max_depth} levels -> `{param.too_deep}`"


def _scenarios(scenarios: Mapping[str, Scenario]) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {"happy": [], "boundary": [], "failure": []}
    for name, scenario in scenarios.items():
        lines[scenario.kind].append(f"**{name}:** {_told(scenario)}")
    return lines


def _told(scenario: Scenario) -> str:
    outcomes = [_often(words, len(list(steps))) for words, steps in groupby(scenario.all_steps, _outcome)]
    callers = {step.caller for step in scenario.all_steps} - {"owner"}
    by = f" (submitted by {', '.join(_CALLERS[caller] for caller in sorted(callers))})" if callers else ""
    return f"{scenario.title or 'Executed'}{by} -> {', then '.join(outcomes)}"


def _often(words: str, times: int) -> str:
    return words if times == 1 else f"{words} ({times} times)"


def _outcome(step: Step) -> str:
    if step.error:
        return f'Returns `ERROR_CODE: "{step.error}"`'
    return "Replays the stored answer" if step.replay else "Succeeds"


def _journey_flow(journey: Journey) -> str:
    begins = [(journey.begins, ())] if journey.begins else []
    return flow([*begins, *((step.intent, step.flow) for step in journey.steps), ("Journey Complete", ())])


def _observable(number: int, step: JourneyStep) -> str:
    return "\n".join([f"- **Step {number} ({step.intent}):**", *(f"  - {line}" for line in step.observable)])


def _journey_idempotency(journey: Journey, catalog: Catalog) -> str:
    contracts: Iterable[Contract] = (found for intent in journey.intents if (found := catalog.newest(intent)))
    rows = [(f"`{c.intent}`", f"`{_key(c)}`", "; ".join(_scope(c)).replace("`", "")) for c in contracts]
    return table(("Intent", "Idempotency Key", "Scope"), rows)


def _completion(journey: Journey) -> str:
    rule = journey.completion
    word = " **OR**" if rule.any_of else " **AND**"
    titles = {step.intent: step.title for step in journey.steps}
    intents = rule.any_of or rule.all_of
    return "\n".join(
        f"* {titles[intent]} (`{intent}` succeeds){word if intent != intents[-1] else ''}" for intent in intents
    )
