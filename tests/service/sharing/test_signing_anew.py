"""A new name or address is one act: all badges bear it under their ids, and the old name stands nowhere any more."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from credentials.recipient import matches
from service.accounts import accounts
from service.errors import CustodyError
from service.issuing import anew
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.sharing import signing_anew
from service.tables import Account, AccountAddress, BadgeToSign, Row
from tests.worlds.awarding import Stage
from tests.worlds.presenting import decline, document_of, present, row_of
from tests.worlds.runtimes import BASE_URL, Clock, app_of
from tests.worlds.signing_in import claim, send, signed_in

ADDRESS, KEPT = "m11@river.example.org", "m11@home.example.org"
OLD, NEW = "Planted Oldname", "Chosen Newname"


class Holder:
    """Somebody with badges in two networks: with their name in clear, hashed, and without it."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self.runtime = runtime
        self.client = TestClient(app_of(runtime), base_url=BASE_URL)
        self.river = Stage.set_up(self.client, runtime)
        hill = Stage.set_up(self.client, runtime, "hill", name="Hill Readers")
        self.badges: dict[str, str] = {}
        for stage, shown in ((self.river, "plain"), (self.river, "hashed"), (hill, "plain-too"), (self.river, "none")):
            stage.member("m11", email=ADDRESS)
            stage.achievement(shown)
            self.badges[shown] = stage.recorded(shown)["credential"]["id"]
        for slug in ("river", "hill"):
            claim(runtime, slug, "m11", ADDRESS)
        name, _, value = signed_in(runtime, ADDRESS).partition("=")
        self.client.cookies.set(name, value)
        self.rename(OLD)
        clock.advance(minutes=1)
        for badge in ("plain", "hashed", "plain-too"):
            present(runtime, self.badges[badge], name_shown=badge.removesuffix("-too"), name=OLD)
        clock.advance(minutes=1)

    def rename(self, name: str) -> None:
        assert send(self.client, "/account", "/account/name", name=name).status_code == 303

    def names(self, badge: str) -> list[dict[str, Any]]:
        held = document_of(self.runtime, self.badges[badge])["credentialSubject"].get("identifier", [])
        return [each for each in held if each["identityType"] == "name"]

    def bears(self, badge: str, name: str) -> bool:
        return matches({"identifier": self.names(badge)}, name) is True

    def left(self) -> int:
        with self.runtime.database.read() as session:
            account_id = session.scalars(select(Account.id)).one()
            return signing_anew.left(session, account_id)


@pytest.fixture
def holder(runtime: Runtime, clock: Clock) -> Holder:
    return Holder(runtime, clock)


def test_every_badge_that_bears_the_name_bears_the_new_one_under_its_id(holder: Holder) -> None:
    before = {name: row_of(holder.runtime, badge) for name, badge in holder.badges.items()}
    holder.rename(NEW)
    assert holder.left() == 3
    assert "<strong>3 badges are still to be signed again.</strong>" in holder.client.get("/account/name").text
    assert signing_anew.sign_due(holder.runtime) == 3
    assert holder.left() == 0
    assert (
        "All your badges have your current name and address, as you chose." in holder.client.get("/account/name").text
    )
    for name in ("plain", "hashed", "plain-too"):
        assert holder.bears(name, NEW)
        assert not holder.bears(name, OLD)
        now = row_of(holder.runtime, holder.badges[name])
        assert (now.id, now.status_index) == (before[name].id, before[name].status_index)
        assert now.valid_from > before[name].valid_from
    assert holder.names("none") == []
    assert row_of(holder.runtime, holder.badges["none"]).sha256 == before["none"].sha256


def test_links_stay_green(holder: Holder) -> None:
    holder.rename(NEW)
    signing_anew.sign_due(holder.runtime)
    for badge in holder.badges.values():
        assert holder.client.get(f"/credentials/{badge}", headers={"Accept": "text/html"}).status_code == 200
        checked = holder.client.post("/v1/verifications", json={"url": f"{BASE_URL}/credentials/{badge}"})
        assert checked.json()["verdict"] == "verified", checked.text


def test_the_old_name_stands_in_no_row_file_or_page(holder: Holder, tmp_path: Path) -> None:
    assert found(holder, tmp_path, OLD), "expected the name where it belongs before it changes"
    holder.rename(NEW)
    signing_anew.sign_due(holder.runtime)
    mail.send_due(holder.runtime)
    assert found(holder, tmp_path, OLD) == []
    assert {each for each in found(holder, tmp_path, NEW) if not each.startswith("/")} == {"accounts", "credentials"}


