"""New evidence asks the rules that it touches, and of the network no other."""

import threading
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from service.awards import settling
from service.progress import progress, tenure_days
from service.runtime.runtime import Runtime
from service.tables import Listener, UnsettledMember
from tests.worlds.acting import Actor
from tests.worlds.posting import AT, ENDORSEMENT, REVIEW, ROOT, RUBRIC, posted, river, rows_of
from tests.worlds.runtimes import Clock

ACHIEVEMENT: dict[str, Any] = {
    "name": "Reader",
    "description": "Reads drafts.",
    "achievement_type": "Badge",
    "award": "automatic",
    "publish": True,
}
RULES: dict[str, Any] = {
    "reviewer": {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 9},
    "toward": {"rule": "count", "where": {"types": ["reviewed"], "objective": "F1"}, "gte": 9},
    "mentor": {"rule": "count", "where": {"types": ["mentored"]}, "gte": 9},
    "anything": {"rule": "count", "gte": 9},
    "rated": {"rule": "rubric", "rubric": "feedback", "criteria": ["specific"], "min_level": 4},
    "tested": {"rule": "score", "assessment": "quiz", "gte": 1},
    "gained": {"rule": "gain", "instrument": "quiz", "metric": "raw", "gte": 1},
    "endorsed": {"rule": "endorsed", "skill": "kindness", "gte": 9},
    "leader": {"rule": "tenure", "role": "facilitator", "min_days": 2, "min_sessions_led": 1},
    "both": {"any": [{"rule": "holds", "achievements": ["first"]}, {"rule": "count", "gte": 99}]},
}


