"""A member's own pages: the list of surveys, the form, what was answered, and who could help."""

import re
from io import BytesIO
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from service.networks import members
from service.participation.needs import answers
from service.runtime.runtime import Runtime
from service.tables import Network, Row
from tests.worlds.acting import told
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, browser_of, claimed, done, member_of, shown
from tests.worlds.needing import ASKED, CYCLE, HERE, LEARNS, OFFERS, answer, closed, says, stage_of
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import send

SENT = {"learn-feedback": "3", "offer-groups": "have-done", "own-2": "Reading aloud", "own-learn-2": "1"}
SENT |= {"time-tue-evening": "yes", "time-fri-morning": "yes", "readiness": "4", "can_help": "3", "share_offer": "yes"}


@pytest.fixture
def stage(runtime: Runtime) -> Stage:
    stage = stage_of(runtime)
    claimed(stage, "m11", MINE, name="Member 11")
    return stage


@pytest.fixture
def browser(stage: Stage) -> TestClient:
    return browser_of(stage.runtime, MINE)


def path_of(stage: Stage, member: str = "m11", cycle: str = CYCLE) -> str:
    return f"/my-badges/members/{member_of(stage.runtime, member)}/needs/{cycle}"


def list_of(stage: Stage, member: str = "m11") -> str:
    return path_of(stage, member, "").removesuffix("/")


def waiting(stage: Stage, member: str = "m11") -> str | None:
    with stage.runtime.database.read() as session:
        network = session.scalars(select(Network).where(Network.slug == stage.slug)).one()
        return answers.waits(session, network, members.get_member(session, network, member), stage.runtime.now())


def test_a_member_answers_on_their_page_and_changes_it(stage: Stage, browser: TestClient) -> None:
    path = path_of(stage)
    assert "You have answered." not in shown(browser, path)
    done(send(browser, path, path, **SENT, note="First\r\nthen second."), path)
    held = stage.send("GET", f"{HERE}/answers/m11")
    assert (held["via"], held["can_help"], held["share_offer"]) == ("page", 3, True)
    assert held["learn"] == [{"topic": "feedback", "importance": 3}, {"own": "Reading aloud", "importance": 1}]
    assert held["offer"] == [{"topic": "groups", "level": "have-done"}]
    assert (held["times"], held["note"]) == (["tue-evening", "fri-morning"], "First\nthen second.")
    page = shown(browser, path)
    assert "You have answered." in page
    assert page.count(" selected>") == 4
    assert page.count(" checked") == 3
    assert 'value="Reading aloud"' in page
    done(send(browser, path, path, **{"offer-feedback": "can-explain"}), path)
    assert stage.send("GET", f"{HERE}/answers/m11")["learn"] == []


def test_opening_the_page_says_nothing(stage: Stage, browser: TestClient) -> None:
    for _ in range(2):
        shown(browser, path_of(stage))
    assert stage.send("GET", f"{HERE}/answers")["items"] == []
    assert "needs.answered" not in told(stage.runtime, stage.slug)


def test_what_waits_is_said_until_the_person_has_answered(stage: Stage, browser: TestClient, clock: Clock) -> None:
    assert waiting(stage) == answers.WAITING
    assert "Waits for your answer." in shown(browser, list_of(stage))
    stage.member("m11-again", email=MINE)
    answer(stage, "m11-again", LEARNS)
    assert waiting(stage) is None
    assert waiting(stage, "m12") == answers.WAITING
    assert "Waits for your answer." not in shown(browser, list_of(stage))
    clock.advance(days=60)
    assert waiting(stage, "m12") is None


def test_nothing_waits_in_a_closed_network(stage: Stage) -> None:
    closed(stage)
    assert waiting(stage) is None


def test_the_page_says_who_could_help_and_why(stage: Stage, browser: TestClient) -> None:
    answer(stage, "m11", LEARNS | {"learn": [*LEARNS["learn"], {"topic": "grading"}]})
    says(stage, "m12", OFFERS | {"note": "A private matter.", "can_help": 1})
    says(stage, "m13", OFFERS | {"share_offer": False})
    page = shown(browser, path_of(stage))
    assert "Who could help you" in page
    assert "Member 12</strong>" in page
    assert "Can explain it. Free when you are: Tuesday evening." in page
    assert "Nobody who lets others see it has offered this yet." in page
    for private in ("Member 13", "A private matter.", "m12@river.example.org"):
        assert private not in page


def test_what_the_network_said_for_a_member_waits_for_their_word(stage: Stage, browser: TestClient) -> None:
    answer(stage, "m11", OFFERS)
    path = path_of(stage)
    page = shown(browser, path)
    assert "The network answered for you on 2 March 2026. Look whether it is right." in page
    assert "Nobody sees it until you have saved it here." in page
    said = {"offer-feedback": "can-explain", "readiness": "4", "can_help": "2", "share_offer": "yes"}
    done(send(browser, path, path, **said, **{"time-tue-evening": "yes", "time-fri-morning": "yes"}), path)
    assert "The network" not in re.sub(r"<footer.*", "", shown(browser, path).split("<form", 2)[0])
    assert stage.send("GET", f"{HERE}/answers/m11")["via"] == "page"


