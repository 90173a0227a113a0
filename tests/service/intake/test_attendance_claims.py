"""Claims of attendance: what counts at once, what waits, who decides, and that only the rules award."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from service.accounts import accounts, belongings
from service.errors import ServiceError
from service.intake import attendance_claims
from service.runtime.runtime import Runtime
from service.tables import Account, AccountAddress, AttendanceClaim, Contribution, Person
from tests.worlds import agreeing
from tests.worlds.acting import Actor, all_pages, refused, told
from tests.worlds.attending import (
    ADDRESS,
    ATTENDED,
    CLAIMS,
    CODE,
    SESSION,
    STRANGER,
    claimed,
    decide,
    opened,
    stage_of,
)
from tests.worlds.awarding import Stage
from tests.worlds.claiming import account_with, holder_of
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import claim

WHY = {"reason": "Nobody of this name was in the room."}
FACILITATOR = {"roles": [{"role": "facilitator", "from": "2026-01-01T00:00:00Z"}]}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


def listed(stage: Stage, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.send("GET", CLAIMS, params=query)["items"]
    return found


def outcome(runtime: Runtime, address: str = ADDRESS) -> str:
    """Return what somebody sees of their only claim."""
    with runtime.database.read() as session:
        [own] = attendance_claims.own_claims(session, account_with(runtime, address))
        return own.outcome


def evidence(stage: Stage) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = stage.send("GET", "./contributions")["items"]
    return items


def code_of(runtime: Runtime, code: str, address: str, **said: object) -> str:
    with pytest.raises(ServiceError) as error:
        claimed(runtime, code, address, **said)
    return error.value.code


# --- What counts at once -------------------------------------------------------------------------------------------


def test_without_approval_a_claim_is_the_members_own_word_and_the_rules_award(stage: Stage, runtime: Runtime) -> None:
    claim_id = claimed(runtime, opened(stage, approval=False), ADDRESS)
    [said] = evidence(stage)
    assert (said["member"], said["type"], said["session"], said["tier"]) == ("m11", "attended", SESSION, 0)
    assert said["source"] == {"system": "attendance-claim", "id": str(claim_id)}
    [award] = stage.awards()
    assert (award["member"], award["achievement"]) == ("m11", "attender")
    assert outcome(runtime) == "accepted"
    [shown] = listed(stage)
    assert (shown["state"], shown["member"], shown["record"]) == ("accepted", "m11", said["id"])


def test_a_badge_that_asks_for_more_than_ones_own_word_does_not_follow_from_a_claim(
    stage: Stage, runtime: Runtime
) -> None:
    where = {"types": ["attended"], "min_tier": 1}
    stage.achievement("witnessed", rule=ATTENDED | {"where": where})
    claimed(runtime, opened(stage, approval=False), ADDRESS)
    assert [each["achievement"] for each in stage.awards()] == ["attender"]


def test_a_claim_takes_nothing_into_the_account(stage: Stage, runtime: Runtime) -> None:
    claimed(runtime, opened(stage, approval=False), ADDRESS)
    assert holder_of(runtime) is None


def test_who_claims_twice_has_one_claim_and_one_record(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, approval=False)
    first = claimed(runtime, code, ADDRESS)
    assert claimed(runtime, code, ADDRESS) == first
    assert len(evidence(stage)) == 1


def test_who_claims_twice_at_once_has_one_claim(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, approval=False)
    account_with(runtime, ADDRESS)
    with ThreadPoolExecutor(2) as pool:
        ids = set(pool.map(lambda _: claimed(runtime, code, ADDRESS), range(2)))
    assert len(ids) == len(evidence(stage)) == 1


def test_the_last_place_is_taken_once(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, most=1)
    people = [STRANGER, ADDRESS]
    for each in people:
        account_with(runtime, each)

    def use(address: str) -> str:
        try:
            return str(claimed(runtime, code, address, name="Somebody"))
        except ServiceError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(use, people))
    assert said.count("attendance-full") == 1
    assert len(listed(stage)) == 1


def test_attendance_that_is_on_record_is_not_recorded_again(stage: Stage, runtime: Runtime) -> None:
    said = {"member": "m11", "type": "attended", "session": SESSION, "occurred_at": "2026-03-02T12:00:00Z"}
    record = stage.send("POST", "./contributions", said)
    claimed(runtime, opened(stage), ADDRESS)
    [shown] = listed(stage)
    assert (shown["state"], shown["record"]) == ("accepted", record["id"])
    assert len(evidence(stage)) == 1


def test_it_is_attended_when_the_session_began_or_when_it_is_said_if_that_is_before(
    stage: Stage, runtime: Runtime, clock: Clock
) -> None:
    clock.advance(minutes=-20)
    code = opened(stage, approval=False)
    claimed(runtime, code, ADDRESS)
    clock.advance(minutes=80)
    stage.member("m13", email="m13@river.example.org")
    claimed(runtime, code, "m13@river.example.org")
    times = {each["member"]: each["occurred_at"] for each in evidence(stage)}
    assert times == {"m11": "2026-03-02T11:40:00Z", "m13": "2026-03-02T12:00:00Z"}


def test_somebody_who_attended_something_else_at_that_time_is_told_that_it_is_set_aside(
    stage: Stage, runtime: Runtime
) -> None:
    other = {"starts_at": "2026-03-02T12:00:00Z", "ends_at": "2026-03-02T13:30:00Z"}
    stage.send("PUT", "./sessions/other", other)
    said = {"member": "m11", "type": "attended", "session": "other", "occurred_at": "2026-03-02T12:00:00Z"}
    stage.send("POST", "./contributions", said)
    claimed(runtime, opened(stage, approval=False), ADDRESS)
    assert outcome(runtime) == "set-aside"


def test_somebody_who_has_not_accepted_the_guidelines_is_told_that_it_counts_once_they_do(
    stage: Stage, runtime: Runtime
) -> None:
    agreeing.publish(stage)
    agreeing.hold(stage)
    claimed(runtime, opened(stage, approval=False), ADDRESS)
    assert outcome(runtime) == "held"
    agreeing.accept(stage)
    assert outcome(runtime) == "accepted"


def test_somebody_whose_record_was_voided_is_told_that_it_counts_no_longer(stage: Stage, runtime: Runtime) -> None:
    claimed(runtime, opened(stage, approval=False), ADDRESS)
    stage.send("POST", f"./records/{evidence(stage)[0]['id']}/void", {"reason": "They left at once."})
    assert outcome(runtime) == "voided"


# --- What waits ----------------------------------------------------------------------------------------------------


def test_with_approval_nothing_counts_before_the_network_has_decided(stage: Stage, runtime: Runtime) -> None:
    claim_id = claimed(runtime, opened(stage), ADDRESS)
    assert told(runtime, "river")[-1] == "attendance.waiting"
    assert (evidence(stage), stage.awards(), outcome(runtime)) == ([], [], "waiting")
    [shown] = listed(stage, state="waiting")
    assert (shown["id"], shown["member"]) == (str(claim_id), "m11")
    assert "name" not in shown
    answer = decide(stage, claim_id, "approval", {})
    assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
    assert [each["tier"] for each in evidence(stage)] == [3]
    assert [each["member"] for each in stage.awards()] == ["m11"]
    assert outcome(runtime) == "accepted"


@pytest.mark.parametrize("role", ["student", "minor"])
def test_a_claim_of_a_child_or_student_waits_in_any_case(stage: Stage, runtime: Runtime, role: str) -> None:
    stage.member("m11", email=ADDRESS, roles=[{"role": role, "from": "2026-01-01T00:00:00Z"}])
    claimed(runtime, opened(stage, approval=False), ADDRESS)
    assert (outcome(runtime), evidence(stage)) == ("waiting", [])


def test_whom_the_network_does_not_know_gives_a_name_and_waits_in_any_case(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, approval=False)
    assert code_of(runtime, code, STRANGER) == "attendance-name-missing"
    assert code_of(runtime, code, STRANGER, name=" \u200b ") == "attendance-name-missing"
    assert code_of(runtime, code, STRANGER, name="N" * 101) == "attendance-name-long"
    claim_id = claimed(runtime, code, STRANGER, name="Member\u202e 12")
    [shown] = listed(stage)
    assert (shown["state"], shown["name"]) == ("waiting", "Member 12")
    assert STRANGER not in repr(shown)
    assert refused(decide(stage, claim_id, "approval", {})) == (422, "attendance-member-missing", "/member")
    assert refused(decide(stage, claim_id, "approval", {"member": "m99"}))[:2] == (404, "member-unknown")
    assert decide(stage, claim_id, "approval", {"member": "m12"}).json()["member"] == "m12"
    assert [each["member"] for each in evidence(stage)] == ["m12"]
    assert "name" not in listed(stage)[0]


def test_a_name_gives_nobody_what_the_member_has_earned(stage: Stage, runtime: Runtime) -> None:
    claim_id = claimed(runtime, opened(stage), STRANGER, name="Member 12")
    decide(stage, claim_id, "approval", {"member": "m12"})
    assert [each["member"] for each in stage.awards()] == ["m12"]
    assert holder_of(runtime, "m12") is None


def test_a_member_with_another_address_can_add_it_and_is_known_then(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, approval=False)
    account_id = account_with(runtime, STRANGER)
    assert code_of(runtime, code, STRANGER) == "attendance-name-missing"
    with runtime.database.write() as session:
        accounts.with_address(session, ADDRESS, runtime.now(), into=session.get_one(Account, account_id))
    claimed(runtime, code, STRANGER)
    assert [each["member"] for each in evidence(stage)] == ["m11"]


def test_who_is_several_members_says_which_and_can_be_nobody_else(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage, approval=False)
    stage.member("m11-again", email=ADDRESS)
    ids = {each["ref"]: UUID(each["id"]) for each in stage.send("GET", "./members")["items"]}
    assert code_of(runtime, code, ADDRESS) == "attendance-member-unknown"
    assert code_of(runtime, code, ADDRESS, member_id=ids["m12"]) == "attendance-member-unknown"
    claimed(runtime, code, ADDRESS, member_id=ids["m11-again"])
    assert [each["member"] for each in evidence(stage)] == ["m11-again"]


def test_nobody_is_the_member_that_another_account_has_claimed(stage: Stage, runtime: Runtime) -> None:
    claim(runtime, "river", "m11", STRANGER)
    assert code_of(runtime, opened(stage, approval=False), ADDRESS) == "attendance-name-missing"


# --- Who decides ---------------------------------------------------------------------------------------------------


def test_a_refusal_is_final_and_its_person_sees_why(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    claim_id = claimed(runtime, code, STRANGER, name="Somebody")
    answer = decide(stage, claim_id, "refusal", WHY)
    assert (answer.json()["state"], answer.json()["reason"]) == ("refused", WHY["reason"])
    assert told(runtime, "river")[-1] == "attendance.refused"
    assert decide(stage, claim_id, "refusal", {"reason": "Twice."}).json()["reason"] == WHY["reason"]
    assert claimed(runtime, code, STRANGER, name="Somebody else") == claim_id
    assert outcome(runtime, STRANGER) == "refused"
    assert refused(decide(stage, claim_id, "approval", {"member": "m12"}))[:2] == (409, "attendance-decided")
    assert evidence(stage) == []


def test_an_approval_is_given_once(stage: Stage, runtime: Runtime) -> None:
    claim_id = claimed(runtime, opened(stage), ADDRESS)
    first = decide(stage, claim_id, "approval", {}).json()
    assert decide(stage, claim_id, "approval", {"member": "m11"}).json() == first
    assert refused(decide(stage, claim_id, "refusal", WHY))[:2] == (409, "attendance-decided")
    assert len(evidence(stage)) == 1


def test_a_facilitator_approves_as_somebody_who_saw_it_and_other_members_do_not(stage: Stage, runtime: Runtime) -> None:
    claim_id = claimed(runtime, opened(stage), ADDRESS)
    stage.member("f1", **FACILITATOR)
    for how, body in (("approval", {}), ("refusal", WHY)):
        answer = decide(stage, claim_id, how, body, stage.token_with("evidence:write", member="m12"))
        assert refused(answer)[:2] == (403, "attendance-role")
    assert decide(stage, claim_id, "approval", {}, stage.token_with("evidence:write", member="f1")).is_success
    assert [each["tier"] for each in evidence(stage)] == [2]


def test_nobody_approves_their_own_claim_by_whatever_account_and_name(stage: Stage, runtime: Runtime) -> None:
    stage.member("f1", email="f1@river.example.org", **FACILITATOR)
    token = stage.token_with("evidence:write", member="f1")
    code = opened(stage)
    own = claimed(runtime, code, "f1@river.example.org")
    claim(runtime, "river", "f1", "f1@river.example.org")
    other = claimed(runtime, code, STRANGER, name="f1")  # a second mailbox, of which nobody knows whose it is
    for claim_id, body in ((own, {}), (own, {"member": "m12"}), (other, {"member": "f1"})):
        assert refused(decide(stage, claim_id, "approval", body, token))[:2] == (403, "self-decision")
    assert refused(decide(stage, own, "refusal", WHY, token))[:2] == (403, "self-decision")
    assert evidence(stage) == []


def test_a_facilitator_does_not_approve_what_they_claimed_by_a_name(stage: Stage, runtime: Runtime) -> None:
    stage.member("f1", email="f1@river.example.org", **FACILITATOR)
    claim_id = claimed(runtime, opened(stage), STRANGER, name="Member 12")
    claim(runtime, "river", "f1", STRANGER)
    token = stage.token_with("evidence:write", member="f1")
    assert refused(decide(stage, claim_id, "approval", {"member": "m12"}, token))[:2] == (403, "self-decision")


def test_a_claim_of_a_proved_address_is_approved_for_no_other_member(stage: Stage, runtime: Runtime) -> None:
    claim_id = claimed(runtime, opened(stage), ADDRESS)
    answer = decide(stage, claim_id, "approval", {"member": "m12"})
    assert refused(answer) == (422, "attendance-member-differs", "/member")


def test_nothing_is_approved_for_a_member_in_another_account(stage: Stage, runtime: Runtime) -> None:
    claim(runtime, "river", "m11", ADDRESS)
    claim_id = claimed(runtime, opened(stage), STRANGER, name="Member 11")
    answer = decide(stage, claim_id, "approval", {"member": "m11"})
    assert refused(answer) == (409, "attendance-other-account", "/member")


def test_of_two_who_say_that_they_are_one_member_one_is_approved(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    first, second = (claimed(runtime, code, address, name="Member 12") for address in (STRANGER, "x@hill.example.org"))
    decide(stage, first, "approval", {"member": "m12"})
    answer = decide(stage, second, "approval", {"member": "m12"})
    assert refused(answer) == (409, "attendance-taken", "/member")
    assert len(evidence(stage)) == 1


def test_of_two_who_are_approved_as_one_member_at_once_one_is(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    both = [claimed(runtime, code, address, name="Member 12") for address in (STRANGER, "x@hill.example.org")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda each: decide(stage, each, "approval", {"member": "m12"}), both))
    assert sorted(each.status_code for each in answers) == [200, 409]
    assert len(evidence(stage)) == 1


def test_a_claim_can_be_decided_after_the_code_is_closed(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    claim_id = claimed(runtime, opened(stage), ADDRESS)
    stage.call("DELETE", CODE)
    clock.advance(days=2)
    assert decide(stage, claim_id, "approval", {}).json()["state"] == "accepted"


def test_claims_are_listed_in_pages(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    for n in range(5):
        claimed(runtime, code, f"s{n}@hill.example.org", name=f"S {n}")
    path = f"/v1/networks/river/sessions/{SESSION}/attendance-claims"
    found = all_pages(Actor(stage.client, stage.token), path)
    assert [each["name"] for each in found] == [f"S {n}" for n in range(5)]


# --- What is left of people ----------------------------------------------------------------------------------------


def test_nothing_is_approved_for_a_member_who_was_erased(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    claim_id, named = claimed(runtime, code, ADDRESS), claimed(runtime, code, STRANGER, name="Member 12")
    for ref in ("m11", "m12"):
        stage.send("DELETE", f"./members/{ref}")
    assert refused(decide(stage, claim_id, "approval", {}))[:2] == (404, "attendance-claim-unknown")
    assert refused(decide(stage, named, "approval", {"member": "m12"}))[:2] == (409, "member-erased")
    assert evidence(stage) == []


def test_an_erased_member_leaves_no_claim_also_none_by_a_name(stage: Stage, runtime: Runtime) -> None:
    claimed(runtime, opened(stage), STRANGER, name="Member 12")
    stage.member("m12", email="m12@river.example.org")
    claim(runtime, "river", "m12", STRANGER)
    stage.send("DELETE", "./members/m12")
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(AttendanceClaim)) == 0


def test_claims_move_with_the_account_and_go_with_it(stage: Stage, runtime: Runtime) -> None:
    code = opened(stage)
    claimed(runtime, code, ADDRESS)
    claimed(runtime, code, STRANGER, name="Somebody")
    one, other = account_with(runtime, ADDRESS), account_with(runtime, STRANGER)
    with runtime.database.write() as session:
        session.execute(update(AccountAddress).where(AccountAddress.account_id == other).values(kept=False))
        belongings.move(session, other, one)
    assert [each["state"] for each in listed(stage)] == ["waiting"]  # one claim of one person
    with runtime.database.write() as session:
        belongings.let_go(session, one)
    assert listed(stage) == []
    with runtime.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Contribution)) == 0
        assert session.scalar(select(func.count()).select_from(Person).where(Person.account_id == one)) == 0
