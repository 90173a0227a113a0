"""Somebody who signs in, by the mail in the outbox folder: with an app's client, or with what a browser would send."""

import re
from email import message_from_bytes
from email.policy import default
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from service.accounts import accounts, sign_ins
from service.notifications import mail
from service.runtime.runtime import Runtime
from service.tables import Member, Network, Person
from service.tables.identifiers import new_id

LINK = re.compile(r"/sign-in/([\w-]{30,})")
CODE = re.compile(r"\b(\d{3} \d{3})\b")
FORM = re.compile(r'name="form" value="([0-9a-f]+)"')


def mails_to(runtime: Runtime, address: str) -> list[str]:
    """Send what is due, and return the texts of the mails to an address, in the order in which they were queued."""
    mail.send_due(runtime)
    found = []
    for path in sorted(mail.outbox_folder(runtime.settings).glob("*.eml")):
        message: Any = message_from_bytes(path.read_bytes(), policy=default)
        if message["to"].addresses[0].addr_spec == address:
            found.append(message.get_body(("plain",)).get_content())
    return found


def sign_in(client: TestClient, runtime: Runtime, address: str) -> None:
    """Sign in as a person does who types the code; the client has the cookie then."""
    asked = client.post("/sign-in", data={"address": address}, follow_redirects=False)
    assert asked.status_code == 303, asked.text
    code = CODE.findall(mails_to(runtime, address)[-1])[-1]
    entered = client.post("/sign-in/code", data={"code": code}, follow_redirects=False)
    assert entered.status_code == 303, entered.text


def signed_in(runtime: Runtime, address: str) -> str:
    """Return the cookie (`sign-in=...`) of somebody who has proved an address; without mails."""
    with runtime.database.write() as session:
        account = accounts.with_address(session, address, runtime.now())
        secret = sign_ins.begin(session, account, means="link", browser="Firefox, Linux", now=runtime.now())
    return f"sign-in={secret}"


def send(client: TestClient, page: str, path: str, **fields: str) -> Any:
    """Send a form to a path as somebody does who is signed in and has the page with it open."""
    form = FORM.findall(client.get(page).text)[0]
    return client.post(path, data={"form": form, **fields}, follow_redirects=False)


def claim(runtime: Runtime, network: str, ref: str, address: str) -> None:
    """Have the account with an address be the person of a member, as if they had claimed what they earned there.

    It writes rows only: what claiming does beside is not done.
    """
    with runtime.database.write() as session:
        account = accounts.with_address(session, address, runtime.now())
        query = select(Member).join(Network, Network.id == Member.network_id)
        member = session.scalars(query.where(Network.slug == network, Member.ref == ref)).one()
        if member.person_id is None:
            member.person_id = new_id()
            session.add(Person(id=member.person_id, created_at=runtime.now()))
            session.flush()
        person = session.get_one(Person, member.person_id)
        person.account_id, person.claimed_at = account.id, runtime.now()
