"""What schemathesis does not know of this service by itself: lines of JSON, and which refusals a schema foresees."""

import json
import os
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response, SerializationContext
from schemathesis.transport.serialization import Binary

SHAPES = set(os.environ["CODES_OF_SHAPES"].split()) - {"int-type"}
"""The codes of what a schema says: types, forms and bounds. To a schema 5.0 is an integer; to the service it is not."""


@schemathesis.serializer("application/x-ndjson")
def lines(_context: SerializationContext, value: Any) -> bytes:
    """Return a body of lines as it is sent."""
    if isinstance(value, Binary):
        return value.data
    return (value if isinstance(value, str) else json.dumps(value)).encode()


@schemathesis.check
def shape_as_described(_context: CheckContext, response: Response, case: Case[Any]) -> None:
    """Refuse no shape that the description allows: a well-formed request may be refused only for what it means."""
    if case.meta and case.meta.generation.mode.is_positive and response.status_code == 422:
        problem = response.json()
        found = {problem["code"], *(each["code"] for each in problem.get("errors", ()))} & SHAPES
        assert not found, f"the description allows what is refused: {', '.join(sorted(found))}"
