"""Sessions: the meetings of a network, under its own `ref`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import CompoundSelect, Select, and_, delete, func, select, union
from sqlalchemy.orm import Session as OrmSession

from service.access.act import Act
from service.bodies import Body, Instant, Line, Ref
from service.errors import ConflictError, InvalidError, NotFoundError
from service.networks import objectives
from service.networks.objectives import Codes
from service.outbox import events
from service.storage import filters, locks
from service.storage.database import ReadSession, WriteSession, insert_new
from service.storage.paging import Window, order, page
from service.tables import (
    Achievement,
    AchievementVersion,
    AttendanceClaim,
    Contribution,
    Evaluation,
    Meeting,
    Network,
    Objective,
    Record,
    RecordBody,
    SessionObjective,
)
from service.tables.past import PAST

Mode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$", max_length=32)]


class _Described(Body):
    series: Line | None = Field(None, description="the run of meetings to which it belongs", examples=["writing-group"])
    title: Line | None = Field(None, examples=["Feedback that helps"])
    ends_at: Instant | None = None
    mode: Mode | None = Field(
        None, description="how people meet, such as in-person, online, hybrid", examples=["online"]
    )
    attendance_count: int | None = Field(
        None, ge=0, le=1_000_000, description="how many people came, if nobody is named"
    )
    objectives: Codes | None = Field(None, description="the objectives that the session is about, by their codes")


class SessionFields(_Described):
    """What a network says about a session.

    Members that are left out stay as they are; null removes one.
    """

    starts_at: Instant
    confidential: bool = Field(False, description="attendance counts, but nothing about the session is ever published")


class SessionIn(SessionFields):
    """One session, under the network's own `ref`."""

    ref: Ref = Field(description="the network's own identifier of the session", examples=["2026-03-01"])


class SessionChange(_Described):
    """What may change about a session.

    Members that are left out stay as they are; null removes one.
    """

    starts_at: Instant = Field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))
    confidential: bool | None = Field(
        None,
        description="attendance counts, but nothing about the session is ever published; null is false. Badges that were "
        "signed before are signed again without what they tell of it",
    )


def put_session(act: Act, body: SessionIn) -> tuple[Meeting, bool]:
    """Add or change a session; return it and whether it is new.

    Raises:
        InvalidError: it would end before it starts (code "session-ends-before-start"), or names an objective that the
            network does not have ("objective-unknown") or that is retired ("objective-retired").
    """
    new = insert_new(
        act.session,
        Meeting,
        {"network_id": act.network.id, "ref": body.ref, "starts_at": body.starts_at, "confidential": False},
    )
    meeting = held(act, body.ref)
    _change(act, meeting, body.model_dump(exclude_unset=True), new=new)
    return meeting, new


def change_session(act: Act, ref: str, body: SessionChange) -> Meeting:
    """Change a session that is there.

    Raises:
        NotFoundError: the network has none (code "session-unknown").
        InvalidError: as `put_session`.
    """
    meeting, said = held(act, ref), body.model_dump(exclude_unset=True)
    if "confidential" in said:
        said["confidential"] = bool(said["confidential"])
    _change(act, meeting, said)
    return meeting


def _change(act: Act, meeting: Meeting, said: Mapping[str, Any], *, new: bool = False) -> None:
    named = False
    if said.get("confidential") and not meeting.confidential and not new:
        meeting.badges_behind = True
    for name, value in said.items():
        if name == "objectives":
            named = _name_objectives(act, meeting, value or [])
        else:
            setattr(meeting, name, value)
    if meeting.ends_at is not None and meeting.ends_at <= meeting.starts_at:
        raise InvalidError("session-ends-before-start", "Expected a session that ends after it starts.", "/ends_at")
    if new or named or act.session.is_modified(meeting):
        events.append(act, "session.posted" if new else "session.changed", {"session": str(meeting.id)})
    act.session.flush()


def _name_objectives(act: Act, meeting: Meeting, codes: Sequence[str]) -> bool:
    """Have a session be about these objectives; return whether that is other than before."""
    locks.objectives(act.session, Objective.network_id == act.network.id, Objective.ref.in_(codes))
    before = objectives_of(act.session, [meeting]).get(meeting.id, [])
    wanted = objectives.named(act.session, act.network, codes, kept=before)
    if sorted(codes) == before:
        return False
    act.session.execute(delete(SessionObjective).where(SessionObjective.session_id == meeting.id))
    act.session.add_all(SessionObjective(session_id=meeting.id, objective_id=row.id) for row in wanted)
    return True


def objectives_of(session: OrmSession, meetings: Sequence[Meeting]) -> dict[UUID, list[str]]:
    """Return the codes of the objectives that sessions are about, in order, by the id of a session."""
    query = select(SessionObjective.session_id, Objective.ref).join(
        Objective, Objective.id == SessionObjective.objective_id
    )
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    wanted = SessionObjective.session_id.in_([meeting.id for meeting in meetings])
    for session_id, code in session.execute(query.where(wanted).order_by(Objective.ref)):
        found[session_id].append(code)
    return found


def badges_told(session: WriteSession, meeting_id: UUID) -> None:
    """Note that no badge tells of a session any more what it must not."""
    meeting = locks.one_or_none(session, Meeting, Meeting.id == meeting_id, key_share=True)
    if meeting is not None:
        meeting.badges_behind = False


