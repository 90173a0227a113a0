"""Read JSON in the only possible way, and write it in the one canonical way.

If two readers see different values in the same text, a signature can be made to cover something else than what is
shown. So whatever the JSON grammar leaves to the reader (which of two equal keys wins, what NaN or half a character is)
is refused here, before anything looks at the value.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypeVar

import rfc8785

from credentials.errors import MalformedError

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | bool | None"

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_DEPTH: Final = 64
MAX_VALUES: Final = 20_000
"""The most values of a credential, which is read many times; other documents may have `MAX_PARSED_VALUES`."""
MAX_PARSED_VALUES: Final = 200_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_WHOLE_ESCAPES = re.compile(r"\\(?:[^u]|u(?![dD][89a-fA-F])|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")
"""Escapes of a JSON text, but those of half a surrogate pair; read from the left, so that `\\\\` is one of its own."""
_SPACE: Final = b" \t\r\n"
_OPENERS: Final = (b"[", b"{")
_COUNTED_AT_ONCE: Final = 65_536


def pointer(*path: str | int) -> str:
    """Return the JSON pointer that leads along `path`.

    Spec: RFC 6901, section 3.
    """
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


class _Placed:
    pointer: str

    def __deepcopy__(self, memo: object) -> "_Placed":
        return self


class _PlacedText(_Placed, str):
    __slots__ = ()

    def lower(self) -> "_PlacedText":
        return _placed(_PlacedText(super().lower()), self.pointer)


class _PlacedInteger(_Placed, int):
    pass


_P = TypeVar("_P", bound=_Placed)


def _placed(value: _P, where: str) -> _P:
    value.pointer = where
    return value


def located(value: Any, *path: str | int) -> Any:
    """Return a copy of `value` whose texts, keys and integers know their place.

    `path` leads to `value`. The copies survive any code that returns what it was given, and `place` finds their places
    again in what it returns.
    """
    if isinstance(value, str):
        return _placed(_PlacedText(value), pointer(*path))
    if isinstance(value, int) and not isinstance(value, bool):
        return _placed(_PlacedInteger(value), pointer(*path))
    if isinstance(value, Mapping):
        return {located(key, *path, key): located(item, *path, key) for key, item in value.items()}
    if isinstance(value, list):
        return [located(item, *path, index) for index, item in enumerate(value)]
    return value


def place(value: object) -> str:
    """Return the pointer to `value`, or to the first located value in it; "" if none."""
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        return next((where for where in map(place, value) if where), "")
    where: str = getattr(value, "pointer", "")
    return where


def parse_json(
    received: bytes | str,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_values: int = MAX_PARSED_VALUES,
) -> JsonValue:
    """Return the one value that `received` stands for.

    Args:
        received: UTF-8, a byte order mark allowed.
        max_bytes: of the UTF-8 form.
        max_depth: arrays and objects inside one another; a bare string has depth 0.
        max_values: of arrays, objects, texts, numbers and so on in all.
    Raises:
        MalformedError: not UTF-8 ("json-not-utf8"), longer than `max_bytes` or with more than `max_values`
            ("json-too-large"), not JSON ("json-syntax"), deeper than `max_depth` ("json-too-deep"), a key twice in one
            object ("json-duplicate-key"), NaN, an infinity or a number beyond doubles ("json-number"), a lone surrogate
            ("json-lone-surrogate").
    Spec: RFC 8259; RFC 7493 (I-JSON), section 2.
    """
    duplicated: dict[int, str] = {}
    kept: list[dict[str, JsonValue]] = []  # kept alive until the end; otherwise an id could be used again

    def to_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        members = dict(pairs)
        if len(members) < len(pairs):
            counted = Counter(key for key, _ in pairs)
            duplicated[id(members)] = next(key for key, times in counted.items() if times > 1)
            kept.append(members)
        return members

    text = _decode(received, max_bytes, max_values)
    try:
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=to_object,
            parse_int=_integer,
            parse_float=_double,
            parse_constant=_double,
        )
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:]
        message = f"expected JSON, got none at line {error.lineno}, column {error.colno} ({reason})"
        raise MalformedError("json-syntax", message) from error
    except RecursionError as error:
        raise _too_deep(max_depth, "") from error
    # Decoding has counted the values, and half a character is left only as an escape.
    if duplicated or not _is_within(value, max_depth) or "\\" in _WHOLE_ESCAPES.sub("", text):
        _look_through(value, duplicated, max_depth, max_values)
    return value


class ArrivingJson:
    """Counts the values of a JSON text while its pieces arrive, so that one with too many is not read to its end.

    A text with a few bytes for each value costs far more to parse than to send. The count is exact where the text is
    JSON; what is not JSON is left to `parse_json`.

    Args:
        max_values: of arrays, objects, texts, numbers and so on in all, as in `parse_json`.
    """

    def __init__(self, max_values: int = MAX_PARSED_VALUES) -> None:
        self._max_values = max_values
        self._values = 1
        self._in_text = False
        self._kept = b""  # the end of the last piece, whose meaning depends on the next one

    def take(self, piece: bytes) -> None:
        """Count what one piece adds.

        Raises:
            MalformedError: more than `max_values` values (code "json-too-large").
        """
        for start in range(0, len(piece), _COUNTED_AT_ONCE):
            self._count(piece[start : start + _COUNTED_AT_ONCE])

    def _count(self, piece: bytes) -> None:
        piece = self._kept + piece
        at_end = len(piece) - len(piece.rstrip(b"\\"))
        # Pairs go first: in \\" the quote ends the text, in \" it does not.
        parts = piece[: len(piece) - at_end % 2].replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        outside = b'"'.join(parts[self._in_text :: 2]).translate(None, _SPACE)
        self._in_text ^= len(parts) % 2 == 0
        self._kept = b"\\" * (at_end % 2)
        if not self._in_text and outside.endswith(_OPENERS):  # perhaps the next byte closes it
            outside, self._kept = outside[:-1], outside[-1:] + self._kept
        opened = sum(map(outside.count, _OPENERS)) - outside.count(b"[]") - outside.count(b"{}")
        self._values += opened + outside.count(b",")
        if self._values > self._max_values:
            raise _too_many(self._max_values)


def check_json(value: object, *, max_depth: int = MAX_DEPTH, max_values: int = MAX_VALUES) -> None:
    """Refuse `value` unless `parse_json` could have returned it.

    It may have at most `max_values` values.

    Raises:
        MalformedError: as `parse_json`; another kind of object ("json-type"), too many values ("json-too-large").
    """
    _look_through(value, {}, max_depth, max_values)


def canonical_json(value: JsonValue) -> bytes:
    """Return the canonical UTF-8 text of `value`.

    Raises:
        MalformedError: it holds what no JSON text can carry exactly: an integer beyond 2^53 - 1 either way, NaN, an
            infinity, a lone surrogate, a key or value that is not JSON, endless depth (code "json-not-canonical").
    Spec: RFC 8785.
    """
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:  # a surrogate in a key gives the ValueError of its encoding
        message = f"expected values that JSON carries exactly, got one that it does not: {type(error).__name__}"
        raise MalformedError("json-not-canonical", message) from error


def _decode(received: bytes | str, max_bytes: int, max_values: int) -> str:
    try:
        encoded = received.encode() if isinstance(received, str) else received
        if len(encoded) > max_bytes:
            raise MalformedError("json-too-large", f"expected at most {max_bytes} bytes, got {len(encoded)}")
        ArrivingJson(max_values).take(encoded)
        return encoded.decode("utf-8-sig")
    except UnicodeError as error:
        raise MalformedError(
            "json-not-utf8", "expected a text in UTF-8, got bytes or characters that are none"
        ) from error


def _integer(text: str) -> int:
    _double(text)  # refuses what is too long for int() as well
    return int(text)


def _double(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedError("json-number", f"expected a finite number, got {text[:30]}")
    return number


def _too_deep(max_depth: int, where: str) -> MalformedError:
    return MalformedError("json-too-deep", f"expected at most {max_depth} levels, got more", where)


def _too_many(max_values: float) -> MalformedError:
    return MalformedError("json-too-large", f"expected at most {max_values} values, got more")


def _is_within(value: JsonValue, max_depth: int) -> bool:
    """Return whether a value that was read from a text has at most so many arrays and objects inside one another."""
    level: list[Any] = [value]
    for _ in range(max_depth):
        level = [
            each
            for within in level
            if within.__class__ is dict or within.__class__ is list
            for each in (within.values() if within.__class__ is dict else within)
            if each.__class__ is dict or each.__class__ is list
        ]
        if not level:
            return True
    return False


def _look_through(value: object, duplicated: Mapping[int, str], max_depth: int, max_values: float = math.inf) -> None:
    """Check every value once; without recursion, so that each fault has its pointer."""
    waiting: list[tuple[object, tuple[str | int, ...]]] = [(value, ())]
    values = 0
    while waiting:
        inner, path = waiting.pop()
        values += 1
        within = len(inner) if isinstance(inner, dict | list) else 0  # counted before they join those that wait
        if values + len(waiting) + within > max_values:
            raise _too_many(max_values)
        if isinstance(inner, str):
            _check_text(inner, path)
        elif isinstance(inner, dict | list):
            if len(path) == max_depth:
                raise _too_deep(max_depth, pointer(*path))
            if id(inner) in duplicated:
                key = duplicated[id(inner)]
                raise MalformedError("json-duplicate-key", f"expected each key once, got {key!r} twice", pointer(*path))
            if isinstance(inner, list):
                waiting.extend((item, (*path, index)) for index, item in enumerate(inner))
                continue
            for key, item in inner.items():
                if not isinstance(key, str):
                    message = f"expected text as key, got {type(key).__name__}"
                    raise MalformedError("json-type", message, pointer(*path))
                _check_text(key, path)
                waiting.append((item, (*path, key)))
        elif isinstance(inner, float) and not math.isfinite(inner):
            raise MalformedError("json-number", f"expected a finite number, got {inner}", pointer(*path))
        elif inner is not None and not isinstance(inner, bool | int | float):
            raise MalformedError("json-type", f"expected a JSON value, got {type(inner).__name__}", pointer(*path))


def _check_text(text: str, path: tuple[str | int, ...]) -> None:
    if _SURROGATE.search(text):
        message = "expected whole characters, got half of a surrogate pair"
        raise MalformedError("json-lone-surrogate", message, pointer(*path))
