"""Erase names in a member's credentials, endorsements, and why some do not stand.

That a credential stands, or does not, stays.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.issuing import anew, endorsing, reissuing
from service.runtime.runtime import Runtime
from service.storage import locks
from service.tables import Award, Credential, Endorsement, HiddenEvidence


def reasons_of(session: OrmSession, member_id: UUID) -> int:
    """Return of how many credentials of a member it is written why they do not stand."""
    written = or_(Credential.revocation_reason.is_not(None), Credential.suspension_reason.is_not(None))
    mine = select(func.count()).select_from(Credential).join(Award, Award.id == Credential.award_id)
    return session.scalar(mine.where(Award.member_id == member_id, written)) or 0


def erase_reasons(act: Act, member_id: UUID) -> None:
    """Erase why credentials of a member do not stand."""
    mine = Credential.award_id.in_(select(Award.id).where(Award.member_id == member_id))
    act.session.execute(update(Credential).where(mine).values(revocation_reason=None, suspension_reason=None))


def named_of(session: OrmSession, member_id: UUID) -> Sequence[str]:
    """Return the credentials of a member that bear a name, hashed or in clear."""
    mine = select(Credential.id).join(Award, Award.id == Credential.award_id)
    return session.scalars(mine.where(Award.member_id == member_id, Credential.name_shown != "none")).all()


def endorsements_of(session: OrmSession, member_id: UUID) -> Sequence[Endorsement]:
    """Return the endorsements that a member gave, and those of their badges; not those that were withdrawn."""
    mine = select(Credential.id).join(Award, Award.id == Credential.award_id).where(Award.member_id == member_id)
    concerned = or_(Endorsement.member_id == member_id, Endorsement.credential_id.in_(mine))
    standing = select(Endorsement).where(concerned, Endorsement.withdrawn_at.is_(None))
    return session.scalars(standing.order_by(Endorsement.credential_id, Endorsement.id)).all()


def endorsed_by(session: OrmSession, member_id: UUID) -> Sequence[UUID]:
    """Return the members whose badges a member endorsed; they are locked before what is erased is known."""
    theirs = select(Award.member_id).join(Credential, Credential.award_id == Award.id)
    given = theirs.join(Endorsement, Endorsement.credential_id == Credential.id)
    return session.scalars(given.where(Endorsement.member_id == member_id).distinct()).all()


def erase_endorsements(act: Act, runtime: Runtime, member_id: UUID) -> None:
    """Withdraw what a member said of others, and what others said of the member.

    Raises:
        CustodyError: a key cannot be used; nothing has changed.
    """
    found = endorsements_of(act.session, member_id)
    badges = [each.credential_id for each in found]
    awards = select(Credential.award_id).where(Credential.id.in_(badges))
    locks.rows(act.session, Award, Award.id.in_(awards))  # all of them before the first status list
    locks.rows(act.session, Credential, Credential.id.in_(badges))
    for row in found:
        endorsing.withdraw(act, runtime, row)


def erase_names(act: Act, runtime: Runtime, member_id: UUID) -> None:
    """Take the name out of every credential of a member, and forget what they hid.

    What bears a name is signed again without it, also if it was revoked: nothing else takes the name out of our rows, and
    the status stays. The member is locked.

    Raises:
        CustodyError: a key cannot be used; nothing has changed.
    """
    mine = Credential.award_id.in_(select(Award.id).where(Award.member_id == member_id))
    act.session.execute(
        delete(HiddenEvidence).where(HiddenEvidence.credential_id.in_(select(Credential.id).where(mine)))
    )
    for row in locks.rows(act.session, Credential, mine, Credential.name_shown != "none"):
        award = act.session.get_one(Award, row.award_id)
        anew.store(act, runtime, award, row, anew.without_name(reissuing.unsigned_document(row)))
        row.name_shown = "none"
    act.session.flush()
