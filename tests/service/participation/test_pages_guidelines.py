"""Pages about guidelines: what everybody reads, and where a member accepts."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.participation.acceptances import who
from service.runtime.runtime import Runtime
from service.tables import Member, Network
from tests.worlds.agreeing import SECTIONS, accept, hold, publish
from tests.worlds.awarding import Stage
from tests.worlds.my_badges import MINE, OTHER, browser_of, claimed, done, member_of, shown
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import send

HTML = {"Accept": "text/html"}


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def browser(runtime: Runtime, stage: Stage) -> Iterator[TestClient]:
    """The browser of somebody who is signed in; the stage is laid before, in an empty service."""
    assert stage.runtime is runtime
    with browser_of(runtime, MINE) as found:
        yield found


def path_of(stage: Stage, ref: str = "m11") -> str:
    return f"/my-badges/members/{member_of(stage.runtime, ref)}/guidelines"


def read(stage: Stage, path: str, status: int = 200) -> str:
    answer = stage.client.get(path, headers=HTML)
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", answer.text)


# --- For everybody --------------------------------------------------------------------------------------------------------


def test_anybody_reads_the_guidelines_in_force_and_those_before(stage: Stage) -> None:
    publish(stage)
    publish(stage, 2, sections=SECTIONS | {"feedback": "We *ask* first."})
    page = read(stage, "/networks/river/guidelines")
    assert "Guidelines, version 2, published on 2 March 2026." in page
    assert "We <em>ask</em> first." in page
    assert "What version 2 changes." in page
    assert 'href="/networks/river/guidelines/1"' in page
    assert "This version is not in force any more." in read(stage, "/networks/river/guidelines/1")


def test_the_page_of_the_network_leads_there_once_there_are_some(stage: Stage) -> None:
    assert "/networks/river/guidelines" not in read(stage, "/networks/river")
    publish(stage)
    assert '<a href="/networks/river/guidelines">How we work together</a>' in read(stage, "/networks/river")


@pytest.mark.parametrize(
    "path", ["/networks/river/guidelines", "/networks/river/guidelines/2", "/networks/x/guidelines"]
)
def test_what_is_not_published_is_not_found(stage: Stage, path: str) -> None:
    read(stage, path, 404)


def test_words_of_the_network_are_never_markup(stage: Stage) -> None:
    evil = "<script>alert(1)</script> [x](javascript:alert(1)) ![y](https://elsewhere.example/p.png)"
    publish(stage, title="<b>Ours</b>", sections=SECTIONS | {"roles": evil})
    page = read(stage, "/networks/river/guidelines")
    assert "<b>Ours" not in page
    assert "<script>alert" not in page
    assert 'href="javascript:' not in page
    assert 'src="https://elsewhere' not in page


def test_sections_are_titled_in_the_language_of_the_guidelines(stage: Stage) -> None:
    publish(stage, language="es")
    assert '<div class="stack" lang="es" dir="auto">' in read(stage, "/networks/river/guidelines")


# --- For a member ---------------------------------------------------------------------------------------------------------


def test_a_member_reads_accepts_and_sees_that_they_did(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    publish(stage)
    path = path_of(stage)
    page = shown(browser, path)
    assert "Do you accept these guidelines?" in page
    assert "What we say of confidentiality." in page
    done(send(browser, path, path, version="1"), path)
    page = shown(browser, path)
    assert "You accepted them on 2 March 2026." in page
    assert "Do you accept these guidelines?" not in page
    (record,) = stage.send("GET", "./contributions", params={"type": "accepted"})["items"]
    assert (record["member"], record["tier"]) == ("m11", 0)


def test_accepting_twice_on_the_page_is_accepting_once(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    publish(stage)
    path = path_of(stage)
    form = shown(browser, path)
    secret = re.search(r'name="form" value="([^"]+)"', form)
    assert secret is not None
    for _ in range(2):
        done(browser.post(path, data={"form": secret[1], "version": "1"}), path)
    assert len(stage.send("GET", "./contributions", params={"type": "accepted"})["items"]) == 1


def test_a_member_sees_what_changed_since_the_version_that_they_accepted(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    publish(stage)
    accept(stage)
    publish(stage, 2, sections=SECTIONS | {"feedback": "We ask first."}, change_note="Feedback is asked for.")
    publish(stage, 3, sections=SECTIONS | {"feedback": "We ask first.", "roles": "Two lead."}, change_note="Two lead.")
    page = shown(browser, path_of(stage))
    assert "What changed since version 1, which you accepted on 2 March 2026" in page
    assert page.index("Feedback is asked for.") < page.index("<p>Two lead.</p>")
    changed = re.findall(r'<h2 id="(\w+)">[^<]+<span[^>]*>\(changed\)', page)
    assert changed == ["roles", "feedback"]


def test_a_member_sees_that_evidence_waits_and_acceptance_lets_it_count(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    stage.achievement()
    publish(stage)
    hold(stage)
    stage.share(1)
    stage.share(2)
    path = path_of(stage)
    page = shown(browser, path)
    assert "What your network records about you does not count until you accept." in page
    assert "2 records wait." in page
    records = shown(browser, f"/my-badges/members/{member_of(stage.runtime, 'm11')}/records?kind=contribution")
    assert "Does not count yet: you have not accepted the guidelines." in records
    assert f'href="{path}"' in records
    done(send(browser, path, path, version="1"), path)
    assert len(stage.awards(member="m11")) == 1


def test_a_version_that_was_replaced_meanwhile_is_not_accepted(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    publish(stage)
    path = path_of(stage)
    form = re.search(r'name="form" value="([^"]+)"', shown(browser, path))
    assert form is not None
    publish(stage, 2)
    answer = browser.post(path, data={"form": form[1], "version": "1"})
    assert answer.status_code == 409
    assert "The guidelines changed while you were reading." in answer.text
    assert 'name="version" value="2"' in answer.text
    assert stage.send("GET", "./contributions", params={"type": "accepted"})["items"] == []


def test_without_guidelines_there_is_nothing_to_do(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    assert "Your network has not published guidelines yet." in shown(browser, path_of(stage))


def test_nobody_reads_or_accepts_as_somebody_else(browser: TestClient, stage: Stage) -> None:
    claimed(stage)
    claimed(stage, "m12", OTHER)
    publish(stage)
    theirs, mine = path_of(stage, "m12"), path_of(stage)
    assert browser.get(theirs).status_code == 404
    assert send(browser, mine, theirs, version="1").status_code == 404
    assert stage.send("GET", "./contributions", params={"type": "accepted"})["items"] == []


def test_what_waits_is_said_in_one_sentence(stage: Stage, runtime: Runtime, clock: Clock) -> None:
    stage.member("m11")

    def said() -> str | None:
        with runtime.database.read() as session:
            network, member = session.query(Network).one(), session.query(Member).one()
            return who.waits(session, network, member, clock())

    assert said() is None
    publish(stage)
    assert said() == who.ASKED
    accept(stage)
    assert said() is None
    publish(stage, 2)
    assert said() == who.ASKED_AGAIN
    hold(stage)
    assert said() == who.HELD
