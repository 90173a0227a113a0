"""The pieces of evidence that a badge cites, and whose its credits are, read from strangers' badges."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checking.basis.cited import Piece, credit_authorities, pieces
from service.issuing.citations import Citation, evidence, multibase

URL = "https://here.example/credentials/a"
SEALS = ("11" * 32, "22" * 32)


def cited(url: str, *minutes: int, source: str = "Confirmed by the network.") -> dict[str, Any]:
    """Return a badge with evidence as this service writes it."""
    citations = [
        Citation(
            date(2026, 9, 8 + n),
            "attended",
            f"Attended a session on {8 + n} September 2026{f', {each} minutes' if each else ''}. {source}",
            SEALS[n],
        )
        for n, each in enumerate(minutes)
    ]
    return {"id": url, "evidence": list(evidence(url, citations))}


def test_what_this_service_cites_is_read_with_its_minutes_and_day() -> None:
    assert pieces(cited(URL, 75, 0)) == (Piece(SEALS[0], 75, date(2026, 9, 8)), Piece(SEALS[1], 0, date(2026, 9, 9)))


def test_what_this_service_cited_in_earlier_words_is_read_too() -> None:
    assert pieces(cited(URL, 75, source="Source: recorded (tier 3 of 4).")) == pieces(cited(URL, 75))


def test_the_same_record_in_two_badges_has_the_same_key() -> None:
    assert pieces(cited(URL, 75)) == pieces(cited(URL + "b", 75))


def test_evidence_within_a_badge_and_without_a_digest_is_nobody_elses() -> None:
    item = {"id": f"{URL}#evidence-1", "genre": "attended"}
    assert pieces({"id": URL, "evidence": [item]}) == ()
    assert pieces({"id": URL, "evidence": [{"id": "https://a.example/work"}]}) == (Piece("https://a.example/work"),)


@pytest.mark.parametrize("genre", ["receipt", "duration", "summary", "renewal"])
def test_what_is_no_evidence_of_a_deed_is_no_piece(genre: str) -> None:
    item = {"id": "https://a.example/x", "genre": genre, "digestMultibase": multibase(SEALS[0])}
    assert pieces({"id": URL, "evidence": [item]}) == ()


@pytest.mark.parametrize(
    ("achievement", "names"),
    [
        ({}, ()),
        ({"creditAuthority": {"name": "Ministry"}}, ("Ministry",)),
        ({"creditAuthority": ["Ministry", {"name": "Board"}, 7]}, ("Ministry", "Board")),
        (
            {
                "resultDescription": [
                    {"resultType": "ext:CreditsEarned", "alignment": [{"targetName": "Ministry\u202e of\nit"}]},
                    {
                        "resultType": "ext:CreditsEarned",
                        "alignment": [
                            {"targetName": "Board", "targetType": "ext:CreditAuthority"},
                            {"targetName": "A skill", "targetType": "CFItem"},
                        ],
                    },
                    {"resultType": "CreditHours", "alignment": [{"targetName": "Not an extension"}]},
                ]
            },
            ("Ministry of it", "Board"),
        ),
    ],
)
def test_whose_the_credits_are_is_read_where_issuers_write_it(
    achievement: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert credit_authorities({"credentialSubject": {"achievement": achievement}}) == names


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_nothing_of_another_shape_raises(evidence: Any, achievement: Any) -> None:
    credential = {"id": URL, "evidence": evidence, "credentialSubject": {"achievement": achievement}}
    assert isinstance(pieces(credential), tuple)
    assert isinstance(credit_authorities(credential), tuple)
