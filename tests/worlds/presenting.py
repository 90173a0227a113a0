"""What recipients choose about their credentials, as the parts of the service that know them ask for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from service.access.act import Act
from service.awards import endings
from service.issuing import anew, shown_evidence, visibility
from service.issuing.anew import Presentation
from service.runtime.runtime import Runtime
from service.tables import Credential, Identity, Member, Network


@contextmanager
def acting(runtime: Runtime, credential_id: str) -> Iterator[Act]:
    """Yield an act of nobody's token in the network of a credential; it is committed at the end."""
    with runtime.database.write() as session:
        row = session.get_one(Credential, credential_id)
        yield Act(session, session.get_one(Network, row.network_id), None, runtime.now())


def present(runtime: Runtime, credential_id: str, **chosen: Any) -> None:
    """Sign a credential anew with another presentation of its recipient."""
    with acting(runtime, credential_id) as act:
        anew.sign_anew(act, runtime, credential_id, Presentation(**chosen))


def hide(runtime: Runtime, credential_id: str, *items: str) -> None:
    """Hide these items of evidence, and no others."""
    with acting(runtime, credential_id) as act:
        shown_evidence.choose(act, runtime, credential_id, items)


def decline(runtime: Runtime, credential_id: str) -> None:
    """Decline a credential."""
    with acting(runtime, credential_id) as act:
        endings.decline(act, runtime, credential_id)


def see(runtime: Runtime, credential_id: str, who: visibility.Visibility) -> None:
    """Choose who can find a credential."""
    with acting(runtime, credential_id) as act:
        visibility.choose(act, credential_id, who)


def prove(runtime: Runtime, member: str, email: str) -> None:
    """Let the person behind a member have proved a further address."""
    with runtime.database.write() as session:
        person_id = session.scalars(select(Member.person_id).where(Member.ref == member)).one()
        session.add(Identity(person_id=person_id, kind="email", value=email, proved_at=runtime.now()))


def row_of(runtime: Runtime, credential_id: str) -> Credential:
    """Return the row of a credential."""
    with runtime.database.read() as session:
        return session.get_one(Credential, credential_id)


def document_of(runtime: Runtime, credential_id: str) -> dict[str, Any]:
    """Return what a credential says now."""
    found: dict[str, Any] = json.loads(row_of(runtime, credential_id).signed)
    return found
