"""Declare that others may have had keys, and set right what these keys signed.

The network signs with another key from the first commit on, and its status lists are signed again in the same commit.
What the rows prove to have been issued before is signed again under its id. What was issued since is suspended, and
people decide on each badge in the queue of approvals. This is done some badges at a time. Rows say what is left, so
that the same request again, or upkeep, goes on where it broke off, and each badge has its turn once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import ColumnElement, and_, func, or_, select

from service.access.act import Act
from service.awards import endings
from service.bodies import Body, Instant
from service.issuing import credentials, endorsements, reissuing, status_lists
from service.issuing.credentials import IssuerKeys
from service.notifications.letters.recipients import addressees
from service.outbox import mailbox
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.signing import keyring, service_identity
from service.storage import locks
from service.storage.database import ReadSession, WriteSession
from service.tables import Achievement, Award, Credential, Key, Member, Message, Network, Review, StatusList

CHUNK = 100
LEFT_ALONE = timedelta(seconds=30)
"""A declaration that is younger belongs to the request that made it."""
STILL_UNDER_WAY = timedelta(minutes=10)
"""How long after a declaration something may be stored that was signed before it."""

Kid = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class CompromisedIn(Body):
    """Which keys others may have had, and since when."""

    kids: list[Kid] = Field(min_length=1, max_length=50, description="their `kid`, as in `GET .../keys`")
    since: Instant = Field(
        description="since when others may have had them; if that is not known, when the oldest of them was made"
    )
    rehearse: bool = Field(False, description="true: only say what would happen")


@dataclass(frozen=True)
class SuspendedBadge:
    """A badge that was issued since others may have had the key, by the names that its network uses."""

    credential: str
    member: str
    achievement: str
    issued_at: datetime
    state: str


@dataclass(frozen=True)
class Declared:
    """What a declaration does, or did.

    `network` is None for keys of the service itself: only then are there no badges. `signs` has for each
    algorithm the kid of the key that signs now, None for one that would be made. `people` is how many have an e-mail
    address and are told.
    """

    network: str | None
    kids: list[str]
    since: datetime
    rehearsed: bool
    signs: dict[str, str | None]
    status_lists: int = 0
    people: int = 0
    reissued: list[str] = field(default_factory=list)
    suspended: list[SuspendedBadge] = field(default_factory=list)


def declare(runtime: Runtime, body: CompromisedIn, now: datetime, network_id: UUID | None = None) -> Declared:
    """Declare that others may have had keys, and set right what they signed.

    The same call again goes on where an earlier one broke off, and gives the same answer.

    Args:
        network_id: whose keys they must be, if that is known.
    Raises:
        NotFoundError, InvalidError, ConflictError: as `keyring.named` and `keyring.check_since`.
        CustodyError: nothing can be signed; what was done before stays done.
    """
    with runtime.database.read() as session:
        keys = keyring.named(session, body.kids, network_id)
        keyring.check_since(keys, body.since, now)
        if body.rehearse:
            return _declared(session, keys, body.since, rehearsed=True)
    with runtime.database.write() as session:
        act = Act(session, session.get_one(Network, keys[0].network_id), None, now)
        keys = keyring.named(session, body.kids, network_id)
        if keyring.declare_compromised(act, runtime, keys, body.since):
            status_lists.publish_network(act, runtime)
    for declaration in dict.fromkeys(map(_declaration_of, keys)):
        _set_right(runtime, declaration)
    with runtime.database.read() as session:
        return _declared(session, keyring.named(session, body.kids), body.since, rehearsed=False)


def declare_services(runtime: Runtime, body: CompromisedIn, now: datetime) -> Declared:
    """Declare that others may have had keys of the service itself.

    Raises:
        NotFoundError, InvalidError, ConflictError, CustodyError: as `service_identity.declare_compromised`.
    """
    kids = sorted(set(body.kids))
    if body.rehearse:
        with runtime.database.read() as session:
            for kid in kids:
                keyring.check_since([service_identity.find(session, kid)], body.since, now)
            left = [key for key in service_identity.keys(session) if key.retired_at is None and key.kid not in kids]
    else:
        with runtime.database.write() as session:
            left = [service_identity.declare_compromised(session, runtime, kid, body.since, now) for kid in kids]
    signs = {service_identity.ALGORITHM: left[-1].kid if left else None}
    return Declared(None, kids, body.since, body.rehearse, signs)


def set_right_left_over(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Go on with declarations that are not cleared; return how many badges were set right.

    The process that declared has died, or could not sign, or something was stored that had been signed before.
    """
    now = runtime.now()
    unclear = select(Key).where(Key.cleared_at.is_(None), Key.declared_at < now - LEFT_ALONE).order_by(Key.id)
    with runtime.database.read() as session:
        found = dict.fromkeys(map(_declaration_of, session.scalars(unclear)))
    count = 0
    for declaration in found:
        count += _set_right(runtime, declaration, go_on)
        if declaration.at < now - STILL_UNDER_WAY and go_on():
            with runtime.database.write() as session:
                keys = locks.keys(session, *declaration.keys)
                left = _left(keys, declaration.since, in_turn=False)
                if session.scalar(select(Credential.id).where(*left).limit(1)) is None:
                    for key in keys:
                        key.cleared_at = now
    return count


