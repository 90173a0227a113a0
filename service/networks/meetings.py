"""Sessions: the meetings of a network, under its own `ref`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body, Instant, Line, Ref
from service.errors import InvalidError, NotFoundError
from service.outbox import events
from service.storage import locks
from service.storage.database import ReadSession, insert_new
from service.storage.paging import page
from service.tables import Meeting, Network

Mode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$", max_length=32)]


class SessionFields(Body):
    """What a network says about a session.

    Members that are left out stay as they are; null removes one.
    """

    series: Line | None = Field(None, description="the run of meetings to which it belongs", examples=["writing-group"])
    title: Line | None = Field(None, examples=["Feedback that helps"])
    starts_at: Instant
    ends_at: Instant | None = None
    mode: Mode | None = Field(
        None, description="how people meet, such as in-person, online, hybrid", examples=["online"]
    )
    confidential: bool = Field(False, description="attendance counts, but nothing about the session is ever published")
    attendance_count: int | None = Field(
        None, ge=0, le=1_000_000, description="how many people came, if nobody is named"
    )


class SessionIn(SessionFields):
    """One session, under the network's own `ref`."""

    ref: Ref = Field(description="the network's own identifier of the session", examples=["2026-03-01"])


def put_session(act: Act, body: SessionIn) -> tuple[Meeting, bool]:
    """Add or change a session; return it and whether it is new.

    Raises:
        InvalidError: it would end before it starts (code "session-ends-before-start").
    """
    new = insert_new(
        act.session,
        Meeting,
        {"network_id": act.network.id, "ref": body.ref, "starts_at": body.starts_at, "confidential": False},
    )
    meeting = locks.one(act.session, Meeting, Meeting.network_id == act.network.id, Meeting.ref == body.ref)
    for name, value in body.model_dump(exclude_unset=True).items():
        setattr(meeting, name, value)
    if meeting.ends_at is not None and meeting.ends_at <= meeting.starts_at:
        raise InvalidError("session-ends-before-start", "Expected a session that ends after it starts.", "/ends_at")
    if new or act.session.is_modified(meeting):
        events.append(act, "session.posted" if new else "session.changed", {"session": str(meeting.id)})
    act.session.flush()
    return meeting, new


def get_session(session: OrmSession, network: Network, ref: str) -> Meeting:
    """Return the session with the network's own `ref`.

    Raises:
        NotFoundError: the network has none (code "session-unknown").
    """
    meeting = session.scalar(select(Meeting).where(Meeting.network_id == network.id, Meeting.ref == ref))
    if meeting is None:
        raise NotFoundError("session-unknown", "No session of this network has this ref.")
    return meeting


def list_sessions(
    session: ReadSession,
    network: Network,
    *,
    after: str | None,
    limit: int,
    series: str | None,
    starts_from: datetime | None,
    starts_until: datetime | None,
) -> tuple[Sequence[Meeting], str | None]:
    """Return sessions in the order in which they were added.

    The two times bound `starts_at`: `[starts_from, starts_until)`.
    """
    query = select(Meeting).where(Meeting.network_id == network.id)
    if series is not None:
        query = query.where(Meeting.series == series)
    if starts_from is not None:
        query = query.where(Meeting.starts_at >= starts_from)
    if starts_until is not None:
        query = query.where(Meeting.starts_at < starts_until)
    return page(session, query, Meeting.id, after, limit)
