"""What lists are filtered by: the network's own names, and times on its calendar.

A filter that names nothing is refused. A ref that no member has is most often a typo, and an empty list would look like
an answer.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session as OrmSession

from service.errors import InvalidError
from service.tables import Achievement, Award, Case, Meeting, Member, Network, Review

NOUNS: dict[type[Member | Meeting | Achievement], str] = {
    Member: "member",
    Meeting: "session",
    Achievement: "achievement",
}


def named(
    session: OrmSession,
    network: Network,
    row: type[Member | Meeting | Achievement],
    ref: str,
    parameter: str | None = None,
) -> UUID:
    """Return the id of the row that a filter names.

    Args:
        parameter: the name of the query parameter, if it is not the noun.
    Raises:
        InvalidError: nothing has this ref (code "member-unknown", "session-unknown" or "achievement-unknown").
    """
    found = session.scalar(select(row.id).where(row.network_id == network.id, row.ref == ref))
    if found is None:
        raise unknown(NOUNS[row], parameter)
    return found


def unknown(noun: str, parameter: str | None = None) -> InvalidError:
    """Return the refusal of a filter that names nothing.

    Args:
        parameter: the name of the query parameter, if it is not the noun.
    """
    article = "an" if noun[0] in "aeiou" else "a"
    message = f"Expected {article} {noun} of this network, by its ref; none has the ref that is given."
    return InvalidError(f"{noun}-unknown", message, parameter or noun)


def of(
    session: OrmSession, network: Network, row: type[Award | Case | Review], member: str | None, achievement: str | None
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that a row is of this member and of this achievement, where they are given.

    Raises:
        InvalidError: as `named`.
    """
    if member is not None:
        yield row.member_id == named(session, network, Member, member)
    if achievement is not None:
        yield row.achievement_id == named(session, network, Achievement, achievement)


def during(
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    network: Network,
    since: datetime | date | None,
    until: datetime | date | None,
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that a time is in `[since, until)`, where these are given.

    A date is its first instant in the network's time zone.
    """
    if since is not None:
        yield column >= _instant(network, since)
    if until is not None:
        yield column < _instant(network, until)


def _instant(network: Network, moment: datetime | date) -> datetime:
    if isinstance(moment, datetime):
        return moment
    try:
        return datetime.combine(moment, time(), ZoneInfo(network.time_zone)).astimezone(UTC)
    except OverflowError:  # the first and the last day that there are
        return datetime.combine(moment, time(), UTC)
