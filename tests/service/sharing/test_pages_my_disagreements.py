"""How somebody says in person with whom they disagree, and what both parties see of it."""

import re
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.sharing import own_disagreements
from service.tables import Case, Member, Network
from tests.worlds.acting import actor
from tests.worlds.awarding import Stage
from tests.worlds.disagreeing import on, sent
from tests.worlds.my_badges import MINE, OTHER, browser_of, claimed, done, member_of, shown
from tests.worlds.runtimes import BASE_URL, Clock
from tests.worlds.signing_in import claim, mails_to, send

WHY = "My lesson plan was shown as somebody else's."


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    stage = Stage.set_up(client, runtime)
    claimed(stage)
    claimed(stage, "m12", OTHER, name="Reader 12")
    stage.member("n1", roles=["mediator"])
    return stage


@pytest.fixture
def browser(stage: Stage) -> TestClient:
    return browser_of(stage.runtime, MINE)


@pytest.fixture
def other(stage: Stage) -> TestClient:
    return browser_of(stage.runtime, OTHER)


def form_of(stage: Stage, ref: str = "m11") -> str:
    return f"/my-badges/members/{member_of(stage.runtime, ref)}/disagreement"


def opened(browser: TestClient, stage: Stage, **said: str) -> str:
    """Open a case as m11, and return the path of its page."""
    path = form_of(stage)
    typed = {"other": OTHER, "about": "credit", "statement": WHY} | said
    return done(send(browser, path, path, **typed))


def case_of(path: str) -> dict[str, str]:
    return {"id": path.rpartition("/")[2]}


def proposed(stage: Stage, path: str) -> str:
    """Have n1 propose an agreement, and return the id of the step."""
    sent(on(stage, case_of(path), "mediator", None, "PUT", member="n1"))
    steps = sent(on(stage, case_of(path), "agreement", "n1", text="Both names."), 201)["steps"]
    return str(steps[-1]["id"])


def waiting(stage: Stage, ref: str) -> str | None:
    with stage.runtime.database.read() as session:
        network = session.scalars(select(Network).where(Network.slug == stage.slug)).one()
        member = session.get_one(Member, UUID(member_of(stage.runtime, ref)))
        return own_disagreements.waits(session, network, member, stage.runtime.now())


# --- Opening -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["m12", OTHER, " M12@River.Example.org ", "Reader 12"])
def test_a_colleague_is_named_by_the_whole_ref_address_or_name(browser: TestClient, stage: Stage, typed: str) -> None:
    page = shown(browser, opened(browser, stage, other=typed))
    assert "Your case with Reader 12" in page
    assert "Waiting for a mediator" in page
    assert "Whose work it is" in page
    with stage.runtime.database.read() as session:
        row = session.scalars(select(Case)).one()
        assert (row.opened_by, row.opened_by_token) == (row.member_id, None)


def test_the_form_says_what_follows_and_shows_no_member(browser: TestClient, stage: Stage) -> None:
    page = shown(browser, form_of(stage))
    assert "has 7 days to answer" in page
    assert "then has 30 days" in page
    assert "The guidelines of the network say" not in page
    assert not re.search("m12|Reader 12", page)


def test_nobody_is_found_by_a_part_of_a_name_and_what_is_not_found_all_sounds_the_same(
    browser: TestClient, stage: Stage
) -> None:
    stage.member("gone", email="gone@river.example.org")
    stage.send("DELETE", "./members/gone", token=stage.token_with("members:erase"))
    hill = Stage.set_up(stage.client, stage.runtime, "hill")
    hill.member("h1", email="h1@hill.example.org")
    path = form_of(stage)
    for typed in ("m1", "Reader", "reader 12", "nobody@river.example.org", "gone", "h1@hill.example.org", "%"):
        answer = send(browser, path, path, other=typed, about="credit", statement=WHY)
        assert (answer.status_code, "We found nobody of this network" in answer.text) == (422, True), typed
        assert WHY.replace("'", "&#39;") in answer.text


def test_an_account_can_only_name_a_few(browser: TestClient, stage: Stage) -> None:
    path = form_of(stage)
    answers = [
        send(browser, path, path, other=f"guess-{n}", about="credit", statement=WHY).status_code for n in range(11)
    ]
    assert answers == [*[422] * 10, 429]


def test_a_name_of_two_people_means_nobody(browser: TestClient, stage: Stage) -> None:
    stage.member("m13", name="Reader 12")
    path = form_of(stage)
    answer = send(browser, path, path, other="Reader 12", about="credit", statement=WHY)
    assert (answer.status_code, "We found nobody" in answer.text) == (422, True)


