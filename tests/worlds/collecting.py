"""People who are signed in with badges of several networks, and what they put together of them."""

import re
from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from service.runtime.runtime import Runtime
from service.sharing import badge_collections
from service.tables import Account, AccountAddress
from tests.worlds.awarding import Stage
from tests.worlds.signing_in import FORM, claim, signed_in

HOME = "/my-badges/collections"


@dataclass
class Collector:
    """Somebody who is signed in, and has a browser of their own."""

    client: TestClient
    runtime: Runtime
    address: str
    form: str = ""

    @classmethod
    def enter(cls, client: TestClient, runtime: Runtime, address: str) -> "Collector":
        """Sign in with an address."""
        cookie = signed_in(runtime, address)
        return cls(TestClient(client.app, base_url=str(client.base_url), headers={"Cookie": cookie}), runtime, address)

    @property
    def account(self) -> Account:
        """The account, as it is now."""
        with self.runtime.database.read() as session:
            query = select(Account).join(AccountAddress, AccountAddress.account_id == Account.id)
            return session.scalars(query.where(AccountAddress.value == self.address)).one()

    def call_oneself(self, name: str | None) -> None:
        """Have the account bear a name."""
        with self.runtime.database.write() as session:
            session.get_one(Account, self.account.id).name = name

    def post(self, path: str, **fields: str) -> Any:
        """Send a form of a page of one's own."""
        self.form = self.form or FORM.findall(self.client.get(HOME).text)[0]
        return self.client.post(path, data={"form": self.form, **fields}, follow_redirects=False)

    def make(self, title: str = "My year", *badges: str) -> str:
        """Make a collection with badges, and return its id."""
        answer = self.post(HOME, title=title)
        assert answer.status_code == 303, answer.text
        made = str(answer.headers["location"]).rpartition("/")[2]
        if badges:
            assert self.add(made, *badges).status_code == 303
        return made

    def add(self, collection: str, *badges: str) -> Any:
        """Add badges to a collection."""
        return self.post(f"{HOME}/{collection}/badges", **{f"add-{each}": "yes" for each in badges})

    def held(self, collection: str) -> list[str]:
        """Return the ids of the badges in a collection of one's own, in order."""
        with self.runtime.database.read() as session:
            own = badge_collections.own(session, self.account.id, collection, self.runtime.now())
        return [each.row.id for each in own.badges]


def earn(stage: Stage, ref: str, member: str = "m11", **more: Any) -> str:
    """Have a member earn a badge of its own achievement, and return its id."""
    stage.achievement(ref, rule=None, award="reviewed", name=ref.capitalize(), **more)
    return str(stage.recorded(ref, member)["credential"]["id"])


def holder(stage: Stage, address: str = "m11@river.example.org", member: str = "m11") -> Collector:
    """Return the person of a member, signed in."""
    found = Collector.enter(stage.client, stage.runtime, address)
    claim(stage.runtime, stage.slug, member, address)
    return found


def anybody(stage: Stage, path: str) -> Any:
    """Get a page as somebody does who is not signed in."""
    stage.client.cookies.clear()
    return stage.client.get(path, headers={"Accept": "text/html"})


def authority_link(who: Collector, **said: str) -> str:
    """Make a link for an authority, and return its path."""
    fields = {"for": "State board", "name": "Fatima Zahra", "licence": "WA-123 456", "days": "30"} | said
    answer = who.post("/my-badges/links/new", **fields)
    assert answer.status_code == 200, answer.text
    path: str = re.findall(r'value="http://[^"/]+(/shown/[^"]+)"', answer.text)[0]
    return path