@dataclass(frozen=True)
class _Declaration:
    """The keys of a network that were declared at one moment, with one time since when others may have had them."""

    network_id: UUID
    at: datetime
    since: datetime

    @property
    def keys(self) -> tuple[ColumnElement[bool], ...]:
        """The conditions on `Key`."""
        return (Key.network_id == self.network_id, Key.declared_at == self.at, Key.compromised_at == self.since)


def _declaration_of(key: Key) -> _Declaration:
    assert key.declared_at is not None  # it was declared, and then both are there
    assert key.compromised_at is not None
    return _Declaration(key.network_id, key.declared_at, key.compromised_at)


def _left(keys: Collection[Key], since: datetime, *, in_turn: bool = True) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on `Credential` that something is still to be done with it.

    A revoked one has nothing that stands and could be signed again. One that was issued since is done while people are
    to decide on it: then its review waits.

    Args:
        in_turn: leave out what is suspended and has its turn when people have decided on another badge of the same
            member and achievement, because one review waits at a time for both.
    """
    waits = select(Review.id).where(Review.state == "waiting", Review.kind == "standing")
    if in_turn:
        same = and_(Award.member_id == Review.member_id, Award.achievement_id == Review.achievement_id)
        waits = waits.join(Award, same).where(Award.id == Credential.award_id)
    else:
        waits = waits.where(Review.award_id == Credential.award_id)
    undone = or_(Credential.issued_at < since, Credential.suspended_at.is_(None), ~waits.exists())
    return (
        Credential.network_id == next(iter(keys)).network_id,
        Credential.revoked_at.is_(None),
        reissuing.signed_with(keys, now=True),
        undone,
    )


def _set_right(runtime: Runtime, declaration: _Declaration, go_on: GoOn = to_the_end) -> int:
    """Set right what the keys of a declaration signed, and tell people; return how many badges."""
    network_id, since = declaration.network_id, declaration.since
    count, last = 0, ""
    while go_on():
        now = runtime.now()
        with runtime.database.read() as session:
            keys = session.scalars(select(Key).where(*declaration.keys).order_by(Key.id)).all()
            left = select(Credential).where(*_left(keys, since), Credential.id > last)
            rows = session.scalars(left.order_by(Credential.id).limit(CHUNK)).all()
            older = [row for row in rows if row.issued_at < since]
            # Signed before the transaction that writes, which on SQLite keeps every other writer waiting.
            issuer = credentials.issuer_keys(session, runtime, session.get_one(Network, network_id)) if older else None
            written = {row.id: _written(session, runtime, issuer, row, now) for row in older} if issuer else {}
        with runtime.database.write() as session:
            act = Act(session, session.get_one(Network, network_id), None, now)
            if not rows:
                _tell(act, keys)
                # One that another transaction had opened, and not committed, when the key was declared.
                status_lists.publish_signed_with(act, runtime, keys)
                break
            _carry_out(act, runtime, [row.id for row in rows], written, keys, since)
        count, last = count + len(rows), rows[-1].id
    return count


def _written(
    session: ReadSession, runtime: Runtime, issuer: IssuerKeys, row: Credential, now: datetime
) -> reissuing.NewText:
    document = endorsements.put_in(session, runtime.settings, row, reissuing.unsigned_document(row), now)
    return reissuing.write_again(issuer, row, now, document)


def _carry_out(
    act: Act,
    runtime: Runtime,
    credential_ids: Sequence[str],
    written: dict[str, reissuing.NewText],
    keys: Sequence[Key],
    since: datetime,
) -> None:
    """Store what was signed again, and suspend the others, in one transaction."""
    of = Award.id.in_(select(Credential.award_id).where(Credential.id.in_(credential_ids)))
    locks.members(act.session, select(Award.member_id).where(of))
    awards = {award.id: award for award in locks.rows(act.session, Award, of)}
    # Asked again under the lock: another process may have been faster.
    rows = locks.rows(act.session, Credential, Credential.id.in_(credential_ids), *_left(keys, since))
    for row in rows:
        if row.id in written:
            reissuing.store(act, awards[row.award_id], row, written[row.id])
    endings.suspend_unproven(act, runtime, [row for row in rows if row.id not in written], keys[0])


def _tell(act: Act, keys: Sequence[Key]) -> None:
    """Queue one mail for each person who has such badges, and an address, and has not been told."""
    locks.keys(act.session, Key.id.in_([key.id for key in keys]))  # of two who tell at once, one finds it done
    told = select(Message.member_id).where(Message.key_id.in_([key.id for key in keys]))
    before = _people(act.session, act.session.scalars(told).all())
    signed = select(Award.member_id).join(Credential, Credential.award_id == Award.id)
    signed = signed.where(*_concerned(keys)).distinct()
    for who, member_id in _people(act.session, act.session.scalars(signed).all()).items():
        if who not in before:
            mailbox.queue_compromise(act, keys[0].id, member_id)


def _concerned(keys: Collection[Key]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions on `Credential` that one of these keys has signed it, and it was not revoked."""
    network_id = next(iter(keys)).network_id
    return (Credential.network_id == network_id, Credential.revoked_at.is_(None), reissuing.signed_with(keys))


