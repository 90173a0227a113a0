"""What a body is judged to be by what it refers to, without a database: refused, waiting, or counting."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from service.bodies import validated
from service.evidence.bodies import Gap, Judgement, Place, References, Someone, Submitted, Work
from service.evidence.derivation import SHAPES
from service.tables import Contribution, Evaluation, Network, Rating

ANA, BEN, EVE = (Someone(UUID(int=n), UUID(int=n + 100)) for n in (1, 2, 3))
ANA_AGAIN = Someone(UUID(int=4), ANA.person_id)
COUNTS, WAITS, VOID = Work(UUID(int=11), None, ANA), Work(UUID(int=12), "zoe", None), Work(UUID(int=13), None, None)
FILE = "ab" * 32
PLACE = Place(UUID(int=21), UUID(int=22), 3, ZoneInfo("Europe/Berlin"))
KNOWN = References(
    Network(slug="river"),
    complete=True,
    members={"ana": ANA, "ben": BEN, "eve": EVE, "ana2": ANA_AGAIN},
    sessions={"s1": UUID(int=31)},
    works={"draft": COUNTS, "waiting": WAITS, "void": VOID},
    files={FILE},
)


def contribution(**said: Any) -> Submitted:
    body = {"member": "ana", "type": "shared", "occurred_at": "2026-03-01T23:30:00Z"}
    made: Submitted = validated(SHAPES["contribution"], body | said)
    return made


def evaluation(about: dict[str, str], **said: Any) -> Submitted:
    body = {"kind": "endorsement", "about": about, "occurred_at": "2026-03-01T10:00:00Z"}
    made: Submitted = validated(SHAPES["evaluation"], body | said)
    return made


def reflection(about: dict[str, str], **said: Any) -> Submitted:
    return evaluation(about, kind="reflection", text="I listened more.", **said)


def survey(about: dict[str, str], **said: Any) -> Submitted:
    return evaluation(about, kind="survey", instrument="pulse", answers={"good": 4}, anonymous=True, **said)


def refusal(judgement: Judgement) -> tuple[str, str | None] | None:
    assert judgement.refusal is None or judgement.gap is None
    return (judgement.refusal.code, judgement.refusal.pointer) if judgement.refusal is not None else None


def test_a_body_mentions_the_names_that_it_uses() -> None:
    said = contribution(peer="ben", session="s1", artifacts=[{"blob": FILE}, {"url": "https://river.example.org"}])
    names = [{name for name in names if name is not None} for names in said.mentions]
    assert names == [{"ana", "ben"}, {"s1"}, set(), {FILE}]
    names = [{name for name in names if name} for names in evaluation({"contribution": "draft"}).mentions]
    assert names == [set(), set(), {"draft"}, set()]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, None),
        ({"peer": "ben", "session": "s1", "artifacts": [{"blob": FILE}]}, None),
        ({"session": "s2", "artifacts": [{"blob": "cd" * 32}]}, ("session-unknown", "/session")),
        ({"artifacts": [{"blob": FILE}, {"blob": "cd" * 32}]}, ("blob-unknown", "/artifacts/1/blob")),
        ({"peer": "ana"}, ("peer-is-member", "/peer")),
        ({"peer": "ana2"}, ("peer-is-member", "/peer")),
        ({"peer": "ana2", "session": "s2"}, ("session-unknown", "/session")),
    ],
)
def test_a_contribution_refers_to_what_is_there(said: dict[str, Any], expected: tuple[str, str] | None) -> None:
    judged = contribution(**said).judge(KNOWN, BEN)
    assert (judged.member, judged.gap, refusal(judged)) == (ANA, None, expected)


@pytest.mark.parametrize(
    ("said", "gap"),
    [
        ({"member": "zoe"}, Gap("zoe", "/member")),
        ({"member": "zoe", "peer": "yan"}, Gap("zoe", "/member")),
        ({"peer": "yan"}, Gap("yan", "/peer")),
    ],
)
def test_a_contribution_waits_for_the_first_who_is_not_known(said: dict[str, str], gap: Gap) -> None:
    judged = contribution(**said).judge(KNOWN, None)
    assert (judged.member, judged.gap) == (None if "member" in said else ANA, gap)
    refused = contribution(**said, session="s2").judge(KNOWN, None)
    assert refusal(refused) == ("session-unknown", "/session")


def test_what_follows_from_a_contribution_stands_on_the_calendar_of_its_network() -> None:
    body = contribution(session="s1", peer="ben", tags=["x", "x"])
    (table, row), *tags = body.derive(KNOWN, body.judge(KNOWN, None), PLACE)
    assert table is Contribution
    assert (row["member_id"], row["peer_id"], row["local_date"].isoformat()) == (ANA.id, BEN.id, "2026-03-02")
    assert [values["tag"] for _, values in tags] == ["x"]
    unknown = contribution(member="zoe")
    assert unknown.derive(KNOWN, unknown.judge(KNOWN, None), PLACE) == []


@pytest.mark.parametrize(
    ("body", "actor", "expected"),
    [
        (evaluation({"member": "ana"}, evaluator="ben"), None, None),
        (evaluation({"member": "ana"}), BEN, None),
        (evaluation({"session": "s2"}, evaluator="ben"), EVE, ("session-unknown", "/about/session")),
        (evaluation({"network": "hill"}, evaluator="ben"), None, ("network-unknown", "/about/network")),
        (evaluation({"contribution": "none"}), None, ("contribution-unknown", "/about/contribution")),
        (evaluation({"contribution": "void"}), BEN, ("contribution-void", "/about/contribution")),
        (evaluation({"member": "ana"}, evaluator="ben"), EVE, ("evaluator-not-caller", "/evaluator")),
        (evaluation({"member": "zoe"}, evaluator="yan"), EVE, ("evaluator-not-caller", "/evaluator")),
        (evaluation({"member": "ana"}), None, ("evaluator-missing", "/evaluator")),
        (evaluation({"member": "ana"}, evaluator="ana2"), None, ("self-evaluation", "/evaluator")),
        (evaluation({"contribution": "draft"}), ANA_AGAIN, ("self-evaluation", "/evaluator")),
        (evaluation({"session": "s1"}, anonymous=True), None, ("anonymous-kind", "/anonymous")),
        (survey({"session": "s1"}), None, None),
        (survey({"session": "s1"}, evaluator="ben"), None, ("anonymous-evaluator", "/evaluator")),
        (survey({"member": "ana"}), None, ("anonymous-about", "/about")),
        (survey({"network": "river"}), BEN, ("anonymous-token", "/anonymous")),
        (reflection({"member": "ana"}), None, None),
        (reflection({"contribution": "draft"}, evaluator="ana2"), ANA, None),
    ],
)
def test_an_evaluation_is_about_what_is_there_by_somebody_else(
    body: Submitted, actor: Someone | None, expected: tuple[str, str] | None
) -> None:
    judged = body.judge(KNOWN, actor)
    assert (judged.gap, refusal(judged)) == (None, expected)


@pytest.mark.parametrize(
    ("about", "gap"),
    [
        ({"member": "zoe"}, Gap("zoe", "/about/member")),
        ({"contribution": "waiting"}, Gap("zoe", "/about/contribution")),
        ({"contribution": "draft"}, Gap("yan", "/evaluator")),
    ],
)
def test_an_evaluation_waits_for_the_first_who_is_not_known(about: dict[str, str], gap: Gap) -> None:
    judged = evaluation(about, evaluator="yan").judge(KNOWN, None)
    assert (judged.gap, judged.evaluator) == (gap, None)
    assert judged.member == (ANA if about == {"contribution": "draft"} else None)


def test_on_whom_a_body_bears_is_known_whatever_else_is_wrong() -> None:
    judged = evaluation({"contribution": "draft"}, evaluator="ben").judge(KNOWN, EVE)
    assert (judged.member, refusal(judged)) == (ANA, ("evaluator-not-caller", "/evaluator"))


def test_from_an_evaluation_follows_who_judged_whom_and_nothing_of_what_does_not_count() -> None:
    rubric = {"kind": "rubric", "rubric": "feedback", "ratings": {"kind": 3, "specific": 2}}
    body = evaluation({"contribution": "draft"}, **rubric)
    (table, row), *ratings = body.derive(KNOWN, body.judge(KNOWN, BEN), PLACE)
    assert (table, row["member_id"], row["evaluator_id"]) == (Evaluation, ANA.id, BEN.id)
    assert (row["about_kind"], row["about_id"], row["instrument"]) == ("contribution", COUNTS.record_id, "feedback")
    assert [(kind, values["level"]) for kind, values in ratings] == [(Rating, 3), (Rating, 2)]
    void = evaluation({"contribution": "void"}, **rubric)
    assert void.derive(KNOWN, void.judge(KNOWN, BEN), PLACE) == []