@pytest.fixture
def who(runtime: Runtime, client: TestClient) -> Actor:
    """Whoever may do everything in a network with the members m11, m12 and m13, one session and one objective."""
    who = river(runtime, client)
    posted(who.put(f"{ROOT}/objectives/F1", {"text": "Feedback that helps."}))
    return who


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the achievements whose rules are evaluated, as they are."""
    names: list[str] = []
    evaluate = progress.evaluate

    def noting(session: Any, network: Any, version: Any, *rest: Any, **more: Any) -> Any:
        names.append(version.name)
        return evaluate(session, network, version, *rest, **more)

    monkeypatch.setattr(progress, "evaluate", noting)
    return names


def defined(who: Actor, ref: str, rule: Any, **more: Any) -> None:
    criteria = {"narrative": "As the rule says.", "rule": rule}
    posted(who.post(f"{ROOT}/achievements", ACHIEVEMENT | {"ref": ref, "name": ref, "criteria": criteria} | more))


def test_new_evidence_asks_only_the_rules_that_listen_to_it(who: Actor, asked: list[str]) -> None:
    defined(who, "first", {"rule": "count", "where": {"types": ["presented"]}, "gte": 1})
    for ref, rule in RULES.items():
        defined(who, ref, rule)

    def heard(path: str, body: Any) -> set[str]:
        asked.clear()
        posted(who.post(f"{ROOT}/{path}", body))
        return set(asked)

    contribution = {"member": "m11", "occurred_at": AT, "type": "reviewed"}
    assert heard("contributions", contribution) == {"reviewer", "toward", "anything", "both"}
    assert heard("contributions", contribution | {"type": "x-own"}) == {"anything", "both"}
    facilitated = contribution | {"type": "facilitated", "session": "s1"}
    assert heard("contributions", facilitated) == {"anything", "both", "leader"}
    assert heard("evaluations", RUBRIC) == {"rated"}
    assert heard("evaluations", RUBRIC | {"rubric": "other"}) == set()
    score = {"kind": "score", "about": {"member": "m11"}, "occurred_at": AT, "score": {"scaled": 0.5}}
    assert heard("evaluations", score | {"assessment": "quiz"}) == {"tested", "gained"}
    assert heard("evaluations", ENDORSEMENT | {"skill": "kindness"}) == {"endorsed"}
    assert heard("evaluations", ENDORSEMENT | {"skill": "other"}) == set()
    # An award is heard by those that ask for it.
    assert heard("contributions", contribution | {"type": "presented"}) == {"first", "anything", "both"}
    asked.clear()
    posted(who.put(f"{ROOT}/members/m11", {"roles": ["facilitator"]}), 200)
    assert set(asked) == {"leader"}


def test_publishing_asks_the_one_that_is_published(runtime: Runtime, who: Actor, asked: list[str]) -> None:
    posted(who.post(f"{ROOT}/contributions", REVIEW))
    for ref, rule in RULES.items():
        asked.clear()
        if ref != "both":
            defined(who, ref, rule)
            assert set(asked) == {ref}
    assert rows_of(runtime, UnsettledMember) == []


def test_one_more_post_costs_no_more_statements_among_many_achievements(
    runtime: Runtime, who: Actor, client: TestClient
) -> None:
    _ = client
    statements: list[str] = []

    @event.listens_for(runtime.database.engine, "before_cursor_execute")
    def _note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not threading.current_thread().name.startswith(
            "laurel-upkeep"
        ):  # what it does beside the posts is not theirs
            statements.append(statement)

    def cost() -> int:
        found = []
        for _ in range(3):  # what is read once is not of the post
            statements.clear()
            posted(who.post(f"{ROOT}/contributions", REVIEW))
            found.append(len(statements))
        return min(found)

    defined(who, "reviewer", RULES["reviewer"] | {"gte": 99})
    few = cost()
    for n in range(20):
        defined(who, f"other-{n}", RULES["mentor"] | {"gte": 9 + n})
    assert cost() == few


def test_who_is_bound_to_an_earlier_version_goes_on_being_heard(who: Actor, runtime: Runtime) -> None:
    defined(who, "a", {"rule": "count", "where": {"types": ["reviewed"]}, "gte": 2})
    posted(who.post(f"{ROOT}/contributions", REVIEW))
    changed = ACHIEVEMENT | {"criteria": {"narrative": "N.", "rule": RULES["mentor"]}}
    changed.pop("publish")
    posted(who.put(f"{ROOT}/achievements/a", changed), 200)
    posted(who.post(f"{ROOT}/achievements/a/publication"), 200)
    topics = {row.topic for row in rows_of(runtime, Listener)}
    assert {"did:reviewed", "did:mentored"} < topics
    assert len(posted(who.post(f"{ROOT}/contributions", REVIEW))["awards"]) == 1


def test_a_mark_about_anything_stays_one_about_anything(runtime: Runtime, who: Actor, asked: list[str]) -> None:
    for ref in ("reviewer", "mentor"):
        defined(who, ref, RULES[ref])
    line = {"member": "m14", "occurred_at": AT, "type": "reviewed"}
    posted(who.post(f"{ROOT}/contributions", line), 202)
    asked.clear()
    posted(who.put(f"{ROOT}/members/m14", {"roles": ["facilitator"]}))
    assert set(asked) == {"reviewer", "mentor"}
    assert rows_of(runtime, UnsettledMember) == []


def test_days_in_a_role_pass_without_evidence(runtime: Runtime, who: Actor, clock: Clock, asked: list[str]) -> None:
    defined(who, "leader", {"rule": "tenure", "role": "facilitator", "min_days": 2})
    defined(who, "mentor", RULES["mentor"])
    posted(who.put(f"{ROOT}/members/m11", {"roles": ["facilitator"]}), 200)
    posted(who.put(f"{ROOT}/members/m12", {"roles": ["assessor"]}), 200)
    made = []
    asked.clear()
    for _ in range(4):
        assert tenure_days.mark_tenures(runtime) == 1
        assert tenure_days.mark_tenures(runtime) == 0
        [mark] = rows_of(runtime, UnsettledMember)
        made.append(settling.settle_pending(runtime, mark.network_id))
        clock.advance(days=1)
    assert made == [0, 0, 1, 0]
    assert set(asked) == {"leader"}
