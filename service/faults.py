"""What is wrong with a value that was sent, in sentences that say how to mend it.

A sentence names the member and says what came, but repeats a value only where nothing personal and no secret belongs:
where a number, a date or a published word is expected, and only if it looks like one. Of every other value it gives the
kind and the size. For the answer to many lines is kept for a day, in no table for personal content.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic_core import CoreSchema

from credentials.strict_json import pointer
from service.suggestions import did_you_mean, listed

MAX_FAULTS: Final = 100
"""How many faults of a body are told: each of its values may be one, and telling costs more than finding."""
SHOWN: Final = 40
"""Characters of a value that a sentence repeats."""

_MARK = re.compile(r"<[a-z_]+>|\[key\]")
_NUMBER = re.compile(r"-?[0-9][0-9.eE-]{0,7}")
"""Shorter than a telephone number."""
_DATE = re.compile(
    r"[0-9]{1,4}[-/.][0-9]{1,2}([-/.][0-9]{1,4}([T ][0-9:.]{1,15}(Z|[+-][0-9:]{1,6})?)?)?|P[0-9YMWDTHS.,]+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]*")
_SECRET = ("laurel_", "whsec_")
"""How our secrets begin."""
_QUOTED = re.compile(r"'([^']*)'")

NUMBERS: Final = frozenset(
    {
        "int_type", "int_parsing", "int_from_float", "int_parsing_size", "float_type", "float_parsing", "finite_number",
        "greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of",
    }
)  # fmt: skip
DATES: Final = frozenset({"instant-invalid", "moment-invalid", "date-invalid", "date-unknown", "duration-invalid"})
WORDS: Final = frozenset({"literal_error", "enum", "bool_type", "bool_parsing"})
"""Types of errors at places that take numbers, dates and durations, or published words; pydantic's own and ours."""

FORMS: Final[Mapping[str, str]] = {
    "^[a-z][a-z0-9_-]{": "small letters, digits, `_` and `-`, a letter first, such as site_director",
    "^[a-z0-9]([a-z0-9-]{": "small letters, digits, and `-` between them, such as my-circle",
    "^[0-9a-f]{64}$": "a SHA-256: 64 digits and small letters up to f",
    "^member$": "the word member",
    "^(member|achievement)": "member, achievement, or both with a comma between them",
}
"""What a pattern asks for, by its beginning; the rest are shown as they are."""

EXPECTED: Final[Mapping[str, str]] = {
    "string_type": "a text",
    "string_too_short": "a text of at least {characters}",
    "string_too_long": "a text of at most {characters}",
    "string_pattern_mismatch": "{form}",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "too_short": "at least {entries}",
    "too_long": "at most {entries}",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of {ge} or more",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of {le} or less",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "uuid_type": "an id that this service gave, a UUID",
    "uuid_parsing": "an id that this service gave, a UUID",
    "datetime_type": "an RFC 3339 date and time with zone, such as 2026-03-01T17:00:00Z",
    "none_required": "null",
    "bytes_type": "a text",
    "invalid_key": "members with names of text",
}
"""What pydantic's own types of errors stand for; the rest say it in pydantic's words."""


def found_faults(
    errors: Iterable[Mapping[str, Any]], shape: CoreSchema | None = None, at: str = ""
) -> list[dict[str, str]]:
    """Return the first of pydantic's errors about a JSON value as `{code, detail, pointer}`.

    Unknown members stand first: a misspelt one is often the reason why another is missing.

    Args:
        shape: of the value; its members are suggested for misspelt ones.
        at: pointer to the value in the body.
    """
    ordered = sorted(errors, key=lambda each: each["type"] != "extra_forbidden")
    return [_fault(each, shape, at) for each in ordered[:MAX_FAULTS]]


