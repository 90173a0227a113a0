"""What waits for people: who may decide it, who may not, and what becomes of it when two do at once."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from service.awards import decisions, settling
from service.runtime.runtime import Runtime
from service.tables import AchievementVersion, Approval, Award, Credential, Enrolment, Member, Network, Token
from tests.worlds.acting import actor, all_pages, told
from tests.worlds.awarding import SHARE_TWICE, Stage, once

APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}
TWO = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director", "n": 2}]}


@once
def laid(stage: Stage) -> None:
    for ref in ("d1", "d2", "d3"):
        stage.member(ref, roles=[{"role": "director", "from": "2026-01-01T00:00:00Z"}, "approver"])
    stage.member()


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    laid(stage)
    return stage


def token(stage: Stage, member: str, *scopes: str) -> str:
    return stage.token_with(*(scopes or ("awards:approve", "read")), member=member)


@once
def earned(stage: Stage, rule: Any = APPROVED, **more: Any) -> Any:
    """Publish the achievement, let m11 earn it but for approval, and return what waits."""
    stage.achievement(rule=rule, **more)
    for n in (1, 2):
        stage.share(n)
    (waiting,) = queue(stage)
    return waiting


def queue(stage: Stage, state: str = "waiting", **query: Any) -> list[Any]:
    items: list[Any] = stage.send("GET", "./approvals", params={"state": state} | query)["items"]
    return items


def approve(stage: Stage, waiting: Any, by: str = "d1", **more: Any) -> Any:
    return stage.call("POST", f"./approvals/{waiting['id']}/approval", token(stage, by), json=more)


def decline(stage: Stage, waiting: Any, by: str = "d1", reason: str = "Not yet.") -> Any:
    return stage.call("POST", f"./approvals/{waiting['id']}/refusal", token(stage, by), json={"reason": reason})


def publish(stage: Stage, rule: Any) -> None:
    """Publish the next version of the achievement."""
    body = {"name": "Sharer", "description": "Shares.", "achievement_type": "Badge", "award": "automatic"}
    stage.send("PUT", "./achievements/sharer", body | {"criteria": {"narrative": "More.", "rule": rule}})
    stage.send("POST", "./achievements/sharer/publication")


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


# --- The queue -----------------------------------------------------------------------------------------------------


def test_what_is_met_but_for_approval_waits_with_what_it_would_rest_on(stage: Stage) -> None:
    waiting = earned(stage)
    assert (waiting["kind"], waiting["cause"], waiting["state"]) == ("approval", "criteria", "waiting")
    assert (waiting["member"], waiting["achievement"], waiting["version"]) == ("m11", "sharer", 1)
    assert waiting["wanted"] == [{"role": "director", "n": 1}]
    assert waiting["given"] == []
    shared, approval = waiting["criteria"]["children"]
    assert (shared["met"], len(shared["record_ids"])) == (True, 2)
    assert (approval["met"], approval["observed"], approval["required"]) == (False, 0, 1)
    assert approval["text"] == "0 of 1 person with the role director who approved"
    assert stage.awards() == []
    assert "review.opened" in told(stage.runtime, stage.slug)


def test_nothing_waits_before_the_rest_is_met_or_where_only_approval_is_asked_for(stage: Stage) -> None:
    stage.achievement(rule=APPROVED)
    stage.achievement("trusted", rule={"rule": "approval", "by_role": "director"})
    stage.share(1)
    assert queue(stage) == []


def test_what_is_no_longer_met_waits_no_longer(stage: Stage) -> None:
    stage.achievement(rule=APPROVED)
    stage.share(1)
    record = stage.share(2)
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted by mistake."})
    assert queue(stage) == []
    assert [item["state"] for item in queue(stage, "withdrawn")] == ["withdrawn"]
    stage.share(3)
    assert len(queue(stage)) == 1


def test_the_queue_is_paged_and_filtered(stage: Stage) -> None:
    stage.achievement(rule=APPROVED)
    refs = [f"p{n}" for n in range(5)]
    for ref in refs:
        stage.member(ref)
        for n in (1, 2):
            stage.share(n, ref)
    who = actor(stage.runtime, stage.client, slug=stage.slug)
    listed = all_pages(who, f"/v1/networks/{stage.slug}/approvals", state="waiting")
    assert [item["member"] for item in listed] == refs
    assert [item["member"] for item in queue(stage, member="p3", achievement="sharer", kind="approval")] == ["p3"]
    assert queue(stage, kind="second") == []


def test_another_networks_queue_is_not_there(stage: Stage) -> None:
    waiting = earned(stage)
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    other.member("x1", roles=["director"])
    assert queue(other) == []
    assert problem(other.call("GET", f"./approvals/{waiting['id']}")) == (404, "approval-unknown")
    assert problem(approve(other, waiting, "x1")) == (404, "approval-unknown")


# --- Deciding ------------------------------------------------------------------------------------------------------


def test_the_approval_that_was_missing_makes_the_award(stage: Stage) -> None:
    waiting = earned(stage)
    answer = approve(stage, waiting, note="Well done.")
    assert answer.status_code == 200, answer.text
    (award,) = stage.awards()
    assert (award["basis"], award["state"], award["member"]) == ("approval", "awarded", "m11")
    assert (answer.json()["state"], answer.json()["award"]) == ("approved", award["id"])
    (given,) = answer.json()["given"]
    assert (given["member"], given["role"], given["note"], given["counts"]) == ("d1", "director", "Well done.", True)
    assert stage.credential(award)["credentialSubject"]["achievement"]["name"] == "Sharer"
    assert queue(stage) == []
    assert told(stage.runtime, stage.slug)[-3:] == ["review.approved", "award.made", "credential.issued"]


def test_where_two_are_asked_for_one_is_not_enough_and_saying_it_twice_is_saying_it_once(stage: Stage) -> None:
    waiting = earned(stage, TWO)
    for _ in range(2):
        assert approve(stage, waiting).json()["state"] == "waiting"
    assert stage.awards() == []
    (shown,) = queue(stage)
    assert shown["criteria"]["children"][1]["observed"] == 1
    assert approve(stage, waiting, "d2").json()["state"] == "approved"
    assert len(stage.awards()) == 1


def test_of_two_approvers_at_the_same_moment_one_award_comes(stage: Stage) -> None:
    waiting = earned(stage)
    tokens = [token(stage, ref) for ref in ("d1", "d2", "d3")]
    path = f"./approvals/{waiting['id']}/approval"
    answers = at_once(*(lambda by=by: stage.call("POST", path, by, json={}) for by in tokens))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.json()["award"] for answer in answers}) == 1
    with stage.runtime.database.read() as session:
        assert len(session.scalars(select(Award)).all()) == len(session.scalars(select(Credential)).all()) == 1


def test_of_two_that_are_needed_at_the_same_moment_one_award_comes(stage: Stage) -> None:
    waiting = earned(stage, TWO)
    tokens = [token(stage, ref) for ref in ("d1", "d2")]
    path = f"./approvals/{waiting['id']}/approval"
    answers = at_once(*(lambda by=by: stage.call("POST", path, by, json={}) for by in tokens))
    assert sorted(answer.json()["state"] for answer in answers) == ["approved", "waiting"]
    assert len(stage.awards()) == 1


def test_of_an_approval_and_a_refusal_at_the_same_moment_the_first_holds(stage: Stage) -> None:
    waiting = earned(stage)
    first, second = token(stage, "d1"), token(stage, "d2")
    path = f"./approvals/{waiting['id']}"
    answers = at_once(
        lambda: stage.call("POST", f"{path}/approval", first, json={}),
        lambda: stage.call("POST", f"{path}/refusal", second, json={"reason": "No."}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(stage.awards()) == (answers[0].status_code == 200)


def test_what_was_declined_stays_declined_until_somebody_asks_again(stage: Stage) -> None:
    waiting = earned(stage)
    answer = decline(stage, waiting, reason="One of them was a copy.")
    assert (answer.json()["state"], answer.json()["reason"]) == ("declined", "One of them was a copy.")
    assert decline(stage, waiting, "d2").json()["reason"] == "One of them was a copy."
    stage.share(3)
    assert queue(stage) == []
    assert problem(approve(stage, waiting)) == (409, "approval-closed")
    asked = stage.call("POST", "./approvals", json={"achievement": "sharer", "member": "m11"})
    assert (asked.status_code, asked.json()["cause"]) == (201, "asked")
    again = stage.call("POST", "./approvals", json={"achievement": "sharer", "member": "m11"})
    assert (again.status_code, again.json()["id"]) == (200, asked.json()["id"])
    assert approve(stage, asked.json()).json()["state"] == "approved"


def test_where_nothing_but_approval_is_asked_for_somebody_asks(stage: Stage) -> None:
    stage.achievement("trusted", rule={"rule": "approval", "by_role": "director"}, award="reviewed")
    asked = stage.send("POST", "./approvals", {"achievement": "trusted", "member": "m11"})
    assert approve(stage, asked).json()["state"] == "approved"
    assert [award["basis"] for award in stage.awards()] == ["approval"]
    problems = [
        stage.call("POST", "./approvals", json={"achievement": achievement, "member": member})
        for achievement, member in (("trusted", "m11"), ("nothing", "m11"), ("trusted", "nobody"))
    ]
    assert [problem(each)[1] for each in problems] == ["award-there", "achievement-unknown", "member-unknown"]


def test_asking_needs_criteria_that_ask_for_approval_and_are_met_otherwise(stage: Stage) -> None:
    stage.achievement("plain")
    stage.achievement(rule=APPROVED)
    answers = [
        stage.call("POST", "./approvals", json={"achievement": ref, "member": "m11"}) for ref in ("plain", "sharer")
    ]
    assert [problem(answer) for answer in answers] == [(409, "approval-not-asked"), (409, "criteria-not-met")]
    assert answers[1].json()["progress"]["children"][0]["met"] is False


def test_several_are_approved_at_once_and_one_refusal_does_not_touch_the_others(stage: Stage) -> None:
    stage.achievement(rule=APPROVED)
    for ref in ("p1", "d1", "p2"):
        stage.member(ref)
        for n in (1, 2):
            stage.share(n, ref)
    ids = [item["id"] for item in queue(stage)]
    assert len(ids) == 3
    answer = stage.send("POST", "./approvals/several", {"approve": [*ids, str(UUID(int=1))]}, token=token(stage, "d1"))
    assert [item.get("code") for item in answer["items"]] == [None, "self-decision", None, "approval-unknown"]
    assert sorted(award["member"] for award in stage.awards()) == ["p1", "p2"]


# --- Nobody for themself -------------------------------------------------------------------------------------------


def test_only_a_member_with_the_role_now_approves(stage: Stage, clock: Any) -> None:
    waiting = earned(stage)
    path = f"./approvals/{waiting['id']}/approval"
    assert problem(stage.call("POST", path, json={})) == (403, "scope-missing")
    unbound = token(stage, "d1")
    with stage.runtime.database.write() as session:  # as tokens could be before they were refused when they are made
        session.execute(update(Token).values(member_id=None))
    assert problem(stage.call("POST", path, unbound, json={})) == (403, "approver-unbound")
    stage.member("m12", roles=["facilitator"])
    assert problem(approve(stage, waiting, "m12")) == (403, "role-missing")
    assert problem(stage.call("POST", path, token(stage, "d1", "awards:write"), json={})) == (403, "scope-missing")
    clock.advance(days=1)
    stage.member("d1", roles=[])
    assert problem(approve(stage, waiting)) == (403, "role-missing")
    assert stage.awards() == []


def test_nobody_approves_their_own_award_by_whatever_member_they_come(stage: Stage) -> None:
    stage.member("m11", email="one@river.example.org", roles=["director"])
    stage.member("m11-again", email="one@river.example.org", roles=["director"])
    waiting = earned(stage)
    for ref in ("m11", "m11-again"):
        assert problem(approve(stage, waiting, ref)) == (403, "self-decision")
        assert problem(decline(stage, waiting, ref)) == (403, "self-decision")
    assert stage.awards() == []


def test_who_asked_does_not_approve(stage: Stage) -> None:
    stage.achievement(rule=APPROVED, award="reviewed")
    for n in (1, 2):
        stage.share(n)
    own = token(stage, "d1", "awards:write", "awards:approve")
    asked = stage.send("POST", "./approvals", {"achievement": "sharer", "member": "m11"}, token=own)
    assert problem(stage.call("POST", f"./approvals/{asked['id']}/approval", own, json={})) == (403, "self-approval")
    assert problem(approve(stage, asked, "d1")) == (403, "self-approval")
    assert approve(stage, asked, "d2").json()["state"] == "approved"
    mine = stage.call(
        "POST", "./approvals", token(stage, "m11", "awards:write"), json={"achievement": "sharer", "member": "m11"}
    )
    assert problem(mine) == (403, "self-decision")


def test_who_was_approved_by_the_member_is_in_conflict(stage: Stage) -> None:
    stage.member("m11", roles=["director"])
    stage.achievement(rule=APPROVED)
    for n in (1, 2):
        stage.share(n, "d1")
    (first,) = queue(stage)
    assert approve(stage, first, "m11").json()["state"] == "approved"
    for n in (1, 2):
        stage.share(n, "m11")
    (second,) = queue(stage)
    assert problem(approve(stage, second, "d1")) == (409, "approver-conflicted")
    assert approve(stage, second, "d2").json()["state"] == "approved"


def test_the_database_refuses_what_the_service_would_not_do(stage: Stage) -> None:
    waiting = earned(stage, TWO)
    approve(stage, waiting)
    with stage.runtime.database.read() as session:
        who = session.scalars(select(Approval)).one()
    for column in ("recipient_who", "asked_by_who"):
        changed = update(Approval).values({column: who.approver_who})
        with stage.runtime.database.write() as session, pytest.raises(IntegrityError):
            session.execute(changed)
    approve(stage, waiting, "d2")
    with stage.runtime.database.write() as session, pytest.raises(IntegrityError):
        session.execute(update(Award).values(actor_who=Award.recipient_who))
    assert len(stage.awards()) == 1


def test_an_approver_who_turns_out_to_be_the_recipient_counts_no_longer(stage: Stage) -> None:
    waiting = earned(stage, TWO)
    approve(stage, waiting)
    stage.member("m11", email="one@river.example.org")
    stage.member("d1", email="one@river.example.org")
    (shown,) = queue(stage)
    assert [given["counts"] for given in shown["given"]] == [False]
    assert approve(stage, waiting, "d2").json()["state"] == "waiting"
    assert stage.awards() == []
    assert approve(stage, waiting, "d3").json()["state"] == "approved"


def test_an_award_approved_by_who_turns_out_to_be_its_recipient_is_put_under_review(stage: Stage) -> None:
    approve(stage, earned(stage))
    stage.member("m11", email="one@river.example.org")
    stage.member("d1", email="one@river.example.org")
    (review,) = queue(stage, kind="standing")
    assert (review["cause"], review["member"]) == ("decided-by-recipient", "m11")
    (award,) = stage.awards()
    assert (award["state"], "under_review_since" in award) == ("awarded", True)
    assert problem(approve(stage, review, "d1")) == (403, "self-decision")
    assert approve(stage, review, "d2").json()["state"] == "approved"
    (award,) = stage.awards()
    assert (award["state"], "under_review_since" in award) == ("awarded", False)
    with stage.runtime.database.read() as session:
        row = session.scalars(select(Award)).one()
        assert row.actor_who != row.recipient_who


def test_an_award_under_review_that_does_not_stand_is_revoked(stage: Stage) -> None:
    approve(stage, earned(stage))
    stage.member("m11", email="one@river.example.org")
    stage.member("d1", email="one@river.example.org")
    (review,) = queue(stage)
    assert decline(stage, review, "d2", reason="Approved by herself.").json()["state"] == "declined"
    (award,) = stage.awards()
    assert award["state"] == "revoked"
    status = stage.send("GET", f"/v1/credentials/{award['credential']['id']}/status")
    assert (status["state"], status["reason"]) == ("revoked", "Approved by herself.")


def test_members_who_are_linked_while_one_approves_the_other_make_no_award_to_themself(stage: Stage) -> None:
    waiting = earned(stage)
    stage.member("m11", email="one@river.example.org")
    by = token(stage, "d1")
    at_once(
        lambda: stage.call("POST", f"./approvals/{waiting['id']}/approval", by, json={}),
        lambda: stage.member("d1", email="one@river.example.org"),
    )
    with stage.runtime.database.read() as session:
        one = {session.scalars(select(Member.person_id).where(Member.ref == ref)).one() for ref in ("m11", "d1")}
        assert len(one) == 1
        # Either the approval came first, and the award is under review; or it was refused.
        for row in session.scalars(select(Award)):
            assert row.review_since is not None
        assert all(row.ended_at is not None for row in session.scalars(select(Approval)))


def test_an_award_by_who_becomes_its_recipient_at_that_moment_is_put_under_review(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.achievement(award="reviewed")
    stage.member("m11", email="one@river.example.org")
    by = token(stage, "d1", "awards:override")
    linking = threading.Thread(target=lambda: stage.member("d1", email="one@river.example.org"))
    honest = decisions.carry_out

    def meanwhile(*arguments: Any) -> Any:
        made = honest(*arguments)
        linking.start()
        linking.join(1)
        return made

    monkeypatch.setattr(decisions, "carry_out", meanwhile)
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": "Known to all."}
    assert stage.call("POST", "./awards", by, json=body).status_code == 201
    linking.join()
    assert [review["cause"] for review in queue(stage, kind="standing")] == ["decided-by-recipient"]


# --- Versions, batches and custody ---------------------------------------------------------------------------------


def test_a_version_published_meanwhile_does_not_change_by_which_the_member_is_judged(stage: Stage) -> None:
    waiting = earned(stage)
    publish(stage, {"all": [SHARE_TWICE | {"gte": 9}, APPROVED["all"][1]]})
    settling.settle_pending(stage.runtime, network_id(stage.runtime))
    assert approve(stage, waiting).json()["state"] == "approved"
    assert [award["version"] for award in stage.awards()] == [1]


def test_who_was_moved_to_another_version_is_not_approved_under_the_old_one(stage: Stage) -> None:
    waiting = earned(stage)
    publish(stage, {"all": [SHARE_TWICE | {"gte": 9}, APPROVED["all"][1]]})
    with stage.runtime.database.write() as session:  # and nobody has settled that yet
        session.execute(update(Enrolment).values(achievement_version_id=newest_version(stage)))
    assert problem(approve(stage, waiting)) == (409, "version-changed")
    stage.send("PUT", "./achievements/sharer/enrolments/m11", {"version": 1})
    stage.send("PUT", "./achievements/sharer/enrolments/m11", {"version": 2})
    assert queue(stage) == []
    assert problem(approve(stage, waiting)) == (409, "approval-closed")


def test_a_version_published_between_the_signing_and_the_writing_of_a_batch_is_the_one_that_counts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.member("p1")
    for ref in ("m11", "p1"):
        stage.share(1, ref)
        stage.share(2, ref)
    stage.share(3, "m11")
    # Published as version 1 without anybody's evidence looked at, so that nobody is bound to it.
    stage.achievement(rule=SHARE_TWICE | {"where": {"types": ["shared"], "tags_any": ["none"]}})
    honest = decisions.prepare

    def meanwhile(*arguments: Any) -> Any:
        prepared = honest(*arguments)
        monkeypatch.setattr(decisions, "prepare", honest)
        publish(stage, SHARE_TWICE | {"gte": 3})
        return prepared

    publish(stage, SHARE_TWICE)
    monkeypatch.setattr(decisions, "prepare", meanwhile)
    settling.settle_pending(stage.runtime, network_id(stage.runtime))
    # Who had evidence towards version 2 when version 3 came is judged by version 2, whoever was quicker.
    assert {(award["member"], award["version"]) for award in stage.awards()} == {("m11", 2), ("p1", 2)}


# --- Awards to staff -----------------------------------------------------------------------------------------------


def staff_award(stage: Stage, **more: Any) -> Any:
    stage.achievement(award="reviewed")
    stage.member("f1", roles=["facilitator"])
    answer = stage.award(member="f1", **({"basis": "override", "reason": "Known to all."} | more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_award_to_staff_waits_for_a_second_person_and_nothing_is_signed(stage: Stage) -> None:
    award = staff_award(stage)
    assert (award["state"], "credential" in award) == ("pending", False)
    assert stage.award(member="f1", basis="override", reason="Again.").json() == award
    (waiting,) = queue(stage, kind="second")
    assert (waiting["cause"], waiting["award"]) == ("award-to-staff", award["id"])
    assert [wanted["role"] for wanted in waiting["wanted"]] == ["admin", "approver"]
    assert not {"award.made", "credential.issued", "review.opened"} & set(told(stage.runtime, stage.slug))
    with stage.runtime.database.read() as session:
        assert session.scalar(select(Credential)) is None


def test_a_second_person_makes_an_award_to_staff_good(stage: Stage) -> None:
    award = staff_award(stage)
    (waiting,) = queue(stage)
    assert approve(stage, waiting).json()["state"] == "approved"
    shown = stage.send("GET", f"./awards/{award['id']}")
    assert (shown["state"], shown["basis"]) == ("awarded", "override")
    assert stage.credential(shown)["awardedDate"] == shown["awarded_at"]


def test_whoever_made_an_award_to_staff_is_not_the_second_person(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("f1", roles=["facilitator"])
    own = token(stage, "d1", "awards:override", "awards:approve", "read")
    body = {"achievement": "sharer", "member": "f1", "basis": "override", "reason": "Known to all."}
    assert stage.call("POST", "./awards", own, json=body).json()["state"] == "pending"
    (waiting,) = queue(stage)
    assert problem(approve(stage, waiting, "d1")) == (403, "self-approval")
    assert approve(stage, waiting, "d2").json()["state"] == "approved"


def test_what_the_second_person_declines_leaves_only_a_row(stage: Stage) -> None:
    award = staff_award(stage)
    (waiting,) = queue(stage)
    assert decline(stage, waiting).json()["state"] == "declined"
    shown = stage.send("GET", f"./awards/{award['id']}")
    assert (shown["state"], "credential" in shown) == ("revoked", False)
    assert not {"award.made", "credential.issued", "credential.revoked"} & set(told(stage.runtime, stage.slug))
    assert stage.award(member="f1", basis="override", reason="Now with papers.").json()["state"] == "pending"


def test_an_award_by_rule_to_staff_is_the_rules_decision(stage: Stage) -> None:
    stage.achievement()
    stage.member("f1", roles=["facilitator"])
    for n in (1, 2):
        stage.share(n, "f1")
    assert [award["state"] for award in stage.awards(member="f1")] == ["awarded"]


def test_the_role_may_be_that_of_another_member_who_is_the_same_person(stage: Stage) -> None:
    stage.member("f1", email="f@river.example.org", roles=["facilitator"])
    stage.member("f1-again", email="f@river.example.org")
    stage.achievement(award="reviewed")
    assert stage.award(member="f1-again", basis="override", reason="Known.").json()["state"] == "pending"
    assert stage.award(member="m11", basis="override", reason="Known.").json()["state"] == "awarded"


def newest_version(stage: Stage) -> UUID:
    with stage.runtime.database.read() as session:
        newest = select(AchievementVersion.id).order_by(AchievementVersion.version.desc()).limit(1)
        return session.scalars(newest).one()


def network_id(runtime: Runtime) -> UUID:
    with runtime.database.read() as session:
        return session.scalars(select(Network.id)).one()


def test_approvals_of_an_award_that_ended_do_not_make_the_next_one(stage: Stage, clock: Any) -> None:
    approve(stage, earned(stage, valid_for="P1M"))
    clock.advance(days=40)
    assert settling.expire_due(stage.runtime) == 1
    answer = stage.award()
    assert problem(answer) == (409, "criteria-not-met")
    asked = stage.send("POST", "./approvals", {"achievement": "sharer", "member": "m11"})
    assert approve(stage, asked, "d2").json()["state"] == "approved"
    assert [award["state"] for award in stage.awards()] == ["expired", "awarded"]
