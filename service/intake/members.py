"""Add or change members and their roles, and judge the evidence that waited."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from service.access.act import Act
from service.appeals import neutrality
from service.awards import reviews, settling
from service.criteria import rejudging
from service.errors import InvalidError, ServiceError
from service.evidence import acceptances, derivation
from service.intake import posting
from service.networks import members, persons, same_person
from service.networks.members import MemberIn, RoleIn
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks, past
from service.storage.database import WriteSession
from service.tables import Member, Network, Person, Role

THEIRS = {"ref", "name"}
"""What a member can say of themself; the rest says who they are to the network, and what they may decide there."""


def put_member(act: Act, runtime: Runtime, body: MemberIn) -> tuple[Member, bool]:
    """Add or change a member; return it and whether it is new.

    Evidence that waited for the member counts now, and what it earns automatically is awarded at once.

    Raises:
        ForbiddenError: the caller is the member, or would become it, and more than the name is given (code
            "self-decision").
        ConflictError: the e-mail address and the DID are those of two persons (code "identity-conflict").
        InvalidError: a role is given twice for the same time (code "roles-overlap"), or ends before it starts (code
            "role-ends-before-start").
    """
    member, created = _put(act, body)
    bearing = posting.release_held(act, _waiting(act, [member.ref]))
    if bearing or rejudging.topics_of(act.session, [member.id]):
        settling.settle(act, runtime, bearing | {member.id})
    return member, created


def put_members(act: Act, bodies: Sequence[MemberIn]) -> list[tuple[Member, bool] | ServiceError]:
    """Add or change members; return for each, in order, the result or the refusal.

    The result is that of `put_member`. Awards that waiting evidence earns are left to `settling.settle_if_possible`.
    """
    outcomes: list[tuple[Member, bool] | ServiceError] = []
    for body in bodies:
        try:
            with act.session.begin_nested():  # what is refused half-way leaves nothing
                outcomes.append(_put(act, body))
        except ServiceError as error:
            outcomes.append(error)
    posting.release_held(act, _waiting(act, [each[0].ref for each in outcomes if isinstance(each, tuple)]))
    return outcomes


def _waiting(act: Act, refs: Collection[str]) -> set[str]:
    """Return for whom evidence may have waited: these members, and those who are the same persons."""
    return acceptances.refs_of_persons(act.session, act.network, refs)


def _put(act: Act, body: MemberIn) -> tuple[Member, bool]:
    _one_post_at_a_time(act.session, act.network)
    member = act.session.scalar(select(Member).where(Member.network_id == act.network.id, Member.ref == body.ref))
    created = member is None
    if member is not None:
        members.still_known(member)
    on_standing = bool(body.model_fields_set - THEIRS)
    if member is not None and on_standing:
        act.decides_on(member.id)
    known = person_of(act, member)
    person, changed, asked = persons.person_for(act, known, body)
    if member is None:
        member = members.new_member(act, body.ref)
    if changed:
        member.person_state = "asked" if asked else None
    said: dict[str, Any] = {"person_id": person.id if person is not None else None}
    if "organization" in body.model_fields_set:
        said["organization"] = body.organization
    if any(getattr(member, name) != value for name, value in said.items()):
        changed = True
        if not created:
            past.archive(act.session, Member, Member.__table__.c.id == member.id, act.now)
        member.known_from = act.now
        for name, value in said.items():
            setattr(member, name, value)
    if "name" in body.model_fields_set and member.name != body.name:
        member.name, changed = body.name, True
    act.session.flush()
    if on_standing:  # by an e-mail address or DID of the caller's, the member may have become the caller
        act.decides_on(member.id)
    if not created and person is not known:
        relink(act, member, known)
    if "roles" in body.model_fields_set and _put_roles(act, member, body.roles or [], new=created):
        changed = True
        topics = {f"role:{name}" for name in act.session.scalars(select(Role.role).where(Role.member_id == member.id))}
        rejudging.mark_topics(act, {member.id: topics})
    if created or changed:
        kind = "member.posted" if created else "member.changed"
        events.append(act, kind, {"member": str(member.id)})
    if asked:
        events.append(act, "member.person-asked", {"member": str(member.id)})
    if person is not known:
        tell_sharing(act, member)
    return member, created


def end_roles(act: Act, member: Member) -> None:
    """End the roles of a member now; they stay on record."""
    _put_roles(act, member, [], new=False)


def person_of(act: Act, member: Member | None) -> Person | None:
    """Return the person behind a member, if one is known."""
    return act.session.get(Person, member.person_id) if member and member.person_id else None


def relink(act: Act, member: Member, known: Person | None) -> None:
    """Write down again who a member is, wherever that decides something; forget a person who is nobody any more.

    Args:
        known: the person behind the member until now.
    """
    neutrality.relink(act, member.id)
    reviews.relink(act, member.id)
    if known is not None:
        persons.forget_without_members(act.session, known)


def tell_sharing(act: Act, member: Member) -> None:
    """Have an event say that a member is the person of another one, if it is."""
    if same_person.sharing(act.session, [member]):
        events.append(act, "member.shares-person", {"member": str(member.id)})


def _one_post_at_a_time(session: WriteSession, network: Network) -> None:
    """Lock the network's row until the commit: two posts with one e-mail address at the same moment are one person."""
    if session.info.get("members_of") != network.id:
        locks.network(session, network.id)
        session.info["members_of"] = network.id