def found(holder: Holder, folder: Path, name: str) -> list[str]:
    """Return the tables, files and addresses at which a name stands, but for the file of the database.

    Rows are turned into tuples: SQLAlchemy shortens long texts in what a row says of itself.
    """
    with holder.runtime.database.read() as session:
        rows = {
            table: repr([tuple(row) for row in session.execute(select(t))]) for table, t in Row.metadata.tables.items()
        }
    files = {
        path.name: path.read_bytes().decode("latin-1")
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("laurel.db")
    }
    forms = [f"/credentials/{badge}{form}" for badge in holder.badges.values() for form in ("", *FORMS)]
    served = {path: holder.client.get(path).content.decode("latin-1") for path in (*forms, "/account", "/return")}
    return sorted(place for place, text in (rows | files | served).items() if name in text)


FORMS = (".json", ".html", ".svg", ".png")


def test_another_address_that_is_kept_is_named_by_every_badge(holder: Holder, clock: Clock) -> None:
    keep(holder.runtime, KEPT)
    clock.advance(minutes=1)
    assert signing_anew.sign_due(holder.runtime) == 4
    for badge in holder.badges.values():
        subject = document_of(holder.runtime, badge)["credentialSubject"]
        assert matches(subject, KEPT)
        assert not matches(subject, ADDRESS)
    assert holder.bears("plain", OLD)


def keep(runtime: Runtime, address: str) -> None:
    """Have the account prove a further address, and keep it."""
    with runtime.database.write() as session:
        account = session.scalars(select(Account)).one()
        accounts.with_address(session, address, runtime.now(), into=account)
        session.flush()
        row = session.scalars(select(AccountAddress).where(AccountAddress.value == address)).one()
        accounts.keep(session, account, row.id)


def test_a_name_that_is_taken_away_stands_on_no_badge(holder: Holder) -> None:
    holder.rename("")
    signing_anew.sign_due(holder.runtime)
    assert [holder.names(badge) for badge in holder.badges] == [[]] * 4


def test_a_name_that_changes_back_before_it_was_signed_leaves_nothing_to_do(holder: Holder) -> None:
    before = row_of(holder.runtime, holder.badges["plain"]).sha256
    holder.rename(NEW)
    holder.rename(OLD)
    signing_anew.sign_due(holder.runtime)
    assert holder.left() == 0
    assert row_of(holder.runtime, holder.badges["plain"]).sha256 == before


def test_it_goes_on_where_it_was_stopped_and_a_name_that_changed_meanwhile_counts(holder: Holder, clock: Clock) -> None:
    holder.rename("Between Name")
    pieces = iter((True, True, True, True, False))
    assert signing_anew.sign_due(holder.runtime, lambda: next(pieces, False)) == 1
    assert holder.left() == 2
    holder.rename(NEW)
    clock.advance(minutes=1)
    assert holder.left() == 3
    signing_anew.sign_due(holder.runtime)
    assert all(holder.bears(badge, NEW) for badge in ("plain", "hashed", "plain-too"))


def test_a_declined_badge_is_left_alone(holder: Holder) -> None:
    holder.rename(NEW)
    with holder.runtime.database.write() as session:
        account_id = session.scalars(select(Account.id)).one()
        signing_anew.list_behind(session, account_id, holder.runtime.now())
    decline(holder.runtime, holder.badges["plain"])
    signing_anew.sign_due(holder.runtime)
    assert holder.left() == 0
    assert holder.bears("hashed", NEW)


def test_who_became_a_student_is_not_named_in_clear_any_more(holder: Holder) -> None:
    holder.river.member("m11", roles=["student"])
    holder.rename(NEW)
    signing_anew.sign_due(holder.runtime)
    [shown] = holder.names("plain")
    assert shown["hashed"] is True
    assert holder.bears("plain", NEW)


def test_a_badge_that_left_the_account_is_not_signed_with_its_name(holder: Holder) -> None:
    holder.rename(NEW)
    with holder.runtime.database.write() as session:
        account_id = session.scalars(select(Account.id)).one()
        signing_anew.list_behind(session, account_id, holder.runtime.now())
    claim(holder.runtime, "river", "m11", "other@river.example.org")
    signing_anew.sign_due(holder.runtime)
    assert not holder.bears("plain", NEW)
    assert holder.bears("plain-too", NEW)


def test_keys_that_cannot_be_used_leave_it_for_later(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    holder.rename(NEW)

    def refuse(*_: Any) -> None:
        raise CustodyError("custody-unavailable", "The keys cannot be used now.")

    with monkeypatch.context() as patch:
        patch.setattr(anew, "sign_anew", refuse)
        with pytest.raises(CustodyError):
            signing_anew.sign_due(holder.runtime)
    assert holder.left() == 3
    assert signing_anew.sign_due(holder.runtime) == 3
    with holder.runtime.database.read() as session:
        assert session.scalars(select(BadgeToSign)).all() == []
