"""Who can find a credential, as its recipient chooses.

A public one may be listed by search engines; an unlisted one is seen by who has its address; a private one looks to
strangers as if there were none. Its status is published all the same, so that copies that were given out can be
verified.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.errors import ConflictError
from service.issuing import credentials, own
from service.networks import protected
from service.outbox import events
from service.storage import locks
from service.tables import Award, Credential

Visibility = Literal["public", "unlisted", "private"]


def choose(act: Act, credential_id: str, visibility: Visibility) -> Credential:
    """Set who can find a credential, and return it.

    Earlier credentials of the same award, which it replaced, have the same visibility: their pages lead to it. That the
    caller is its recipient is checked before.

    Raises:
        NotFoundError: it is not of this network (code "credential-unknown").
        ConflictError: it was declined, and stays private ("credential-declined"), or it would be public, and its
            recipient is a child or a student ("visibility-protected").
    """
    row, award = own.lock(act, credential_id)
    if row.declined_at is not None and visibility != "private":
        raise ConflictError(
            "credential-declined", "Expected a badge that was not declined; a declined one stays private."
        )
    if visibility == "public" and protected.is_protected(act.session, award.member_id, act.now):
        raise ConflictError(
            "visibility-protected", "Expected unlisted or private: badges of children and students are never public."
        )
    changed = row.visibility != visibility
    for each in locks.rows(act.session, Credential, Credential.award_id == award.id):
        each.visibility = visibility
    if changed:
        events.append(act, "credential.visibility-changed", credentials.about(row, award))
    act.session.flush()
    return row


def indexed(session: OrmSession, row: Credential, now: datetime) -> bool:
    """Return whether search engines may list a credential.

    It is public, and its recipient is not a child or a student, perhaps only since it became public.
    """
    if row.visibility != "public":
        return False
    return not protected.is_protected(session, session.get_one(Award, row.award_id).member_id, now)
