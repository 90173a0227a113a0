"""Pages where peers endorse badges, and recipients choose what theirs show."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.accounts import accounts, joining
from service.runtime.runtime import Runtime
from service.sharing import endorsing
from service.tables import Credential, Endorsement, Member, Network, Person
from tests.worlds.awarding import Stage
from tests.worlds.endorsing import FEEDBACK, GIVING, endorsable, endorse, name_account, standing
from tests.worlds.my_badges import MINE, OTHER, browser_of, done, shown
from tests.worlds.presenting import document_of, see
from tests.worlds.runtimes import Clock
from tests.worlds.signing_in import FORM, send

HOME = "/my-endorsements"


@pytest.fixture
def stage(client: TestClient, runtime: Runtime) -> Stage:
    return Stage.set_up(client, runtime)


@pytest.fixture
def badge(stage: Stage) -> str:
    return endorsable(stage)


@pytest.fixture
def recipient(runtime: Runtime, badge: str) -> Iterator[TestClient]:
    assert badge
    with browser_of(runtime, MINE) as found:
        yield found


@pytest.fixture
def peer(runtime: Runtime, badge: str) -> Iterator[TestClient]:
    assert badge
    with browser_of(runtime, OTHER) as found:
        yield found


def give(peer: TestClient, badge: str, **fields: str) -> str:
    """Endorse on the page, and return where that leads."""
    path = f"/credentials/{badge}/endorse"
    return done(send(peer, path, path, **{"skill": "1", "comment": "I saw it often.", "named": "no"} | fields))


def refused(browser: TestClient, page: str, path: str, **fields: str) -> tuple[int, str]:
    """Return status and words of a form that is refused."""
    answer = send(browser, page, path, **fields)
    return answer.status_code, re.sub(r"\s+", " ", answer.text)


def id_of(stage: Stage) -> str:
    with stage.runtime.database.read() as session:
        return session.scalars(select(Endorsement.id)).one()


def test_the_page_of_a_badge_leads_to_the_form_and_a_stranger_signs_in_first(client: TestClient, badge: str) -> None:
    page = client.get(f"/credentials/{badge}", headers={"Accept": "text/html"}).text
    assert f"/credentials/{badge}/endorse" in page
    answer = client.get(f"/credentials/{badge}/endorse", headers={"Accept": "text/html"}, follow_redirects=False)
    assert answer.headers["location"] == f"/sign-in?onward=/credentials/{badge}/endorse"


def test_a_peer_endorses_and_the_recipient_shows_it(
    peer: TestClient, recipient: TestClient, client: TestClient, stage: Stage, badge: str
) -> None:
    name_account(stage.runtime, OTHER, "Member Twelve")
    form = shown(peer, f"/credentials/{badge}/endorse")
    assert "What copies of the badge say that they have already given out, nobody can withdraw." in form
    assert give(peer, badge, named="yes") == HOME
    assert "with your name" in shown(peer, HOME)
    assert "1 new endorsement" in shown(recipient, HOME)
    page = f"/my-badges/{badge}/endorsements"
    assert "cannot be taken back from copies that you have already given out" in shown(recipient, page)
    made = id_of(stage)
    done(send(recipient, page, page, **{f"endorsement-{made}": "badge"}), page)
    public = client.get(f"/credentials/{badge}", headers={"Accept": "text/html"}).text
    assert ("Member Twelve" in public, "I saw it often." in public) == (True, True)
    assert "Member Twelve" in str(document_of(stage.runtime, badge)["endorsement"])
    assert "Waiting for you" not in shown(recipient, HOME)


def test_a_comment_is_text_and_nothing_else(
    peer: TestClient, recipient: TestClient, client: TestClient, stage: Stage, badge: str
) -> None:
    give(peer, badge, comment="<script>alert(1)</script>\r\n\u202e[x](https://spam.example)")
    page = f"/my-badges/{badge}/endorsements"
    done(send(recipient, page, page, **{f"endorsement-{id_of(stage)}": "page"}), page)
    for text in (client.get(f"/credentials/{badge}", headers={"Accept": "text/html"}).text, shown(peer, HOME)):
        assert "<script>alert" not in text
        assert 'href="https://spam.example"' not in text
        assert "\u202e" not in text


def test_who_may_not_endorse_is_told_why(
    recipient: TestClient, runtime: Runtime, peer: TestClient, stage: Stage, badge: str
) -> None:
    path = f"/credentials/{badge}/endorse"
    assert "This is your own badge." in shown(recipient, path, 403)
    with browser_of(runtime, "stranger@river.example.org") as stranger:
        assert "Only members of this network can endorse its badges." in shown(stranger, path, 403)
        form = FORM.findall(stranger.get("/account").text)[0]
        assert stranger.post(path, data={"form": form, "skill": "1"}).status_code == 403
    assert refused(peer, path, path, skill="9")[0] == 422
    assert "Your comment is too long." in refused(peer, path, path, skill="1", comment="x" * 501)[1]
    see(stage.runtime, badge, "private")
    assert "or the person keeps it private" in shown(peer, path, 404)
    assert "There is no badge at this link" in shown(peer, f"/credentials/{'0' * 32}/endorse", 404)


def test_a_closed_network_takes_none(peer: TestClient, stage: Stage, badge: str) -> None:
    path = f"/credentials/{badge}/endorse"
    shown(peer, path)
    with stage.runtime.database.write() as session:
        session.execute(update(Network).values(state="closed"))
    assert "This network is closed." in refused(peer, path, path, skill="1")[1]


def test_a_person_endorses_so_many_in_a_day(
    peer: TestClient, stage: Stage, badge: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endorsing, "MOST_GIVEN", 1)
    give(peer, badge)
    path = f"/credentials/{badge}/endorse"
    status, words = refused(peer, path, path, skill="2")
    assert (status, "You have endorsed many badges today. Try again in 1,44" in words) == (429, True)
    clock.advance(days=1)
    give(peer, badge, skill="2")
    assert len(standing(stage.runtime, badge)) == 2


def test_what_a_network_posts_in_ones_name_waits_for_ones_consent(
    peer: TestClient, recipient: TestClient, stage: Stage, badge: str
) -> None:
    body = {"member": "m12", "skill": FEEDBACK["target_url"], "comment": "Always.", "named": True}
    made = stage.send("POST", f"./credentials/{badge}/endorsements", body)["id"]
    assert "Nobody sees it until you agree." in shown(peer, HOME)
    assert "Nobody has endorsed this badge yet." in shown(recipient, f"/my-badges/{badge}/endorsements")
    assert send(recipient, HOME, f"{HOME}/{made}/consent", named="yes").status_code == 404
    done(send(peer, HOME, f"{HOME}/{made}/consent", named="no"), HOME)
    assert "without your name" in shown(peer, HOME)
    assert standing(stage.runtime, badge) == [("Always.", "waiting")]


def test_a_student_agrees_only_without_a_name(peer: TestClient, stage: Stage, badge: str) -> None:
    body = {"member": "m12", "skill": FEEDBACK["target_url"], "named": True}
    made = stage.send("POST", f"./credentials/{badge}/endorsements", body)["id"]
    stage.member("m12", email=OTHER, roles=["student"])
    assert "Agree, with my name" not in shown(peer, HOME)
    assert "never named" in refused(peer, HOME, f"{HOME}/{made}/consent", named="yes")[1]
    assert "Children and students are never named." in shown(peer, f"/credentials/{badge}/endorse")


def test_only_the_peer_withdraws_and_it_vanishes_at_once(
    peer: TestClient, recipient: TestClient, client: TestClient, stage: Stage, badge: str
) -> None:
    made = endorse(stage.runtime, badge, choice="badge")
    public = f"/credentials/{badge}"
    assert "I saw it often." in client.get(public, headers={"Accept": "text/html"}).text
    assert send(recipient, HOME, f"{HOME}/{made}/withdrawal").status_code == 404
    done(send(peer, HOME, f"{HOME}/{made}/withdrawal"), HOME)
    assert "I saw it often." not in client.get(public, headers={"Accept": "text/html"}).text
    assert "endorsement" not in document_of(stage.runtime, badge)
    assert "You have endorsed nothing yet." in shown(peer, HOME)
    assert "You have no such endorsement" in refused(peer, HOME, f"{HOME}/{made}/withdrawal")[1]


def test_nobody_chooses_for_a_badge_of_somebody_else(peer: TestClient, stage: Stage, badge: str) -> None:
    made = endorse(stage.runtime, badge)
    page = f"/my-badges/{badge}/endorsements"
    assert peer.get(page).status_code == 404
    assert send(peer, HOME, page, **{f"endorsement-{made}": "badge"}).status_code == 404
    assert standing(stage.runtime, badge) == [("I saw it often.", "waiting")]


def test_what_was_withdrawn_meanwhile_is_said_and_a_revoked_badge_changes_no_more(
    recipient: TestClient, stage: Stage, badge: str
) -> None:
    endorse(stage.runtime, badge)
    page = f"/my-badges/{badge}/endorsements"
    assert "Reload the page." in refused(recipient, page, page, **{f"endorsement-{'0' * 32}": "page"})[1]
    form = FORM.findall(recipient.get(page).text)[0]
    stage.send("POST", f"/v1/credentials/{badge}/revocation", {"reason": "By mistake."})
    assert "This badge was revoked." in shown(recipient, page)
    answer = recipient.post(page, data={"form": form, f"endorsement-{id_of(stage)}": "page"})
    assert (answer.status_code, "You cannot change it any more." in answer.text) == (409, True)


def test_a_badge_that_is_full_says_how_many_it_holds(
    recipient: TestClient, stage: Stage, badge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.issuing.endorsing.MOST_EMBEDDED", 0)
    made = endorse(stage.runtime, badge)
    page = f"/my-badges/{badge}/endorsements"
    status, words = refused(recipient, page, page, **{f"endorsement-{made}": "badge"})
    assert (status, "A badge can hold 20 endorsements." in words) == (422, True)


def test_a_form_from_another_site_changes_nothing(peer: TestClient, stage: Stage, badge: str) -> None:
    answer = peer.post(f"/credentials/{badge}/endorse", data={"form": "0" * 64, "skill": "1"})
    assert (answer.status_code, standing(stage.runtime, badge)) == (403, [])


def test_what_was_given_with_an_account_goes_with_it(peer: TestClient, stage: Stage, badge: str) -> None:
    give(peer, badge)
    assert len(standing(stage.runtime, badge)) == 1
    with stage.runtime.database.write() as session:  # it was never theirs
        person_id = session.scalars(select(Member.person_id).where(Member.ref == "m12")).one()
        session.execute(update(Person).where(Person.id == person_id).values(account_id=None))
    assert standing(stage.runtime, badge) == []


def test_a_deleted_account_leaves_no_name(peer: TestClient, stage: Stage, badge: str) -> None:
    name_account(stage.runtime, OTHER, "Member Twelve")
    give(peer, badge, named="yes")
    with stage.runtime.database.write() as session:
        account_id = accounts.with_address(session, OTHER, stage.runtime.now()).id
        joining.delete(session, account_id, stage.runtime.now())
    assert standing(stage.runtime, badge) == []
    with stage.runtime.database.read() as session:
        row = session.scalars(select(Endorsement)).one()
        assert (row.account_id, row.consented_at, row.skill) == (None, None, GIVING)
        assert session.get_one(Credential, badge)
