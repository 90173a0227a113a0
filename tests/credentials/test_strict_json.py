import json
import math
import struct
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import strict_json
from credentials.errors import MalformedError
from credentials.strict_json import (
    ArrivingJson,
    JsonValue,
    canonical_json,
    check_json,
    located,
    parse_json,
    place,
    pointer,
)

VECTORS: Any = json.loads((Path(__file__).parents[1] / "vectors/rfc8785/vectors.json").read_text())

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2.0**53) + 1, 2.0**53 - 1)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("received", "code", "where"),
    [
        (b"\xff{}", "json-not-utf8", ""),
        (b"\xed\xa0\x80", "json-not-utf8", ""),
        ('"\ud800"', "json-not-utf8", ""),
        ("", "json-syntax", ""),
        ("{} {}", "json-syntax", ""),
        ("[1,]", "json-syntax", ""),
        ('"a\nb"', "json-syntax", ""),
        ("01", "json-syntax", ""),
        (nested(65), "json-too-deep", "/0" * 64),
        (nested(100_000), "json-too-deep", ""),
        ('{"a": 1, "a": 1}', "json-duplicate-key", ""),
        ('{"x": [{}, {"b": {}, "a/~": {"k": 1, "l": 2, "\\u006b": 3}}]}', "json-duplicate-key", "/x/1/a~1~0"),
        ("[NaN]", "json-number", ""),
        ("-Infinity", "json-number", ""),
        ("1e400", "json-number", ""),
        ("-" + "9" * 400, "json-number", ""),
        ("9" * 100_000, "json-number", ""),
        ('{"a": ["\\ud83d"]}', "json-lone-surrogate", "/a/0"),
        ('{"a": {"\\udf93": 1}}', "json-lone-surrogate", "/a"),
    ],
)
def test_what_can_be_understood_in_two_ways_is_refused(received: bytes | str, code: str, where: str) -> None:
    with pytest.raises(MalformedError) as raised:
        parse_json(received)

    assert (raised.value.code, raised.value.pointer) == (code, where)
    assert "expected" in raised.value.message
    assert "got" in raised.value.message


def test_sizes_are_counted_in_bytes_and_levels_in_arrays_and_objects() -> None:
    assert parse_json('"éé"', max_bytes=6) == "éé"
    with pytest.raises(MalformedError, match="at most 5 bytes, got 6") as raised:
        parse_json('"éé"', max_bytes=5)
    assert raised.value.code == "json-too-large"

    assert parse_json("1", max_depth=0) == 1
    assert parse_json('{"a": [1]}', max_depth=2) == {"a": [1]}
    with pytest.raises(MalformedError) as raised:
        parse_json('{"a": [1]}', max_depth=1)
    assert (raised.value.code, raised.value.pointer) == ("json-too-deep", "/a")


@pytest.mark.parametrize("received", ["[1,2,3]", "[[],[],[]]", '{"a":[],"b":1,"c":""}', "[[[[]]]]"])
def test_values_are_counted(received: str) -> None:
    parse_json(received, max_values=4)
    with pytest.raises(MalformedError) as raised:
        parse_json(received, max_values=3)
    assert raised.value.code == "json-too-large"


@given(values, st.integers(1, 9), st.sampled_from([None, 1]))
def test_values_are_counted_while_they_arrive(value: JsonValue, size: int, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode() + b" "
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    exactly = len_of(value)
    taken = [arrived(pieces, most) for most in (exactly, exactly - 1) if most]
    assert taken == [True, False][: len(taken)]


def arrived(pieces: list[bytes], max_values: int) -> bool:
    counted = ArrivingJson(max_values)
    try:
        for piece in pieces:
            counted.take(piece)
    except MalformedError:
        return False
    return True


def len_of(value: JsonValue) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(len_of, inner))


def test_a_text_with_too_many_values_is_not_read_to_its_end() -> None:
    arriving = ArrivingJson(1000)
    arriving.take(b'["a",' + b"1," * 990)
    with pytest.raises(MalformedError) as raised:
        arriving.take(b"1," * 100)  # nobody knows yet how it ends
    assert raised.value.code == "json-too-large"


def test_what_stands_in_a_text_is_no_value() -> None:
    arriving = ArrivingJson(3)
    for piece in (b'["', b"[,{" * 5000, b"\\", b'",[{', b"\\\\", b'", 1', b"]"):
        arriving.take(piece)


def test_a_byte_order_mark_and_escaped_pairs_are_read() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": "\\ud83c\\udf93"}') == {"a": "🎓"}


def test_numbers_keep_their_kind() -> None:
    read = parse_json("[3, 3.0, -0.0, 1e3]")

    assert read == [3, 3.0, 0.0, 1000.0]
    assert isinstance(read, list)
    assert [type(number) for number in read] == [int, float, float, float]


@given(values)
def test_what_any_writer_wrote_is_read_again(value: JsonValue) -> None:
    assert parse_json(json.dumps(value), max_depth=100) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode(), max_depth=100) == value


