"""What a network holds about a member: their work, and what others said of it.

It is what the API answers to a token that is bound to the member: who evaluates is named where the API names them, and
of an answer that was given without a name there is no name to tell. The names are those that the network gave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.evidence import listing
from service.evidence.acceptances import NOT_ACCEPTED
from service.evidence.listing import RecordFilter
from service.evidence.records import ShownRecord
from service.storage.database import ReadSession
from service.storage.paging import Window
from service.tables import Meeting, Member, Network, RecordBody, RubricUse, RubricVersion

RECORDS_ON_A_PAGE: Final = 25
Kind = Literal["contribution", "evaluation"]


@dataclass(frozen=True)
class Rating:
    """A level on one criterion: the names that the network's rubric gives, or those of the record."""

    criterion: str
    level: str


@dataclass(frozen=True)
class Held:
    """A record about the member who looks.

    `body` is None if it was erased. `by` is who judged, and `peer` with whom or for whom it was done. `meeting` is the
    name of the meeting; `confidential`: nothing about that is ever published. `state` says whether it counts: counts,
    waits, not-accepted (it waits until the member accepts the guidelines), set-aside, corrected or void.
    """

    shown: ShownRecord
    state: str
    body: Mapping[str, Any] | None = None
    by: str | None = None
    peer: str | None = None
    meeting: str | None = None
    confidential: bool = False
    rubric: str | None = None
    ratings: Sequence[Rating] = field(default_factory=tuple)


def list_held(
    session: ReadSession, network: Network, member: Member, kind: Kind, window: Window
) -> tuple[list[Held], str | None]:
    """Return what the network holds about a member, the newest first, and the cursor of what follows.

    Args:
        kind: contribution: what they did; evaluation: what was said of them and of their work.
    Raises:
        InvalidError: as `Window.last`.
    """
    which = RecordFilter(kind, member=member.ref)
    found, following = listing.list_records(session, network, which, window=window, sort="-received_at")
    ids = [each.record.id for each in found]
    bodies = {
        row.record_id: row.body for row in session.scalars(select(RecordBody).where(RecordBody.record_id.in_(ids)))
    }
    names = _names(session, network, [ref for each in found for ref in (each.said.evaluator, each.said.peer) if ref])
    meetings = _meetings(session, network, [each.said.session for each in found if each.said.session])
    rubrics = _rubrics(session, ids)
    return [_held(each, bodies.get(each.record.id), names, meetings, rubrics) for each in found], following


def _held(
    shown: ShownRecord,
    body: Mapping[str, Any] | None,
    names: Mapping[str, str],
    meetings: Mapping[str, Meeting],
    rubrics: Mapping[UUID, RubricVersion],
) -> Held:
    said = shown.said
    meeting, rubric = meetings.get(said.session or ""), rubrics.get(shown.record.id)
    return Held(
        shown,
        _state(shown),
        body,
        by=names.get(said.evaluator, said.evaluator) if said.evaluator else None,
        peer=names.get(said.peer, said.peer) if said.peer else None,
        meeting=(meeting.title or meeting.ref) if meeting is not None else said.session,
        confidential=meeting is not None and meeting.confidential,
        rubric=rubric.name if rubric is not None else None,
        ratings=_ratings(body, rubric),
    )


def _state(shown: ShownRecord) -> str:
    if shown.voided_by is not None:
        return "void" if shown.voided_by.kind == "void" else "corrected"
    if shown.record.held_code == NOT_ACCEPTED:
        return "not-accepted"
    return {"accepted": "counts", "held": "waits"}.get(shown.record.status, "set-aside")


def _ratings(body: Mapping[str, Any] | None, rubric: RubricVersion | None) -> tuple[Rating, ...]:
    """Return the levels of a body, with the names of the rubric against which it was held."""
    content = rubric.content if rubric is not None else {}
    criteria = {each["ref"]: each["name"] for each in content.get("criteria", ())}
    levels = {each["level"]: each["name"] for each in content.get("levels", ())}
    given = (body or {}).get("ratings") or {}
    return tuple(Rating(criteria.get(ref, ref), levels.get(level, f"{level:g}")) for ref, level in given.items())


def _names(session: OrmSession, network: Network, refs: Sequence[str]) -> dict[str, str]:
    query = select(Member.ref, Member.name).where(Member.network_id == network.id, Member.ref.in_(set(refs)))
    return {ref: name for ref, name in session.execute(query) if name}


def _meetings(session: OrmSession, network: Network, refs: Sequence[str]) -> dict[str, Meeting]:
    query = select(Meeting).where(Meeting.network_id == network.id, Meeting.ref.in_(set(refs)))
    return {row.ref: row for row in session.scalars(query)}


def _rubrics(session: OrmSession, record_ids: Sequence[UUID]) -> dict[UUID, RubricVersion]:
    of_version = RubricVersion.id == RubricUse.rubric_version_id
    query = select(RubricUse.record_id, RubricVersion).join(RubricVersion, of_version)
    return dict(session.execute(query.where(RubricUse.record_id.in_(record_ids))).all())
