"""The values in rules: names, amounts, numbers; and the class of every part."""

from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from service.bodies import Body, Line, without_null

_LINE = r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^\s\u0000-\u001f\u007f-\u009f])?$"


def whole(value: Any) -> Any:
    """Return a number without a fraction as an integer: JSON does not tell 2 from 2.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def distinct_values(values: list[Any]) -> list[Any]:
    """Refuse a list in which an entry is repeated."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "Expected each entry once")
    return values


Name = Annotated[Line, Field(json_schema_extra={"pattern": _LINE})]
Names = Annotated[
    list[Name],
    Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}),
    AfterValidator(distinct_values),
]
Amount = Annotated[int, Field(ge=1, le=1_000_000), BeforeValidator(whole)]
"""A whole number of one or more; 3.0 is accepted too, because in JSON it is the same number."""
Most = Annotated[int, Field(ge=0, le=1_000_000), BeforeValidator(whole)]
"""A whole number, zero or more, for "at most this"."""


Number = Annotated[float, Field(allow_inf_nan=False)]


def either(one: str, other: str) -> dict[str, Any]:
    """Return the part of a schema that asks for one of two members, or both.

    Generators of clients take an `anyOf` beside `properties` for a choice of types that nothing is known about.
    """
    given, then = ({"properties": {name: {}}, "required": [name]} for name in (one, other))
    return {"if": {"not": given}, "then": then}


class Part(Body):
    """A part of a definition.

    Unknown members are refused, and so is null: a member is given or left out.
    """

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("null", "Expected a value, or the member left out")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe no member as null."""
        return without_null(schema, handler)


class Borne(NamedTuple):
    """Marks a parameter whose values are names of something that evidence, sessions or members bear.

    `what` is the thing: tag, series, role, and so on.
    """

    what: str


class Mention(NamedTuple):
    """A name that a definition uses, and where."""

    what: str
    name: str
    pointer: str


def mentions(part: Part, place: str = "") -> Iterator[Mention]:
    """Yield the names that a part of a definition uses; criteria of a rubric that are "*" are no names."""
    for name, field in type(part).model_fields.items():
        value, here = getattr(part, name), f"{place}/{name}"
        if isinstance(value, Part):
            yield from mentions(value, here)
        for mark in field.metadata:
            if isinstance(mark, Borne) and isinstance(value, list):
                yield from (Mention(mark.what, each, f"{here}/{n}") for n, each in enumerate(value))
            elif isinstance(mark, Borne) and value not in (None, "*"):
                yield Mention(mark.what, value, here)
