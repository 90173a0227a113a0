"""The values in rules: names, amounts, numbers; and the class of every part."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from service.bodies import Body, Line

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