def test_an_address_of_two_people_means_nobody(browser: TestClient, stage: Stage) -> None:
    actor(stage.runtime, stage.client).ask("PATCH", f"/v1/networks/{stage.slug}", {"same_address": "ask"})
    stage.member("m13", email=OTHER)
    path = form_of(stage)
    answer = send(browser, path, path, other=OTHER, about="credit", statement=WHY)
    assert (answer.status_code, "We found nobody" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"other": ""}, "Write the name or the email address"),
        ({"about": ""}, "Choose what it is about."),
        ({"about": "weather"}, "Choose what it is about."),
        ({"statement": ""}, "Write what happened."),
        ({"statement": "x" * 10_001}, "Write at most 10,000 characters."),
    ],
)
def test_what_is_missing_is_asked_again(browser: TestClient, stage: Stage, said: dict[str, str], fault: str) -> None:
    path = form_of(stage)
    answer = send(browser, path, path, **({"other": OTHER, "about": "credit", "statement": WHY} | said))
    assert (answer.status_code, fault in answer.text) == (422, True)


def test_what_cannot_be_is_refused_in_plain_words(browser: TestClient, stage: Stage) -> None:
    path = form_of(stage)
    opened(browser, stage)
    for said, words in (
        ({}, "You and this person already have an open case."),
        ({"other": "m11"}, "This is you. Name the other person."),
        (
            {"other": "n1", "record": "01a22783-8b15-7000-ad4e-8b0266253ac4"},
            "You cannot open a case about this record.",
        ),
        ({"other": "n1", "record": "nothing"}, "You cannot open a case about this record."),
    ):
        typed = {"other": OTHER, "about": "credit", "statement": WHY} | said
        assert words in send(browser, path, path, **typed).text


def test_two_members_of_one_account_are_one_person(browser: TestClient, stage: Stage) -> None:
    stage.member("m11-too", email="else@river.example.org")
    claim(stage.runtime, stage.slug, "m11-too", MINE)
    path = form_of(stage)
    answer = send(browser, path, path, other="m11-too", about="credit", statement=WHY)
    assert (answer.status_code, "This is you." in answer.text) == (409, True)


def test_a_record_about_somebody_leads_to_the_form(browser: TestClient, stage: Stage) -> None:
    record = stage.share(1)["id"]
    own = f"/my-badges/members/{member_of(stage.runtime, 'm11')}"
    assert f'href="{own}/disagreement?record={record}"' in shown(browser, f"{own}/records?kind=contribution")
    assert record in shown(browser, f"{own}/disagreement?record={record}")
    assert record in shown(browser, opened(browser, stage, record=record))


def test_in_the_name_of_somebody_else_there_is_no_form(browser: TestClient, stage: Stage) -> None:
    path = form_of(stage, "m12")
    assert browser.get(path).status_code == 404
    answer = send(browser, form_of(stage), path, other="m11", about="credit", statement=WHY)
    assert answer.status_code == 404


# --- What both see -------------------------------------------------------------------------------------------------


def test_both_have_it_among_their_cases_and_read_it_each_from_their_side(
    browser: TestClient, other: TestClient, stage: Stage
) -> None:
    path = opened(browser, stage)
    assert "Your appeals and disagreements" in shown(browser, "/my-badges")
    assert f'<a href="{path}">With m11, River Writers</a>' in shown(other, "/my-badges")
    theirs = shown(other, path)
    assert "Your case with m11" in theirs
    assert re.search("Answer until</dt><dd>9 March 2026", theirs)
    assert "How do you see it?" in theirs
    assert "The other person, <time" in theirs
    assert "Withdraw the case" not in theirs
    done(send(other, path, f"{path}/statements", statement="We wrote it together."), path)
    mine = shown(browser, path)
    assert "We wrote it together." in mine
    assert "can answer until" not in mine
    assert "You, <time" in mine


def test_the_time_to_answer_is_said_to_be_over(browser: TestClient, stage: Stage, clock: Clock) -> None:
    path = opened(browser, stage)
    assert "this day has passed" not in shown(browser, path)
    clock.advance(days=8)
    assert "this day has passed" in shown(browser, path)


def test_a_third_person_and_the_mediator_have_no_page_of_it(browser: TestClient, stage: Stage) -> None:
    path = opened(browser, stage)
    proposed(stage, path)
    for ref, address in (("n1", "n1@river.example.org"), ("m13", "m13@river.example.org")):
        claimed(stage, ref, address, **({"roles": ["mediator"]} if ref == "n1" else {}))
        theirs = browser_of(stage.runtime, address)
        assert path not in shown(theirs, "/my-badges")
        assert theirs.get(path).status_code == 404
        for what in ("statements", "escalation", "withdrawal", "agreement"):
            answer = send(theirs, "/my-badges", f"{path}/{what}", statement="I know.", proposal=str(UUID(int=1)))
            assert answer.status_code == 404, what


