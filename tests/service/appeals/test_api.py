"""What members contest: what can be, by whom it is seen, who decides it, and what then becomes of it."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from service.access import callers
from service.appeals import cases, deadlines
from service.awards import settling
from service.errors import CustodyError
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.tables import Award, Case, CaseStep, CaseText, Credential, Event, Idempotency, Network, Row
from tests.worlds.acting import actor, all_pages, told
from tests.worlds.awarding import SHARE_TWICE, Stage, once
from tests.worlds.presenting import see
from tests.worlds.runtimes import BASE_URL, Clock, app_of

APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}
WHY = "I was there twice, and only once is written down."


@once
def laid(stage: Stage) -> None:
    for ref in ("n1", "n2", "n3"):
        stage.member(ref, roles=["mediator"])
    stage.member("a1", roles=["admin"])
    stage.member("d1", roles=[{"role": "director", "from": "2026-01-01T00:00:00Z"}, "approver"])
    stage.member("m11", email="m11@river.example.org")
    stage.member("m12")


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def token(stage: Stage, member: str | None = "m11", *scopes: str) -> str:
    chosen = scopes or (("cases:manage",) if member is None else ("cases:write", "cases:decide"))
    return stage.token_with(*chosen, member=member)


def contest(stage: Stage, by: str | None = None, **body: Any) -> Any:
    return stage.call("POST", "./cases", by or token(stage), json={"statement": WHY} | body)


@once
def refused(stage: Stage, **more: Any) -> Any:
    """Publish the achievement, and contest that m11 has not earned it."""
    stage.achievement(**more)
    stage.share(1)
    return sent(contest(stage, achievement="sharer"), 201)


@once
def revoked(stage: Stage, by: str | None = None) -> Any:
    """Award m11 by rule, take it back, and return the credential's id."""
    stage.achievement()
    stage.share(1)
    stage.share(2)
    (award,) = stage.awards()
    path = f"/v1/credentials/{award['credential']['id']}/revocation"
    sent(stage.call("POST", path, by, json={"reason": "A copy."}))
    return award["credential"]["id"]


@once
def declined(stage: Stage) -> Any:
    """Let d1 decline what m11 has earned but for approval, and return the approval's id."""
    stage.achievement(rule=APPROVED)
    stage.share(1)
    stage.share(2)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    sent(stage.call("POST", f"./approvals/{waiting['id']}/refusal", by, json={"reason": "Not yet."}))
    return waiting["id"]


def mediated(stage: Stage, case: Any, by: str = "n1", **more: Any) -> Any:
    return stage.call("PUT", f"./cases/{case['id']}/mediator", token(stage, None), json={"member": by} | more)


def decide(stage: Stage, case: Any, outcome: str = "overturned", by: str = "n1", **more: Any) -> Any:
    body = {"outcome": outcome, "reason": "Somebody else saw it."} | more
    return stage.call("POST", f"./cases/{case['id']}/resolution", token(stage, by), json=body)


def say(stage: Stage, case: Any, by: str, text: str = "More.") -> Any:
    return stage.call("POST", f"./cases/{case['id']}/statements", by, json={"text": text})


def seen(stage: Stage, case: Any, by: str | None = None) -> Any:
    return stage.call("GET", f"./cases/{case['id']}", by or token(stage))