def parameter_fault(error: Mapping[str, Any]) -> dict[str, str]:
    """Return pydantic's error about a parameter of the path, the query or the headers."""
    where, *path = error["loc"]
    name = ".".join(str(part) for part in path)
    if error["type"] == "missing":
        kind = {"query": "query parameter", "header": "header"}.get(where, "parameter")
        return {"code": "missing", "detail": f"Expected the {kind} `{name}`, which is missing.", "pointer": name}
    detail = _sentence(error, name)
    if where == "query" and error["type"] in DATES and " " in str(error["input"]):
        detail += " A `+` in an address stands for a space; write it as %2B."
    return {"code": _code(error), "detail": detail, "pointer": name}


def came(value: Any, may_be_shown: re.Pattern[str] | None = None) -> str:
    """Return what a value is, for a sentence; the value itself only if it has the form that may be shown."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        short = may_be_shown is not None and abs(value) < 10**8
        return f"the number {value}" if short else "a number"
    if isinstance(value, str):
        safe = may_be_shown is not None and may_be_shown.fullmatch(value) and not value.startswith(_SECRET)
        if safe and len(value) <= SHOWN:
            return f"the text '{value}'" if may_be_shown is _NUMBER else f"'{value}'"
        return f"a text of {_count(len(value), 'character')}" if value else "an empty text"
    if isinstance(value, Mapping):
        return "an object"
    return f"a list of {_count(len(value), 'entry')}" if isinstance(value, list) else "something else"


def wrong_word(value: str, known: Iterable[str]) -> str:
    """Return what came where a published word is expected, and which one was probably meant."""
    return f"{came(value, _WORD)}{did_you_mean(value, known)}"


def as_sentence(message: str, where: str = "") -> str:
    """Write a message as a sentence, which names the place if it says only what was expected.

    An address at its beginning is not changed.

    Args:
        where: JSON pointer into the body, or the name of a parameter.
    """
    said = message.removesuffix(".") + "."
    if ":" in said.partition(" ")[0]:
        return said
    if where and said.lower().startswith("expected ") and "`" not in said:
        steps = where.removeprefix("/").split("/")
        return (
            f"`{_name([step.replace('~1', '/').replace('~0', '~') for step in steps])}`: {said[:1].lower()}{said[1:]}"
        )
    return said[:1].upper() + said[1:]


def pointer_to(location: Iterable[str | int]) -> str:
    """Return the JSON pointer to where pydantic found an error.

    Pydantic's own marks (`<tag>`, `[key]`) are not in it.
    """
    return pointer(*_steps(location))


def _fault(error: Mapping[str, Any], shape: CoreSchema | None, at: str) -> dict[str, str]:
    location = list(error["loc"])
    unknown = [location.pop()] if error["type"] == "extra_forbidden" else []
    context = error.get("ctx") or {}
    if "member" in context and isinstance(error["input"], Mapping) and context["member"] in error["input"]:
        location.append(context["member"])  # the word in this member says which shape the rest has
        error = {**error, "type": context["unknown"], "input": error["input"][context["member"]]}
        error["msg"] = f"Expected one of {listed(context['words'])}"
    path = [*_steps(location), *unknown]
    name = _name([*at.split("/")[1:], *path])
    if unknown:
        detail = unknown_member(str(unknown[0]), name, members_of(shape, location) if shape is not None else ())
    elif error["type"] == "missing" and path:
        detail = f"Expected the member `{name}`, which is missing."
    elif error["type"] == "missing":
        detail = "Expected a JSON object as the body, got an empty body."
    else:
        detail = _sentence(error, name)
    return {"code": _code(error), "detail": detail, "pointer": at + pointer(*path)}


def unknown_member(member: str, name: str, known: Sequence[str]) -> str:
    """Return the sentence about a member that is not known there.

    Args:
        name: what the member is called in the sentence.
        known: those that are known; none, where nobody can tell.
    """
    said = f"There is no member `{name}`"
    return (
        f"{said}{did_you_mean(member, known)}. Here are known: {listed(known)}." if known else f"{said}; leave it out."
    )


def _code(error: Mapping[str, Any]) -> str:
    return str(error["type"]).replace("_", "-")


def _sentence(error: Mapping[str, Any], name: str) -> str:
    kind, value, context = error["type"], error["input"], error.get("ctx") or {}
    expected = EXPECTED[kind].format_map(_written(context)) if kind in EXPECTED else _own_words(str(error["msg"]))
    words = context.get("words") or (_QUOTED.findall(str(context.get("expected", ""))) if kind in WORDS else ())
    shown = _NUMBER if kind in NUMBERS else _DATE if kind in DATES else _WORD if words or kind in WORDS else None
    whole = f"`{name}`: expected {expected}" if name else f"Expected {expected}"
    if kind not in EXPECTED and isinstance(value, Mapping | list):
        return f"{whole}."  # about several members together: what came is the whole object
    suggested = did_you_mean(value, words) if words and isinstance(value, str) else ""
    return f"{whole}; got {came(value, shown)}{suggested}."


def _written(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bounds of an error as they stand in a sentence."""
    size = context.get("max_length", context.get("min_length", 0))
    numbers = {key: f"{each:g}" if isinstance(each, float) else each for key, each in context.items()}
    pattern = str(context.get("pattern", ""))
    forms = (words for beginning, words in FORMS.items() if pattern.startswith(beginning))
    numbers["form"] = next(forms, f"a text that matches {pattern}")
    return {**numbers, "characters": _count(size, "character"), "entries": _count(size, "entry")}


