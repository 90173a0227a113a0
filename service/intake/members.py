"""Add or change members and their roles, and judge the evidence that waited."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from service.appeals import cases
from service.awards import reviews, settling
from service.criteria import rejudging
from service.errors import InvalidError, ServiceError
from service.evidence import derivation
from service.intake import posting
from service.networks import members
from service.networks.members import MemberIn, RoleIn
from service.networks.persons import forget_without_members, person_for
from service.outbox import events
from service.runtime.runtime import Runtime
from service.storage import locks, past
from service.storage.database import WriteSession
from service.tables import Member, Network, Person, Role


def put_member(
    session: WriteSession, runtime: Runtime, network: Network, body: MemberIn, now: datetime
) -> tuple[Member, bool]:
    """Add or change a member; return it and whether it is new.

    Evidence that waited for the member counts now, and what it earns automatically is awarded at once.

    Raises:
        ConflictError: the e-mail address and the DID are those of two persons (code "identity-conflict").
        InvalidError: a role is given twice for the same time (code "roles-overlap"), or ends before it starts (code
            "role-ends-before-start").
    """
    member, created = _put(session, network, body, now)
    bearing = posting.release_held(session, network, [member.ref], now)
    if bearing or rejudging.topics_of(session, [member.id]):
        settling.settle(session, runtime, network, bearing | {member.id}, now)
    return member, created


def put_members(
    session: WriteSession, network: Network, bodies: Sequence[MemberIn], now: datetime
) -> list[tuple[Member, bool] | ServiceError]:
    """Add or change members; return for each, in order, the result or the refusal.

    The result is that of `put_member`. Awards that waiting evidence earns are left to `settling.settle_pending`.
    """
    outcomes: list[tuple[Member, bool] | ServiceError] = []
    for body in bodies:
        try:
            with session.begin_nested():  # what is refused half-way leaves nothing
                outcomes.append(_put(session, network, body, now))
        except ServiceError as error:
            outcomes.append(error)
    posting.release_held(session, network, [each[0].ref for each in outcomes if isinstance(each, tuple)], now)
    return outcomes


def _put(session: WriteSession, network: Network, body: MemberIn, now: datetime) -> tuple[Member, bool]:
    _one_post_at_a_time(session, network)
    member = session.scalar(select(Member).where(Member.network_id == network.id, Member.ref == body.ref))
    created = member is None
    known = session.get(Person, member.person_id) if member and member.person_id else None
    person, changed = person_for(session, network, known, body, now)
    if member is None:
        member = members.new_member(session, network, body.ref, now)
    said: dict[str, Any] = {"person_id": person.id} if person is not None else {}
    if "organization" in body.model_fields_set:
        said["organization"] = body.organization
    if any(getattr(member, name) != value for name, value in said.items()):
        changed = True
        if not created:
            past.archive(session, Member, Member.__table__.c.id == member.id, now)
        member.known_from = now
        for name, value in said.items():
            setattr(member, name, value)
    session.flush()
    if not created and person is not known:
        cases.relink(session, network, member.id, now)
        reviews.relink(session, network, member.id, now)
    if known is not None and person is not known:
        forget_without_members(session, known)
    if "roles" in body.model_fields_set and _put_roles(session, network, member, body.roles or [], now, new=created):
        changed = True
        topics = {f"role:{name}" for name in session.scalars(select(Role.role).where(Role.member_id == member.id))}
        rejudging.mark_topics(session, network, {member.id: topics}, now)
    if created or changed:
        kind = "member.posted" if created else "member.changed"
        events.append(session, network, kind, {"member": str(member.id)}, now)
    return member, created


def _one_post_at_a_time(session: WriteSession, network: Network) -> None:
    """Lock the network's row until the commit: two posts with one e-mail address at the same moment are one person."""
    if session.info.get("members_of") != network.id:
        locks.network(session, network.id)
        session.info["members_of"] = network.id


def _put_roles(
    session: WriteSession, network: Network, member: Member, wanted: Sequence[RoleIn], now: datetime, *, new: bool
) -> bool:
    """Change the roles on record to those that are wanted; return whether anything changed."""
    zone = ZoneInfo(network.time_zone)
    query = select(Role).where(Role.member_id == member.id).order_by(Role.from_at)
    on_record = [] if new else list(session.scalars(query))
    before = {(row.id, row.from_at, row.until_at) for row in on_record}
    placed: list[Role] = []
    for place, posted in enumerate(wanted):
        same = [row for row in on_record if row.role == posted.role]
        since = [row.from_at for row in same if _overlaps(row, now, None) and row.from_at <= now]
        start = posted.from_ or min(since, default=now)
        if posted.until is not None and posted.until <= start:
            raise InvalidError(
                "role-ends-before-start", "Expected a role that ends after it starts.", f"/roles/{place}/until"
            )
        if any(row.role == posted.role and _overlaps(row, start, posted.until) for row in placed):
            raise InvalidError("roles-overlap", "Expected a role once at one time.", f"/roles/{place}")
        corrected = [row for row in same if _overlaps(row, start, posted.until)]
        row = corrected[0] if corrected else members.new_role(member, posted.role)
        _keep_role(session, row, start, posted.until, now)
        row.from_at, row.until_at = start, posted.until
        derivation.date_role(row, zone)
        placed.append(row)
        on_record = [other for other in on_record if other not in corrected]
        session.add(row)
        for doubled in corrected[1:]:
            _keep_role(session, doubled, None, None, now)
            session.delete(doubled)
    for row in on_record:
        if row.from_at >= now:
            _keep_role(session, row, None, None, now)
            session.delete(row)
            continue
        if row.until_at is None or row.until_at > now:
            _keep_role(session, row, row.from_at, now, now)
            row.until_at = now
            derivation.date_role(row, zone)
        placed.append(row)
    return before != {(row.id, row.from_at, row.until_at) for row in placed}


def _keep_role(session: WriteSession, row: Role, start: datetime | None, until: datetime | None, now: datetime) -> None:
    """Archive what a role on record says, if it changes now; `start` is None if it is deleted."""
    if row.from_at is not None and (row.from_at, row.until_at) != (start, until):
        past.archive(session, Role, Role.__table__.c.id == row.id, now)
    if row.from_at is None or (row.from_at, row.until_at) != (start, until):
        row.known_from = now


def _overlaps(row: Role, start: datetime, until: datetime | None) -> bool:
    return (until is None or row.from_at < until) and (row.until_at is None or start < row.until_at)