@given(values)
def test_canonical_text_is_read_again_and_stays_as_it_is(value: JsonValue) -> None:
    canonical = canonical_json(value)

    again = parse_json(canonical, max_depth=100)
    assert again == value
    assert canonical_json(again) == canonical


@given(st.binary() | st.text() | st.text(alphabet='{}[]",:\\ud01eNaN+-. ').map(str.encode))
def test_no_input_makes_it_raise_anything_else(received: bytes | str) -> None:
    try:
        parse_json(received, max_bytes=1000)
    except MalformedError as error:
        assert error.code.startswith("json-")  # noqa: PT017  # most inputs are fine or not at random


@pytest.mark.parametrize("document", VECTORS["documents"], ids=lambda document: document["name"])
def test_published_documents_have_their_canonical_text(document: dict[str, str]) -> None:
    assert canonical_json(parse_json(document["input"])).decode() == document["canonical"]


@pytest.mark.parametrize("number", VECTORS["numbers"], ids=lambda number: number["double"])
def test_published_numbers_have_their_canonical_text(number: dict[str, str]) -> None:
    (double,) = struct.unpack(">d", bytes.fromhex(number["double"]))

    assert canonical_json(double).decode() == number["text"]


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), [math.nan], {"a": math.inf}, "\ud800", {"\ud800": 1}, {1: 2}, ..., {"a": b""}],
    ids=repr,
)
def test_what_json_does_not_carry_exactly_has_no_canonical_text(value: Any) -> None:
    with pytest.raises(MalformedError) as raised:
        canonical_json(value)

    assert raised.value.code == "json-not-canonical"


def test_endless_depth_has_no_canonical_text() -> None:
    value: list[Any] = []
    value.append(value)

    with pytest.raises(MalformedError) as raised:
        canonical_json(value)

    assert raised.value.code == "json-not-canonical"


@pytest.mark.parametrize(
    ("value", "code", "where"),
    [
        ({"a": [1, math.nan]}, "json-number", "/a/1"),
        ({"a": {1: 2}}, "json-type", "/a"),
        ({"a": (1, 2)}, "json-type", "/a"),
        ({"a": "\udc00"}, "json-lone-surrogate", "/a"),
        ([[[]]], "json-too-deep", "/0/0"),
        ([1, 2, 3, 4, 5], "json-too-large", ""),
    ],
)
def test_values_from_elsewhere_are_held_to_the_same(value: Any, code: str, where: str) -> None:
    with pytest.raises(MalformedError) as raised:
        check_json(value, max_depth=2, max_values=5)

    assert (raised.value.code, raised.value.pointer) == (code, where)


@given(values)
def test_values_that_were_parsed_pass(value: JsonValue) -> None:
    check_json(value, max_depth=100)


_pieces = st.sampled_from(
    ["\\", '\\"', "\\\\", "\\u", "\\ud83d", "\\uDC00", "\\ud83d\\udc00", "d800", "\\u0041", "\\n", "x", "\U0001f600"]
)
_written = st.lists(_pieces, max_size=6).map(lambda pieces: '"' + "".join(pieces) + '"')
texts_of_json = st.recursive(
    _written | st.sampled_from(["1", "1e999", "NaN", "null"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[" + ",".join(items) + "]")
    | st.lists(st.tuples(_written, inner), max_size=3).map(
        lambda items: "{" + ",".join(f"{key}:{item}" for key, item in items) + "}"
    ),
    max_leaves=8,
)  # fmt: skip


def said_of(text: str, max_depth: int) -> object:
    try:
        return parse_json(text, max_depth=max_depth, max_values=12)
    except MalformedError as error:
        return (error.code, error.message, error.pointer)


@given(texts_of_json, st.integers(0, 3))
def test_a_text_is_read_as_if_every_value_of_it_was_looked_at(text: str, max_depth: int) -> None:
    quickly = said_of(text, max_depth)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "_is_within", lambda _value, _max_depth: False)
        assert said_of(text, max_depth) == quickly


def test_pointers_escape_what_separates_their_steps() -> None:
    assert pointer() == ""
    assert pointer("a/b", 0, "m~n", "") == "/a~1b/0/m~0n/"


def test_located_values_are_equal_and_know_their_place() -> None:
    value = {"a": ["x", 5, True, None, 1.5, {"B": "Y"}]}

    copy = located(value)

    assert copy == value
    copy = deepcopy(copy)
    assert place(copy["a"][0]) == "/a/0"
    assert place(copy["a"][1]) == "/a/1"
    assert place(copy["a"][2]) == ""
    assert place(copy["a"][5]["B"].lower()) == "/a/5/B"
    assert [place(key) for key in copy["a"][5]] == ["/a/5/B"]
    assert place({"": [copy["a"][0]]}) == "/a/0"
    assert place(value) == ""
    assert place(located("x", "a", 1)) == "/a/1"
