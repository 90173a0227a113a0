"""Who is awarded what: by rule, by decision, once, also beside others who do the same."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access import callers
from service.access.act import Act
from service.awards import settling
from service.awards.requests import AwardIn
from service.criteria import rejudging
from service.errors import CustodyError
from service.issuing import status_lists
from service.runtime.runtime import Runtime
from service.tables import Award, AwardEvidence, Credential, Member, Network, UnsettledMember
from tests.worlds.awarding import SHARE_TWICE, Stage


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


def at_the_same_moment(work: Callable[[int], Any], count: int) -> list[Any]:
    together = threading.Barrier(count)
    answers: list[Any] = [None] * count

    def run(n: int) -> None:
        together.wait()
        answers[n] = work(n)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def problem(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["code"], body.get("pointer", "")


def network_of(runtime: Runtime) -> Network:
    with runtime.database.read() as session:
        return session.scalars(select(Network)).one()


# --- By rule, when evidence arrives --------------------------------------------------------------------------------


def test_evidence_that_meets_the_rule_is_awarded_at_once(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    first = stage.share(1)
    assert stage.awards() == []
    second = stage.share(2)
    (award,) = stage.awards()
    assert (award["basis"], award["state"]) == ("rule", "awarded")
    assert (award["member"], award["achievement"], award["version"]) == ("m11", "sharer", 1)
    assert award["credential"]["url"].endswith(f"/credentials/{award['credential']['id']}")
    with stage.runtime.database.read() as session:
        assert {str(key) for key in session.scalars(select(AwardEvidence.record_id))} == {first["id"], second["id"]}
        assert session.scalar(select(UnsettledMember)) is None


def test_further_evidence_does_not_award_again(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    for n in range(4):
        stage.share(n)
    assert len(stage.awards()) == 1


def test_a_reviewed_achievement_is_never_awarded_by_evidence_alone(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    for n in (1, 2):
        stage.share(n)
    assert stage.awards() == []
    answer = stage.award()
    assert (answer.status_code, answer.json()["basis"]) == (201, "rule")


def test_publishing_awards_those_who_have_earned_it_already(stage: Stage) -> None:
    stage.member()
    for n in (1, 2):
        stage.share(n)
    stage.achievement()
    settling.settle_pending(stage.runtime, network_of(stage.runtime).id)
    assert [award["member"] for award in stage.awards()] == ["m11"]


def test_an_award_can_be_what_the_next_one_asks_for(stage: Stage) -> None:
    stage.achievement()
    stage.achievement("keeper", {"rule": "holds", "achievements": ["sharer"], "n": 1})
    stage.member()
    for n in (1, 2):
        stage.share(n)
    assert [award["achievement"] for award in stage.awards()] == ["sharer", "keeper"]


def test_while_custody_is_down_evidence_is_taken_and_the_award_waits(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.achievement()
    stage.member()
    stage.share(1)

    def down(_uri: str) -> Any:
        raise CustodyError("custody-unavailable", "A signing key cannot be opened; nothing has changed.")

    with monkeypatch.context() as broken:
        broken.setattr(stage.runtime.custody, "signer", down)
        stage.share(2)
        assert not settling.settle_if_possible(stage.runtime, network_of(stage.runtime).id)
        assert stage.awards() == []
        answer = stage.award()
        assert problem(answer) == (503, "custody-unavailable", "")
    settling.settle_pending(stage.runtime, network_of(stage.runtime).id)
    assert len(stage.awards()) == 1


def test_what_a_killed_process_left_undecided_is_decided_later(stage: Stage, clock: Any) -> None:
    stage.achievement()
    for ref in ("m11", "m12"):
        stage.member(ref)
        stage.share(1, ref)
    network = network_of(stage.runtime)
    with stage.runtime.database.write() as session:
        member_ids = session.scalars(select(Member.id)).all()
        rejudging.mark(Act(session, network, None, stage.runtime.now()), member_ids)
    clock.advance(seconds=10)
    assert settling.settle_pending(stage.runtime, network.id, timedelta(seconds=30)) == 0
    with stage.runtime.database.read() as session:
        assert len(session.scalars(select(UnsettledMember)).all()) == 2
        assert settling.networks_unsettled(session) == [network.id]
    clock.advance(seconds=30)
    assert settling.settle_pending(stage.runtime, network.id, timedelta(seconds=30)) == 0
    with stage.runtime.database.read() as session:
        assert settling.networks_unsettled(session) == []


def test_many_pending_members_are_settled_in_batches(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "BATCH", 2)
    refs = [f"member-{n}" for n in range(5)]
    for ref in refs:
        stage.member(ref)
        for n in (1, 2):
            stage.share(n, ref)
    stage.achievement()
    settling.settle_pending(stage.runtime, network_of(stage.runtime).id)
    assert sorted(award["member"] for award in stage.awards()) == refs
    places = {stage.credential(award)["credentialStatus"]["id"] for award in stage.awards()}
    assert len(places) == 5


# --- Asked for -----------------------------------------------------------------------------------------------------


def test_criteria_that_are_not_met_are_refused_with_the_progress(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    record = stage.share(1)
    answer = stage.award()
    assert problem(answer) == (409, "criteria-not-met", "")
    progress = answer.json()["progress"]
    assert (progress["met"], progress["observed"], progress["required"]) == (False, 1, 2)
    assert progress["record_ids"] == [record["id"]]
    assert stage.awards() == []


def test_a_second_post_answers_the_first(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    for n in (1, 2):
        stage.share(n)
    first, second = stage.award(), stage.award()
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert stage.award(basis="override", reason="For good measure.").json() == first.json()


def test_the_same_idempotency_key_gives_the_same_answer_again(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    body = {"achievement": "sharer", "member": "m11", "basis": "override", "reason": "Known to all."}
    answers = [stage.call("POST", "./awards", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(stage.awards()) == 1


def test_of_two_identical_awards_at_the_same_moment_one_is_made(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    for n in (1, 2):
        stage.share(n)
    answers = at_the_same_moment(lambda _: stage.award(), 4)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    with stage.runtime.database.read() as session:
        assert len(session.scalars(select(Award)).all()) == len(session.scalars(select(Credential)).all()) == 1


def test_of_two_pieces_of_evidence_at_the_same_moment_no_award_is_lost(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    at_the_same_moment(stage.share, 4)
    settling.settle_pending(stage.runtime, network_of(stage.runtime).id)
    assert len(stage.awards()) == 1


def test_an_override_needs_its_own_scope_and_a_reason(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    body = {"achievement": "sharer", "member": "m11", "basis": "override"}
    weak = stage.token_with("awards:write", "awards:record")
    refused = stage.call("POST", "./awards", weak, json=body | {"reason": "Known to all."})
    assert problem(refused)[:2] == (403, "scope-missing")
    assert problem(stage.award(basis="override")) == (422, "reason-missing", "/reason")
    strong = stage.token_with("awards:override", "read")
    made = stage.call("POST", "./awards", strong, json=body | {"reason": "Known to all."})
    assert (made.status_code, made.json()["reason"]) == (201, "Known to all.")
    assert problem(stage.call("POST", "./awards", strong, json=body | {"basis": "rule"}))[:2] == (403, "scope-missing")


def test_a_recorded_award_needs_scope_reason_and_date(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    body = {"achievement": "sharer", "member": "m11", "basis": "recorded"}
    body |= {"reason": "Awarded on paper.", "awarded_at": "2021-06-30T12:00:00Z"}
    weak = stage.token_with("awards:write", "awards:override")
    assert problem(stage.call("POST", "./awards", weak, json=body))[:2] == (403, "scope-missing")
    for missing, code in (("reason", "reason-missing"), ("awarded_at", "awarded-at-misplaced")):
        answer = stage.call("POST", "./awards", json={name: value for name, value in body.items() if name != missing})
        assert problem(answer) == (422, code, f"/{missing}")
    award = stage.recorded()
    assert (award["basis"], award["awarded_at"]) == ("recorded", "2021-06-30T12:00:00Z")
    assert award["decided_at"] == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize("basis", ["rule", "override"])
def test_only_a_recorded_award_has_a_date_of_its_own(stage: Stage, basis: str) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    answer = stage.award(basis=basis, reason="Known to all.", awarded_at="2021-06-30T12:00:00Z")
    assert problem(answer) == (422, "awarded-at-misplaced", "/awarded_at")


def test_an_award_in_the_future_is_refused(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    answer = stage.award(basis="recorded", reason="Soon.", awarded_at="2026-03-02T12:05:01Z")
    assert problem(answer) == (422, "time-in-future", "/awarded_at")
    assert stage.recorded(awarded_at="2026-03-02T12:05:00Z")["awarded_at"] == "2026-03-02T12:00:00Z"


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z"])
def test_an_award_from_before_all_calendars_is_refused(stage: Stage, when: str) -> None:
    stage.achievement(award="reviewed", valid_for="P3Y")
    stage.member()
    answer = stage.award(basis="recorded", reason="Awarded on stone.", awarded_at=when)
    assert problem(answer) == (422, "time-too-early", "/awarded_at")


def test_an_award_whose_time_is_over_is_refused(stage: Stage) -> None:
    stage.achievement(award="reviewed", valid_for="P3Y")
    stage.member()
    answer = stage.award(basis="recorded", reason="Awarded on paper.", awarded_at="2021-06-30T12:00:00Z")
    assert problem(answer) == (409, "award-over", "/awarded_at")


def test_what_is_asked_for_must_be_there_and_published(stage: Stage) -> None:
    stage.achievement()
    stage.achievement("draft", award="reviewed", publish=False)
    stage.achievement("for-people", rule=None, award="reviewed")
    stage.member()
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    other.member("hilda")
    other.achievement("of-the-hill", award="reviewed")
    for achievement, member, expected in (
        ("no-such", "m11", (404, "achievement-unknown", "/achievement")),
        ("of-the-hill", "m11", (404, "achievement-unknown", "/achievement")),
        ("sharer", "hilda", (404, "member-unknown", "/member")),
        ("draft", "m11", (409, "achievement-unpublished", "/achievement")),
        ("for-people", "m11", (409, "criteria-without-rule", "/basis")),
    ):
        assert problem(stage.award(achievement, member)) == expected
    assert (
        stage.call("POST", "./awards", other.token, json={"achievement": "sharer", "member": "m11"}).status_code == 404
    )


@pytest.mark.any_database("a body is judged in the code; the rows are only looked up")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"achievement": "sharer"}, "missing"),
        ({"achievement": "sharer", "member": "m11", "because": "x"}, "extra-forbidden"),
        ({"achievement": "sharer", "member": "m11", "basis": "approval"}, "literal-error"),
        ({"achievement": "sharer", "member": 7}, "string-type"),
    ],
)
def test_a_body_of_another_shape_is_refused(stage: Stage, body: Any, code: str) -> None:
    assert problem(stage.call("POST", "./awards", json=body))[:2] == (422, code)


def test_nobody_awards_themself_also_not_as_another_member(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("m11", email="m11@example.org")
    stage.member("m11-again", email="m11@example.org")
    stage.member("m12")
    token = stage.token_with("awards:override", member="m11")
    body = {"achievement": "sharer", "basis": "override", "reason": "I deserve it."}
    for ref, status in (("m11", 403), ("m11-again", 403), ("m12", 201)):
        answer = stage.call("POST", "./awards", token, json=body | {"member": ref})
        assert answer.status_code == status, answer.text


def test_a_closed_network_awards_nothing(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    stage.share(1)
    with stage.runtime.database.write() as session:
        session.scalars(select(Network)).one().state = "closed"
    assert stage.award(basis="override", reason="Too late.").status_code == 409
    assert stage.awards() == []


# --- Voided, revoked, expired --------------------------------------------------------------------------------------


def void(stage: Stage, record: Any) -> None:
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Posted by mistake."})


def test_an_award_that_loses_its_evidence_is_revoked(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    stage.share(1)
    void(stage, stage.share(2))
    (award,) = stage.awards()
    assert award["state"] == "revoked"
    status = stage.send("GET", f"/v1/credentials/{award['credential']['id']}/status")
    assert (status["state"], status["reason"]) == ("revoked", "The evidence on which it rested was voided.")


def test_voiding_and_revoking_at_the_same_moment_do_not_stand_in_each_others_way(stage: Stage) -> None:
    stage.achievement()
    records, paths = [], []
    for n in range(3):
        stage.member(f"member-{n}")
        stage.share(1, f"member-{n}")
        records.append(stage.share(2, f"member-{n}"))
        (award,) = stage.awards(member=f"member-{n}")
        paths.append(f"/v1/credentials/{award['credential']['id']}/revocation")
    requests = [(f"./records/{record['id']}/void", "Mistake.") for record in records]
    requests += [(path, "Misconduct.") for path in paths]
    answers = at_the_same_moment(
        lambda n: stage.call("POST", requests[n][0], json={"reason": requests[n][1]}), len(requests)
    )
    assert all(answer.is_success for answer in answers), [answer.text for answer in answers]
    assert [award["state"] for award in stage.awards()] == ["revoked"] * 3


def test_an_award_that_is_still_earned_without_the_voided_evidence_stands_on_the_rest(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    records = [stage.share(n) for n in range(3)]
    void(stage, records[0])
    (award,) = stage.awards()
    assert award["state"] == "awarded"
    with stage.runtime.database.read() as session:
        rested = {str(key) for key in session.scalars(select(AwardEvidence.record_id))}
    assert rested == {record["id"] for record in records[1:]}


def test_what_was_lost_by_voiding_can_be_earned_again(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    stage.share(1)
    void(stage, stage.share(2))
    stage.share(3)
    assert [award["state"] for award in stage.awards()] == ["revoked", "awarded"]


def test_what_was_revoked_by_a_decision_does_not_come_back_by_rule(stage: Stage) -> None:
    stage.achievement()
    stage.member()
    for n in (1, 2):
        stage.share(n)
    (award,) = stage.awards()
    stage.send("POST", f"/v1/credentials/{award['credential']['id']}/revocation", {"reason": "Misconduct."})
    stage.share(3)
    assert [award["state"] for award in stage.awards()] == ["revoked"]
    again = stage.award()
    assert again.status_code == 201
    assert [award["state"] for award in stage.awards()] == ["revoked", "awarded"]


def test_an_award_ends_when_its_time_is_over_and_can_be_made_again(stage: Stage, clock: Any) -> None:
    stage.achievement(valid_for="P1Y")
    stage.member()
    for n in (1, 2):
        stage.share(n)
    clock.advance(days=364)
    assert settling.expire_due(stage.runtime) == 0
    clock.advance(days=1)
    assert settling.expire_due(stage.runtime) == 1
    assert settling.expire_due(stage.runtime) == 0
    stage.share(3)
    assert [award["state"] for award in stage.awards()] == ["expired"]
    assert stage.award().status_code == 201
    assert [award["state"] for award in stage.awards()] == ["expired", "awarded"]


def test_an_award_whose_time_is_over_does_not_stand_in_the_way(stage: Stage, clock: Any) -> None:
    stage.achievement(award="reviewed", valid_for="P1Y")
    stage.member()
    for n in (1, 2):
        stage.share(n)
    stage.award()
    clock.advance(days=366)
    assert stage.award().status_code == 201


# --- Many ----------------------------------------------------------------------------------------------------------


def bodies(*refs: str, **more: Any) -> list[AwardIn]:
    said = {"achievement": "sharer", "basis": "recorded", "reason": "On paper.", "awarded_at": "2021-06-30T12:00:00Z"}
    return [AwardIn.model_validate(said | {"member": ref} | more) for ref in refs]


def operator(stage: Stage) -> callers.Caller:
    with stage.runtime.database.read() as session:
        return callers.authenticate(session, stage.token, stage.runtime.now())[0]


def test_many_are_awarded_in_batches_and_each_answer_is_in_its_place(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "BATCH", 2)
    stage.achievement(award="reviewed")
    for ref in ("m11", "m12", "cem"):
        stage.member(ref)
    asked = bodies("m11", "nobody", "m12", "m11", "cem", "cem")
    outcomes = list(settling.award_many(stage.runtime, network_of(stage.runtime).id, operator(stage), asked))
    assert [outcome.created for outcome in outcomes] == [True, False, True, False, True, False]
    assert outcomes[1].problem is not None
    assert outcomes[1].problem.code == "member-unknown"
    made = [outcome.award for outcome in outcomes if outcome.award is not None]
    assert made[0].id == made[2].id
    assert made[3].id == made[4].id
    again = list(settling.award_many(stage.runtime, network_of(stage.runtime).id, operator(stage), asked))
    assert not any(outcome.created for outcome in again)
    assert len(stage.awards()) == 3


def test_what_was_signed_before_is_given_up_when_its_place_is_taken(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.achievement(award="reviewed")
    for ref in ("m11", "m12"):
        stage.member(ref)
    taken = int(stage.credential(stage.recorded(member="m11"))["credentialStatus"]["statusListIndex"])
    draws = iter([[taken]])
    honest = status_lists.draw

    def clumsy(*arguments: Any) -> list[int]:
        return next(draws, None) or honest(*arguments)

    monkeypatch.setattr(status_lists, "draw", clumsy)
    (outcome,) = settling.award_many(stage.runtime, network_of(stage.runtime).id, operator(stage), bodies("m12"))
    assert outcome.created
    (award,) = stage.awards(member="m12")
    assert int(stage.credential(award)["credentialStatus"]["statusListIndex"]) != taken


def test_two_of_one_batch_never_share_a_place(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.achievement(award="reviewed")
    for ref in ("m11", "m12"):
        stage.member(ref)
    draws = iter([[7, 7]])
    honest = status_lists.draw

    def clumsy(*arguments: Any) -> list[int]:
        return next(draws, None) or honest(*arguments)

    monkeypatch.setattr(status_lists, "draw", clumsy)
    asked = bodies("m11", "m12")
    outcomes = list(settling.award_many(stage.runtime, network_of(stage.runtime).id, operator(stage), asked))
    assert [outcome.created for outcome in outcomes] == [True, True]


def test_a_batch_that_waited_for_another_finds_its_awards_made(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    refs = [f"member-{n}" for n in range(4)]
    for ref in refs:
        stage.member(ref)
    network, caller = network_of(stage.runtime), operator(stage)
    results = at_the_same_moment(
        lambda _: list(settling.award_many(stage.runtime, network.id, caller, bodies(*refs))), 3
    )
    assert sum(outcome.created for outcomes in results for outcome in outcomes) == 4
    assert all(outcome.problem is None for outcomes in results for outcome in outcomes)
    assert len(stage.awards()) == 4


# --- Read ----------------------------------------------------------------------------------------------------------


def test_awards_are_listed_page_by_page_and_filtered(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.achievement("other", SHARE_TWICE, "reviewed")
    for ref in ("m11", "m12", "cem"):
        stage.member(ref)
        stage.recorded(member=ref)
    stage.recorded("other", "m12")
    first = stage.send("GET", "./awards", params={"limit": 3})
    second = stage.send("GET", "./awards", params={"limit": 3, "after": first["next"]})
    assert [award["member"] for award in first["items"] + second["items"]] == ["m11", "m12", "cem", "m12"]
    assert "next" not in second
    assert [award["achievement"] for award in stage.awards(member="m12")] == ["sharer", "other"]
    assert [award["member"] for award in stage.awards(achievement="other")] == ["m12"]
    assert stage.awards(state="revoked") == []
    shown = stage.send("GET", f"./awards/{first['items'][0]['id']}")
    assert shown == first["items"][0]


def test_another_networks_award_is_not_there(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member()
    award = stage.recorded()
    other = Stage.set_up(stage.client, stage.runtime, "hill")
    assert problem(other.call("GET", f"./awards/{award['id']}"))[:2] == (404, "award-unknown")
    assert other.awards() == []


def test_the_credentials_of_a_network_are_listed_with_their_names(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    for ref in ("m11", "m12"):
        stage.member(ref)
        stage.recorded(member=ref)
    items = stage.send("GET", "./credentials")["items"]
    assert {item["member"] for item in items} == {"m11", "m12"}
    (item,) = stage.send("GET", "./credentials", params={"member": "m11", "achievement": "sharer"})["items"]
    assert (item["name"], item["state"], item["visibility"]) == ("Sharer", "valid", "unlisted")
    assert stage.send("GET", f"/v1/credentials/{item['id']}") == item