def sent(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def at_once(*works: Callable[[], Any]) -> list[Any]:
    together = threading.Barrier(len(works))
    answers: list[Any] = [None] * len(works)

    def run(n: int) -> None:
        together.wait()
        answers[n] = works[n]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# --- What can be contested -----------------------------------------------------------------------------------------


def test_a_refusal_says_where_it_can_be_contested_and_that_is_enough_to_do_it(stage: Stage) -> None:
    stage.achievement()
    stage.share(1)
    appeal = stage.award().json()["appeal"]
    assert appeal == {
        "url": "/v1/networks/river/cases",
        "body": {"achievement": "sharer", "member": "m11"},
    }
    case = sent(stage.call("POST", appeal["url"], token(stage), json=appeal["body"] | {"statement": WHY}), 201)
    assert (case["kind"], case["state"], case["you"], case["member"]) == ("refusal", "open", "member", "m11")
    assert told(stage.runtime, stage.slug)[-1] == "case.opened"


def test_what_the_member_had_reached_is_kept_as_ids_and_numbers(stage: Stage) -> None:
    case = refused(stage)
    record = stage.send("GET", "./records")["items"][0]["id"]
    assert case["progress"] == {
        "rule": "count",
        "met": False,
        "observed": 1,
        "required": 2,
        "progress": 0.5,
        "stability": case["progress"]["stability"],
        "records": 1,
        "record_ids": [record],
    }
    stage.share(2)
    assert seen(stage, case).json()["progress"] == case["progress"]


def test_what_nobody_refused_cannot_be_contested(stage: Stage) -> None:
    stage.achievement("reviewed", award="reviewed")
    stage.achievement("people", rule=None, award="reviewed")
    stage.achievement("trusted", rule=APPROVED)
    stage.achievement()
    stage.share(1)
    stage.share(2)
    answers = [contest(stage, achievement=ref) for ref in ("reviewed", "people", "trusted", "sharer", "nothing")]
    assert [problem(answer)[1] for answer in answers] == [
        *("not-refused", "criteria-without-rule", "not-refused", "award-there", "achievement-unknown")
    ]
    (award,) = stage.awards()
    assert problem(contest(stage, credential=award["credential"]["id"])) == (409, "credential-stands")
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    assert problem(contest(stage, approval=waiting["id"])) == (409, "not-refused")


def test_exactly_one_thing_is_contested(stage: Stage) -> None:
    for body in ({}, {"achievement": "sharer", "credential": "0" * 32}):
        assert problem(contest(stage, **body)) == (422, "matter-ambiguous")
    assert problem(contest(stage, achievement="sharer", statement="x" * 10_001)) == (422, "string-too-long")


def test_a_revoked_badge_says_until_when_it_can_be_contested(stage: Stage, clock: Clock) -> None:
    credential = revoked(stage)
    path = f"/v1/credentials/{credential}/status"
    appeal = stage.send("GET", path)["appeal"]
    # Three months after 2 March, to the end of that day in Berlin, where it is summer then.
    assert appeal == {
        "url": "/v1/networks/river/cases",
        "body": {"credential": credential},
        "until": "2026-06-02T22:00:00Z",
    }
    clock.at = datetime(2026, 6, 2, 22, tzinfo=UTC)
    late = contest(stage, credential=credential)
    assert (problem(late), late.json()["until"]) == ((409, "case-too-late"), "2026-06-02T22:00:00Z")
    assert "2026-06-02" in late.json()["detail"]
    assert "appeal" not in stage.send("GET", path)
    clock.at = datetime(2026, 6, 2, 21, 59, tzinfo=UTC)
    assert sent(contest(stage, credential=credential), 201)["kind"] == "revocation"


def test_what_is_of_somebody_else_cannot_be_contested(stage: Stage) -> None:
    credential, other = revoked(stage), token(stage, "m12")
    stage.achievement("second", rule=APPROVED)
    assert problem(contest(stage, other, credential=credential)) == (404, "credential-unknown")
    assert problem(contest(stage, other, achievement="sharer", member="m11")) == (404, "member-unknown")
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    assert problem(contest(stage, other, approval=waiting["id"])) == (404, "approval-unknown")


def test_a_member_has_one_open_case_about_an_achievement(stage: Stage) -> None:
    case = refused(stage)
    again = contest(stage, achievement="sharer")
    assert (problem(again), again.json()["case"]) == ((409, "case-open"), case["id"])


def test_of_two_that_are_opened_at_once_there_is_one(stage: Stage) -> None:
    stage.achievement()
    by = token(stage)
    answers = at_once(*[lambda: contest(stage, by, achievement="sharer")] * 3)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


def test_what_was_decided_is_contested_again_only_when_there_is_something_new(stage: Stage) -> None:
    case = refused(stage, rule=SHARE_TWICE | {"gte": 3})
    mediated(stage, case)
    sent(decide(stage, case, "upheld"))
    again = contest(stage, achievement="sharer")
    assert (problem(again), again.json()["case"]) == ((409, "case-decided"), case["id"])
    stage.share(2)
    assert contest(stage, achievement="sharer").status_code == 201


def test_what_was_taken_back_can_be_contested_again(stage: Stage) -> None:
    credential = revoked(stage)
    case = sent(contest(stage, credential=credential), 201)
    path = f"./cases/{case['id']}/withdrawal"
    for _ in range(2):
        assert sent(stage.call("POST", path, token(stage)))["outcome"] == "withdrawn"
    assert problem(say(stage, case, token(stage))) == (409, "case-closed")
    assert sent(contest(stage, credential=credential), 201)["id"] != case["id"]
    assert told(stage.runtime, stage.slug)[-2:] == ["case.withdrawn", "case.opened"]


def test_the_same_key_opens_one_case_and_what_was_said_is_not_kept_with_it(stage: Stage) -> None:
    stage.achievement()
    by = token(stage)
    answers = [
        stage.call(
            "POST",
            "./cases",
            by,
            json={"achievement": "sharer", "statement": WHY},
            headers={"Idempotency-Key": "one"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    with stage.runtime.database.read() as session:
        assert WHY not in (session.scalars(select(Idempotency.answer)).one() or "")
        assert len(session.scalars(select(CaseText)).all()) == 1


# --- Who sees it ---------------------------------------------------------------------------------------------------


def test_a_third_member_and_other_tokens_find_nothing(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    every = [scope for scope in callers.NETWORK_SCOPES if scope != "cases:manage"]
    for by in (token(stage, "m12"), stage.token_with(*every, "cases:manage", member="m12")):
        assert problem(seen(stage, case, by)) == (404, "case-unknown")
        assert sent(stage.call("GET", "./cases", by))["items"] == []
        path = f"./cases/{case['id']}"
        assert problem(say(stage, case, by)) == (404, "case-unknown")
        assert problem(stage.call("POST", f"{path}/withdrawal", by)) == (404, "case-unknown")
        assert problem(stage.call("POST", f"{path}/escalation", by, json={})) == (404, "case-unknown")
        answer = stage.call("POST", f"{path}/resolution", by, json={"outcome": "upheld", "reason": "No."})
        assert problem(answer) == (404, "case-unknown")
        step = seen(stage, case).json()["steps"][0]["id"]
        assert problem(stage.call("POST", f"{path}/steps/{step}/erasure", by)) == (404, "case-unknown")
    answer = stage.call(
        "PUT", f"./cases/{case['id']}/mediator", stage.token_with("cases:manage", member="m12"), json={"member": "n2"}
    )
    assert problem(answer) == (404, "case-unknown")
    assert problem(seen(stage, case, stage.token_with("read"))) == (403, "scope-missing")
    assert problem(seen(stage, {"id": str(UUID(int=1))})) == (404, "case-unknown")


def test_another_networks_case_is_not_there(stage: Stage) -> None:
    case = refused(stage)
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    other.member("x1", roles=["mediator"])
    assert problem(other.call("GET", f"./cases/{case['id']}")) == (404, "case-unknown")
    answer = other.call("PUT", f"./cases/{case['id']}/mediator", json={"member": "x1"})
    assert problem(answer) == (404, "case-unknown")
    assert problem(other.call("GET", f"/v1/networks/river/cases/{case['id']}")) == (404, "network-unknown")
    assert other.send("GET", "./cases")["items"] == []


def test_the_network_sees_that_there_is_a_case_and_not_what_is_said_in_it(stage: Stage) -> None:
    case = refused(stage)
    for by in (token(stage, None), stage.token_with("cases:manage", member="a1")):
        shown = sent(seen(stage, case, by))
        assert (shown["you"], shown["member"]) == ("network", "m11")
        assert [("text" in step, "digest" in step) for step in shown["steps"]] == [(False, True)]
        assert [each["id"] for each in sent(stage.call("GET", "./cases", by))["items"]] == [case["id"]]


def test_events_name_the_case_alone(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    decide(stage, case, "upheld")
    with stage.runtime.database.read() as session:
        rows = session.scalars(select(Event).where(Event.type.startswith("case."))).all()
        assert {row.type for row in rows} == {"case.opened", "case.mediator-assigned", "case.resolved"}
        assert [row.about for row in rows] == [{"case": case["id"]}] * 3


def test_parties_and_mediator_read_what_was_said_in_order(stage: Stage) -> None:
    credential = revoked(stage, stage.token_with("awards:write", member="d1"))
    case = sent(contest(stage, credential=credential), 201)
    assert case["respondent"] == "d1"
    assert all("text" not in step for step in case["steps"])
    mediated(stage, case)
    for ref, text in (("d1", "Both were the same file."), ("n1", "Which file?"), ("m11", "Not the same.")):
        assert "text" not in sent(say(stage, case, token(stage, ref), text), 201)["steps"][-1]
    for ref, part in (("m11", "member"), ("d1", "respondent"), ("n1", "mediator")):
        shown = sent(seen(stage, case, token(stage, ref)))
        assert shown["you"] == part
        assert [(step["kind"], step["part"], step.get("text")) for step in shown["steps"]] == [
            ("opened", "member", WHY),
            ("assigned", "network", None),
            ("statement", "respondent", "Both were the same file."),
            ("statement", "mediator", "Which file?"),
            ("statement", "member", "Not the same."),
        ]


def test_cases_are_paged_and_filtered(stage: Stage) -> None:
    stage.achievement()
    refs = [f"p{n}" for n in range(5)]
    for ref in refs:
        stage.member(ref)
        sent(contest(stage, token(stage, ref), achievement="sharer"), 201)
    who = actor(stage.runtime, stage.client, slug=stage.slug)
    path = f"/v1/networks/{stage.slug}/cases"
    assert [item["member"] for item in all_pages(who, path)] == refs
    found = who.get(path, member="p3", achievement="sharer", kind="refusal", state="open").json()["items"]
    assert [item["member"] for item in found] == ["p3"]
    assert "steps" not in found[0]
    assert who.get(path, kind="revocation").json()["items"] == []
    assert [item["member"] for item in sent(stage.call("GET", path, token(stage, "p2")))["items"]] == ["p2"]


def test_the_network_contests_on_a_members_behalf_and_that_is_on_record(stage: Stage) -> None:
    stage.achievement()
    by = token(stage, None)
    assert problem(contest(stage, by, achievement="sharer")) == (422, "member-missing")
    assert problem(contest(stage, by, achievement="sharer", member="nobody")) == (404, "member-unknown")
    case = sent(contest(stage, by, achievement="sharer", member="m11"), 201)
    assert (case["you"], case["steps"][0]["part"]) == ("network", "network")
    say(stage, case, by, "He adds that he was ill.")
    shown = seen(stage, case).json()
    assert (shown["you"], shown["steps"][1]["part"], shown["steps"][1]["text"]) == (
        *("member", "network", "He adds that he was ill."),
    )
    assert sent(stage.call("POST", f"./cases/{case['id']}/withdrawal", by))["outcome"] == "withdrawn"


def test_what_was_said_can_be_erased_by_whoever_said_it_and_by_the_network(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    say(stage, case, token(stage, "n1"), "A question about a name.")
    opened, _, asked = seen(stage, case).json()["steps"]
    path = f"./cases/{case['id']}/steps"
    assert problem(stage.call("POST", f"{path}/{asked['id']}/erasure", token(stage))) == (404, "step-unknown")
    for _ in range(2):
        sent(stage.call("POST", f"{path}/{opened['id']}/erasure", token(stage)))
    sent(stage.call("POST", f"{path}/{asked['id']}/erasure", token(stage, None)))
    shown = seen(stage, case, token(stage, "n1")).json()["steps"]
    assert [(step.get("text"), step.get("erased")) for step in shown] == [(None, True), (None, None), (None, True)]
    assert (shown[0]["digest"], shown[2]["digest"]) == (opened["digest"], asked["digest"])
    with stage.runtime.database.read() as session:
        assert session.scalars(select(CaseText)).all() == []
        assert session.scalars(select(CaseStep.salt)).all() == [None] * 3


def test_nothing_but_its_own_row_holds_what_was_said(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    secret = "a word that stands nowhere else"
    say(stage, case, token(stage), secret)
    decide(stage, case, reason=secret)
    with stage.runtime.database.read() as session:
        for table in Row.metadata.sorted_tables:
            held = secret in repr(session.execute(select(table)).all())
            assert held == (table.name == "case_texts"), table.name


def test_one_person_says_only_so_much(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "MOST_STATEMENTS", 2)
    case, by = refused(stage), token(stage)
    answers = [say(stage, case, by) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["code"] == "case-full"


# --- The mediator --------------------------------------------------------------------------------------------------


def test_the_network_gives_a_case_its_mediator(stage: Stage) -> None:
    case = refused(stage)
    for _ in range(2):
        shown = sent(mediated(stage, case))
        assert (shown["state"], shown["mediator"], len(shown["steps"])) == ("mediating", "n1", 2)
    assert problem(mediated(stage, case, "n2")) == (409, "mediator-other")
    assert problem(mediated(stage, case, "n2", replaces="n3")) == (409, "mediator-other")
    assert sent(mediated(stage, case, "n2", replaces="n1"))["mediator"] == "n2"
    assert problem(seen(stage, case, token(stage, "n1"))) == (404, "case-unknown")
    assert problem(mediated(stage, case, "m12", replaces="n2")) == (409, "role-missing")
    assert problem(mediated(stage, case, "nobody", replaces="n2")) == (404, "member-unknown")


def test_of_two_mediators_at_once_there_is_one(stage: Stage) -> None:
    case, by = refused(stage), token(stage, None)
    path = f"./cases/{case['id']}/mediator"
    answers = at_once(
        *(lambda ref=ref: stage.call("PUT", path, by, json={"member": ref}) for ref in ("n1", "n2", "n3"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    with stage.runtime.database.read() as session:
        assert len(session.scalars(select(CaseStep).where(CaseStep.kind == "assigned")).all()) == 1


def test_who_suspended_a_credential_is_a_party_and_does_not_mediate(stage: Stage) -> None:
    stage.achievement()
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    path = f"/v1/credentials/{award['credential']['id']}/suspension"
    by = stage.token_with("awards:write", member="d1")
    sent(stage.call("POST", path, by, json={"reason": "To be looked into."}))
    case = sent(contest(stage, credential=award["credential"]["id"]), 201)
    assert (case["kind"], case["respondent"]) == ("suspension", "d1")
    assert problem(mediated(stage, case, "d1")) == (409, "mediator-is-party")


def test_nobody_with_a_part_in_it_mediates(stage: Stage) -> None:
    review = declined(stage)
    case = sent(contest(stage, approval=review), 201)
    assert (case["kind"], case["respondent"], case["approval"]) == ("declined", "d1", review)
    stage.member("m11", roles=["mediator"])
    assert problem(mediated(stage, case, "m11")) == (409, "mediator-is-party")
    assert problem(mediated(stage, case, "d1")) == (409, "mediator-is-party")
    stage.member("n1", email="m11@river.example.org")
    assert problem(mediated(stage, case, "n1")) == (409, "mediator-is-party")
    stage.member("a1", roles=["admin"])
    by = stage.token_with("cases:manage", member="m11")
    stage.member("m11", roles=["admin"])
    answer = stage.call("PUT", f"./cases/{case['id']}/mediator", by, json={"member": "n2"})
    assert problem(answer) == (403, "self-decision")


def test_whoever_opened_it_for_the_member_does_not_mediate(stage: Stage) -> None:
    stage.achievement()
    by = stage.token_with("cases:manage", member="a1")
    case = sent(contest(stage, by, achievement="sharer", member="m11"), 201)
    answer = stage.call("PUT", f"./cases/{case['id']}/mediator", by, json={"member": "a1"})
    assert problem(answer) == (409, "mediator-is-party")


def test_a_mediator_who_turns_out_to_be_a_party_leaves(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    stage.member("n1", email="m11@river.example.org")
    shown = seen(stage, case).json()
    assert (shown["state"], "mediator" in shown, shown["steps"][-1]["kind"]) == ("open", False, "left")
    assert "case.mediator-left" in told(stage.runtime, stage.slug)
    assert problem(decide(stage, case)) == (403, "self-decision")
    assert sent(seen(stage, case, token(stage, "n1")))["you"] == "member"
    assert sent(mediated(stage, case, "n2"))["state"] == "mediating"


def test_a_member_who_becomes_the_mediators_person_while_they_decide_is_not_decided_on_by_themself(
    stage: Stage,
) -> None:
    case = refused(stage)
    mediated(stage, case)
    by = token(stage, "n1")
    body = {"outcome": "overturned", "reason": "Because."}
    at_once(
        lambda: stage.call("POST", f"./cases/{case['id']}/resolution", by, json=body),
        lambda: stage.member("n1", email="m11@river.example.org"),
    )
    with stage.runtime.database.read() as session:
        row = session.scalars(select(Case)).one()
        for award in session.scalars(select(Award)):
            assert award.review_since is not None
            assert row.state == "resolved"
        assert row.state == "resolved" or row.mediator_id is None


def test_the_database_knows_no_mediator_who_is_a_party(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    with pytest.raises(IntegrityError), stage.runtime.database.write() as session:
        session.execute(update(Case).values(mediator_who=Case.member_who))
    with pytest.raises(IntegrityError), stage.runtime.database.write() as session:
        session.execute(update(Case).values(state="resolved"))


def test_a_mediator_who_lost_the_role_decides_no_more(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    stage.member("n1", roles=[])
    assert problem(decide(stage, case)) == (409, "role-missing")
    assert problem(decide(stage, case, by="m11")) == (403, "self-decision")
    assert problem(
        stage.call("POST", f"./cases/{case['id']}/escalation", token(stage, "n1", "cases:write"), json={})
    ) == (*(403, "not-a-party"),)


# --- Time ----------------------------------------------------------------------------------------------------------


def test_a_case_that_nobody_decides_is_escalated_when_its_day_is_over(stage: Stage, clock: Clock) -> None:
    case = refused(stage)
    mediated(stage, case)
    # One month after 2 March, to the end of that day in Berlin, where it is summer by then.
    assert case["due_at"] == "2026-04-02T22:00:00Z"
    clock.at = datetime(2026, 4, 2, 21, 59, 59, tzinfo=UTC)
    assert deadlines.pass_deadlines(stage.runtime) == 0
    clock.at = datetime(2026, 4, 2, 22, tzinfo=UTC)
    assert (deadlines.pass_deadlines(stage.runtime), deadlines.pass_deadlines(stage.runtime)) == (1, 0)
    shown = seen(stage, case).json()
    assert (shown["state"], "mediator" in shown, shown["due_at"]) == ("escalated", False, "2026-06-03T22:00:00Z")
    assert (shown["steps"][-1]["kind"], shown["steps"][-1]["part"]) == ("escalated", "service")
    assert problem(decide(stage, case)) == (404, "case-unknown")
    assert problem(mediated(stage, case, "n1")) == (409, "mediator-again")
    assert sent(mediated(stage, case, "n2"))["state"] == "escalated"
    assert sent(decide(stage, case, by="n2"))["outcome"] == "overturned"
    assert len(stage.awards()) == 1


def test_an_escalated_case_stays_open_and_is_said_to_be_overdue(stage: Stage, clock: Clock) -> None:
    case = refused(stage)
    for days, expected in ((32, "case.escalated"), (65, "case.overdue"), (65, "case.overdue")):
        clock.advance(days=days)
        assert deadlines.pass_deadlines(stage.runtime) == 1
        assert told(stage.runtime, stage.slug)[-1] == expected
    sent(mediated(stage, case, "n2"))
    assert sent(decide(stage, case, "upheld", by="n2"))["state"] == "resolved"
    clock.advance(days=365)
    assert deadlines.pass_deadlines(stage.runtime) == 0


def test_a_party_has_somebody_else_decide(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    path = f"./cases/{case['id']}/escalation"
    for _ in range(2):
        shown = sent(stage.call("POST", path, token(stage), json={"statement": "They work together."}))
        assert (shown["state"], len(shown["steps"])) == ("escalated", 3)
    assert seen(stage, case).json()["steps"][-1]["text"] == "They work together."
    admin = stage.token_with("cases:manage", "cases:decide", member="a1")
    taken = stage.call("PUT", f"./cases/{case['id']}/mediator", admin, json={"member": "a1"})
    assert (sent(taken)["you"], taken.json()["state"]) == ("mediator", "escalated")
    assert sent(decide(stage, case, "upheld", by="a1"))["outcome"] == "upheld"


# --- What becomes of it --------------------------------------------------------------------------------------------


def test_upheld_changes_nothing_and_says_why(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    for _ in range(2):
        shown = sent(decide(stage, case, "upheld", reason="One of the two was a copy."))
        assert (shown["state"], shown["outcome"], "result" in shown) == ("resolved", "upheld", False)
    assert seen(stage, case).json()["steps"][-1]["text"] == "One of the two was a copy."
    assert stage.awards() == []
    assert problem(decide(stage, case, "overturned")) == (409, "case-closed")
    assert problem(mediated(stage, case, "n2", replaces="n1")) == (409, "case-closed")


def test_a_refusal_that_is_overturned_becomes_an_award_with_a_receipt(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    shown = sent(decide(stage, case))
    (award,) = stage.awards()
    assert (award["basis"], award["state"], award["reason"]) == (
        *("override", "awarded", f"Decided in the case {case['id']}."),
    )
    assert [(each["member"], each["role"]) for each in award["decided_by"]] == [("n1", "mediator")]
    assert shown["result"] == {
        "award": award["id"],
        "credential": award["credential"]["url"],
        "receipt": award["receipt"],
    }
    assert stage.client.get(award["receipt"]).status_code == 200
    assert told(stage.runtime, stage.slug)[-3:] == ["award.made", "credential.issued", "case.resolved"]


def test_an_award_in_spite_of_a_declined_approval_rests_on_what_was_met(stage: Stage) -> None:
    case = sent(contest(stage, approval=declined(stage)), 201)
    mediated(stage, case)
    sent(decide(stage, case))
    (award,) = stage.awards()
    genres = [each.get("genre") for each in stage.credential(award)["evidence"]]
    assert (award["basis"], len([genre for genre in genres if genre == "shared"])) == ("override", 2)


def test_by_rule_it_is_overturned_once_the_missing_evidence_is_there(stage: Stage) -> None:
    case = refused(stage, award="reviewed")
    mediated(stage, case)
    answer = decide(stage, case, basis="rule")
    assert (problem(answer), answer.json()["progress"]["observed"]) == ((409, "criteria-not-met"), 1)
    assert seen(stage, case).json()["state"] == "mediating"
    stage.share(2)
    sent(decide(stage, case, basis="rule"))
    assert [award["basis"] for award in stage.awards()] == ["rule"]


def test_an_award_that_came_in_the_meantime_is_the_one(stage: Stage) -> None:
    case = refused(stage)
    mediated(stage, case)
    stage.share(2)
    (award,) = stage.awards()
    assert sent(decide(stage, case))["result"]["award"] == award["id"]
    assert len(stage.awards()) == 1


def test_a_revocation_that_is_overturned_gives_a_new_credential_and_the_old_one_stays_revoked(stage: Stage) -> None:
    credential = revoked(stage)
    case = sent(contest(stage, credential=credential), 201)
    mediated(stage, case)
    assert problem(decide(stage, case, basis="override")) == (422, "basis-misplaced")
    shown = sent(decide(stage, case))
    old, new = stage.awards()
    assert (old["state"], new["state"], new["basis"], new["renews"]) == ("revoked", "awarded", "override", old["id"])
    assert new["awarded_at"] == old["awarded_at"]
    assert shown["result"]["award"] == new["id"]
    status = stage.send("GET", f"/v1/credentials/{credential}/status")
    assert (status["state"], status["followed_by"]) == ("revoked", new["credential"]["id"])
    assert "appeal" not in status
    assert problem(contest(stage, credential=credential)) == (409, "award-there")


def test_a_badge_that_was_private_is_private_again_after_its_revocation_was_overturned(stage: Stage) -> None:
    credential = revoked(stage)
    see(stage.runtime, credential, "private")
    case = sent(contest(stage, credential=credential), 201)
    mediated(stage, case)
    sent(decide(stage, case))
    new = stage.awards()[1]["credential"]["id"]
    assert stage.send("GET", f"/v1/credentials/{new}")["visibility"] == "private"


def test_what_was_voided_does_not_come_back_with_a_revocation_that_is_overturned(stage: Stage) -> None:
    stage.achievement()
    record = stage.share(1)
    stage.share(2)
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Somebody else's."})
    (award,) = stage.awards()
    assert award["state"] == "revoked"
    case = sent(contest(stage, credential=award["credential"]["id"]), 201)
    mediated(stage, case)
    sent(decide(stage, case))
    new = stage.awards()[1]
    genres = [each.get("genre") for each in stage.credential(new)["evidence"]]
    assert len([genre for genre in genres if genre == "shared"]) == 1


def test_an_award_whose_own_time_is_over_is_made_anew_from_now_on(stage: Stage, clock: Clock) -> None:
    stage.achievement(valid_for="P1M")
    stage.share(1)
    stage.share(2)
    (award,) = stage.awards()
    credential = award["credential"]["id"]
    sent(stage.call("POST", f"/v1/credentials/{credential}/revocation", json={"reason": "A copy."}))
    clock.advance(days=40)
    case = sent(contest(stage, credential=credential), 201)
    mediated(stage, case)
    sent(decide(stage, case))
    assert stage.awards()[1]["awarded_at"] == "2026-04-11T12:00:00Z"


def test_a_suspension_that_is_overturned_ends(stage: Stage) -> None:
    stage.achievement()
    stage.share(1)
    stage.share(2)
    (award,) = stage.awards()
    path = f"/v1/credentials/{award['credential']['id']}"
    stage.send("POST", f"{path}/suspension", {"reason": "Being looked into."})
    assert "appeal" in stage.send("GET", f"{path}/status")
    case = sent(contest(stage, credential=award["credential"]["id"]), 201)
    mediated(stage, case)
    shown = sent(decide(stage, case))
    assert (shown["kind"], shown["result"]["award"]) == ("suspension", award["id"])
    assert stage.send("GET", f"{path}/status")["state"] == "valid"
    assert [each["state"] for each in stage.awards()] == ["awarded"]


def test_an_award_to_staff_waits_for_a_second_person_who_is_not_the_mediator(stage: Stage) -> None:
    stage.member("m11", roles=["facilitator"])
    case = refused(stage)
    mediated(stage, case)
    shown = sent(decide(stage, case))
    assert shown["outcome"] == "overturned"
    (award,) = stage.awards()
    assert (award["state"], "credential" in shown["result"]) == ("pending", False)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    stage.member("n1", roles=["mediator", "approver"])
    path = f"./approvals/{waiting['id']}/approval"
    assert problem(stage.call("POST", path, stage.token_with("awards:approve", member="n1"), json={})) == (
        *(403, "self-approval"),
    )
    sent(stage.call("POST", path, stage.token_with("awards:approve", member="d1"), json={}))
    assert "credential" in seen(stage, case).json()["result"]


def test_a_revoked_award_to_staff_is_followed_by_its_credential_once_it_is_signed(stage: Stage) -> None:
    credential = revoked(stage)
    see(stage.runtime, credential, "private")
    stage.member("m11", roles=["facilitator"])
    case = sent(contest(stage, credential=credential), 201)
    mediated(stage, case)
    sent(decide(stage, case))
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    path = f"./approvals/{waiting['id']}/approval"
    sent(stage.call("POST", path, stage.token_with("awards:approve", member="d1"), json={}))
    new = stage.awards()[1]
    status = stage.send("GET", f"/v1/credentials/{credential}/status")
    assert (new["state"], status["followed_by"]) == ("awarded", new["credential"]["id"])
    assert stage.send("GET", f"/v1/credentials/{new['credential']['id']}")["visibility"] == "private"


def test_an_award_that_cools_off_after_a_case_is_signed_in_its_time(stage: Stage, clock: Clock) -> None:
    case = refused(stage, cooling_off="P3D")
    mediated(stage, case)
    assert "credential" not in sent(decide(stage, case))["result"]
    assert settling.sign_due(stage.runtime) == 0
    clock.advance(days=4)
    assert settling.sign_due(stage.runtime) == 1
    (award,) = stage.awards()
    assert seen(stage, case).json()["result"]["credential"] == award["credential"]["url"]


@pytest.mark.parametrize("second", ["overturned", "upheld"])
def test_decided_twice_at_once_it_is_decided_once(stage: Stage, second: str) -> None:
    case = refused(stage)
    mediated(stage, case)
    by = token(stage, "n1")
    bodies = [{"outcome": outcome, "reason": "Because."} for outcome in ("overturned", second, "overturned")]
    path = f"./cases/{case['id']}/resolution"
    answers = at_once(*(lambda body=body: stage.call("POST", path, by, json=body) for body in bodies))
    outcome = seen(stage, case).json()["outcome"]
    assert [answer.status_code for answer in answers] == [200 if body["outcome"] == outcome else 409 for body in bodies]
    with stage.runtime.database.read() as session:
        expected = int(outcome == "overturned")
        assert [len(session.scalars(select(table)).all()) for table in (Award, Credential)] == [expected] * 2
        assert len(session.scalars(select(CaseStep).where(CaseStep.kind == "resolved")).all()) == 1


def test_while_the_keys_cannot_be_used_nothing_is_decided(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    case = refused(stage)
    mediated(stage, case)

    def down(*_arguments: Any) -> Any:
        raise CustodyError("custody-unavailable", "A signing key cannot be opened; nothing has changed.")

    with monkeypatch.context() as broken:
        broken.setattr(stage.runtime.custody, "signer", down)
        assert problem(decide(stage, case)) == (503, "custody-unavailable")
    assert seen(stage, case).json()["state"] == "mediating"
    assert sent(decide(stage, case))["outcome"] == "overturned"


# --- Messages ------------------------------------------------------------------------------------------------------


@once
def laid_quietly(stage: Stage) -> None:
    stage.member("m11", email="m11@river.example.org")
    for ref in ("n1", "n2"):
        stage.member(ref, email=f"{ref}@river.example.org", roles=["mediator"])


@pytest.fixture
def quiet(runtime: Runtime) -> Iterator[Stage]:
    """The app without what goes on beside it, and a case of m11 in it: messages are sent when a test says so."""
    client = TestClient(app_of(runtime), base_url=BASE_URL)
    stage = Stage.set_up(client, runtime)
    laid_quietly(stage)
    yield stage
    client.close()


def outbox(stage: Stage) -> list[tuple[str, str]]:
    """Send what is due, and return to whom and what."""
    mail.send_due(stage.runtime)
    found = []
    for path in sorted(mail.outbox_folder(stage.runtime.settings).glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(letter, EmailMessage)
        body = letter.get_body(("plain",))
        assert body is not None
        found.append((str(letter["To"]), f"{letter['Subject']}\n{body.get_content()}"))
    return found


def test_those_in_a_case_are_told_of_what_somebody_else_did_and_not_what_was_said(quiet: Stage) -> None:
    case = refused(quiet)
    mediated(quiet, case)
    sent(decide(quiet, case, "upheld", reason="A word that stays here."))
    found = outbox(quiet)
    assert [to for to, _ in found] == [f"{ref}@river.example.org" for ref in ("m11", "n1", "m11")]
    assert ["asked to mediate" in text for _, text in found] == [True, True, False]
    assert "The case is decided: the first decision stands." in found[2][1]
    assert not any("A word that stays here." in text or WHY in text for _, text in found)


def test_mails_about_a_case_are_in_the_language_of_the_network_and_answers_go_there(quiet: Stage) -> None:
    case = refused(quiet)
    changes = {"email": "desk@river.example.org", "language": "es"}
    actor(quiet.runtime, quiet.client).ask("PATCH", f"/v1/networks/{quiet.slug}", changes)
    mediated(quiet, case)
    for _, text in outbox(quiet):
        assert "Novedades en el caso sobre la insignia" in text
        assert "Se ha pedido a alguien que medie." in text
    for path in mail.outbox_folder(quiet.runtime.settings).glob("*.eml"):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        assert letter["Reply-To"] == "River Writers <desk@river.example.org>"
        assert letter["Content-Language"] == "es"


def test_whoever_has_left_a_case_is_told_nothing_more(quiet: Stage) -> None:
    case = refused(quiet)
    mediated(quiet, case)
    mediated(quiet, case, "n2", replaces="n1")
    assert [to.partition("@")[0] for to, _ in outbox(quiet)] == ["m11", "m11", "n2"]


# --- A closed network ----------------------------------------------------------------------------------------------


def test_a_closed_network_takes_no_case_and_escalates_none_and_still_shows_and_erases(
    stage: Stage, clock: Clock
) -> None:
    case = refused(stage)
    with stage.runtime.database.write() as session:
        session.execute(update(Network).values(state="closed"))
    assert problem(contest(stage, token(stage, "m12"), achievement="sharer")) == (409, "network-closed")
    assert problem(mediated(stage, case)) == (409, "network-closed")
    assert problem(say(stage, case, token(stage))) == (409, "network-closed")
    clock.advance(days=40)
    assert deadlines.pass_deadlines(stage.runtime) == 0
    shown = sent(seen(stage, case))
    assert (shown["state"], shown["steps"][0]["text"]) == ("open", WHY)
    path = f"./cases/{case['id']}/steps/{shown['steps'][0]['id']}/erasure"
    assert sent(stage.call("POST", path, token(stage)))["steps"][0]["erased"] is True
