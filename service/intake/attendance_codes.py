"""Attendance codes: by one, people in a session say that they were there.

A code hangs in the room as a QR code. Anyone who has a photo of it can use it while it is open, so it proves nothing by
itself: what follows is what the person says about themself, or what somebody of the network confirms. A code belongs to
one session, has a time window and a number of people, and can be replaced or closed.

It has 16 letters of an alphabet of 18, which is 66 bits, and only somebody who is signed in can try one: an account may try
20 in a minute. With 10,000 codes open for a day, a million accounts that try all the time find one of them with a
probability below one in 400,000, and can then say that they were there: no more.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import Field
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session as OrmSession

from service.access import callers
from service.access.act import CallersAct
from service.accounts.sign_in import BATCH, digest_of
from service.bodies import Body, Instant
from service.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from service.evidence import derivation
from service.networks import meetings
from service.outbox import events
from service.runtime.runtime import Runtime
from service.runtime.work import GoOn, to_the_end
from service.storage import locks
from service.tables import AttendanceClaim, AttendanceCode, Meeting, Network, Token
from service.texts.languages import N_

BEFORE: Final = timedelta(hours=1)
"""How long before a session begins a code can open at most."""
AFTER: Final = timedelta(days=7)
"""How long after a session a code can be open at most."""
MARGIN: Final = timedelta(minutes=30)
"""How long before and after a session a code is open if nobody says so."""
LASTING: Final = timedelta(hours=3)
"""How long a session is taken to last if nobody says so."""
KEPT_FOR: Final = timedelta(days=90)
"""How long a code, with what people claimed by it, is stored after it has closed."""
MOST: Final = 5_000
LETTERS: Final = "BCDFGHJKMNPQRTVWXY"
"""The letters of codes: no vowels, so that they make no words, and none that looks like another or like a digit."""
LENGTH: Final = 16

Standing = Literal["open", "early", "late", "full", "closed", "replaced", "network-closed"]
"""Whether a code can be used now, or why not."""
UNKNOWN: Final = N_("There is no such attendance code. Check each letter: a code has 16 letters.")
SAID: Final[dict[str, str]] = {
    "early": N_("This code does not work yet. Try again when the time for it has begun."),
    "late": N_("The time to use this code is over. Ask the network to record that you were there."),
    "full": N_("As many people as can use this code have used it. Ask the network to record that you were there."),
    "closed": N_("The network has closed this code. Ask the network to record that you were there."),
    "replaced": N_("The network has replaced this code with a new one. Scan the code that hangs in the room now."),
    "network-closed": N_("This network was closed and takes nothing new."),
}


class CodeIn(Body):
    """When people can say that they were in a session, how many, and who decides."""

    opens_at: Instant | None = Field(
        None, description="at most 1 hour before the session begins; left out: 30 minutes before"
    )
    closes_at: Instant | None = Field(
        None,
        description="at most 7 days after the session; left out: 30 minutes after. A session without an end is taken to last 3 hours",
    )
    most: int = Field(100, ge=1, le=MOST, description="how many people can use it")
    approval: bool = Field(
        True,
        description=(
            "true: a claim counts once somebody of the network has approved it, and then as their word; false: the claim of a"
            " member whose address is proved counts at once, as their own word (tier 0). Claims of students and minors, and of"
            " people in whom the network knows no member, wait in any case"
        ),
    )


@dataclass(frozen=True)
class MadeCode:
    """A code, as it is told once, with its row and its session."""

    row: AttendanceCode
    meeting: Meeting
    code: str


@dataclass(frozen=True)
class CodeState:
    """The newest code of a session, whether it can be used, and how many claims there are by their state."""

    row: AttendanceCode
    standing: Standing
    counts: dict[str, int]


def open_code(act: CallersAct, ref: str, body: CodeIn) -> MadeCode:
    """Make a code for a session.

    Raises:
        NotFoundError: the network has no such session (code "session-unknown").
        ForbiddenError: the token is that of a member who is neither facilitator nor assessor ("attendance-role").
        ConflictError: it has an open one (code "attendance-open").
        InvalidError: the window is empty ("attendance-window-empty"), over ("attendance-window-over"), or too far from the
            session ("attendance-window-wide").
    """
    meeting = held(act, ref)
    last = newest(act.session, meeting)
    if last is not None and last.state == "open":
        if standing_of(act.session, last, act.network, act.now, people=False) in ("open", "early"):
            message = "Expected a session without an open attendance code. Replace that one, or close it first."
            raise ConflictError("attendance-open", message)
        _end(act, last, "closed")
    opens_at, closes_at = _window(meeting, body, act.now)
    return _new(act, meeting, opens_at, closes_at, body.most, approval=body.approval)


def replace(act: CallersAct, ref: str) -> MadeCode:
    """Replace the open code of a session: the one before works no longer; everything else about it stays.

    Raises:
        NotFoundError, ForbiddenError: as `open_code`.
        ConflictError: there is none that is open (code "attendance-not-open").
    """
    meeting = held(act, ref)
    last = _open_of(act, meeting)
    _end(act, last, "replaced")
    return _new(act, meeting, last.opens_at, last.closes_at, last.most, approval=last.approval)


def close(act: CallersAct, ref: str) -> None:
    """Have the code of a session work no longer; claims that wait can still be decided.

    Raises:
        NotFoundError, ForbiddenError, ConflictError: as `replace`.
    """
    meeting = held(act, ref)
    _end(act, _open_of(act, meeting), "closed")
    events.append(act, "attendance.closed", {"session": str(meeting.id)})


def state_of(session: OrmSession, network: Network, meeting: Meeting, now: datetime) -> CodeState:
    """Return the newest code of a session, and how far it is.

    Raises:
        NotFoundError: the session has none (code "attendance-code-unknown").
    """
    row = newest(session, meeting)
    if row is None:
        raise NotFoundError("attendance-code-unknown", "Expected a session with an attendance code; make one first.")
    by_state = select(AttendanceClaim.state, func.count()).where(AttendanceClaim.session_id == meeting.id)
    counts: dict[str, int] = dict(session.execute(by_state.group_by(AttendanceClaim.state)).all())
    return CodeState(row, standing_of(session, row, network, now), counts)


def with_code(session: OrmSession, network: Network, meeting: Meeting, typed: str, now: datetime) -> MadeCode:
    """Return the code of a session that the caller has kept, to print it.

    Raises:
        NotFoundError: it is none of this session, or no longer (code "attendance-code-unknown").
    """
    row = session.scalar(
        select(AttendanceCode).where(
            AttendanceCode.secret_sha256 == digest_of(as_stored(typed)), AttendanceCode.session_id == meeting.id
        )
    )
    if row is None or standing_of(session, row, network, now, people=False) not in ("open", "early"):
        message = "Expected the code of this session that can be used now. Replace the code if nobody has kept it."
        raise NotFoundError("attendance-code-unknown", message, "/code")
    return MadeCode(row, meeting, as_printed(as_stored(typed)))


def find(session: OrmSession, typed: str) -> AttendanceCode:
    """Return the code that somebody scanned or typed.

    Raises:
        NotFoundError: there is none (code "attendance-code-unknown").
    """
    row = session.scalar(select(AttendanceCode).where(AttendanceCode.secret_sha256 == digest_of(as_stored(typed))))
    if row is None:
        raise NotFoundError("attendance-code-unknown", UNKNOWN)
    return row


def standing_of(
    session: OrmSession, row: AttendanceCode, network: Network, now: datetime, *, people: bool = True
) -> Standing:
    """Return whether a code can be used.

    If the token that made it was revoked, it counts as closed: somebody else may have had that token.

    Args:
        people: whether to look at how many have used it.
    """
    if network.state == "closed":
        return "network-closed"
    if row.state != "open":
        return "replaced" if row.state == "replaced" else "closed"
    made_by = None if row.token_id is None else session.get_one(Token, row.token_id)
    if made_by is not None and made_by.revoked_at is not None:
        return "closed"
    if now < row.opens_at:
        return "early"
    if now >= row.closes_at:
        return "late"
    if people:
        used = select(func.count()).select_from(AttendanceClaim).where(AttendanceClaim.session_id == row.session_id)
        if (session.scalar(used.where(AttendanceClaim.state != "refused")) or 0) >= row.most:
            return "full"
    return "open"


def refusal(standing: Standing) -> ConflictError:
    """Return why a code that is not open cannot be used."""
    said = SAID[standing]
    match standing:
        case "early":
            return ConflictError("attendance-early", said)
        case "late":
            return ConflictError("attendance-late", said)
        case "full":
            return ConflictError("attendance-full", said)
        case "replaced":
            return ConflictError("attendance-replaced", said)
        case "network-closed":
            return ConflictError("network-closed", said)
        case _:
            return ConflictError("attendance-closed", said)


def newest(session: OrmSession, meeting: Meeting) -> AttendanceCode | None:
    """Return the newest code of a session."""
    query = select(AttendanceCode).where(AttendanceCode.session_id == meeting.id)
    return session.scalar(query.order_by(AttendanceCode.made_at.desc(), AttendanceCode.id.desc()).limit(1))


def by_who_attests(act: CallersAct) -> None:
    """Let the network pass, and its facilitators and assessors.

    The token is locked before the network, as `storage.locks` says.

    Raises:
        UnauthenticatedError: the token was revoked since the request began (code "token-revoked").
        ForbiddenError: the token is that of another member (code "attendance-role").
    """
    callers.still_good(act.session, act.caller)
    locks.network(act.session, act.network.id)
    who = (act.caller.member_id, act.now)
    if act.caller.member_id is not None and not derivation.actors(act.session, [who])[who].attests:
        message = "Expected a token of the network, or of a facilitator or assessor."
        raise ForbiddenError("attendance-role", message)


def held(act: CallersAct, ref: str) -> Meeting:
    """Let who attests pass; return a session, and let nobody else change its codes and claims until the commit."""
    by_who_attests(act)
    return meetings.held(act, ref)


def as_printed(code: str) -> str:
    """Return a code in groups of four: BCDF-GHJK-MNPQ-RTVW."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def as_stored(typed: str) -> str:
    """Return the letters of a code that somebody typed, with or without hyphens, in any case."""
    return "".join(letter for letter in typed.upper() if letter in LETTERS)[: LENGTH + 1]