def _people(session: ReadSession | WriteSession, member_ids: Iterable[UUID | None]) -> dict[UUID, UUID]:
    """Return the persons behind these members who have an e-mail address, each with one of their members."""
    found: dict[UUID, UUID] = {}
    ordered = sorted(each for each in member_ids if each is not None)
    for start in range(0, len(ordered), CHUNK):
        some = ordered[start : start + CHUNK]
        reached = addressees(session, some).keys()
        who = select(Member.id, func.coalesce(Member.person_id, Member.id)).where(Member.id.in_(reached))
        for member_id, person_id in session.execute(who.order_by(Member.id)):
            found.setdefault(person_id, member_id)
    return found


def _declared(session: ReadSession, keys: Sequence[Key], since: datetime, *, rehearsed: bool) -> Declared:
    """Return what declaring these keys does, or did: the same before and after."""
    network = session.get_one(Network, keys[0].network_id)
    theirs = [key for key in keyring.keys_of(session, network) if key.retired_at is None and key not in keys]
    newest = {key.algorithm: key.kid for key in theirs}
    lists = select(func.count()).where(StatusList.network_id == network.id)
    rows = session.execute(
        select(
            *(Credential.id, Credential.issued_at, Credential.suspended_at, Credential.revoked_at),
            *(Member.id, Member.ref, Achievement.ref),
        )
        .join(Award, Award.id == Credential.award_id)
        .join(Member, Member.id == Award.member_id)
        .join(Achievement, Achievement.id == Award.achievement_id)
        .where(Credential.network_id == network.id, reissuing.signed_with(keys))
        .order_by(Credential.id)
    ).all()
    concerned: set[UUID | None] = {member_id for *_, revoked_at, member_id, _, _ in rows if revoked_at is None}
    done = Declared(
        network=network.slug,
        kids=[key.kid for key in keys],
        since=since,
        rehearsed=rehearsed,
        signs={key.algorithm: newest.get(key.algorithm) for key in keys},
        status_lists=session.scalar(lists) or 0,
        people=len(_people(session, concerned)),
    )
    for credential_id, issued_at, suspended_at, revoked_at, _, member, achievement in rows:
        if issued_at >= since:
            state = "revoked" if revoked_at else "suspended" if suspended_at or rehearsed else "valid"
            done.suspended.append(SuspendedBadge(credential_id, member, achievement, issued_at, state))
        elif revoked_at is None:
            done.reissued.append(credential_id)
    return done