def remove_session(act: Act, ref: str) -> None:
    """Delete a session on which nothing rests.

    Evidence rests on it also while it waits, or when it counted once, because decisions of then are replayed with it;
    so does a published rule that names it, and so do claims of attendance that wait. An attendance code goes with it.

    Raises:
        NotFoundError: the network has none (code "session-unknown").
        ConflictError: something rests on it (code "session-in-use"; details: `rests`, how many of each).
    """
    meeting = held(act, ref, to_delete=True)
    rests = {name: count for name, count in _resting_on(act, meeting).items() if count}
    if rests:
        listed = ", ".join(
            f"{count} {(name if count > 1 else name[:-1]).replace('_', ' ')}" for name, count in rests.items()
        )
        message = f"Expected a session on which nothing rests, got one with {listed}. It can be changed instead."
        raise ConflictError("session-in-use", message, details={"rests": rests})
    act.session.execute(delete(SessionObjective).where(SessionObjective.session_id == meeting.id))
    act.session.delete(meeting)
    act.session.flush()
    events.append(act, "session.deleted", {"session": str(meeting.id)})


def _resting_on(act: Act, meeting: Meeting) -> dict[str, int]:
    """Return how many contributions, evaluations, achievements and claims of attendance rest on a session."""
    gone, judged = PAST[Contribution].c, PAST[Evaluation].c
    said, about = RecordBody.body["session"].as_string(), RecordBody.body[("about", "session")].as_string()
    aside = and_(Record.network_id == act.network.id, Record.status != "accepted")
    waiting = select(Record.id).join(RecordBody, RecordBody.record_id == Record.id).where(aside)
    contributions = union(
        select(Contribution.record_id).where(Contribution.session_id == meeting.id),
        select(gone.record_id).where(gone.session_id == meeting.id),
        waiting.where(said == meeting.ref),
    )
    evaluations = union(
        select(Evaluation.record_id).where(Evaluation.about_kind == "session", Evaluation.about_id == meeting.id),
        select(judged.record_id).where(judged.about_kind == "session", judged.about_id == meeting.id),
        waiting.where(about == meeting.ref),
    )
    definitions = (
        select(AchievementVersion.achievement_id, AchievementVersion.definition)
        .join(Achievement, Achievement.id == AchievementVersion.achievement_id)
        .where(Achievement.network_id == act.network.id, AchievementVersion.published_at.is_not(None))
    )
    claims = select(AttendanceClaim.id).where(AttendanceClaim.session_id == meeting.id)
    return {
        "contributions": _count(act, contributions),
        "evaluations": _count(act, evaluations),
        "achievements": len(
            {achievement_id for achievement_id, said in act.session.execute(definitions) if _names(said, meeting.ref)}
        ),
        "attendance_claims": _count(act, claims.where(AttendanceClaim.state == "waiting")),
    }


def _count(act: Act, query: CompoundSelect[Any] | Select[Any]) -> int:
    return act.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _names(said: Any, ref: str) -> bool:
    """Return whether a definition, or a part of it, lists a session."""
    if isinstance(said, Mapping):
        listed = said.get("sessions")
        return (isinstance(listed, list) and ref in listed) or any(_names(each, ref) for each in said.values())
    return isinstance(said, list) and any(_names(each, ref) for each in said)


def held(act: Act, ref: str, *, to_delete: bool = False) -> Meeting:
    """Return a session, and let nobody else change it until the commit.

    Args:
        to_delete: let nobody refer to it either; who does so already is waited for.
    Raises:
        NotFoundError: the network has none (code "session-unknown").
    """
    mine = (Meeting.network_id == act.network.id, Meeting.ref == ref)
    return _there(locks.one_or_none(act.session, Meeting, *mine, key_share=not to_delete))


def get_session(session: OrmSession, network: Network, ref: str) -> Meeting:
    """Return the session with the network's own `ref`.

    Raises:
        NotFoundError: the network has none (code "session-unknown").
    """
    return _there(session.scalar(select(Meeting).where(Meeting.network_id == network.id, Meeting.ref == ref)))


def _there(meeting: Meeting | None) -> Meeting:
    if meeting is None:
        raise NotFoundError(
            "session-unknown", "No session of this network has this ref; post the session first, or correct it."
        )
    return meeting


def list_sessions(
    session: ReadSession,
    network: Network,
    *,
    window: Window,
    series: str | None,
    starts_from: datetime | date | None,
    starts_until: datetime | date | None,
    sort: str | None = None,
) -> tuple[Sequence[Meeting], str | None]:
    """Return sessions in the order in which they were added, unless another is asked for.

    The two times bound `starts_at`: `[starts_from, starts_until)`.

    Args:
        sort: added or starts_at, with `-` before it for the newest first.
    """
    query = select(Meeting).where(Meeting.network_id == network.id)
    if series is not None:
        query = query.where(Meeting.series == series)
    query = query.where(*filters.during(Meeting.starts_at, network, starts_from, starts_until))
    by = order(sort, added=(Meeting.id,), starts_at=(Meeting.starts_at, Meeting.id))
    return page(session, query, window, by)
