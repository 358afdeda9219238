"""JSON Schema (2020-12): of the contract formats for editors, of one intent for clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symphainy_platform.contract.artifact_type import TypeFile
from symphainy_platform.contract.journey import Journey
from symphainy_platform.contract.model import Contract
from symphainy_platform.contract.roles import Roles
from symphainy_platform.contract.shape import Param, Shape
from symphainy_platform.contract.spec import Spec
from symphainy_platform.contract.validators import UUID_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

FORMATS: Mapping[str, type[Spec]] = {
    "intent": Contract,
    "type": TypeFile,
    "journey": Journey,
    "roles": Roles,
}
"""Name of the schema file (`<name>.schema.json`) → what it describes."""

_SHAPES = {"#/$defs/Shape", "#/$defs/Param"}
_BASIC: Mapping[str, Schema] = {
    "string": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid", "pattern": UUID_PATTERN},
    "email": {"type": "string", "format": "email"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "any": {},
}
_LIMITS = {
    "description": "description",
    "pattern": "pattern",
    "min": "minimum",
    "max": "maximum",
    "above": "exclusiveMinimum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "max_bytes": "x-max-bytes",
    "max_depth": "x-max-depth",
}


def format_schema(name: str) -> Schema:
    """The schema of one contract format, which gives editors completion; KeyError for another name."""
    model = FORMATS[name]
    schema = model.model_json_schema(by_alias=True)
    for definition in ("Shape", "Param"):
        if definition in schema.get("$defs", {}):
            _accept_reference(schema["$defs"][definition])
    _accept_references_in_maps(schema)
    return {"$schema": DIALECT, "title": f"Symphainy {name} file", **schema}


def _accept_reference(shape: Schema) -> None:
    """A shape is written out, or refers to one of a type file."""
    shape["properties"]["$ref"] = {"type": "string", "description": "A shape of a type file: <file>.<shape>."}
    required = shape.pop("required")
    shape["anyOf"] = [{"required": required}, {"required": ["$ref"]}]


def _accept_references_in_maps(node: Any) -> None:
    """A map of shapes may begin with a `$ref` to such a map."""
    for child in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        _accept_references_in_maps(child)
    if isinstance(node, dict) and any(_SHAPES & _targets(node.get(key)) for key in _MAPS):
        node["properties"] = {"$ref": {"type": "string"}}
        node["additionalProperties"] = False
        node.pop("propertyNames", None)


_MAPS = ("additionalProperties", "patternProperties")


def _targets(schema: Any) -> set[str]:
    """What a map's values refer to."""
    if not isinstance(schema, dict):
        return set()
    return {str(item["$ref"]) for item in (schema, *schema.values()) if isinstance(item, dict) and "$ref" in item}


def shape_schema(shape: Shape) -> Schema:
    """The JSON Schema of one shape."""
    schema = {**_BASIC[shape.type]}
    for field, keyword in _LIMITS.items():
        if getattr(shape, field) is not None:
            schema[keyword] = getattr(shape, field)
    if shape.enum is not None:
        schema["enum"] = list(shape.enum)
    if shape.items is not None:
        schema["items"] = shape_schema(shape.items)
    if shape.properties is not None:
        schema |= object_schema(shape.properties, additional=shape.additional)
    if shape.secret:
        schema["x-secret"] = True
        if shape.type == "string":
            schema["format"] = "password"
    if shape.example is not None:
        schema["examples"] = [shape.example]
    return _nullable(schema) if shape.nullable else schema


def _nullable(schema: Schema) -> Schema:
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    return schema


def object_schema(
    shapes: Mapping[str, Shape], *, additional: bool = False, schema_of: Callable[[Any], Schema] = shape_schema
) -> Schema:
    """The JSON Schema of an object with these fields."""
    required = [name for name, shape in shapes.items() if shape.required]
    return {
        "type": "object",
        "properties": {name: schema_of(shape) for name, shape in shapes.items()},
        "additionalProperties": additional,
        **({"required": required} if required else {}),
    }


def _param_schema(param: Param) -> Schema:
    schema = _one_way(shape_schema(param), "writeOnly")
    if param.has_default:
        schema["default"] = param.default
    return schema


def _answer_schema(shape: Shape) -> Schema:
    return _one_way(shape_schema(shape), "readOnly")


def _one_way(schema: Schema, keyword: str) -> Schema:
    """Mark what is secret in it: it is sent, or answered, and never shown again."""
    if schema.get("x-secret"):
        schema[keyword] = True
    for inner in (schema.get("items"), *schema.get("properties", {}).values()):
        if isinstance(inner, dict):
            _one_way(inner, keyword)
    return schema


def parameters_schema(contract: Contract) -> Schema:
    """The JSON Schema of an intent's parameters (also what an MCP tool takes)."""
    return object_schema(contract.params, schema_of=_param_schema)


def artifacts_schema(contract: Contract) -> Schema:
    """The JSON Schema of `artifacts` in the answer of an intent."""
    return {
        "type": "object",
        "properties": {name: _artifact(shapes) for name, shapes in contract.returns.items()},
        "required": sorted(contract.returns),
        "additionalProperties": False,
    }


def _artifact(shapes: Mapping[str, Shape]) -> Schema:
    properties = {
        "result_type": {"const": "artifact"},
        "semantic_payload": object_schema(shapes, schema_of=_answer_schema),
        "renderings": {"type": "object"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def event_schemas(contract: Contract) -> list[Schema]:
    """The JSON Schemas of the events of an intent's answer."""
    schemas = []
    for event in contract.effects.events:
        schema = object_schema(event.payload)
        schema["properties"] = {"type": {"const": event.type}, **schema["properties"]}
        schema["required"] = ["type", *schema.get("required", [])]
        schemas.append(schema)
    return schemas
