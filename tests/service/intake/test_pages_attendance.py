"""The pages of a claim of attendance: from the scan to what became of it, and every way in which a code can be wrong."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from service.runtime.runtime import Runtime
from service.tables import AttendanceClaim, Network
from tests.worlds.attending import ADDRESS, CLAIMS, CODE, SESSION, STRANGER, decide, opened, stage_of
from tests.worlds.awarding import Stage
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import CODE as CODE_IN_MAIL
from tests.worlds.signing_in import FORM, mails_to, send, signed_in

MINE = "/my-badges/attendance"


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    return stage_of(runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    assert stage
    headers = {"Accept": "text/html"}
    with TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers=headers) as client:
        yield client


def path_of(code: str) -> str:
    return f"/attend/{code.replace('-', '')}"


def as_somebody(browser: TestClient, runtime: Runtime, address: str) -> None:
    """Sign somebody in, without mails."""
    name, _, secret = signed_in(runtime, address).partition("=")
    browser.cookies.set(name, secret)


def claims(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(AttendanceClaim)) or 0


def test_who_scans_the_code_signs_in_and_is_led_back_to_it(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    path = path_of(opened(stage))
    asked = browser.get(path)
    assert (asked.status_code, asked.headers["location"]) == (303, f"/sign-in?onward={path}")
    browser.post("/sign-in", data={"address": ADDRESS, "onward": path})
    code = CODE_IN_MAIL.findall(mails_to(runtime, ADDRESS)[-1])[-1]
    assert browser.post("/sign-in/code", data={"code": code}).headers["location"] == path
    page = browser.get(path)
    for said in (
        "Feedback that helps",
        "River Writers",
        "The network knows you as Member 11.",
        "from 2 March 2026, 12:30 (Europe/Berlin) until 2 March 2026, 15:00 (Europe/Berlin)",
        "River Writers sees that you say you were here, and not your email address or your account.",
        "It decides whether that counts.",
    ):
        assert said in page.text


def test_opening_the_page_says_nothing_and_its_button_does(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    path = path_of(opened(stage))
    as_somebody(browser, runtime, ADDRESS)
    for _ in range(3):
        assert browser.get(path).status_code == 200
    assert claims(runtime) == 0
    for _ in range(2):
        answer = browser.post(path, data={"form": form_of(browser)})
        assert (answer.status_code, answer.headers["location"]) == (303, MINE)
    assert claims(runtime) == 1
    page = browser.get(path)
    assert "You have said that you were here." in page.text
    assert "<button>Yes, I was here" not in page.text


def form_of(browser: TestClient) -> str:
    return str(FORM.findall(browser.get("/attend").text)[0])


def test_a_form_from_elsewhere_says_nothing(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    path = path_of(opened(stage))
    as_somebody(browser, runtime, ADDRESS)
    assert browser.post(path).status_code == 403
    assert browser.post(path, data={"form": "x"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    browser.cookies.clear()
    assert browser.post(path).status_code == 401
    assert claims(runtime) == 0


def test_the_letters_of_the_sheet_lead_to_its_page(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    code = opened(stage)
    as_somebody(browser, runtime, ADDRESS)
    answer = send(browser, "/attend", "/attend", code=code.lower().replace("-", " "))
    assert (answer.status_code, answer.headers["location"]) == (303, path_of(code))
    answer = send(browser, "/attend", "/attend", code="BCDF-GHJK-MNPQ-RTVW")
    assert answer.status_code == 422
    assert "There is no such attendance code." in answer.text


def test_a_code_that_is_not_whole_says_so(browser: TestClient, runtime: Runtime) -> None:
    as_somebody(browser, runtime, ADDRESS)
    for answer in (browser.get("/attend/BCDF"), browser.post("/attend/BCDF", data={"form": form_of(browser)})):
        assert answer.status_code == 404
        assert "a code has 16 letters" in answer.text


def test_who_tries_many_codes_is_told_to_wait_and_a_room_full_of_people_is_not(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    path = path_of(opened(stage))
    as_somebody(browser, runtime, STRANGER)
    answers = [browser.get("/attend/BCDF").status_code for _ in range(61)]
    assert answers[:60] == [404] * 60
    assert answers[60] == 429
    for n in range(3):
        as_somebody(browser, runtime, f"s{n}@hill.example.org")
        assert browser.get(path).status_code == 200


def test_a_name_is_asked_of_whom_the_network_does_not_know(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    path = path_of(opened(stage, approval=False))
    as_somebody(browser, runtime, STRANGER)
    page = browser.get(path)
    assert "Your name, as the network knows it" in page.text
    assert 'href="/account"' in page.text
    answer = send(browser, path, path, name="N" * 101)
    assert answer.status_code == 422
    assert "A name can have up to 100 characters here." in answer.text
    assert "N" * 101 in answer.text
    answer = send(browser, path, path, name="<b>Somebody</b>")
    assert answer.headers["location"] == MINE
    assert stage.send("GET", CLAIMS)["items"][0]["name"] == "<b>Somebody</b>"


def test_who_is_several_members_chooses_one(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    stage.member("m11-again", email=ADDRESS, name="Member 11 of the hill")
    path = path_of(opened(stage))
    as_somebody(browser, runtime, ADDRESS)
    page = browser.get(path)
    assert page.text.count('type="radio"') == 2
    assert "Member 12" not in page.text
    answer = send(browser, path, path, member="no id")
    assert answer.status_code == 404
    assert "Choose one of the members that are you." in answer.text
    chosen = stage.send("GET", "./members/m11-again")["id"]
    assert send(browser, path, path, member=chosen).headers["location"] == MINE
    assert stage.send("GET", CLAIMS)["items"][0]["member"] == "m11-again"


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (-45, "This code does not work yet. Try again when the time for it has begun."),
        (121, "The time to use this code is over. Ask the network to record that you were there."),
    ],
)
def test_a_code_outside_its_window_says_so(
    stage: Stage, browser: TestClient, runtime: Runtime, clock: Clock, minutes: int, said: str
) -> None:
    path = path_of(opened(stage))
    clock.advance(minutes=minutes)
    as_somebody(browser, runtime, ADDRESS)
    page = browser.get(path)
    assert page.status_code == 409
    assert said in page.text
    assert "2 March 2026, 12:30" in page.text
    answer = browser.post(path, data={"form": form_of(browser)})
    assert answer.status_code == 409
    assert said in answer.text


def test_a_code_that_ended_says_how(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    first = path_of(opened(stage))
    second = path_of(stage.send("POST", f"{CODE}/rotation")["code"])
    as_somebody(browser, runtime, ADDRESS)
    assert "Scan the code that hangs in the room now." in browser.get(first).text
    stage.call("DELETE", CODE)
    assert "The network has closed this code." in browser.get(second).text


def test_the_page_of_a_network_that_nobody_confirmed_says_so(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    said = "Nobody has confirmed to this service who runs this network."
    path = path_of(opened(stage))
    as_somebody(browser, runtime, ADDRESS)
    assert said not in browser.get(path).text
    hill = Stage.set_up(stage.client, runtime, "hill")
    with runtime.database.write() as session:
        session.scalars(select(Network).where(Network.slug == "hill")).one().confirmed_at = None
    hill.send("PUT", f"./sessions/{SESSION}", {"starts_at": "2026-03-02T12:00:00Z"})
    page = browser.get(path_of(opened(hill)))
    assert said in page.text
    assert "A session of River Writers" in page.text


def test_a_confidential_session_is_not_named(runtime: Runtime, browser: TestClient, stage: Stage) -> None:
    stage.send("PATCH", f"./sessions/{SESSION}", {"confidential": True})
    path = path_of(opened(stage))
    as_somebody(browser, runtime, ADDRESS)
    page = browser.get(path)
    assert "A session of River Writers" in page.text
    assert "Feedback that helps" not in page.text
    send(browser, path, path)
    assert "Feedback that helps" not in browser.get(MINE).text


def test_somebody_sees_what_became_of_their_claims_and_of_no_others(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    code = opened(stage)
    as_somebody(browser, runtime, STRANGER)
    send(browser, path_of(code), path_of(code), name="Somebody")
    assert "The network has not decided yet." in browser.get(MINE).text
    [shown] = stage.send("GET", CLAIMS)["items"]
    decide(stage, shown["id"], "refusal", {"reason": "Nobody of this name was in the room."})
    page = browser.get(MINE)
    assert "The network decided that you were not there." in page.text
    assert "Nobody of this name was in the room." in page.text
    as_somebody(browser, runtime, ADDRESS)
    page = browser.get(MINE)
    assert "You have said this of no session." in page.text
    assert MINE in browser.get("/my-badges").text


def test_the_badge_that_follows_waits_under_my_badges(stage: Stage, browser: TestClient, runtime: Runtime) -> None:
    code = opened(stage, approval=False)
    as_somebody(browser, runtime, ADDRESS)
    send(browser, path_of(code), path_of(code))
    assert "It is recorded, and counts." in browser.get(MINE).text
    assert "Issued to your address" in browser.get("/my-badges").text


def test_no_cache_keeps_these_pages_and_no_site_is_told_of_them(
    stage: Stage, browser: TestClient, runtime: Runtime
) -> None:
    as_somebody(browser, runtime, ADDRESS)
    for path in ("/attend", path_of(opened(stage)), MINE):
        page = browser.get(path)
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
