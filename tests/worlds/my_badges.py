"""Somebody who is signed in and has badges, for tests of their pages."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi.testclient import TestClient
from sqlalchemy import select, update

from service.runtime.runtime import Runtime
from service.storage.database import WriteSession
from service.tables import Account, Award, Credential, Member, Network, Row
from service.tables.identifiers import new_credential_id, new_id
from tests.worlds.awarding import SHARE_TWICE, Stage
from tests.worlds.runtimes import BASE_URL, app_of
from tests.worlds.signing_in import claim, send, signed_in

MINE = "m11@river.example.org"
OTHER = "m12@river.example.org"
APPROVED = {"all": [SHARE_TWICE, {"rule": "approval", "by_role": "director"}]}


def earned(stage: Stage, member: str = "m11", **achievement: Any) -> str:
    """Award a member by rule, and return the id of the credential."""
    if not stage.send("GET", "./achievements")["items"]:
        stage.achievement(**achievement)
    for n in (1, 2):
        stage.share(n, member)
    (award,) = stage.awards(member=member)
    return str(award["credential"]["id"])


def claimed(stage: Stage, ref: str = "m11", address: str = MINE, **said: Any) -> None:
    """Add a member with an address, whom the account with that address has claimed."""
    stage.member(ref, email=address, **said)
    claim(stage.runtime, stage.slug, ref, address)


def many(runtime: Runtime, credential_id: str, count: int) -> None:
    """Add copies of an award and its credential, each a little older, as if there were as many achievements.

    The rows say enough for lists; nothing is signed.
    """
    with runtime.database.write() as session:
        first = session.get_one(Credential, credential_id)
        award = session.get_one(Award, first.award_id)
        for n in range(1, count + 1):
            at = first.issued_at - timedelta(hours=n)
            added = _copy(session, award, id=new_id(), state="expired", awarded_at=at)
            session.flush()
            _copy(
                session,
                first,
                id=new_credential_id(),
                award_id=added.id,
                issued_at=at,
                status_index=first.status_index + n,
            )


def member_of(runtime: Runtime, ref: str, network: str = "river") -> str:
    """Return the id of the member with a ref, as it stands in addresses."""
    with runtime.database.read() as session:
        query = select(Member.id).join(Network, Network.id == Member.network_id)
        return str(session.scalars(query.where(Member.ref == ref, Network.slug == network)).one())


def named(runtime: Runtime, name: str) -> None:
    """Have every account say this name."""
    with runtime.database.write() as session:
        session.execute(update(Account).values(name=name))


def _copy(session: WriteSession, row: Row, **other: Any) -> Any:
    kept = {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}
    made = type(row)(**kept | other)
    session.add(made)
    return made


def browser_of(runtime: Runtime, address: str) -> TestClient:
    """Return the browser of somebody who is signed in with an address."""
    headers = {"Accept": "text/html", "Cookie": signed_in(runtime, address)}
    return TestClient(app_of(runtime), base_url=BASE_URL, follow_redirects=False, headers=headers)


def shown(browser: TestClient, path: str, status: int = 200) -> str:
    """Return a page of somebody's own, with single spaces; no cache keeps it."""
    answer = browser.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return re.sub(r"\s+", " ", answer.text)


def done(answer: Any, to: str | None = None) -> str:
    """Return where a form that was taken leads."""
    assert answer.status_code == 303, answer.text
    location = str(answer.headers["location"])
    assert to is None or location == to
    return location


def contested(browser: TestClient, stage: Stage, ref: str = "m11", **matter: str) -> str:
    """Contest a decision as the member with a ref, and return the path of the case."""
    path = f"/my-badges/members/{member_of(stage.runtime, ref)}/appeal"
    return done(send(browser, f"{path}?{urlencode(matter)}", path, statement="I was there twice.", **matter))