def _own_words(message: str) -> str:
    """Return what a message says that it expected."""
    plain = message.removeprefix("Value error, ").removesuffix(".")
    for opening in ("Expected ", "expected ", "Input should be "):
        if plain.startswith(opening):
            return plain.removeprefix(opening)
    return f"another value ({plain[:1].lower()}{plain[1:]})"


def _name(path: Sequence[str | int]) -> str:
    """Return how a programmer writes the place: `criteria.all[0].gte`."""
    name = "".join(f"[{step}]" if str(step).isdecimal() else f".{step}" for step in path).removeprefix(".")
    return name if len(name) <= 2 * SHOWN else "..." + name[-2 * SHOWN :]


def _steps(location: Iterable[str | int]) -> list[str | int]:
    return [step for step in location if not _MARK.fullmatch(str(step))]


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what.removesuffix('y')}{'ies' if what.endswith('y') else 's'}"


def members_of(shape: CoreSchema, location: Sequence[str | int]) -> list[str]:
    """Return the names of the members that an object may have, at the place where pydantic found an error.

    The steps of a place are those of the shape: members, entries, and the tags of unions.
    """
    named: dict[str, Any] = {}
    found = _walked(shape, list(location), named)
    return list(_fields(found)) if found is not None else []


def _walked(shape: Any, steps: list[str | int], named: dict[str, Any]) -> Any:
    """Return the `model-fields` at the end of the steps, or None."""
    while isinstance(shape, dict):
        kind = shape["type"]
        if kind == "definitions":
            named.update({each["ref"]: each for each in shape["definitions"]})
        if kind == "definition-ref":
            shape = named.get(shape["schema_ref"])
        elif kind == "model-fields":
            if not steps:
                return shape
            shape = _fields(shape).get(str(steps.pop(0)), {}).get("schema")
        elif kind == "tagged-union":
            shape = shape["choices"].get(steps.pop(0)) if steps else None
        elif kind == "list":
            shape = shape.get("items_schema") if steps and isinstance(steps.pop(0), int) else None
        elif kind == "dict":
            shape = shape.get("values_schema") if steps and steps.pop(0) is not None else None
        elif kind == "union":
            choices = [each[0] if isinstance(each, tuple) else each for each in shape["choices"]]
            label = steps.pop(0) if steps else None
            shape = next((each for each in choices if _label(each, named) == label), None)
        else:
            shape = shape.get("schema")
    return None


def _label(choice: Any, named: dict[str, Any]) -> str:
    """Return how pydantic names a model among the choices of a union."""
    while choice["type"] == "definition-ref":
        choice = named[choice["schema_ref"]]
    return choice["cls"].__name__ if choice["type"] == "model" else ""


def _fields(shape: Any) -> dict[str, Any]:
    return {
        str(field.get("validation_alias", name)): field
        for name, field in shape["fields"].items()
        if isinstance(field.get("validation_alias", name), str)
    }
