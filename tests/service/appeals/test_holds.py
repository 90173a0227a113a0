"""New awards of a party that wait while a disagreement is open, and then follow by themselves."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alembic import command
from service.appeals import deadlines
from service.awards import settling
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.storage import migrations
from service.tables import Award, Case, CaseHold, Credential, Event
from tests.worlds.awarding import Stage
from tests.worlds.disagreeing import answered, decide, disagree, laid, mediated, on, problem, seen, sent, token
from tests.worlds.runtimes import BASE_URL, Clock, app_of

REASON = "Whose work it is is just what the case is about."


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    """The app without what goes on beside it: awards that are due are signed when a test says so."""
    stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
    laid(stage)
    return stage


def hold(stage: Stage, case: Any, by: str | None = "n1", member: str = "m12", **said: Any) -> Any:
    return on(stage, case, "holds", by, member=member, reason=REASON, **said)


def held(stage: Stage, case: Any, member: str = "m12", **said: Any) -> Any:
    """Hold awards of a member, and return the hold."""
    return sent(hold(stage, case, member=member, **said), 201)["holds"][-1]


def earn(stage: Stage, member: str = "m12", first: int = 1) -> None:
    """Post what is needed for one more award by rule."""
    for n in (first, first + 1):
        stage.share(n, member)


def states(stage: Stage, member: str = "m12") -> list[str]:
    return [each["state"] for each in stage.awards(member=member)]


def told(stage: Stage) -> list[str]:
    with stage.runtime.database.read() as session:
        return list(session.scalars(select(Event.type).where(Event.type.startswith("award.")).order_by(Event.id)))


# --- What waits ----------------------------------------------------------------------------------------------------


def test_a_new_award_waits_and_follows_by_itself_when_the_case_ends(stage: Stage) -> None:
    stage.achievement()
    case = answered(stage)
    held(stage, case)
    earn(stage)
    (award,) = stage.awards(member="m12")
    assert (award["state"], "due_at" in award, "credential" in award) == ("pending", False, False)
    assert (settling.sign_due(stage.runtime), told(stage)) == (0, [])
    sent(decide(stage, case))
    assert states(stage) == ["pending"]
    assert settling.sign_due(stage.runtime) == 1
    (after,) = stage.awards(member="m12")
    assert (after["state"], after["awarded_at"], told(stage)) == ("awarded", award["awarded_at"], ["award.made"])
    assert stage.send("POST", f"./awards/{after['id']}/replay")["outcome"] == "same"
    assert settling.sign_due(stage.runtime) == 0


@pytest.mark.parametrize("end", ["released", "withdrawn", "agreed", "unresolved", "erased"])
def test_it_follows_however_the_hold_ends(stage: Stage, end: str) -> None:
    stage.achievement()
    case = answered(stage)
    hold_id = held(stage, case)["id"]
    earn(stage)
    if end == "released":
        sent(on(stage, case, f"holds/{hold_id}/release", None))
    elif end == "withdrawn":
        sent(on(stage, case, "withdrawal", "m11"))
    elif end == "agreed":
        proposal = sent(on(stage, case, "agreement", "n1", text="Both."), 201)["steps"][-1]["id"]
        for by in ("m11", "m12"):
            sent(on(stage, case, "agreement/acceptance", by, proposal=proposal))
    elif end == "unresolved":
        sent(decide(stage, case, "unresolved"))
    else:
        stage.send("DELETE", "./members/m11", token=stage.token_with("members:erase"))
    assert settling.sign_due(stage.runtime) == 1
    assert states(stage) == ["awarded"]


def test_what_was_awarded_before_stands(stage: Stage) -> None:
    stage.achievement()
    earn(stage)
    (before,) = stage.awards(member="m12")
    held(stage, answered(stage))
    assert stage.awards(member="m12") == [before]
    assert stage.send("GET", f"/v1/credentials/{before['credential']['id']}/status")["state"] == "valid"


def test_a_hold_on_one_achievement_leaves_the_others(stage: Stage) -> None:
    stage.achievement()
    stage.achievement("other")
    held(stage, answered(stage), achievement="other")
    earn(stage)
    found = {each["achievement"]: each["state"] for each in stage.awards(member="m12")}
    assert found == {"sharer": "awarded", "other": "pending"}


def test_the_other_party_and_everybody_else_earn_as_before(stage: Stage) -> None:
    stage.achievement()
    held(stage, answered(stage))
    for member in ("m11", "m13"):
        earn(stage, member)
        assert states(stage, member) == ["awarded"]


@pytest.mark.parametrize("basis", ["rule", "override", "recorded"])
def test_what_the_network_asks_for_waits_too(stage: Stage, basis: str) -> None:
    stage.achievement(award="reviewed")
    case = answered(stage)
    held(stage, case)
    earn(stage)
    more = {} if basis == "rule" else {"reason": "Known."}
    more |= {"awarded_at": "2026-02-01T00:00:00Z"} if basis == "recorded" else {}
    body = {"achievement": "sharer", "member": "m12", "basis": basis} | more
    answer = sent(stage.call("POST", "./awards", json=body), 201)
    assert (answer["state"], "credential" in answer) == ("pending", False)
    again = sent(stage.call("POST", "./awards", json=body), 200)
    assert again["id"] == answer["id"]
    sent(decide(stage, case))
    assert (settling.sign_due(stage.runtime), states(stage)) == (1, ["awarded"])


def test_many_awards_at_once_wait_only_where_they_are_held(stage: Stage) -> None:
    stage.achievement()
    held(stage, answered(stage))
    one = {"type": "shared", "occurred_at": "2026-03-01T10:00:00Z"}
    lines = [one | {"member": ref, "resource": f"r-{n}"} for ref in ("m11", "m12") for n in (1, 2)]
    content, headers = "\n".join(map(json.dumps, lines)), {"Content-Type": "application/x-ndjson"}
    answer = stage.call("POST", "./contributions/bulk", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (states(stage, "m11"), states(stage, "m12")) == (["awarded"], ["pending"])


def test_an_award_that_is_no_longer_earned_when_the_hold_ends_is_not_made(stage: Stage) -> None:
    stage.achievement()
    case = answered(stage)
    held(stage, case)
    earn(stage)
    record = stage.send("GET", "./records", params={"member": "m12"})["items"][0]["id"]
    stage.send("POST", f"./records/{record}/void", {"reason": "Somebody else's."})
    sent(decide(stage, case))
    assert settling.sign_due(stage.runtime) == 0
    assert (states(stage), told(stage)) == (["revoked"], [])


def test_under_another_ref_of_the_same_person_it_waits_too(stage: Stage) -> None:
    stage.achievement()
    stage.member("m12-again", email="m12@river.example.org")
    case = answered(stage)
    held(stage, case, member="m12-again")
    earn(stage, "m12-again")
    assert states(stage, "m12-again") == ["pending"]
    sent(decide(stage, case))
    assert settling.sign_due(stage.runtime) == 1


def test_whoever_turns_out_not_to_be_the_person_is_not_held_any_longer(stage: Stage) -> None:
    stage.achievement()
    stage.member("m12-again", email="m12@river.example.org")
    held(stage, answered(stage))
    earn(stage, "m12-again")
    stage.member("m12-again", email="somebody@river.example.org")
    assert (settling.sign_due(stage.runtime), states(stage, "m12-again")) == (1, ["awarded"])


def test_an_award_that_cools_off_waits_for_both(stage: Stage, clock: Clock) -> None:
    stage.achievement(cooling_off="P3D")
    earn(stage)
    case = answered(stage)
    hold_id = held(stage, case)["id"]
    clock.advance(days=4)
    assert settling.sign_due(stage.runtime) == 0
    sent(on(stage, case, f"holds/{hold_id}/release", "n1"))
    assert settling.sign_due(stage.runtime) == 1


def test_a_hold_that_ends_early_gives_back_the_time_at_which_an_award_is_due(stage: Stage) -> None:
    stage.achievement(cooling_off="P3D")
    earn(stage)
    (before,) = stage.awards(member="m12")
    case = answered(stage)
    hold_id = held(stage, case)["id"]
    assert "due_at" not in stage.awards(member="m12")[0]
    sent(on(stage, case, f"holds/{hold_id}/release", "n1"))
    assert stage.awards(member="m12") == [before]


def test_an_award_to_staff_waits_for_the_second_person_and_for_the_hold(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("m12", email="m12@river.example.org", roles=["facilitator"])
    stage.member("d1", roles=["approver"])
    case = answered(stage)
    held(stage, case)
    stage.send("POST", "./awards", {"achievement": "sharer", "member": "m12", "basis": "override", "reason": "Known."})
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/approval", {}, token=by)
    assert states(stage) == ["pending"]
    sent(decide(stage, case))
    assert (settling.sign_due(stage.runtime), states(stage)) == (1, ["awarded"])


def test_one_that_still_waits_for_the_second_person_when_the_hold_ends_is_signed_by_their_word(stage: Stage) -> None:
    stage.achievement(award="reviewed")
    stage.member("m12", email="m12@river.example.org", roles=["facilitator"])
    stage.member("d1", roles=["approver"])
    case = answered(stage)
    held(stage, case)
    stage.send("POST", "./awards", {"achievement": "sharer", "member": "m12", "basis": "override", "reason": "Known."})
    sent(decide(stage, case))
    assert (settling.sign_due(stage.runtime), states(stage)) == (0, ["pending"])
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    stage.send(
        "POST", f"./approvals/{waiting['id']}/approval", {}, token=stage.token_with("awards:approve", member="d1")
    )
    assert states(stage) == ["awarded"]


def test_of_two_holds_on_the_same_award_both_must_end(stage: Stage) -> None:
    stage.achievement()
    first = answered(stage)
    second = sent(disagree(stage, "m13", "m12"), 201)
    held(stage, first)
    sent(hold(stage, second, None, achievement="sharer"), 201)
    earn(stage)
    sent(decide(stage, first))
    assert settling.sign_due(stage.runtime) == 0
    sent(on(stage, second, "withdrawal", "m13"))
    assert settling.sign_due(stage.runtime) == 1


def test_nobody_loses_an_award_because_nobody_decides(stage: Stage, clock: Clock) -> None:
    """A case that is overdue stays open, and what it held follows."""
    stage.achievement()
    case = answered(stage)
    held(stage, case)
    earn(stage)
    for days in (38, 31):
        assert states(stage) == ["pending"]
        clock.advance(days=days)
        deadlines.pass_deadlines(stage.runtime)
        signed = settling.sign_due(stage.runtime)
    shown = sent(seen(stage, case, "m12"))
    assert (signed, shown["state"]) == (1, "escalated")
    assert [step["kind"] for step in shown["steps"]][-2:] == ["released", "overdue"]


# --- Who orders it, and of whom ------------------------------------------------------------------------------------


def test_the_mediator_or_the_network_orders_it_and_the_same_again_changes_nothing(stage: Stage) -> None:
    case = answered(stage)
    for by, part in (("n1", "mediator"), (None, "network")):
        before = sent(hold(stage, case, by, member="m11" if by else "m12"), 201)
        assert before["steps"][-1]["part"] == part
        assert sent(hold(stage, case, by, member="m11" if by else "m12"), 201)["steps"] == before["steps"]
    hold_id = before["holds"][0]["id"]
    for _ in range(2):
        ended = sent(on(stage, case, f"holds/{hold_id}/release", "n1"))
        assert (len(ended["steps"]), "until" in ended["holds"][0]) == (len(before["steps"]) + 1, True)


def test_a_party_orders_none_and_ends_none(stage: Stage) -> None:
    case = answered(stage)
    hold_id = held(stage, case)["id"]
    for by in ("m11", "m12"):
        assert problem(hold(stage, case, by)) == (403, "self-decision")
        assert problem(on(stage, case, f"holds/{hold_id}/release", by)) == (403, "self-decision")


def test_a_mediator_without_the_role_orders_none(stage: Stage) -> None:
    case = answered(stage)
    stage.member("n1", roles=[])
    assert problem(hold(stage, case)) == (409, "role-missing")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"member": "m13"}, (422, "member-not-party")),
        ({"member": "nobody"}, (422, "member-not-party")),
        ({"achievement": "nothing"}, (404, "achievement-unknown")),
    ],
)
def test_it_names_a_party_and_an_achievement_of_the_network(
    stage: Stage, said: dict[str, str], expected: tuple[int, str]
) -> None:
    assert problem(hold(stage, answered(stage), **said)) == expected


def test_who_contests_a_decision_does_not_lose_by_it(stage: Stage) -> None:
    stage.achievement()
    body = {"achievement": "sharer", "statement": "I was there twice."}
    case = sent(stage.call("POST", "./cases", token(stage, "m11"), json=body), 201)
    assert problem(hold(stage, case, None, member="m11")) == (409, "not-a-disagreement")


def test_a_hold_belongs_to_its_case_and_a_closed_case_takes_none(stage: Stage) -> None:
    case = answered(stage)
    other = sent(disagree(stage, "m13", "m12"), 201)
    hold_id = held(stage, case)["id"]
    for where, which in ((other, hold_id), (case, case["id"])):
        assert problem(on(stage, where, f"holds/{which}/release", None)) == (404, "hold-unknown")
    sent(decide(stage, case))
    assert problem(hold(stage, case, None)) == (409, "case-closed")


# --- Who knows of it -----------------------------------------------------------------------------------------------


def test_its_subject_is_told_and_why_and_the_other_party_is_not(stage: Stage) -> None:
    stage.achievement()
    case = mediated(stage)
    held(stage, case, achievement="sharer")
    for by, knows, why in (("m12", True, True), ("n1", True, True), (None, True, False), ("m11", False, False)):
        shown = sent(seen(stage, case, by))
        assert ("holds" in shown, "held" in [step["kind"] for step in shown["steps"]]) == (knows, knows), by
        assert (REASON in [step.get("text") for step in shown["steps"]]) is why, by
    mine = sent(seen(stage, case, "m12"))
    assert (mine["holds"][0]["member"], mine["holds"][0]["achievement"]) == ("m12", "sharer")
    assert mine["steps"][-1]["held"] == "m12"
    mail.send_due(stage.runtime)
    texts = [path.read_text() for path in mail.outbox_folder(stage.runtime.settings).glob("*.eml")]
    assert ["m12@river.example.org" in text for text in texts if "wait while the case is open" in text] == [True]
    assert not any(REASON in text for text in texts)


def test_other_readers_of_the_network_see_an_award_that_is_pending_and_no_more(stage: Stage) -> None:
    stage.achievement()
    held(stage, answered(stage))
    earn(stage)
    (award,) = stage.awards(member="m12")
    reading = stage.token_with("read:basic", member="m13")
    found = sent(stage.call("GET", f"./awards/{award['id']}", reading))
    assert found == award
    assert not {"case", "hold", "held"} & found.keys()
    assert told(stage) == []


# --- Together ------------------------------------------------------------------------------------------------------


def at_once(*works: Callable[[], Any]) -> None:
    together = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        together.wait()
        work()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("turn", range(3))
def test_a_hold_and_an_award_at_the_same_moment_make_one_that_waits_or_stands(stage: Stage, turn: int) -> None:
    stage.achievement()
    case = answered(stage)
    stage.share(1, "m12")
    by = token(stage, "n1")
    body = {"member": "m12", "reason": REASON}
    path = f"./cases/{case['id']}/holds"
    at_once(lambda: stage.share(2, "m12"), lambda: stage.call("POST", path, by, json=body))
    settling.sign_due(stage.runtime)
    with stage.runtime.database.read() as session:
        (award,) = session.scalars(select(Award)).all()
        signed = len(session.scalars(select(Credential)).all())
        assert (award.state, award.due_at, signed) in (("pending", None, 0), ("awarded", None, 1)), turn
        assert len(session.scalars(select(CaseHold)).all()) == 1


@pytest.mark.parametrize("turn", range(3))
def test_the_end_of_a_hold_and_an_award_at_the_same_moment_leave_none_behind(stage: Stage, turn: int) -> None:
    stage.achievement()
    case = answered(stage)
    held(stage, case)
    stage.share(1, "m12")
    by = token(stage, "m11")
    at_once(lambda: stage.share(2, "m12"), lambda: stage.call("POST", f"./cases/{case['id']}/withdrawal", by))
    at_once(*[lambda: settling.sign_due(stage.runtime)] * 2)
    with stage.runtime.database.read() as session:
        (award,) = session.scalars(select(Award)).all()
        assert (award.state, len(session.scalars(select(Credential)).all())) == ("awarded", 1), turn


# --- Back to the release before ------------------------------------------------------------------------------------


def test_on_the_way_back_to_a_release_without_disagreements_what_they_held_is_due(stage: Stage) -> None:
    stage.achievement()
    held(stage, answered(stage))
    earn(stage)
    mail.send_due(stage.runtime)
    database = stage.runtime.database
    with database.engine.connect() as connection:
        command.downgrade(migrations._config(connection), "0043")
        connection.commit()
    migrations.upgrade(database)
    migrations.check(database)
    with database.read() as session:
        assert session.scalars(select(Case)).all() == []
    assert (settling.sign_due(stage.runtime), states(stage)) == (1, ["awarded"])
