"""Links by which a member answers without an account.

The network sends them itself. A link has 192 random bits and is for one member and one cycle. Who has it can answer as
that member, and sees what the member answered only after a button is pressed; nothing about other people. It works while
the cycle is open, and no longer once the member is erased, another link was made, or the token that made it was revoked.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import CallersAct
from service.access.callers import digest_of
from service.errors import ConflictError, NotFoundError, ServiceError
from service.networks import members
from service.participation.needs import answers, cycles
from service.participation.needs.shapes import NeedsAnswerFields
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.storage.database import WriteSession
from service.tables import Member, NeedsAnswer, NeedsCycle, NeedsLink, Network, Token
from service.texts.languages import N_

PATH: Final = "/needs/"
KEPT_FOR: Final = timedelta(days=90)
"""How long a link is stored after its cycle has closed, so that its page can say so."""
BATCH: Final = 500

Standing = Literal["open", "early", "over", "network-closed"]
UNKNOWN: Final = N_("There is no such link, or the network has made a new one. Ask the network for a link.")
SAID: Final[dict[str, str]] = {
    "early": N_("You can answer once the survey has opened. Keep this link until then."),
    "over": N_("The time to answer is over."),
    "network-closed": N_("This network was closed and takes nothing new."),
}


@dataclass(frozen=True)
class MadeLink:
    """A link, as it is told once, and for whom it is."""

    member: str
    url: str


@dataclass(frozen=True)
class Invited:
    """For whom a link is, in which cycle, and whether it can be used now."""

    network: Network
    cycle: NeedsCycle
    member: Member
    standing: Standing
    answer: NeedsAnswer | None


def make(act: CallersAct, runtime: Runtime, ref: str, refs: Sequence[str]) -> tuple[NeedsCycle, list[MadeLink]]:
    """Make a link for each of some members, in place of earlier ones; a ref that came twice counts once.

    Raises:
        NotFoundError: the network has no such cycle (code "needs-cycle-unknown") or member ("member-unknown").
        ForbiddenError: the token is that of a member who is neither facilitator nor assessor (code "needs-role").
        ConflictError: the cycle is closed (code "needs-over"), or a member was erased ("member-erased").
    """
    cycle = cycles.held(act, ref)
    if cycles.state_of(cycle, act.now) == "closed":
        raise ConflictError("needs-over", "Expected a cycle that is not closed: nobody can answer any more.")
    made = []
    for place, member_ref in enumerate(refs):
        if member_ref in refs[:place]:
            continue
        try:
            member = members.still_known(members.get_member(act.session, act.network, member_ref))
        except ServiceError as error:
            error.pointer = f"/members/{place}"
            raise
        secret = secrets.token_urlsafe(24)
        before = (NeedsLink.cycle_id == cycle.id, NeedsLink.member_id == member.id)
        act.session.execute(delete(NeedsLink).where(*before))
        act.session.add(
            NeedsLink(
                network_id=act.network.id,
                cycle_id=cycle.id,
                member_id=member.id,
                secret_sha256=digest_of(secret),
                made_at=act.now,
                token_id=act.caller.token_id,
                actor_member_id=act.caller.member_id,
            )
        )
        made.append(MadeLink(member_ref, f"{runtime.settings.base_url}{PATH}{secret}"))
    act.session.flush()
    return cycle, made


def find(session: OrmSession, secret: str, now: datetime) -> Invited:
    """Return for whom a link is.

    Raises:
        NotFoundError: there is none (code "needs-link-unknown").
    """
    query = (
        select(Network, NeedsCycle, Member, Token.revoked_at)
        .join(NeedsCycle, NeedsCycle.network_id == Network.id)
        .join(NeedsLink, NeedsLink.cycle_id == NeedsCycle.id)
        .join(Member, Member.id == NeedsLink.member_id)
        .outerjoin(Token, Token.id == NeedsLink.token_id)
        .where(NeedsLink.secret_sha256 == _digest(secret), Member.erased_at.is_(None))
    )
    found = session.execute(query).one_or_none()
    if found is None or found[3] is not None:
        raise NotFoundError("needs-link-unknown", UNKNOWN)
    network, cycle, member, _ = found
    return Invited(network, cycle, member, _standing(network, cycle, now), answers.own(session, cycle, member))


def answer(session: WriteSession, secret: str, body: NeedsAnswerFields, now: datetime) -> None:
    """Answer by a link.

    Raises:
        NotFoundError: as `find`.
        ConflictError, InvalidError: as `answers.give`; the network is closed (code "network-closed").
    """
    act, found = _entered(session, secret, now)
    answers.record(act, found.cycle, found.member, body, "link")


def withdraw(session: WriteSession, secret: str, now: datetime) -> None:
    """Take back by a link what was answered.

    Raises:
        NotFoundError: as `find`; there is no answer (code "needs-answer-unknown").
        ConflictError: the cycle is closed (code "needs-over"), or the network ("network-closed").
    """
    act, found = _entered(session, secret, now)
    if found.standing != "open":
        raise ConflictError("needs-over", SAID["over"])
    answers.remove(act, found.cycle, found.member)


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete links whose cycle closed long ago; return how many."""
    count = 0
    while go_on():
        before = runtime.now() - KEPT_FOR
        with runtime.database.read() as session:
            over = select(NeedsCycle.id).where(NeedsCycle.closes_at < before)
            found = session.scalars(select(NeedsLink.id).where(NeedsLink.cycle_id.in_(over)).limit(BATCH)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(NeedsLink).where(NeedsLink.id.in_(found)))
        count += len(found)
    return count


def _entered(session: WriteSession, secret: str, now: datetime) -> tuple[CallersAct, Invited]:
    """Lock the network of a link; return the act of its member, and what it invites to."""
    network_id = find(session, secret, now).network.id
    locks.network(session, network_id)
    session.expire_all()  # what was read before the lock may be another by now
    found = find(session, secret, now)
    caller = callers.in_person(found.member, "evidence:write")
    return CallersAct(session, callers.still_open(found.network), caller, now), found


def _standing(network: Network, cycle: NeedsCycle, now: datetime) -> Standing:
    if network.state == "closed":
        return "network-closed"
    state = cycles.state_of(cycle, now)
    return "open" if state == "open" else "early" if state == "planned" else "over"


def _digest(secret: str) -> str:
    return digest_of(secret.encode("utf-8", "replace").decode())