def test_a_child_is_shown_no_names_and_asked_for_no_consent(stage: Stage, browser: TestClient) -> None:
    stage.send("PATCH", "./members/m11", {"roles": ["minor"]})
    answer(stage, "m11", LEARNS)
    says(stage, "m12", OFFERS)
    page = shown(browser, path_of(stage))
    assert "Somebody in your network offers this." in page
    assert "Children and students are never shown to other members here." in page
    assert 'name="share_offer"' not in page
    assert "Member 12" not in page


def test_after_the_end_the_page_tells_what_was_answered_and_takes_it_back(
    stage: Stage, browser: TestClient, clock: Clock
) -> None:
    path = path_of(stage)
    done(send(browser, path, path, **SENT, note="See you."), path)
    clock.advance(days=60)
    browser = browser_of(stage.runtime, MINE)
    page = shown(browser, path)
    assert f'action="{path}"' not in page
    for said in ("Feedback that helps", "Most important", "I have done it", "Tuesday evening", "Ready", "See you."):
        assert said in page
    late = send(browser, path, path, **SENT)
    assert late.status_code == 409
    assert "The time to answer is over." in late.text
    done(send(browser, path, f"{path}/withdrawal"), list_of(stage))
    assert stage.send("GET", f"{HERE}/answers")["items"] == []
    assert send(browser, list_of(stage), f"{path}/withdrawal").status_code == 404


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose at least one topic that you want to learn, or one that you can offer."),
        ({"own-1": "Reading"}, "Say of each topic of your own whether you want to learn it, or can offer it."),
        ({"own-learn-1": "2"}, "Write a topic of your own in letters."),
        ({"learn-dancing": "2"}, "The network has changed the topics since."),
        ({"learn-groups": "2", "own-1": "work in groups", "own-learn-1": "2"}, "A topic of your own stands here twice"),
        ({"learn-groups": "2", "can_help": "many"}, "Something in the form is not as it should be."),
        ({"learn-groups": "2", "note": "x" * 2001}, "Something that you wrote is too long."),
    ],
)
def test_a_form_that_is_wrong_comes_back_as_it_was_filled_in(
    stage: Stage, browser: TestClient, sent: dict[str, str], said: str
) -> None:
    path = path_of(stage)
    wrong = send(browser, path, path, readiness="2", **sent)
    assert wrong.status_code == 422
    assert said in wrong.text
    assert re.search(r'<option value="2" selected>Interested, but not ready yet', wrong.text)
    assert 'role="alert"' in wrong.text
    assert stage.send("GET", f"{HERE}/answers")["items"] == []


def test_a_planned_survey_says_when_it_opens(stage: Stage, browser: TestClient) -> None:
    later = {"opens_at": "2026-03-20T00:00:00Z", "closes_at": "2026-04-20T00:00:00Z"}
    stage.send("PUT", "./needs-cycles/next one", ASKED | later)
    page = shown(browser, path_of(stage, cycle="next%20one"))
    assert "You can answer from 20 March 2026, 01:00 (Europe/Berlin)." in page
    assert "<select" not in page
    assert "/needs/next%20one" in shown(browser, list_of(stage))


def test_what_is_not_ones_own_or_not_there_is_not_found(stage: Stage, browser: TestClient) -> None:
    for path in (path_of(stage, "m12"), list_of(stage, "m12")):
        assert browser.get(path).status_code == 404
    other = send(browser, path_of(stage), path_of(stage, "m12"), **SENT)
    assert other.status_code == 404
    assert "There is no such survey" in browser.get(path_of(stage, cycle="none")).text
    assert browser.get(path_of(stage, cycle="none")).status_code == 404
    browser.headers.pop("Cookie")
    assert browser.get(path_of(stage)).headers["location"].startswith("/sign-in")


def test_a_form_from_elsewhere_says_nothing(stage: Stage, browser: TestClient) -> None:
    assert browser.post(path_of(stage), data=SENT).status_code == 403
    assert stage.send("GET", f"{HERE}/answers")["items"] == []


def test_the_page_speaks_spanish_with_the_networks_own_labels(stage: Stage, browser: TestClient) -> None:
    page = browser.get(path_of(stage), headers={"Accept-Language": "es"}).text
    assert "Comentarios que ayudan" in page
    assert "Feedback that helps" not in page


def test_what_was_answered_is_in_a_persons_own_data(stage: Stage, browser: TestClient) -> None:
    path = path_of(stage)
    done(send(browser, path, path, **SENT, note="See you."), path)
    stage.send("POST", f"{HERE}/links", {"members": ["m11"]})
    packed = ZipFile(BytesIO(send(browser, "/account/data", "/account/data/file").content))
    [name] = [name for name in packed.namelist() if name.endswith("/needs.json")]
    told = packed.read(name).decode()
    assert "See you." in told
    assert "Reading aloud" in told
    assert "secret" not in told


def test_nothing_that_an_erased_member_wrote_stays(stage: Stage, browser: TestClient) -> None:
    path = path_of(stage)
    done(send(browser, path, path, **SENT, note="A note that goes."), path)
    done(send(browser, path, path, **SENT, note="A second note that goes."), path)
    stage.call("DELETE", "./members/m11")
    with stage.runtime.database.read() as session:
        for table in Row.metadata.sorted_tables:
            rows = repr(session.execute(text(f'SELECT * FROM "{table.name}"')).all())
            assert "note that goes" not in rows, table.name
            assert "Reading aloud" not in rows, table.name