def _put_roles(act: Act, member: Member, wanted: Sequence[RoleIn], *, new: bool) -> bool:
    """Change the roles on record to those that are wanted; return whether anything changed."""
    zone = ZoneInfo(act.network.time_zone)
    query = select(Role).where(Role.member_id == member.id).order_by(Role.from_at)
    on_record = [] if new else list(act.session.scalars(query))
    before = {(row.id, row.from_at, row.until_at) for row in on_record}
    placed: list[Role] = []
    for place, posted in enumerate(wanted):
        same = [row for row in on_record if row.role == posted.role]
        since = [row.from_at for row in same if _overlaps(row, act.now, None) and row.from_at <= act.now]
        start = posted.from_ or min(since, default=act.now)
        if posted.until is not None and posted.until <= start:
            raise InvalidError(
                "role-ends-before-start", "Expected a role that ends after it starts.", f"/roles/{place}/until"
            )
        if any(row.role == posted.role and _overlaps(row, start, posted.until) for row in placed):
            raise InvalidError("roles-overlap", "Expected a role once at one time.", f"/roles/{place}")
        corrected = [row for row in same if _overlaps(row, start, posted.until)]
        row = corrected[0] if corrected else members.new_role(member, posted.role)
        _keep_role(act, row, start, posted.until)
        row.from_at, row.until_at = start, posted.until
        derivation.date_role(row, zone)
        placed.append(row)
        on_record = [other for other in on_record if other not in corrected]
        act.session.add(row)
        for doubled in corrected[1:]:
            _keep_role(act, doubled, None, None)
            act.session.delete(doubled)
    for row in on_record:
        if row.from_at >= act.now:
            _keep_role(act, row, None, None)
            act.session.delete(row)
            continue
        if row.until_at is None or row.until_at > act.now:
            _keep_role(act, row, row.from_at, act.now)
            row.until_at = act.now
            derivation.date_role(row, zone)
        placed.append(row)
    return before != {(row.id, row.from_at, row.until_at) for row in placed}


def _keep_role(act: Act, row: Role, start: datetime | None, until: datetime | None) -> None:
    """Archive what a role on record says, if it changes now; `start` is None if it is deleted."""
    if row.from_at is not None and (row.from_at, row.until_at) != (start, until):
        past.archive(act.session, Role, Role.__table__.c.id == row.id, act.now)
    if row.from_at is None or (row.from_at, row.until_at) != (start, until):
        row.known_from = act.now


def _overlaps(row: Role, start: datetime, until: datetime | None) -> bool:
    return (until is None or row.from_at < until) and (row.until_at is None or start < row.until_at)
