"""Badges that can be claimed, and people who claim them."""

import re
from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import select

from service.access.act import Act
from service.accounts import accounts
from service.runtime.runtime import Runtime
from service.sharing import claiming, claims
from service.tables import Account, AccountAddress, Member, Network, Person
from tests.worlds.awarding import Stage, once
from tests.worlds.runtimes import BASE_URL, app_of
from tests.worlds.signing_in import mails_to

LINK = re.compile(r"/claim/([\w-]{30,})")
UNDO = re.compile(r"/claim/undo/([\w-]{30,})")
ADDRESS = "m11@river.example.org"


@once
def awarded(stage: Stage, ref: str = "m11", email: str | None = ADDRESS) -> None:
    """Let a member earn a badge."""
    stage.member(ref, **({} if email is None else {"email": email}))
    if stage.call("GET", "./achievements/sharer").status_code == 404:
        stage.achievement()
    stage.share(1, ref)
    stage.share(2, ref)


def stage_of(runtime: Runtime) -> Stage:
    """Return a stage whose app has nothing going on beside it."""
    return Stage.set_up(TestClient(app_of(runtime), base_url=BASE_URL), runtime)


def link_to(runtime: Runtime, address: str = ADDRESS) -> str:
    """Return the secret of the newest claim link that was mailed to an address."""
    return str([link for text in mails_to(runtime, address) for link in LINK.findall(text)][-1])


def undo_to(runtime: Runtime, address: str = ADDRESS) -> str:
    """Return the secret of the newest way back that was mailed to an address."""
    return str([link for text in mails_to(runtime, address) for link in UNDO.findall(text)][-1])


def account_with(runtime: Runtime, address: str) -> UUID:
    """Return the account of somebody who has proved an address."""
    with runtime.database.write() as session:
        return accounts.with_address(session, address, runtime.now()).id


def claimed_by_link(runtime: Runtime, link: str, account_id: UUID | None = None) -> UUID:
    """Claim with a link; return the account."""
    with runtime.database.write() as session:
        return claiming.by_link(session, runtime, link, account_id, runtime.now()).account.id


def code_for(runtime: Runtime, ref: str, slug: str = "river") -> str:
    """Return a new code on paper for a member."""
    with runtime.database.write() as session:
        network = session.scalars(select(Network).where(Network.slug == slug)).one()
        act = Act(session, network, None, runtime.now())
        return claims.make_code(act, claims.held(act, ref))[1]


def holder_of(runtime: Runtime, ref: str = "m11") -> UUID | None:
    """Return the account that has what a member earned."""
    with runtime.database.read() as session:
        query = select(Person.account_id).join(Member, Member.person_id == Person.id).where(Member.ref == ref)
        return session.scalar(query)


def addresses_of(runtime: Runtime, account_id: UUID) -> set[str]:
    """Return the addresses of an account."""
    with runtime.database.read() as session:
        return {each.value for each in accounts.addresses_of(session, session.get_one(Account, account_id))}


def account_of(runtime: Runtime, address: str) -> UUID | None:
    """Return the account to which an address belongs."""
    with runtime.database.read() as session:
        return session.scalar(select(AccountAddress.account_id).where(AccountAddress.value == address))
