"""The pages of calls: for members, for anybody who is signed in, and for nobody else."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from service.accounts import belongings
from service.participation.calls import waiting
from service.runtime.runtime import Runtime
from service.tables import CallApplication, Member, Network
from tests.worlds.awarding import Stage
from tests.worlds.calling import CALL, REF, STRANGER, applied, decided, posted, stage_of
from tests.worlds.claiming import account_with
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import FORM, claim, signed_in

OPEN = f"/calls/river/{REF}"
ADDRESS = "m11@river.example.org"
SAID = {"statement": "I have led a group.", "topic-0": "2", "ready-0": "4"}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    assert stage
    headers = {"Accept": "text/html"}
    with TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers=headers) as client:
        yield client


def as_somebody(browser: TestClient, runtime: Runtime, address: str) -> None:
    """Sign somebody in, without mails."""
    name, _, secret = signed_in(runtime, address).partition("=")
    browser.cookies.set(name, secret)


def as_member(browser: TestClient, runtime: Runtime, ref: str = "m11", address: str = ADDRESS) -> str:
    """Sign in as a member; return the path of their page of the call."""
    claim(runtime, "river", ref, address)
    as_somebody(browser, runtime, address)
    with runtime.database.read() as session:
        member_id = session.scalars(select(Member.id).where(Member.ref == ref)).one()
    return f"/my-badges/members/{member_id}/calls/{REF}"


def send(browser: TestClient, path: str, to: str = "", **fields: str) -> Any:
    """Send a form of the page at a path."""
    form = FORM.findall(browser.get("/attend").text)[0]
    return browser.post(path + to, data={"form": form, **fields})


def state(runtime: Runtime) -> list[str]:
    with runtime.database.read() as session:
        return list(session.scalars(select(CallApplication.state).order_by(CallApplication.id)))


def test_a_member_applies_changes_it_withdraws_and_applies_again(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    posted(stage, text="For **new** teachers.", roles=["teacher"])
    path = as_member(browser, runtime)
    page = browser.get(path).text
    for said in (
        "For <strong>new</strong> teachers.",
        "The network knows you as Member 11.",
        "a person decides on each",
    ):
        assert said in page
    for statement in ("I have led a group.", "I can teach it."):
        answer = send(browser, path, **SAID | {"statement": statement, "role": "teacher"})
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        assert statement in browser.get(path).text
    found = stage.send("GET", f"{CALL}/applications")["items"][0]
    assert (found["member"], found["role"], found["readiness"]) == ("m11", "teacher", [4])
    assert found["expertise"] == [{"topic": "Feedback", "level": 2}]
    assert send(browser, path, "/withdrawal").status_code == 303
    assert "You withdrew your application." in browser.get(path).text
    send(browser, path, **SAID)
    assert state(runtime) == ["applied"]


def test_the_list_shows_open_calls_and_what_became_of_applications(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    made = posted(stage)
    posted(stage, "later", title="Much later", opens_at="2026-03-20T00:00:00Z")
    path = as_member(browser, runtime)
    listed = path.removesuffix(f"/{REF}")
    assert made["title"] in browser.get(listed).text
    assert "Much later" not in browser.get(listed).text
    applied(stage)
    stage.send("POST", f"{CALL}/closing")
    page = browser.get(listed).text
    assert "You have applied. Nobody has decided yet." in page
    assert "Closed since" in page
    assert f'href="{listed}"' in browser.get(listed.removesuffix("/calls")).text


def test_somebody_elses_member_page_and_an_unknown_call_are_404(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    posted(stage)
    path = as_member(browser, runtime)
    with runtime.database.read() as session:
        other = session.scalars(select(Member.id).where(Member.ref == "m12")).one()
    for wrong in (
        f"/my-badges/members/{other}/calls/{REF}",
        f"/my-badges/members/{other}/calls",
        path.replace(REF, "none"),
        f"/my-badges/members/{UUID(int=0)}/calls/{REF}",
    ):
        assert browser.get(wrong).status_code == 404
        if wrong.count("/") > 4:
            assert send(browser, wrong, **SAID).status_code == 404
    assert state(runtime) == []


def test_a_stranger_reads_a_public_call_and_signs_in_for_any_other(stage: Stage, browser: TestClient) -> None:
    posted(stage, open_to="anybody", public=True)
    posted(stage, "quiet", open_to="anybody")
    posted(stage, "inside")
    page = browser.get(OPEN)
    assert (page.status_code, "Sign in to apply" in page.text) == (200, True)
    assert '<form class="card' not in page.text
    for ref in ("quiet", "inside", "none"):
        answer = browser.get(f"/calls/river/{ref}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?onward=/calls/river/{ref}")
    assert browser.get(f"/calls/nowhere/{REF}").status_code == 303


def test_a_call_for_members_is_404_for_who_is_none(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    posted(stage)
    as_somebody(browser, runtime, STRANGER)
    for path in (OPEN, "/calls/river/none", f"/calls/nowhere/{REF}"):
        assert browser.get(path).status_code == 404
    assert send(browser, OPEN, **SAID).status_code == 404
    assert state(runtime) == []


def test_somebody_who_is_no_member_applies_with_a_name_and_reads_what_was_decided_and_why(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    posted(stage, open_to="anybody")
    as_somebody(browser, runtime, STRANGER)
    assert "the network gets the email address of your account" in browser.get(OPEN).text
    assert send(browser, OPEN, **SAID, name="Somebody").headers["location"] == OPEN
    made = stage.send("GET", f"{CALL}/applications")["items"][0]
    leads = stage.token_with("members:write", member="f1")
    decided(stage, made["id"], leads, "declined", reason="Two others know *this* better.")
    page = browser.get(OPEN).text
    for said in ("You were not chosen.", "Two others know <em>this</em> better.", "Ask why"):
        assert said in page
    assert send(browser, OPEN, "/questions", question="What could I do?").headers["location"] == OPEN
    question = stage.send("GET", f"./call-applications/{made['id']}")["questions"][0]
    path = f"./call-applications/{made['id']}/questions/{question['id']}/answer"
    assert "The network has not answered yet." in browser.get(OPEN).text
    stage.send("POST", path, {"answer": "Come to a meeting."})
    assert "Come to a meeting." in browser.get(OPEN).text


def test_whom_the_network_knows_by_a_proved_address_applies_as_that_member(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    posted(stage)
    as_somebody(browser, runtime, ADDRESS)
    assert "The network knows you as Member 11." in browser.get(OPEN).text
    assert send(browser, OPEN, **SAID).status_code == 303
    assert stage.send("GET", f"{CALL}/applications")["items"][0]["member"] == "m11"
    assert send(browser, OPEN, "/withdrawal").status_code == 303


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"statement": ""}, "Write why you would like to take part."),
        ({"statement": "x" * 10_001}, "Write at most 10,000 characters."),
        ({"name": " "}, "Enter your name."),
        ({"name": "x" * 101}, "A name can have up to 100 characters here."),
        ({"ready-0": ""}, "Choose an answer to each statement."),
        ({"ready-0": "9"}, "Choose an answer to each statement."),
    ],
)
def test_what_is_missing_is_said_beside_its_field_and_nothing_is_lost(
    stage: Stage, browser: TestClient, runtime: Runtime, changed: dict[str, str], sentence: str
) -> None:
    posted(stage, open_to="anybody")
    as_somebody(browser, runtime, STRANGER)
    answer = send(browser, OPEN, **{"name": "Somebody", "organization": "Hill School"} | SAID | changed)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert 'value="Hill School"' in answer.text
    assert state(runtime) == []


def test_what_the_form_does_not_offer_is_refused(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    posted(stage, roles=["teacher"])
    path = as_member(browser, runtime)
    assert send(browser, path, **SAID, role="pilot").status_code == 422
    send(browser, path, **SAID | {"topic-0": "7"})
    assert stage.send("GET", f"{CALL}/applications")["items"][0]["expertise"] == []


def test_a_form_from_elsewhere_changes_nothing(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    posted(stage, open_to="anybody")
    path = as_member(browser, runtime)
    for each in (path, OPEN, f"{path}/withdrawal", f"{OPEN}/questions"):
        assert browser.post(each, data=SAID).status_code == 403
    assert state(runtime) == []


def test_who_has_not_applied_has_nothing_to_withdraw_or_ask(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    posted(stage)
    path = as_member(browser, runtime)
    for to, fields in (("/withdrawal", {}), ("/questions", {"question": "Why?"})):
        answer = send(browser, path, to, **fields)
        assert (answer.status_code, "You have not applied to this call." in answer.text) == (404, True)
    decided(stage, applied(stage)["id"], stage.token_with("members:write", member="f1"), "waiting")
    answer = send(browser, path, "/questions", question=" ")
    assert (answer.status_code, "Write what you want to know." in answer.text) == (422, True)


def test_after_the_end_the_page_says_so_and_takes_nothing(
    stage: Stage, browser: TestClient, runtime: Runtime, clock: Clock
) -> None:
    posted(stage, closes_at="2026-03-03T00:00:00Z")
    path = as_member(browser, runtime)
    clock.advance(days=2)
    assert "This call is closed. Nobody can apply any more." in browser.get(path).text
    answer = send(browser, path, **SAID)
    assert (answer.status_code, "This call is not open." in answer.text) == (409, True)


def test_a_student_reads_why_they_cannot_take_part_and_others_apply(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    posted(stage, protected_reason="The work is paid.")
    path = as_member(browser, runtime, "s1", "s1@river.example.org")
    page = browser.get(path).text
    assert "Children and students cannot take part: The work is paid." in page
    assert 'name="statement"' not in page
    assert send(browser, path, **SAID).status_code == 409


def test_an_open_call_waits_for_a_member_until_they_apply(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    def waits(ref: str) -> str | None:
        with runtime.database.read() as session:
            network = session.scalars(select(Network).where(Network.slug == "river")).one()
            member = session.scalars(select(Member).where(Member.ref == ref)).one()
            return waiting.waits(session, network, member, clock())

    assert waits("m11") is None
    posted(stage, protected_reason="The work is paid.")
    assert (waits("m11"), waits("s1")) == (waiting.OPEN, None)
    applied(stage)
    assert (waits("m11"), waits("m12")) == (None, waiting.OPEN)
    clock.advance(days=40)
    assert waits("m12") is None


def test_who_deletes_their_account_takes_their_application_with_them(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    posted(stage, open_to="anybody")
    as_somebody(browser, runtime, STRANGER)
    send(browser, OPEN, **SAID, name="Somebody")
    account_id = account_with(runtime, STRANGER)
    stage.send("POST", f"{CALL}/proposals", {})
    with runtime.database.write() as session:
        belongings.let_go(session, account_id)
    assert state(runtime) == []
    (proposal,) = stage.send("GET", f"{CALL}/proposals")["items"]
    assert "name" not in proposal["people"][0]
