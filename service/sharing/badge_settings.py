"""What the recipient of a badge chooses about it.

They choose who can find it, whether it names them, and what evidence it shows. That the one who is signed in is the recipient is decided here, under the lock of the network, before anything else.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from service.access.act import Act
from service.awards import endings
from service.errors import InvalidError
from service.issuing import anew, shown_evidence, visibility
from service.issuing.anew import NameShown, Presentation
from service.issuing.shown_evidence import EvidenceItem
from service.issuing.visibility import Visibility
from service.networks import protected
from service.runtime.runtime import Runtime
from service.sharing import my_badges
from service.sharing.my_badges import OwnBadge
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import Account, Credential
from service.texts.languages import N_

NO_NAME = N_("First add your name in your account. Then come back and put it on the badge.")


@dataclass(frozen=True)
class ChosenSoFar:
    """A badge with what its recipient chose.

    `protected`: the recipient is a child or a student there, for whom some choices are not open. `name` is the one of
    the account. `can_change`: it can be signed again.
    """

    badge: OwnBadge
    protected: bool
    name: str | None
    items: list[EvidenceItem]
    can_change: bool


def chosen(session: ReadSession, account_id: UUID, credential_id: str, now: datetime) -> ChosenSoFar:
    """Return what the recipient of a badge chose about it until now.

    Raises:
        NotFoundError: it is not theirs (code "credential-unknown").
    """
    found = my_badges.badge(session, account_id, credential_id, now)
    return ChosenSoFar(
        found,
        protected.is_protected(session, found.award.member_id, now),
        session.get_one(Account, account_id).name,
        shown_evidence.items(session, found.row),
        found.row.revoked_at is None,
    )


def see(session: WriteSession, account_id: UUID, credential_id: str, chosen: Visibility, now: datetime) -> None:
    """Set who can find a badge.

    Raises:
        NotFoundError, ConflictError: it is not theirs (code "credential-unknown"), or as `visibility.choose`.
    """
    visibility.choose(_act(session, account_id, credential_id, now), credential_id, chosen)


def name(
    session: WriteSession, runtime: Runtime, account_id: UUID, credential_id: str, shown: NameShown, now: datetime
) -> None:
    """Set whether a badge bears the name of the account, and how; it is signed again.

    Raises:
        InvalidError: the account has no name (code "name-missing").
        NotFoundError, ServiceError: it is not theirs (code "credential-unknown"), or as `sign_anew`.
    """
    act = _act(session, account_id, credential_id, now)
    own = session.get_one(Account, account_id).name
    if shown != "none" and not own:
        raise InvalidError("name-missing", NO_NAME)
    anew.sign_anew(act, runtime, credential_id, Presentation(name_shown=shown, name=own))


def hide(
    session: WriteSession,
    runtime: Runtime,
    account_id: UUID,
    credential_id: str,
    hidden: Collection[str],
    now: datetime,
) -> None:
    """Set which items of evidence a badge does not show; it is signed again if that changes it.

    Raises:
        NotFoundError, ServiceError: it is not theirs (code "credential-unknown"), or as `shown_evidence.choose`.
    """
    shown_evidence.choose(_act(session, account_id, credential_id, now), runtime, credential_id, hidden)


def decline(session: WriteSession, runtime: Runtime, account_id: UUID, credential_id: str, now: datetime) -> None:
    """Decline a badge, for good.

    Raises:
        NotFoundError, ServiceError: it is not theirs (code "credential-unknown"), or as `endings.decline`.
    """
    endings.decline(_act(session, account_id, credential_id, now), runtime, credential_id)


def _act(session: WriteSession, account_id: UUID, credential_id: str, now: datetime) -> Act:
    """Return an act of nobody's token on a badge, once it is known to be of the account.

    The network stays locked, so that the badge stays theirs until the commit: who is who changes under the same lock.
    """
    network_id = session.scalar(select(Credential.network_id).where(Credential.id == credential_id))
    if network_id is not None:
        locks.network(session, network_id)
    found = my_badges.badge(session, account_id, credential_id, now)
    return Act(session, found.network, None, now)
