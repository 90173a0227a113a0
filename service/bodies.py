"""The strict base class of request bodies, and the types that several share."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from credentials.instants import read_instant, write_instant
from service.errors import InvalidError
from service.faults import found_faults

ShapeT = TypeVar("ShapeT")

# An address becomes an IRI in a signed document: what N-Quads IRIREF forbids must not get in.
_WEB_URL = re.compile(r'https?://[^\x00-\x20<>"{}|\\^`\x7f]+', re.IGNORECASE)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LABEL = r"[^\W_](?:[^\W_]|-){0,62}"
_EMAIL = re.compile(rf"""[^\s@<>()\[\]\\,:;"\x00-\x1f\x7f]{{1,64}}@(?:{_LABEL}\.)+{_LABEL}""")
_DID = re.compile(r"did:[a-z0-9]+:(?:(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+")


class Body(BaseModel):
    """A request body: unknown members are refused, and no value is converted.

    U+0000 is refused in every text, because PostgreSQL cannot store it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _keepable(cls, value: Any) -> Any:
        if _holds_nul(value):
            raise PydanticCustomError("text-nul", "Expected text without the character U+0000")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe what an answer repeats of a body without null: answers leave out what has no value."""
        return without_null(schema, handler) if handler.mode == "serialization" else handler(schema)


def without_null(schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
    """Return the JSON Schema of a model whose members are given or left out, and never null."""
    made = handler(schema)
    shape = handler.resolve_ref_schema(made)
    for name, member in shape.get("properties", {}).items():
        kinds = [kind for kind in member.get("anyOf", []) if kind != {"type": "null"}]
        if len(kinds) < len(member.get("anyOf", [])):
            del member["anyOf"]
            member.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})
            shape["required"] = [each for each in shape.get("required", []) if each != name]
            if member.get("default", ...) is None:
                del member["default"]
    if not shape.get("required", True):
        del shape["required"]
    return made


def one_of(names: Iterable[str]) -> Any:
    """Describe a text as one of some names, where other code than its own class knows which these are."""
    return Field(json_schema_extra={"enum": list(names)})


def under(ref: str, body: Body) -> dict[str, Any]:
    """Return the members of a body that are given, with the `ref` of the path.

    Raises:
        InvalidError: the body has another one (code "ref-differs").
    """
    given = body.model_dump(exclude_unset=True)
    if given.get("ref") not in {None, ref}:
        raise InvalidError("ref-differs", "Expected the ref of the path, or none.", "/ref")
    return given | {"ref": ref}


def merged(target: Any, patch: Any) -> Any:
    """Return what a JSON Merge Patch makes of a JSON value.

    Spec: RFC 7396, section 2.
    """
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = merged(kept.get(name), value)
    return kept


def validated(shape: TypeAdapter[ShapeT], value: Any) -> ShapeT:
    """Return the body that a parsed JSON value stands for.

    Raises:
        InvalidError: it does not have the shape; with the code of the first fault, as `refusal`.
    """
    try:
        return shape.validate_python(value)
    except ValidationError as error:
        raise refusal(found_faults(error.errors(), shape.core_schema)) from error


def refusal(found: Sequence[Mapping[str, str]]) -> InvalidError:
    """Return the error for the faults of a body: it is the first of them, and names all if there are several."""
    first, *others = found
    return InvalidError(first["code"], first["detail"], first["pointer"], {"errors": found} if others else None)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_holds_nul(key) or _holds_nul(member) for key, member in value.items())
    return isinstance(value, list) and any(map(_holds_nul, value))


def _instant(value: Any) -> Any:
    if isinstance(value, str):
        instant = read_instant(value)
        if instant is None:
            raise PydanticCustomError(
                "instant-invalid", "Expected an RFC 3339 date and time with zone, such as 2026-03-01T17:00:00Z"
            )
        return instant
    if isinstance(value, datetime) and value.tzinfo is None:
        raise PydanticCustomError("instant-invalid", "Expected a date and time with zone")
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, str) and _DATE.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    instant = read_instant(value) if isinstance(value, str) else None
    if instant is None:
        raise PydanticCustomError(
            "moment-invalid", "Expected an RFC 3339 date, or date and time with zone, such as 2026-03-01"
        )
    return instant


