"""What a refusal says: the member, what was expected, what came, and which word was probably meant."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, TypeAdapter

from service.bodies import Body, EmailAddress, Instant, Line, TimeZone, validated
from service.criteria import tree
from service.errors import InvalidError
from service.evidence import derivation
from service.faults import as_sentence
from service.suggestions import nearest


class Inner(Body):
    """A part of a body."""

    level: Annotated[int, Field(ge=1, le=4)] = 1
    colour: Literal["red", "green"] = "red"


class Outer(Body):
    """A body."""

    name: Line = "a"
    at: Instant | None = None
    email: EmailAddress | None = None
    zone: TimeZone | None = None
    secret: str | None = None
    confirmed: bool = False
    share: Annotated[float, Field(le=1)] = 1
    parts: list[Inner] = Field(default_factory=list)
    named: dict[str, Inner] = Field(default_factory=dict)
    kinds: Annotated[list[str], Field(max_length=1, default_factory=list)]


SHAPE = TypeAdapter(Outer)


def refusal(value: Any, shape: TypeAdapter[Any] = SHAPE) -> InvalidError:
    with pytest.raises(InvalidError) as caught:
        validated(shape, value)
    return caught.value


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"name": 7}, "`name`: expected a text; got a number."),
        ({"name": None}, "`name`: expected a text; got null."),
        ({"name": "x" * 201}, "`name`: expected a text of at most 200 characters; got a text of 201 characters."),
        ({"name": ""}, "`name`: expected a text of at least 1 character; got an empty text."),
        ({"parts": [{}, {"level": "3"}]}, "`parts[1].level`: expected a whole number; got the text '3'."),
        ({"parts": [{"level": 9}]}, "`parts[0].level`: expected a number of 4 or less; got the number 9."),
        ({"share": 1.5}, "`share`: expected a number of 1 or less; got the number 1.5."),
        ({"confirmed": "yes"}, "`confirmed`: expected true or false; got 'yes'."),
        ({"parts": {}}, "`parts`: expected a list; got an object."),
        ({"parts": [[1, 2]]}, "`parts[0]`: expected an object; got a list of 2 entries."),
        ({"kinds": ["a", "b"]}, "`kinds`: expected at most 1 entry; got a list of 2 entries."),
        (
            {"named": {"a": {"colour": "gren"}}},
            "`named.a.colour`: expected 'red' or 'green'; got 'gren' (did you mean `green`?).",
        ),
        (
            {"at": "2026-03-01T17:00:00"},
            (
                "`at`: expected an RFC 3339 date and time with zone, such as 2026-03-01T17:00:00Z; "
                "got '2026-03-01T17:00:00'."
            ),
        ),
        (
            {"zone": "Europe/Madird"},
            (
                "`zone`: expected a time zone of the IANA list, such as Europe/Madrid; got 'Europe/Madird'"
                " (did you mean `Europe/Madrid`?)."
            ),
        ),
        (7, "Expected an object; got a number."),
    ],
)
def test_a_sentence_names_the_member_and_says_what_came(value: Any, sentence: str) -> None:
    assert str(refusal(value)) == sentence


@pytest.mark.parametrize(
    ("value", "repeated"),
    [
        ({"secret": 123456}, "123456"),
        ({"secret": ["laurel_abc"]}, "laurel_"),
        ({"email": "m12@example"}, "m12"),
        ({"at": "m11@example.org"}, "m11"),
        ({"parts": [{"level": "m11@example.org"}]}, "m11"),
        ({"parts": [{"colour": "m11@example.org"}]}, "m11"),
        ({"parts": [{"colour": "laurel_abcdef"}]}, "laurel_"),
        ({"parts": [{"colour": "whsec_abcdef"}]}, "whsec_"),
        ({"parts": [{"colour": "a" * 41}]}, "aaa"),
        ({"parts": [{"colour": "a\nb"}]}, "a\nb"),
        ({"parts": [{"level": 10**400}]}, "000"),
        ({"parts": [{"level": 600123456}]}, "600"),
        ({"parts": [{"level": "600123456"}]}, "600"),
        ({"parts": [{"level": "+34 600"}]}, "600"),
        ({"at": "+34 600 123 456"}, "600"),
    ],
)
def test_nothing_personal_secret_or_long_is_repeated(value: Any, repeated: str) -> None:
    assert repeated not in str(refusal(value))


@pytest.mark.parametrize(
    ("value", "sentence", "pointer"),
    [
        (
            {"nme": "a"},
            (
                "There is no member `nme` (did you mean `name`?). "
                "Here are known: name, at, email, zone, secret, confirmed, share, parts, named, kinds."
            ),
            "/nme",
        ),
        (
            {"parts": [{"Colour": "red"}]},
            "There is no member `parts[0].Colour` (did you mean `colour`?). Here are known: level, colour.",
            "/parts/0/Colour",
        ),
        (
            {"named": {"x": {"zzz": 1}}},
            "There is no member `named.x.zzz`. Here are known: level, colour.",
            "/named/x/zzz",
        ),
    ],
)
def test_for_an_unknown_member_the_known_ones_are_named(value: Any, sentence: str, pointer: str) -> None:
    error = refusal(value)
    assert (error.code, str(error), error.pointer) == ("extra-forbidden", sentence, pointer)


def test_one_fault_stands_at_the_top_and_nowhere_else() -> None:
    error = refusal({"name": 7})
    assert (error.code, error.pointer, error.details) == ("string-type", "/name", {})


def test_of_several_faults_the_first_stands_at_the_top_and_all_in_a_list() -> None:
    error = refusal({"name": 7, "share": 2, "at": "x"})
    assert [each["pointer"] for each in error.details["errors"]] == ["/name", "/at", "/share"]
    assert error.details["errors"][0] == {"code": error.code, "detail": str(error), "pointer": error.pointer}


def test_a_misspelt_member_stands_before_what_is_missing_because_of_it() -> None:
    error = refusal({"kind": "score", "occured_at": 1}, derivation.SHAPES["evaluation"])
    assert (error.code, error.pointer) == ("extra-forbidden", "/occured_at")
    assert "did you mean `occurred_at`?" in str(error)


def test_a_word_that_chooses_the_shape_is_suggested() -> None:
    error = refusal({"kind": "rubrik"}, derivation.SHAPES["evaluation"])
    assert (error.code, error.pointer) == ("evaluation-kind", "/kind")
    assert str(error).endswith("got 'rubrik' (did you mean `rubric`?).")


@pytest.mark.parametrize(
    ("rule", "code", "meant"),
    [
        ({"rule": "atendance"}, "rule-unknown", "attendance"),
        ({"all": [{"rule": "count", "gte": 1, "wher": {}}]}, "extra-forbidden", "where"),
        ({"rule": "count", "gte": 1, "where": {"tpyes": ["a"]}}, "extra-forbidden", "types"),
        ({"rule": "count", "gte": 1, "distinct": "dya"}, "literal-error", "day"),
        ({"at_least": {"n": 1, "off": []}}, "extra-forbidden", "of"),
        ({"rule": "count", "gte": 1, "window": {"last": "P1Y", "sins": 1}}, "extra-forbidden", None),
    ],
)
def test_misspelt_rules_and_their_members_are_suggested(rule: Any, code: str, meant: str | None) -> None:
    with pytest.raises(InvalidError) as caught:
        tree.parse(rule, "/criteria")
    assert caught.value.code == code
    assert ("did you mean" in str(caught.value)) == (meant is not None)
    assert meant is None or f"did you mean `{meant}`?" in str(caught.value)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("memeber", "member"),
        ("MEMBER", "member"),
        ("occurred-at", "occurred_at"),
        ("quite another", None),
        ("", None),
        ("member" * 20, None),
    ],
)
def test_only_a_word_that_is_like_a_known_one_is_suggested(word: str, meant: str | None) -> None:
    assert nearest(word, ["member", "occurred_at", "type"]) == meant


@pytest.mark.parametrize(
    ("message", "where", "said"),
    [
        ("Expected another person.", "/evaluator", "`evaluator`: expected another person."),
        ("expected a text", "/a~1b/0/c~0d", "`a/b[0].c~d`: expected a text."),
        ("Expected a ref.", "member", "`member`: expected a ref."),
        ("Expected what `If-Match` names.", "/a", "Expected what `If-Match` names."),
        ("No member has this ref.", "/member", "No member has this ref."),
        ("expected JSON, got none", "", "Expected JSON, got none."),
        ("https://10.0.0.1/x is not public.", "/url", "https://10.0.0.1/x is not public."),
    ],
)
def test_a_sentence_names_its_place_once(message: str, where: str, said: str) -> None:
    assert as_sentence(message, where) == said
