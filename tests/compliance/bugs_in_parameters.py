"""Wrong validation: each counts, compares or completes something else than the contract says."""

import orjson
from planting import shows_in
from pydantic_core import PydanticCustomError, core_schema

from symphainy_platform.contract import parameters, validators
from symphainy_platform.contract.parameters import Parameters


def checked(schema, holds):
    def check(value):
        if not holds(value):
            raise PydanticCustomError("outside_contract", "outside the contract")
        return value

    return core_schema.no_info_after_validator_function(check, schema)


@shows_in("update_chat_context")
def characters_for_bytes(patch):
    """max_bytes counts characters"""

    def size_check(shape, settings):
        limit = settings.get(shape.max_bytes_setting or "", shape.max_bytes or 0)

        def check(value):
            if len(orjson.dumps(value).decode()) > limit:
                raise PydanticCustomError("too_large", "too large", {"code": shape.too_large, "limit": ""})
            return value

        return check if limit else None

    patch.setattr(validators, "_size_check", size_check)


@shows_in("open_account")
def bytes_for_characters(patch):
    """max_length counts bytes"""
    real = validators._string

    def string(shape, settings):
        if shape.max_length is None:
            return real(shape, settings)
        unlimited = real(shape.model_copy(update={"max_length": None}), settings)
        return checked(unlimited, lambda text: len(text.encode()) <= shape.max_length)

    patch.setitem(validators._BUILDERS, "string", string)


@shows_in("update_chat_context")
def arrays_have_no_depth(patch):
    """max_depth counts objects alone"""

    def depth(value):
        return 1 + max(map(depth, value.values()), default=0) if isinstance(value, dict) else 0

    patch.setattr(validators, "nested_deeper_than", lambda value, limit: depth(value) > limit)


@shows_in("update_chat_context")
def enum_in_any_case(patch):
    """an enumeration is compared without regard to case"""
    real = validators.shape_schema

    def schema(shape, settings):
        if shape.enum is None or shape.type != "string":
            return real(shape, settings)
        free = real(shape.model_copy(update={"enum": None}), settings)
        return checked(free, lambda text: text.lower() in {value.lower() for value in shape.enum})

    patch.setattr(validators, "shape_schema", schema)


@shows_in("open_account")
def formats_only_outside(patch):
    """an email or a date inside an object is any text"""

    def properties(shape, settings):
        if shape.properties is None:
            return core_schema.is_instance_schema(dict)
        lenient = {name: inner.model_copy(update={"type": "string"}) for name, inner in shape.properties.items()}
        return validators._object(lenient, settings, additional=shape.additional)

    patch.setitem(validators._BUILDERS, "object", properties)


@shows_in("open_account")
def null_inside(patch):
    """null is taken for any field of an object"""

    def properties(shape, settings):
        if shape.properties is None:
            return core_schema.is_instance_schema(dict)
        lenient = {name: inner.model_copy(update={"nullable": True}) for name, inner in shape.properties.items()}
        return validators._object(lenient, settings, additional=shape.additional)

    patch.setitem(validators._BUILDERS, "object", properties)


@shows_in("open_account")
def default_forgotten(patch):
    """a parameter that is not sent has no value, whatever its default"""
    patch.setattr(parameters, "param_default", lambda _: None)


@shows_in("open_account")
def alias_forgotten(patch):
    """a parameter under its earlier name is accepted and dropped"""

    def current_names(self, sent):
        return {name: value for name, value in sent.items() if name not in self._aliases}

    patch.setattr(Parameters, "current_names", current_names)
