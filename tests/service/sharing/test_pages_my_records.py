"""What a network holds about somebody who is signed in, and the decisions that they contest."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access.callers import in_person
from service.runtime.runtime import Runtime
from service.tables import Case, CaseStep, Member
from service.tables.identifiers import new_id
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import (
    APPROVED,
    MINE,
    OTHER,
    browser_of,
    claimed,
    contested,
    done,
    earned,
    member_of,
    shown,
)
from tests.worlds.runtimes import BASE_URL, Clock
from tests.worlds.signing_in import claim, mails_to, send, signed_in


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    """The browser of somebody who is signed in; the stage is laid before, in an empty service."""
    assert stage.runtime is runtime
    with browser_of(runtime, MINE) as found:
        yield found


# --- Records ---------------------------------------------------------------------------------------------------------


def test_feedback_names_the_levels_and_the_words(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.member("m12", name="Member 12")
    stage.rate("m12", {"specific": 3}, comment="Every remark names a place.")
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records")
    assert "Your work was assessed: “feedback”" in page
    assert "<dt>specific</dt><dd>3</dd>" in page
    assert "by Member 12" in page
    assert "Every remark names a place." in page


def test_feedback_has_nothing_of_anonymous_answers_and_of_what_concerns_others(
    browser: TestClient, stage: Stage
) -> None:
    claimed(stage)
    stage.member("m12")
    stage.member("m13")
    stage.rate("m12", {"specific": 1}, member="m13", comment="Of somebody else.")
    about = {"kind": "survey", "about": {"network": "river"}, "anonymous": True, "instrument": "pulse"}
    said = {"answers": {"worth my time": 4}, "occurred_at": "2026-03-01T11:00:00Z", "ref": "s1"}
    stage.send("POST", "./evaluations", about | said)
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records")
    assert "There is nothing yet." in page


def test_evidence_stands_in_plain_words_with_how_to_have_it_corrected(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    record = stage.share(1, title="A draft")
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records?kind=contribution"
    page = shown(browser, path)
    assert "You shared a resource" in page
    assert "A draft" in page
    assert f"<code>{record['id']}</code>" in page
    assert 'href="https://river.example.org"' in page
    stage.send("POST", f"./records/{record['id']}/void", {"reason": "Not theirs."})
    assert "it was taken back" in shown(browser, path)


def test_words_of_others_are_never_markup(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.member("m12", name="<b>x</b>")
    stage.rate("m12", {"<i>": 3}, comment="<script>alert(1)</script> [x](javascript:alert(1))")
    page = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records")
    assert not re.search(r"<script>|<b>x|<i>|href=.javascript", page)


# --- Appeals ---------------------------------------------------------------------------------------------------------


def test_a_refusal_by_the_rules_is_contested_as_the_member(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    stage.share(1)
    where = contested(browser, stage, achievement="sharer")
    page = shown(browser, where)
    assert "Waiting for a mediator" in page
    assert "I was there twice." in page
    with stage.runtime.database.read() as session:
        case = session.get_one(Case, UUID(where.rpartition("/")[2]))
        assert (case.opened_by, case.opened_by_token, case.kind) == (case.member_id, None, "refusal")


def test_a_declined_approval_is_appealed_from_my_badges_within_its_time(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.member("d1", roles=[{"role": "director", "from": "2026-01-01T00:00:00Z"}, "approver"])
    stage.achievement(rule=APPROVED)
    stage.share(1)
    stage.share(2)
    (waiting,) = stage.send("GET", "./approvals", params={"state": "waiting"})["items"]
    by = stage.token_with("awards:approve", member="d1")
    stage.send("POST", f"./approvals/{waiting['id']}/refusal", {"reason": "Not yet."}, token=by)
    page = shown(browser, "/my-badges")
    assert "declined on 2 March 2026" in page
    assert "until 2 June 2026" in page
    assert "Not yet." in page
    contested(browser, stage, approval=waiting["id"])
    assert "Appeal this decision" not in shown(browser, "/my-badges")


def test_after_its_time_a_decision_is_no_longer_offered_and_cannot_be_appealed(
    browser: TestClient, stage: Stage, clock: Clock
) -> None:
    claimed(stage)
    credential = earned(stage)
    stage.send("POST", f"/v1/credentials/{credential}/revocation", {"reason": "A copy."})
    assert "revoked on 2 March 2026" in shown(browser, "/my-badges")
    clock.advance(days=93)
    browser.headers["Cookie"] = signed_in(stage.runtime, MINE)
    assert "Decisions that you can appeal" not in shown(browser, "/my-badges")
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/appeal"
    answer = send(browser, "/my-badges", path, statement="Late.", credential=credential)
    assert answer.status_code == 409
    assert "It is too late to appeal this decision." in answer.text


def test_a_mail_about_a_case_leads_who_contests_to_their_page_of_it(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    stage.share(1)
    stage.member("n1", email=OTHER, roles=[{"role": "mediator", "from": "2026-01-01T00:00:00Z"}])
    claim(stage.runtime, stage.slug, "n1", OTHER)
    where = contested(browser, stage, achievement="sharer")
    stage.send("PUT", f"./cases/{where.rpartition('/')[2]}/mediator", {"member": "n1"})
    letter, other = mails_to(stage.runtime, MINE)[-1], mails_to(stage.runtime, OTHER)[-1]
    assert f"See the case:\r\n{BASE_URL}{where}" in letter
    assert "Ask River Writers where" not in letter
    assert "Ask River Writers where" in other
    assert "/my-badges/" not in other


def test_who_contests_can_add_escalate_and_withdraw(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    stage.share(1)
    where = contested(browser, stage, achievement="sharer")
    assert send(browser, where, f"{where}/statements", statement="").status_code == 422
    done(send(browser, where, f"{where}/statements", statement="One more thing."), where)
    done(send(browser, where, f"{where}/escalation"), where)
    assert "Somebody else will decide" in shown(browser, where)
    done(send(browser, where, f"{where}/withdrawal"), where)
    page = shown(browser, where)
    assert "You withdrew it" in page
    assert "One more thing." in page
    assert "<textarea" not in page
    with stage.runtime.database.read() as session:
        steps = session.scalars(select(CaseStep).order_by(CaseStep.id)).all()
        assert [(step.kind, step.part) for step in steps] == [
            ("opened", "member"),
            ("statement", "member"),
            ("escalated", "member"),
            ("withdrawn", "member"),
        ]


def test_an_appeal_without_words_or_with_too_many_is_asked_again(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/appeal"
    for statement, fault in (("", "Write why you disagree."), ("x" * 10_001, "Write at most 10,000 characters.")):
        answer = send(browser, "/my-badges", path, statement=statement, achievement="sharer")
        assert (answer.status_code, fault in answer.text) == (422, True)


@pytest.mark.any_database("scopes are a value")
def test_who_acts_in_person_has_the_scopes_of_the_act_and_no_more() -> None:
    member = Member(id=new_id(), network_id=new_id(), ref="m11")
    caller = in_person(member, "cases:write")
    assert (caller.token_id, caller.member_id, caller.scopes) == (None, member.id, frozenset({"cases:write"}))


def test_the_form_says_what_it_is_about_and_there_is_none_about_what_concerns_others(
    browser: TestClient, stage: Stage
) -> None:
    claimed(stage)
    stage.member("m12")
    credential, theirs = earned(stage), earned(stage, "m12")
    path = f"/my-badges/members/{member_of(stage.runtime, 'm11')}/appeal"
    for matter in (f"credential={credential}", "achievement=sharer"):
        assert "It is about the badge “Sharer”." in shown(browser, f"{path}?{matter}")
    for matter in ("", f"credential={theirs}", "achievement=unknown", "approval=none", f"approval={new_id()}"):
        assert browser.get(f"{path}?{matter}").status_code == 404
