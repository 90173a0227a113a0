"""Past values of rows: archive them, and read rows as of an earlier moment.

Everything that rules look at can be asked for as it was known at a time and an evidence position. Evidence counts up to
the position, and it does not matter whether it was voided later. Roles, enrolments, organizations and the identity of
persons are those of the time. Sessions are always as they are now.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.storage.database import WriteSession
from service.tables import (
    Award,
    Contribution,
    ContributionTag,
    Credential,
    Enrolment,
    Evaluation,
    Member,
    Network,
    Rating,
    Record,
    Role,
    Row,
)
from service.tables.columns import Instant
from service.tables.past import PAST

NOW = bindparam("now", type_=Instant())
"""The moment for which the question is asked."""
POSITION = bindparam("position", type_=Integer())
"""The evidence position up to which evidence counts."""


def archive(
    session: WriteSession, row: type[Row], where: ColumnElement[bool], now: datetime, ended_by: UUID | None = None
) -> None:
    """Archive the values of rows before they are changed or deleted.

    Args:
        ended_by: the record that ends them, if one does: its position then tells until when they counted.
    """
    past, own = PAST[row], _replayed(row)
    if "known_from" in row.__table__.columns:
        known_from = []
    else:
        accepted = select(Record.accepted_at).where(Record.id == row.__table__.c.record_id)
        known_from = [accepted.scalar_subquery().label("known_from")]
    ends = [literal(now, Instant()).label("known_until"), literal(ended_by, Uuid()).label("ended_by")]
    source = select(*own, *known_from, *ends).where(where)
    session.execute(insert(past).from_select([str(column.key) for column in source.selected_columns], source))


def rewrite(session: WriteSession, row: type[Row], where: ColumnElement[bool], **values: Any) -> None:
    """Replace past values that must not stay, because they name somebody who was erased."""
    session.execute(update(PAST[row]).where(where).values(values))


def position_at(session: OrmSession, network: Network, as_of: datetime) -> int:
    """Return the evidence position of a network at a time.

    It is the position of the last record that was received by then.
    """
    received = Record.network_id == network.id, Record.received_at <= as_of
    return session.scalar(select(func.max(Record.position)).where(*received)) or 0


class Sources:
    """The rows that rules look at: as they are now, or as they were.

    If `replayed`, they are as they were at `NOW` and `POSITION`.
    """

    def __init__(self, *, replayed: bool) -> None:
        self.replayed = replayed
        self.contribution: Any = _derived(Contribution) if replayed else Contribution
        self.tag: Any = _derived(ContributionTag) if replayed else ContributionTag
        self.evaluation: Any = _derived(Evaluation) if replayed else Evaluation
        self.rating: Any = _derived(Rating) if replayed else Rating
        self.role: Any = _said(Role) if replayed else Role
        self.enrolment: Any = _said(Enrolment) if replayed else Enrolment
        self.member: Any = _said(Member) if replayed else Member
        self.award: Any = _awards() if replayed else Award

    def another_member(self) -> Any:
        """Return members again, to stand beside others in one query."""
        return _said(Member) if self.replayed else aliased(Member)

    def another_contribution(self) -> Any:
        """Return contributions again, to stand beside others in one query."""
        return _derived(Contribution) if self.replayed else aliased(Contribution)

    def another_evaluation(self) -> Any:
        """Return evaluations again, to stand beside others in one query."""
        return _derived(Evaluation) if self.replayed else aliased(Evaluation)

    def lapsed(self) -> Select[Any]:
        """Return the query of an award's credentials that are no longer valid.

        They are revoked, suspended or expired.
        """
        newest = select(Credential.id).where(Credential.award_id == self.award.id)
        if not self.replayed:
            gone = Credential.revoked_at.is_not(None), Credential.suspended_at.is_not(None)
            return newest.where(Credential.superseded_by.is_(None), or_(*gone, Credential.valid_until <= NOW))
        following = aliased(Credential)
        superseded = select(following.id).where(following.id == Credential.superseded_by, following.issued_at <= NOW)
        over = Credential.revoked_at <= NOW, Credential.suspended_at <= NOW, Credential.valid_until <= NOW
        return newest.where(Credential.issued_at <= NOW, ~superseded.exists(), or_(*over))


def _derived(row: Any) -> Any:
    """Return rows that followed from evidence then.

    That is what still follows from it now, and what followed then and no longer does.
    """
    now, past, ending = row.__table__, PAST[row], aliased(Record)
    kept = _replayed(row)
    columns = [column.name for column in kept]
    here = (
        select(*kept)
        .join(Record, Record.id == now.c.record_id)
        .where(Record.position <= POSITION, or_(Record.accepted_at.is_(None), Record.accepted_at <= NOW))
    )
    later = or_(
        and_(past.c.ended_by.is_not(None), ending.position > POSITION),
        and_(past.c.ended_by.is_(None), past.c.known_until > NOW),
    )
    gone = (
        select(*(past.c[name] for name in columns))
        .join(Record, Record.id == past.c.record_id)
        .outerjoin(ending, ending.id == past.c.ended_by)
        .where(Record.position <= POSITION, or_(past.c.known_from.is_(None), past.c.known_from <= NOW), later)
    )
    return aliased(row, union_all(here, gone).subquery(), adapt_on_names=True)


def _replayed(row: Any) -> list[Any]:
    """Return the columns of a row whose past values are kept."""
    return [column for column in row.__table__.columns if column.name in PAST[row].c]


def _said(row: Any) -> Any:
    """Return rows with the values that they had then."""
    now, past, columns = row.__table__, PAST[row], _replayed(row)
    here = select(*columns).where(or_(now.c.known_from.is_(None), now.c.known_from <= NOW))
    gone = select(*(past.c[column.name] for column in columns)).where(
        or_(past.c.known_from.is_(None), past.c.known_from <= NOW), past.c.known_until > NOW
    )
    return aliased(row, union_all(here, gone).subquery(), adapt_on_names=True)


def _awards() -> Any:
    """Return awards that had been decided by then, each in its state then."""
    own = select(Credential.id).where(Credential.award_id == Award.id)
    since = [
        ("revoked", own.where(Credential.revoked_at > NOW)),
        ("suspended", own.where(Credential.suspended_at > NOW)),
        ("expired", own.where(Credential.valid_until > NOW)),
    ]
    state = case(
        *((and_(Award.state == name, query.exists()), literal("awarded")) for name, query in since), else_=Award.state
    )
    others = [column for column in Award.__table__.columns if column.name != "state"]
    rows = select(*others, state.label("state")).where(Award.decided_at <= NOW)
    return aliased(Award, rows.subquery(), adapt_on_names=True)