def url_of(runtime: Runtime, code: str) -> str:
    """Return the address that the QR code bears."""
    return f"{runtime.settings.base_url}/attend/{as_stored(code)}"


def forget_old(runtime: Runtime, go_on: GoOn = to_the_end) -> int:
    """Delete codes that closed long ago, with what people claimed by them; return how many."""
    count = 0
    while go_on():
        old = AttendanceCode.closes_at < runtime.now() - KEPT_FOR
        with runtime.database.read() as session:
            found = session.scalars(select(AttendanceCode.id).where(old).limit(BATCH)).all()
        if not found:
            break
        with runtime.database.write() as session:
            session.execute(delete(AttendanceClaim).where(AttendanceClaim.code_id.in_(found)))
            session.execute(delete(AttendanceCode).where(AttendanceCode.id.in_(found)))
        count += len(found)
    return count


def _open_of(act: CallersAct, meeting: Meeting) -> AttendanceCode:
    row = newest(act.session, meeting)
    if row is None or row.state != "open":
        raise ConflictError("attendance-not-open", "Expected a session with an open attendance code; make one first.")
    return row


def _end(act: CallersAct, row: AttendanceCode, state: str) -> None:
    row.state, row.ended_at = state, act.now
    act.session.flush()  # before another one is open: only one may be


