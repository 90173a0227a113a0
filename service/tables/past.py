"""Tables of past values of rows, for replaying decisions.

They hold no personal content.
"""

from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Table,
    Uuid,
)

from service.tables.achievements import Enrolment
from service.tables.columns import Instant, Row
from service.tables.evidence import Contribution, ContributionTag, Evaluation, Rating
from service.tables.networks import Member, Role


def _past(row: type[Row]) -> Table:
    """Return the table of a row's values before they were changed or deleted.

    A decision is replayed with them. They were known from `known_from` (empty: always) until `known_until`, or until
    the position of the record `ended_by`.
    """
    kept = (column for column in row.__table__.columns if column.info.get("replayed", True))
    columns = [Column(column.name, column.type, nullable=True) for column in kept]
    found_by = "member_id" if "member_id" in row.__table__.columns else "id" if row is Member else "record_id"
    times: list[Column[Any]] = [] if "known_from" in row.__table__.columns else [Column("known_from", Instant())]
    times += [Column("known_until", Instant(), nullable=False)]
    name = f"past_{row.__tablename__}"
    return Table(name, Row.metadata, *columns, *times, Column("ended_by", Uuid()), Index(None, found_by))


PAST: dict[type[Row], Table] = {
    row: _past(row) for row in (Contribution, ContributionTag, Evaluation, Rating, Role, Enrolment, Member)
}
"""Past values of rows; only replaying reads them, and nothing in them is personal."""
