"""Disagreements of a signed-in person with another member of a network.

Nobody is shown a list of members to choose from, and nobody is found by a part of a name: who disagrees types the whole
name, ref or e-mail address by which they know the other one. Who is found gets a mail about the case, so that nobody looks
for people here unseen, and an account can only name a few (`accounts.limits`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as OrmSession

from service.accounts import addresses
from service.appeals import disagreements, mediation
from service.appeals.case_files import ShownCase
from service.appeals.contestable import CaseIn
from service.appeals.hearing import ANSWERS
from service.appeals.mediation import AgreementAcceptanceIn
from service.errors import NotFoundError
from service.sharing import my_badges, own_cases
from service.storage.database import WriteSession
from service.tables import Case, CaseHold, CaseStep, Identity, Member, Network
from service.texts.languages import N_

NOBODY: Final = N_(
    "We found nobody of this network by exactly that. Compare it with what the network calls the person, or ask the"
    " network to open the case for you."
)
ANSWER: Final = N_("Somebody has opened a case about a disagreement with you. Say how you see it.")
AGREE: Final = N_("In a case of yours, the mediator has proposed an agreement. Say whether you accept it.")


def named(session: OrmSession, network: Network, typed: str) -> str:
    """Return the ref of the member who is meant by a whole ref, e-mail address or name.

    Raises:
        NotFoundError: there is none, or several people have the address or the name (code "member-unknown"); who was
            erased is none.
    """
    mine = (Member.network_id == network.id, Member.erased_at.is_(None))
    found = session.scalar(select(Member.ref).where(*mine, Member.ref == typed))
    if found is not None:
        return found
    has_address = select(Identity.person_id).where(Identity.kind == "email", Identity.value == addresses.read(typed))
    meant = or_(Member.name == typed, Member.person_id.in_(has_address))
    rows = session.scalars(select(Member).where(*mine, meant).order_by(Member.id)).all()
    if len({row.person_id or row.id for row in rows}) != 1:
        raise NotFoundError("member-unknown", NOBODY)
    return rows[0].ref


def disagree(session: WriteSession, account_id: UUID, member_id: UUID, body: CaseIn, now: datetime) -> Case:
    """Open a case with another member.

    Raises:
        ConflictError: the network is closed (code "network-closed"), or as `disagreements.open_case`.
        NotFoundError: the account is no such member (code "member-unknown"), or as `disagreements.open_case`.
    """
    own = my_badges.membership(session, account_id, member_id)
    return disagreements.open_case(own_cases.act_of(session, own, now), body)


def accept(session: WriteSession, account_id: UUID, case_id: UUID, proposal: UUID, now: datetime) -> None:
    """Accept what the mediator proposed.

    Raises:
        NotFoundError, ConflictError: as `own_cases.find` and `mediation.accept`.
    """
    mediation.accept(
        own_cases.act_in(session, account_id, case_id, now), case_id, AgreementAcceptanceIn(proposal=proposal)
    )


def proposal_of(shown: ShownCase) -> CaseStep | None:
    """Return the proposal that a party can accept now: the last one, unless they have, or it cannot be read."""
    last = next((step for step in reversed(shown.steps) if step.kind == "proposed"), None)
    if last is None or last.salt is None or shown.case.outcome is not None:
        return None
    accepted = any(step.kind == "accepted" and step.part == shown.part and step.id > last.id for step in shown.steps)
    return None if accepted else last


def answered(shown: ShownCase) -> bool:
    """Return whether the other member has answered."""
    return any(step.part == "respondent" and step.kind in ANSWERS for step in shown.steps)


def holds_of(session: OrmSession, members: Sequence[Member]) -> dict[UUID | None, UUID]:
    """Return the cases that hold new awards of members now, by the achievement; None: all achievements."""
    rows = select(CaseHold.achievement_id, CaseHold.case_id).where(
        CaseHold.member_id.in_([each.id for each in members]), CaseHold.until_at.is_(None)
    )
    return dict(session.execute(rows.order_by(CaseHold.id.desc())).all())


def waits(session: OrmSession, _network: Network, member: Member, _now: datetime) -> str | None:
    """Return what waits for a member to do in a disagreement; None: nothing does."""
    mine = (Case.kind == "disagreement", Case.state != "resolved")
    parties = Case.member_id.in_([member.id]) | Case.respondent_id.in_([member.id])
    agree = None
    for row in session.scalars(select(Case).where(*mine, parties).order_by(Case.id)):
        part = "member" if row.member_id == member.id else "respondent"
        steps = session.scalars(select(CaseStep).where(CaseStep.case_id == row.id).order_by(CaseStep.id)).all()
        if part == "respondent" and not any(step.part == part and step.kind in ANSWERS for step in steps):
            return ANSWER
        shown = ShownCase(row, part, {}, None, None, None, None, tuple(steps))
        agree = AGREE if proposal_of(shown) is not None else agree
    return agree