def test_each_accepts_the_agreement_for_themself(browser: TestClient, other: TestClient, stage: Stage) -> None:
    path = opened(browser, stage)
    proposal = proposed(stage, path)
    assert "The mediator proposes an agreement" in shown(other, path)
    done(send(other, path, f"{path}/agreement", proposal=proposal), path)
    assert "The mediator proposes an agreement" not in shown(other, path)
    done(send(browser, path, f"{path}/agreement", proposal=proposal), path)
    for each in (browser, other):
        page = shown(each, path)
        assert "Ended: you have both agreed" in page
        assert "Both names." in page
        assert "<textarea" not in page


@pytest.mark.parametrize("proposal", ["", "nothing", "01a22783-8b15-7000-ad4e-8b0266253ac4"])
def test_another_proposal_is_not_accepted(browser: TestClient, stage: Stage, proposal: str) -> None:
    path = opened(browser, stage)
    proposed(stage, path)
    answer = send(browser, path, f"{path}/agreement", proposal=proposal)
    assert answer.status_code in (404, 409)
    assert "The mediator has proposed something else in the meantime." in answer.text


def test_both_read_what_was_decided_and_what_follows(browser: TestClient, other: TestClient, stage: Stage) -> None:
    path = opened(browser, stage)
    proposed(stage, path)
    done(send(other, path, f"{path}/statements", statement="We wrote it together."), path)
    more = {"outcome": "decided", "reason": "Both wrote parts.", "follows": "Both names from now on."}
    sent(on(stage, case_of(path), "resolution", "n1", **more))
    for each in (browser, other):
        page = shown(each, path)
        assert "Ended: the mediator has decided" in page
        assert re.search("Both wrote parts.*What follows:.*Both names from now on", page)


def test_the_other_person_has_somebody_else_mediate_and_cannot_withdraw(
    browser: TestClient, other: TestClient, stage: Stage
) -> None:
    path = opened(browser, stage)
    done(send(other, path, f"{path}/escalation"), path)
    assert send(other, path, f"{path}/withdrawal").status_code == 403
    done(send(browser, path, f"{path}/withdrawal"), path)
    assert ["Withdrawn" in shown(each, path) for each in (browser, other)] == [True, True]


def test_words_of_others_are_never_markup(browser: TestClient, other: TestClient, stage: Stage) -> None:
    path = opened(browser, stage, statement="<script>alert(1)</script> [x](javascript:alert(1))")
    assert not re.search(r"<script>alert|href=.javascript", shown(other, path))


# --- Badges that wait ----------------------------------------------------------------------------------------------


def test_only_whose_badges_wait_reads_that_they_do_and_why(
    browser: TestClient, other: TestClient, stage: Stage
) -> None:
    stage.achievement()
    path = opened(browser, stage)
    sent(on(stage, case_of(path), "mediator", None, "PUT", member="n1"))
    sent(on(stage, case_of(path), "holds", "n1", member="m12", reason="It is about just this."), 201)
    for n in (1, 2):
        stage.share(n, "m12")
    theirs, mine = shown(other, path), shown(browser, path)
    assert "New badges of yours wait while this case is open." in theirs
    assert "It is about just this." in theirs
    assert not re.search("badges of yours wait|It is about just this", mine)
    own = f"/my-badges/members/{member_of(stage.runtime, 'm12')}/progress"
    assert f'while <a href="{path}">a case of yours</a> is open' in shown(other, own)
    sent(on(stage, case_of(path), "withdrawal", None))
    assert "a case of yours" not in shown(other, own)
    assert "New badges of yours wait while" not in shown(other, path)


# --- What waits, and mails -----------------------------------------------------------------------------------------


def test_what_waits_for_a_member_is_an_answer_and_then_an_agreement(
    browser: TestClient, other: TestClient, stage: Stage
) -> None:
    path = opened(browser, stage)
    assert (waiting(stage, "m11"), waiting(stage, "m12")) == (None, own_disagreements.ANSWER)
    done(send(other, path, f"{path}/statements", statement="We wrote it together."), path)
    assert waiting(stage, "m12") is None
    proposal = proposed(stage, path)
    assert (waiting(stage, "m11"), waiting(stage, "m12")) == (own_disagreements.AGREE, own_disagreements.AGREE)
    done(send(browser, path, f"{path}/agreement", proposal=proposal), path)
    assert (waiting(stage, "m11"), waiting(stage, "m12")) == (None, own_disagreements.AGREE)
    done(send(browser, path, f"{path}/withdrawal"), path)
    assert waiting(stage, "m12") is None


def test_a_mail_leads_the_other_person_to_their_page_and_says_nothing_of_it(browser: TestClient, stage: Stage) -> None:
    path = opened(browser, stage)
    letter = mails_to(stage.runtime, OTHER)[-1]
    assert "about a disagreement between you and another member. Say how you see it." in letter
    assert f"See the case:\r\n{BASE_URL}{path}" in letter
    assert not re.search(f"{WHY}|m11|m12|credit", letter.partition(BASE_URL)[0])