def _uid(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError as error:
            raise PydanticCustomError("id-invalid", "Expected an id that this service gave, a UUID") from error
    return value


def _ref(value: Any) -> Any:
    if isinstance(value, str) and (
        value != value.strip() or "/" in value or not value.isprintable() or value in {".", ".."}
    ):
        raise PydanticCustomError(
            "ref-invalid", "Expected a ref of printable characters, without a slash and without space around it"
        )
    return value


def _web_url(value: Any) -> Any:
    if isinstance(value, str):
        try:
            parts = urlsplit(value)
            good = bool(_WEB_URL.fullmatch(value) and parts.hostname and parts.username is None and parts.port != 0)
        except ValueError:
            good = False
        if not good:
            raise PydanticCustomError("url-invalid", "Expected a whole address such as https://example.org/page")
    return value


def _https_url(value: Any) -> Any:
    if isinstance(value, str) and not value.lower().startswith("https://"):
        raise PydanticCustomError("url-invalid", "Expected an address that begins with https://")
    return value


def _line(value: Any) -> Any:
    if isinstance(value, str) and (value != value.strip() or _CONTROL.search(value)):
        raise PydanticCustomError(
            "line-invalid", "Expected one line of text, without control characters and without space around it"
        )
    return value


def _email(value: Any) -> Any:
    if isinstance(value, str):
        value = value.lower()
        if len(value) > 254 or not _EMAIL.fullmatch(value):
            raise PydanticCustomError("email-invalid", "Expected an e-mail address such as m11@example.org")
    return value


def _did(value: Any) -> Any:
    if isinstance(value, str) and not _DID.fullmatch(value):
        raise PydanticCustomError("did-invalid", "Expected a DID such as did:key:z6Mk..., without path or fragment")
    return value


def _time_zone(value: Any) -> Any:
    if isinstance(value, str) and value not in _time_zones():
        raise PydanticCustomError(
            "time-zone-unknown",
            "Expected a time zone of the IANA list, such as Europe/Madrid",
            {"words": sorted(_time_zones())},
        )
    return value


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(write_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-01T17:00:00Z"]}),
]
"""An instant, in bodies and answers: RFC 3339 with a zone outside (whole seconds, UTC), aware UTC inside."""
Moment = Annotated[
    datetime | date,
    PlainValidator(_moment),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
            "examples": ["2026-03-01"],
        }
    ),
]
"""A bound of time in a filter: an instant, or a date, which is its first instant in the network's time zone."""
Uid = Annotated[UUID, BeforeValidator(_uid, json_schema_input_type=UUID)]
"""An identifier that this service gave."""
Ref = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_ref)]
"""A network's own identifier of a member, session or achievement; it stands in paths, so it has no slash."""
WebUrl = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_web_url)]
"""An http or https address without a user name."""
HttpsUrl = Annotated[WebUrl, BeforeValidator(_https_url)]
"""An https address without a user name."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_line)]
"""A name or title: one line, because it also stands in mail headers."""
LongLine = Annotated[str, StringConstraints(min_length=1, max_length=400), BeforeValidator(_line)]
"""A longer line, such as what another system calls something."""
Prose = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
"""Text written by people, possibly long, possibly Markdown."""
RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$", max_length=64)]
"""What a member does in a network, in one word."""
EmailAddress = Annotated[str, BeforeValidator(_email), WithJsonSchema({"type": "string", "format": "email"})]
"""An e-mail address in lower case."""
Did = Annotated[str, StringConstraints(max_length=2000), BeforeValidator(_did)]
"""A decentralized identifier without path, query or fragment. Spec: DID Core 1.0, section 3.1."""
TimeZone = Annotated[str, BeforeValidator(_time_zone)]
"""A name of the IANA time zone list."""
