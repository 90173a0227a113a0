"""Hours and credits of each person: what counts, what is open, and whether it suffices."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.checking.basis.cited import Piece
from service.checking.batch import count_words
from service.checking.batch.approved import Approved, read_list
from service.checking.batch.counting import (
    BLOCKING,
    REASONS,
    REASONS_OF_PERSONS,
    Decision,
    Person,
    Wanted,
    count,
    totals,
)
from service.checking.batch.facts import Facts
from service.checking.issuers import Issuer
from service.checking.tones import TONES

ISSUER = Issuer("did:web:academy.example", "Academy", "academy.example")
OTHER = Issuer("did:web:other.example", "Other", "other.example")
OURS = Issuer(
    "did:web:here.example:networks:circle", "Circle", "here.example", page="https://here.example/networks/circle"
)
APPROVED = read_list("academy.example")


def badge(n: int, hours: float = 0, **more: Any) -> Facts:
    """Return a genuine badge of one person, awarded in March."""
    usual: dict[str, Any] = {
        "headline": "genuine",
        "tone": "good",
        "badge": f"badge {n}",
        "readable": True,
        "issuer": ISSUER,
        "minutes": int(hours * 60),
        "awarded": datetime(2026, 3, 10, tzinfo=UTC),
    }
    return Facts(n, more.pop("person", "m1"), "Member 1", **usual | more)


def piece(key: str, hours: float = 0, day: date | None = None) -> Piece:
    return Piece(key, int(hours * 60), day)


def only(*badges: Facts, **wanted: Any) -> Person:
    (person,) = count(badges, Wanted(**wanted))
    return person


def test_who_has_the_hours_is_accepted() -> None:
    person = only(badge(0, 12), badge(1, 8), hours=20)
    assert (person.decision, person.reasons, person.hours) == ("accepted", (), 20)


def test_who_has_too_few_is_short_and_is_told_so() -> None:
    person = only(badge(0, 12), hours=20)
    assert (person.decision, person.reasons, person.hours) == ("short", ("hours-missing",), 12)


def test_credits_are_needed_too_where_both_are() -> None:
    person = only(badge(0, 20, credits=1.5), hours=20, credits=2)
    assert (person.decision, person.reasons) == ("short", ("credits-missing",))
    assert only(badge(0, credits=0.1), badge(1, credits=0.2), credits=0.3).decision == "accepted"


def test_a_badge_that_was_given_twice_counts_once() -> None:
    person = only(badge(0, 12), badge(7, 12, badge="badge 0"), hours=20)
    assert person.decision == "short"
    assert person.entries[1].reasons == ("same-badge-again",)


def test_evidence_that_two_badges_cite_counts_once_piece_by_piece() -> None:
    day = date(2026, 3, 2)
    first = badge(0, 5, pieces=(piece("a", 2, day), piece("b", 3, day)))
    second = badge(1, 7, pieces=(piece("b", 3, day), piece("c", 4, day)))
    person = only(first, second)
    assert [entry.hours for entry in person.entries] == [5, 4]
    assert person.entries[1].reasons == ("evidence-shared",)


def test_a_badge_on_the_same_evidence_as_another_adds_nothing() -> None:
    person = only(badge(0, 5, pieces=(piece("a"),)), badge(1, 5, pieces=(piece("a"),)), hours=10)
    assert (person.decision, person.hours) == ("short", 5)
    assert person.entries[1].reasons == ("evidence-counted-before",)


def test_evidence_of_a_badge_that_states_no_hours_is_free_for_another() -> None:
    person = only(badge(0, pieces=(piece("a"),)), badge(1, 5, pieces=(piece("a"),)), hours=5)
    assert person.decision == "accepted"


def test_shared_evidence_without_hours_of_its_own_is_asked_about_if_it_decides() -> None:
    badges = badge(0, 5, pieces=(piece("a"), piece("b"))), badge(1, 5, pieces=(piece("b"), piece("c")))
    assert only(*badges, hours=5).decision == "accepted"
    assert only(*badges, hours=8).decision == "to-ask"
    assert only(*badges, hours=11).decision == "short"


def test_two_people_may_cite_the_same_evidence() -> None:
    people = count([badge(0, 5, pieces=(piece("a"),)), badge(1, 5, pieces=(piece("a"),), person="m2")], Wanted(hours=5))
    assert [person.decision for person in people] == ["accepted", "accepted"]


def test_only_what_is_within_the_dates_counts() -> None:
    march: dict[str, Any] = {"since": date(2026, 3, 1), "until": date(2026, 3, 31)}
    before = badge(1, 9, awarded=datetime(2026, 2, 28, tzinfo=UTC))
    person = only(badge(0, 3), before, hours=5, **march)
    assert (person.decision, person.hours, person.entries[1].reasons) == ("short", 3, ("outside-dates",))
    pieces = (piece("a", 2, date(2026, 2, 28)), piece("b", 3, date(2026, 3, 1)), piece("c", 1, date(2026, 4, 1)))
    person = only(badge(0, 6, pieces=pieces), hours=3, **march)
    assert (person.decision, person.hours) == ("accepted", 3)
    assert person.entries[0].reasons == ("partly-outside-dates",)


def test_an_activity_that_began_before_the_dates_is_asked_about_if_it_decides() -> None:
    long = badge(0, 6, began=datetime(2026, 2, 1, tzinfo=UTC), ended=datetime(2026, 3, 9, tzinfo=UTC))
    assert only(long, badge(1, 2), since=date(2026, 3, 1), hours=4).decision == "to-ask"
    assert only(long, badge(1, 4), since=date(2026, 3, 1), hours=4).decision == "accepted"
    around = replace(long, ended=datetime(2026, 5, 1, tzinfo=UTC))
    assert only(around, since=date(2026, 3, 1), until=date(2026, 3, 2), hours=4).decision == "to-ask"


def test_a_badge_without_a_date_is_asked_about_only_where_dates_count() -> None:
    undated = badge(0, 6, awarded=None)
    assert only(undated, hours=4).decision == "accepted"
    assert only(undated, hours=4, since=date(2026, 3, 1)).reasons == ("hours-missing", "date-not-said")


@pytest.mark.parametrize(
    ("headline", "decision", "reason"),
    [
        ("not-theirs", "to-ask", "different-address"),
        ("genuine-newer-copy", "to-ask", "badge-replaced"),
        ("expired", "to-ask", "badge-expired"),
        ("suspended", "to-ask", "badge-suspended"),
        ("revoked", "short", "badge-taken-back"),
        ("test", "short", "practice-badge"),
        ("status-not-reached", "to-ask", "badge-undecided"),
        ("older-hosted", "to-ask", "older-standard"),
        ("forged", "to-ask", "badge-not-in-order"),
    ],
)
def test_what_becomes_of_a_badge_that_is_not_plainly_valid(headline: str, decision: Decision, reason: str) -> None:
    person = only(badge(0, 9, headline=headline, tone=TONES[headline]), hours=5)
    assert (person.decision, person.hours) == (decision, 0)
    assert reason in person.reasons


def test_no_headline_but_two_counts_for_sure() -> None:
    sure = [name for name in TONES if only(badge(0, 9, headline=name, tone=TONES[name]), approved=APPROVED).minutes]
    assert sure == ["genuine", "genuine-unlisted"]


def test_what_was_not_checked_is_asked_about_unless_the_rest_suffices() -> None:
    unread = Facts(1, "m1", "Member 1")
    assert only(badge(0, 4), unread, hours=5).decision == "to-ask"
    assert only(badge(0, 5), unread, hours=5).decision == "accepted"


def test_who_showed_a_changed_badge_is_asked_whatever_else_they_showed() -> None:
    person = only(badge(0, 50), badge(1, 5, headline="changed", tone="bad"), hours=5)
    assert (person.decision, person.hours) == ("to-ask", 50)
    assert BLOCKING in person.reasons


def test_what_is_open_and_could_not_make_up_for_what_is_missing_is_no_question() -> None:
    person = only(badge(0, 4), badge(1, 2, headline="not-theirs", tone="unsure"), hours=10)
    assert person.decision == "short"


def test_without_a_need_a_person_is_accepted_if_everything_is_clear() -> None:
    assert only(badge(0, 4)).decision == "accepted"
    assert only(badge(0, 4), Facts(1, "m1", "Member 1")).decision == "to-ask"
    assert only(badge(0)).reasons == ("nothing-counted", "amount-not-said")


def test_only_approved_issuers_count() -> None:
    person = only(badge(0, 4), badge(1, 4, issuer=OTHER), approved=APPROVED, hours=8)
    assert (person.decision, person.entries[1].reasons) == ("short", ("issuer-not-approved",))
    unlisted = badge(0, 4, headline="genuine-unlisted", tone="unsure")
    assert only(unlisted, hours=4, approved=APPROVED).decision == "accepted"
    assert only(unlisted, hours=4).reasons == ("hours-missing", "issuer-not-known")


@pytest.mark.parametrize(
    ("listed", "issuer", "match"),
    [
        ("did:web:academy.example", ISSUER, "approved"),
        ("https://academy.example/", ISSUER, "approved"),
        ("www.academy.example", ISSUER, "approved"),
        ("Academy;academy.example", ISSUER, "approved"),
        ("academy.example.org", ISSUER, "no"),
        ("cademy.example", ISSUER, "no"),
        ("Academy", ISSUER, "name-only"),
        ("Academy;other.example", ISSUER, "no"),
        ("Academy", OTHER, "no"),
        ("here.example", OURS, "shared-domain"),
        ("https://here.example/networks/circle", OURS, "approved"),
        ("https://here.example/networks/circle/", OURS, "approved"),
        ("https://here.example/networks/other", OURS, "no"),
        ("did:web:here.example:networks:circle", OURS, "approved"),
        ("https://a.example/issuer.json", Issuer("https://a.example/issuer.json", "A", "a.example"), "approved"),
        ("https://claimed.example", Issuer("did:key:z6Mk", "A", "", url="https://claimed.example"), "no"),
    ],
)
def test_an_issuer_is_approved_by_what_is_its_own_and_never_by_its_name(
    listed: str, issuer: Issuer, match: str
) -> None:
    assert read_list(f"name;domain\n{listed}\n").match(issuer) == match


def test_the_heading_of_a_list_is_no_name() -> None:
    assert read_list("Name,DID\nAcademy,did:web:academy.example\n\n") == Approved(
        frozenset({"did:web:academy.example"})
    )


def test_every_reason_has_its_words() -> None:
    assert set(count_words.REASONS) == {*REASONS, *REASONS_OF_PERSONS}
    assert set(count_words.DECISIONS) == set(get_args(Decision))


@given(
    st.lists(
        st.builds(
            lambda n, hours, person, headline, keys: badge(
                n,
                hours,
                person=f"m{person}",
                badge=f"badge {n}",
                headline=headline,
                tone=TONES.get(headline, "unsure"),
                pieces=tuple(piece(key) for key in keys),
            ),
            st.integers(0, 30),
            st.integers(0, 9),
            st.integers(0, 4),
            st.sampled_from([*TONES, ""]),
            st.frozensets(st.sampled_from("abcdef"), max_size=3),
        ),
        max_size=30,
    ),
    st.integers(1, 20),
)
def test_decisions_add_up_to_the_people_and_badges_to_what_was_given(badges: list[Facts], hours: int) -> None:
    people = count(badges, Wanted(hours=hours))
    assert sum(totals(people).values()) == len(people) == len({each.person for each in badges})
    assert sum(len(person.entries) for person in people) == len(badges)
    for person in people:
        assert person.minutes <= sum(each.facts.minutes for each in person.entries)
        assert (person.decision == "accepted") <= (person.minutes >= hours * 60)