def _window(meeting: Meeting, body: CodeIn, now: datetime) -> tuple[datetime, datetime]:
    end = meeting.ends_at or meeting.starts_at + LASTING
    if end + AFTER <= now:
        message = (
            f"Expected a session that ended less than {AFTER.days} days ago: people claim attendance only until then."
        )
        raise InvalidError("attendance-window-over", message)
    opens_at, closes_at = body.opens_at or meeting.starts_at - MARGIN, body.closes_at or end + MARGIN
    if closes_at <= opens_at:
        message = "Expected a window that closes after it opens."
        raise InvalidError("attendance-window-empty", message, "/closes_at")
    if closes_at <= now:
        raise InvalidError("attendance-window-over", "Expected a `closes_at` that is not past yet.", "/closes_at")
    if opens_at < meeting.starts_at - BEFORE:
        message = "Expected an `opens_at` at most 1 hour before the session begins."
        raise InvalidError("attendance-window-wide", message, "/opens_at")
    if closes_at > end + AFTER:
        message = "Expected a `closes_at` at most 7 days after the session."
        raise InvalidError("attendance-window-wide", message, "/closes_at")
    return opens_at, closes_at


def _new(
    act: CallersAct, meeting: Meeting, opens_at: datetime, closes_at: datetime, most: int, *, approval: bool
) -> MadeCode:
    code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    row = AttendanceCode(
        network_id=act.network.id,
        session_id=meeting.id,
        secret_sha256=digest_of(code),
        opens_at=opens_at,
        closes_at=closes_at,
        most=most,
        approval=approval,
        made_at=act.now,
        token_id=act.caller.token_id,
        actor_member_id=act.caller.member_id,
    )
    act.session.add(row)
    act.session.flush()
    events.append(act, "attendance.opened", {"session": str(meeting.id)})
    return MadeCode(row, meeting, as_printed(code))
