"""Returning after a mailbox was lost: two people vouch, the old address is told, and seven days of silence pass."""

import re
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials.recipient import matches
from service.accounts import accounts
from service.runtime.runtime import Runtime
from service.sharing import returned, returning, signing_anew
from service.tables import AccountAddress, Identity, Member, Person, Return, SignIn
from tests.worlds.acting import told
from tests.worlds.awarding import Stage
from tests.worlds.presenting import document_of
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import FORM, claim, mails_to, signed_in

OLD, NEW = "m11@old.example.org", "m11@new.example.org"
LINK = re.compile(r"/vouch/([\w-]{40,})")
STOP = re.compile(r"/return/stop/([\w-]{40,})")


class Place:
    """A network in which m11 lost their mailbox, and v1, v2 and v3 have been members for long."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self.runtime, self.clock = runtime, clock
        self.stage = Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)
        for ref in ("v1", "v2", "v3"):
            self.stage.member(ref, email=self.mail(ref), name=f"Member {ref}")
            claim(runtime, "river", ref, self.mail(ref))
        self.stage.member("m11", email=OLD, name="Member 11")
        clock.advance(days=40)

    @staticmethod
    def mail(ref: str) -> str:
        return f"{ref}@river.example.org"

    def browser(self, address: str | None = None) -> TestClient:
        client = TestClient(app_of(self.runtime), base_url=BASE_URL, follow_redirects=False)
        client.headers["Accept"] = "text/html"
        if address is not None:
            name, _, value = signed_in(self.runtime, address).partition("=")
            client.cookies.set(name, value)
        return client

    def send(self, client: TestClient, path: str, **fields: str) -> Any:
        """Send a form as somebody who is signed in; also one that their page does not offer."""
        form = FORM.findall(client.get("/return").text)[0]
        return client.post(path, data={"form": form, **fields})

    def ask(self, address: str = NEW, **said: str) -> Any:
        return self.send(
            self.browser(address),
            "/return",
            **{"network": "River Writers", "lost": OLD, "name": "Member 11"} | said,
        )

    def link(self, address: str = NEW) -> str:
        return f"/vouch/{LINK.findall(self.browser(address).get('/return').text)[0]}"

    def vouch(self, ref: str, link: str, answer: str = "yes") -> Any:
        return self.send(self.browser(self.mail(ref)), link, answer=answer, sure="yes")

    def asked_and_vouched(self) -> str:
        """Let m11 ask and two colleagues vouch; return the path of the link for vouchers."""
        assert self.ask().status_code == 303
        link = self.link()
        assert [self.vouch(ref, link).status_code for ref in ("v1", "v2")] == [200, 200]
        return link

    def pass_days(self, days: int) -> None:
        self.clock.advance(days=days)
        returned.end_due(self.runtime)

    def account_of(self, ref: str) -> list[str]:
        """Return the addresses of the account that has what a member earned."""
        with self.runtime.database.read() as session:
            query = select(AccountAddress.value).join(Person, Person.account_id == AccountAddress.account_id)
            query = query.join(Member, Member.person_id == Person.id).where(Member.ref == ref)
            return list(session.scalars(query))

    def state(self) -> list[str]:
        with self.runtime.database.read() as session:
            return list(session.scalars(select(Return.state).order_by(Return.asked_at, Return.id)))


@pytest.fixture
def place(runtime: Runtime, clock: Clock) -> Place:
    return Place(runtime, clock)


def test_two_colleagues_and_seven_days_of_silence_give_an_unclaimed_member_to_the_new_address(place: Place) -> None:
    place.asked_and_vouched()
    place.pass_days(6)
    assert place.account_of("m11") == []
    place.pass_days(1)
    assert place.account_of("m11") == [NEW]
    assert "Your badges of River Writers are yours again." in place.browser(NEW).get("/return").text
    returning_told = [kind for kind in told(place.runtime, "river") if kind.startswith("member.return")]
    assert returning_told == ["member.returning", "member.returned"]


def test_the_old_account_loses_its_address_and_its_sign_ins(place: Place, runtime: Runtime) -> None:
    claim(runtime, "river", "m11", OLD)
    old = place.browser(OLD)
    place.asked_and_vouched()
    place.pass_days(7)
    assert place.account_of("m11") == [NEW]
    assert old.get("/return").text.count('name="form"') == 0
    with runtime.database.read() as session:
        assert session.scalars(select(AccountAddress).where(AccountAddress.value == OLD)).all() == []
        assert session.scalars(select(Identity).where(Identity.value == OLD)).all() == []
        [proved] = session.scalars(select(Identity).where(Identity.value == NEW)).all()
        assert proved.proved_at == runtime.now()


def test_two_people_of_a_network_speak_for_that_network_only(place: Place, runtime: Runtime) -> None:
    hill = Stage.set_up(place.stage.client, runtime, "hill", name="Hill Readers")
    hill.member("h11", email=OLD)
    claim(runtime, "river", "m11", OLD)
    claim(runtime, "hill", "h11", OLD)
    place.browser(OLD)
    place.asked_and_vouched()
    place.pass_days(7)
    assert (place.account_of("m11"), place.account_of("h11")) == ([NEW], [OLD])
    with runtime.database.read() as session:
        old = select(AccountAddress.account_id).where(AccountAddress.value == OLD)
        assert session.scalars(select(SignIn).where(SignIn.account_id.in_(old))).all() == []


def test_every_old_address_is_told_and_told_again_and_the_new_one_too(place: Place, runtime: Runtime) -> None:
    claim(runtime, "river", "m11", "m11@home.example.org")
    place.ask()
    link = place.link()
    place.vouch("v1", link)
    assert mails_to(runtime, OLD) == []
    place.vouch("v2", link)
    for address in (OLD, "m11@home.example.org"):
        [mail] = mails_to(runtime, address)
        assert "go to their new address on 18 April 2026" in mail
        assert NEW not in mail
    assert "Two members of River Writers vouch for you." in mails_to(runtime, NEW)[-1]
    place.pass_days(5)
    assert len(mails_to(runtime, OLD)) == 2
    place.pass_days(2)
    for address in (OLD, NEW):
        assert "have a new address" in mails_to(runtime, address)[-1]


def test_each_is_told_in_the_language_of_their_own_account(place: Place, runtime: Runtime) -> None:
    claim(runtime, "river", "m11", OLD)
    with runtime.database.write() as session:
        accounts.with_address(session, OLD, runtime.now()).language = "es"
    place.asked_and_vouched()
    assert mails_to(runtime, OLD)[-1].startswith("Hola")
    assert mails_to(runtime, NEW)[-1].startswith("Hello")


def test_a_link_in_the_mail_stops_it_by_its_button_only(place: Place, runtime: Runtime) -> None:
    place.asked_and_vouched()
    [secret] = STOP.findall(mails_to(runtime, OLD)[-1])
    stranger = place.browser()
    assert "stop it" in stranger.get(f"/return/stop/{secret}").text
    assert place.state() == ["waiting"]
    assert stranger.post(f"/return/stop/{secret}").status_code == 200
    place.pass_days(8)
    assert (place.state(), place.account_of("m11")) == (["stopped"], [])
    assert stranger.post(f"/return/stop/{secret}").status_code == 404
    assert told(runtime, "river")[-1] == "member.return-stopped"
    assert "do not get a new address" in mails_to(runtime, OLD)[-1]
    assert "do not get a new address" in mails_to(runtime, NEW)[-1]


def test_whoever_is_signed_in_to_the_old_account_stops_it(place: Place, runtime: Runtime) -> None:
    claim(runtime, "river", "m11", OLD)
    place.asked_and_vouched()
    old = place.browser(OLD)
    page = old.get("/return").text
    assert "Somebody asks for your badges of River Writers" in page
    [which] = re.findall(r'name="return" value="([0-9a-f-]+)"', page)
    assert place.send(place.browser(place.mail("v3")), "/return/stop", **{"return": which}).status_code == 404
    assert place.send(old, "/return/stop", **{"return": which}).status_code == 200
    place.pass_days(8)
    assert place.account_of("m11") == [OLD]


def test_the_network_stops_it(place: Place) -> None:
    path = "./members/m11/return"
    assert place.stage.call("DELETE", path).json()["code"] == "return-unknown"
    place.asked_and_vouched()
    assert place.stage.call("DELETE", path).status_code == 204
    assert place.stage.call("DELETE", path).json()["code"] == "return-unknown"
    place.pass_days(8)
    assert place.account_of("m11") == []


def test_who_proves_the_old_address_meanwhile_keeps_what_is_theirs(place: Place, runtime: Runtime) -> None:
    place.asked_and_vouched()
    claim(runtime, "river", "m11", OLD)
    place.pass_days(8)
    assert (place.state(), place.account_of("m11")) == (["stopped"], [OLD])


@pytest.mark.parametrize("after", ["before anybody vouched", "after one", "after two"])
def test_one_colleague_who_says_no_ends_it(place: Place, after: str) -> None:
    place.ask()
    link = place.link()
    for ref in {"after one": ["v1"], "after two": ["v1", "v2"]}.get(after, []):
        place.vouch(ref, link)
    assert place.vouch("v3", link, "no").status_code == 200
    assert place.vouch("v2", link).status_code == 404
    place.pass_days(8)
    assert (place.state(), place.account_of("m11")) == (["refused"], [])


def test_somebody_who_vouched_can_say_that_they_were_wrong(place: Place) -> None:
    link = place.asked_and_vouched()
    assert place.vouch("v1", link, "no").status_code == 200
    place.pass_days(8)
    assert place.account_of("m11") == []


def test_two_returns_of_one_person_stop_each_other(place: Place) -> None:
    place.asked_and_vouched()
    place.ask("thief@new.example.org")
    link = place.link("thief@new.example.org")
    assert [place.vouch(ref, link).status_code for ref in ("v3", "v2")] == [200, 200]
    assert place.state() == ["stopped", "stopped"]
    place.pass_days(8)
    assert place.account_of("m11") == []


def test_a_second_return_does_not_take_from_who_has_just_returned(place: Place) -> None:
    place.asked_and_vouched()
    place.ask("thief@new.example.org")
    link = place.link("thief@new.example.org")
    place.vouch("v3", link)
    place.pass_days(7)
    assert place.vouch("v2", link).status_code == 404
    assert (place.state(), place.account_of("m11")) == (["done", "over"], [NEW])


# --- Who vouches ------------------------------------------------------------------------------------------------------


def refusal(place: Place, ref: str, link: str) -> str:
    answer = place.vouch(ref, link)
    assert answer.status_code in {403, 409, 429}, answer.text
    return re.sub(r"\s+", " ", re.findall(r"</h1>\s*<p>(.*?)</p>", answer.text, re.DOTALL)[0])


def test_nobody_vouches_twice(place: Place) -> None:
    place.ask()
    link = place.link()
    place.vouch("v1", link)
    assert refusal(place, "v1", link) == "You have already answered. A second person must answer too."


def test_a_vouching_pair_who_are_one_person_is_refused(place: Place, runtime: Runtime) -> None:
    place.stage.member("v2", did="did:key:z6MkExample2")
    hill = Stage.set_up(place.stage.client, runtime, "hill", name="Hill Readers")
    hill.member("h1", email="h1@hill.example.org", did="did:key:z6MkExample2")
    claim(runtime, "hill", "h1", place.mail("v1"))
    place.ask()
    link = place.link()
    place.vouch("v1", link)
    assert refusal(place, "v2", link).startswith("You and the colleague who answered seem to be one person.")
    assert place.state() == ["open"]


def test_nobody_vouches_for_themself_under_another_address(place: Place, runtime: Runtime) -> None:
    place.stage.member("m11b", email="m11b@river.example.org", did="did:key:z6MkExample1")
    place.stage.member("m11", did="did:key:z6MkExample1", email=None)
    place.clock.advance(days=40)
    claim(runtime, "river", "m11b", place.mail("m11b"))
    place.stage.member("m12", email=OLD)
    place.ask(lost=place.mail("m11b"))
    assert refusal(place, "m11b", place.link()).startswith("You cannot answer for yourself")


def test_who_asks_does_not_vouch(place: Place, runtime: Runtime) -> None:
    claim(runtime, "river", "v3", NEW)
    place.ask()
    link = place.link()
    answer = place.send(place.browser(NEW), link, answer="yes", sure="yes")
    assert answer.status_code == 403
    assert place.state() == ["open"]


def test_a_stranger_does_not_vouch_nor_refuse(place: Place) -> None:
    place.ask()
    link = place.link()
    assert refusal(place, "x9", link).startswith("Only members of this network can answer here.")
    assert place.vouch("x9", link, "no").status_code == 403
    assert place.state() == ["open"]


def test_a_member_of_yesterday_does_not_vouch(place: Place, runtime: Runtime) -> None:
    place.stage.member("v9", email=place.mail("v9"))
    claim(runtime, "river", "v9", place.mail("v9"))
    place.clock.advance(days=29)
    place.ask()
    assert refusal(place, "v9", place.link()).startswith("You joined this network too recently")


@pytest.mark.parametrize("role", ["student", "minor"])
def test_a_student_or_minor_does_not_vouch(place: Place, role: str) -> None:
    place.stage.member("v1", roles=[role])
    place.ask()
    assert refusal(place, "v1", place.link()).startswith("Students and minors cannot answer")


def test_who_has_just_returned_does_not_vouch(place: Place) -> None:
    place.asked_and_vouched()
    place.pass_days(7)
    place.stage.member("m20", email="m20@old.example.org")
    place.ask("m20@new.example.org", lost="m20@old.example.org")
    link = place.link("m20@new.example.org")
    answer = place.send(place.browser(NEW), link, answer="yes", sure="yes")
    assert "You recently got your badges back with the help of colleagues" in answer.text


def test_nobody_vouches_for_many_in_a_month(place: Place) -> None:
    for n in range(6):
        place.ask(f"new-{n}@example.org", lost=f"old-{n}@example.org")
    links = [place.link(f"new-{n}@example.org") for n in range(6)]
    assert [place.vouch("v1", link).status_code for link in links] == [200] * 5 + [429]


def test_a_yes_needs_the_tick(place: Place) -> None:
    place.ask()
    link = place.link()
    answer = place.send(place.browser(place.mail("v1")), link, answer="yes")
    assert answer.status_code == 422
    assert "Tick the box" in answer.text


# --- What is told, and what is not ------------------------------------------------------------------------------------


def test_nothing_tells_whether_what_was_lost_fits_anybody(place: Place, runtime: Runtime) -> None:
    place.ask()
    place.ask("nobody@new.example.org", lost="nobody@old.example.org", name="Member 11")
    pages = [place.browser(address).get("/return").text for address in (NEW, "nobody@new.example.org")]
    assert plain(pages[0]) == plain(pages[1])
    links = [place.link(NEW), place.link("nobody@new.example.org")]
    shown = [place.browser(place.mail("v1")).get(link).text for link in links]
    assert plain(shown[0]) == plain(shown[1])
    for link in links:
        assert [place.vouch(ref, link).status_code for ref in ("v1", "v2")] == [200, 200]
    pages = [place.browser(address).get("/return").text for address in (NEW, "nobody@new.example.org")]
    assert plain(pages[0]) == plain(pages[1])
    assert mails_to(runtime, "nobody@old.example.org") == []
    place.pass_days(7)
    assert place.state() == ["done", "over"]


def plain(page: str) -> str:
    """Return a page without what differs for each request."""
    page = re.sub(r"(nobody|m11)@(new|old)", r"somebody@\2", page)
    return re.sub(r'(/vouch/|value=")[\w-]{20,}', r"\1", page)


def test_a_badge_says_who_one_was(place: Place) -> None:
    place.stage.achievement()
    made = place.stage.recorded()
    place.ask(lost=made["credential"]["url"])
    link = place.link()
    assert made["credential"]["url"] in place.browser(place.mail("v1")).get(link).text
    for ref in ("v1", "v2"):
        place.vouch(ref, link)
    place.pass_days(7)
    assert place.account_of("m11") == [NEW]


def test_badges_name_the_new_address_under_their_old_links(place: Place) -> None:
    place.stage.achievement()
    badge = place.stage.recorded()["credential"]["id"]
    place.asked_and_vouched()
    place.pass_days(7)
    assert signing_anew.sign_due(place.runtime) == 1
    subject = document_of(place.runtime, badge)["credentialSubject"]
    assert (matches(subject, NEW), matches(subject, OLD)) == (True, False)
    url = f"{BASE_URL}/credentials/{badge}"
    assert place.browser().post("/v1/verifications", json={"url": url}).json()["verdict"] == "verified"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"network": "Nowhere"}, "No network here has this name, or more than one does."),
        ({"lost": "x"}, "Enter your old email address"),
        ({"lost": "https://elsewhere.example/credentials/4f1a"}, "Enter your old email address"),
        ({"lost": NEW}, "You have just signed in with this address."),
        ({"name": "\u202e"}, "Enter your name"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(place: Place, said: dict[str, str], sentence: str) -> None:
    answer = place.ask(**said)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert place.state() == []


def test_one_asks_once_at_a_time_and_three_times_a_month(place: Place) -> None:
    for _ in range(3):
        assert place.ask().status_code == 303
        assert place.ask().status_code == 409
        which = re.findall(r'name="return" value="([0-9a-f-]+)"', place.browser(NEW).get("/return").text)[0]
        place.send(place.browser(NEW), "/return/stop", **{"return": which})
    assert place.ask().status_code == 429


def test_vouchers_are_waited_for_two_weeks(place: Place) -> None:
    place.ask()
    link = place.link()
    place.vouch("v1", link)
    place.clock.advance(days=14)
    assert place.vouch("v2", link).status_code == 404
    returned.end_due(place.runtime)
    assert place.state() == ["over"]


def test_what_somebody_said_is_forgotten_when_it_ends_and_the_rest_after_three_months(place: Place) -> None:
    place.asked_and_vouched()
    place.pass_days(7)
    with place.runtime.database.read() as session:
        assert session.execute(select(Return.name, Return.said)).one() == ("", "")
    place.clock.advance(days=91)
    assert returned.forget_old(place.runtime) == 1
    assert place.state() == []


def test_an_erased_member_is_no_voucher_and_nobody_returns_to_them(place: Place) -> None:
    place.asked_and_vouched()
    place.stage.send("DELETE", "./members/m11")
    place.pass_days(8)
    assert place.state() == []


def test_silence_is_seven_days() -> None:
    assert (timedelta(days=7), 2) == (returning.SILENCE, returning.VOUCHERS)
