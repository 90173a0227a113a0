"""Find records by what they say.

What counts is derived, and found there. What is held, quarantined, void or corrected counts for nothing, and is found by
its body; so is what was said of a contribution that is void.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, or_, select, union_all
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from service.evidence import records
from service.evidence.records import ShownRecord
from service.evidence.said import INSTRUMENTS
from service.storage import filters
from service.storage.database import ReadSession
from service.storage.paging import Window, order, page
from service.tables import Contribution, ContributionTag, Evaluation, Meeting, Member, Network, Record, RecordBody

Where = list[ColumnElement[bool]]


@dataclass(frozen=True)
class RecordFilter:
    """Which records are listed.

    Attributes:
        kind: contribution, evaluation or void.
        since: received at this instant or later.
        occurred_from: it happened then or later; a date begins in the network's time zone.
        occurred_until: it happened before that.
        status: accepted, held or quarantined.
        member: the ref of the member whom they are about, or for whom they are held.
        type: the type of a contribution, or the kind of an evaluation.
        session: the ref of the session in which it was done, or which is evaluated.
        tag: one of the tags of a contribution.
        resource: the resource of a contribution.
        evaluator: the ref of the member who judges.
        contribution: the contribution that is evaluated, by its ref or its id.
        instrument: with what it is evaluated: a rubric, assessment, questionnaire or skill.
    """

    kind: str | None = None
    since: datetime | None = None
    occurred_from: datetime | date | None = None
    occurred_until: datetime | date | None = None
    status: str | None = None
    tier: int | None = None
    member: str | None = None
    type: str | None = None
    session: str | None = None
    tag: str | None = None
    resource: str | None = None
    evaluator: str | None = None
    contribution: str | None = None
    instrument: str | None = None


def list_records(
    session: ReadSession, network: Network, which: RecordFilter, *, window: Window, sort: str | None = None
) -> tuple[list[ShownRecord], str | None]:
    """Return records, in the order in which they were committed unless another is asked for.

    Args:
        sort: received_at or occurred_at, with `-` before it for the newest first.
    Raises:
        InvalidError: a filter names nothing in the network (code "member-unknown", "session-unknown",
            "contribution-unknown").
    """
    query = select(Record).where(Record.network_id == network.id)
    for column, wanted in ((Record.kind, which.kind), (Record.status, which.status), (Record.tier, which.tier)):
        if wanted is not None:
            query = query.where(column == wanted)
    if which.since is not None:
        query = query.where(Record.received_at >= which.since)
    query = query.where(*filters.during(Record.occurred_at, network, which.occurred_from, which.occurred_until))
    found = list(_found(session, network, which))
    if found:
        query = query.where(Record.id.in_(union_all(*found)))
    by = order(sort, received_at=(Record.position,), occurred_at=(Record.occurred_at, Record.id))
    rows, following = page(session, query, window, by)
    return records.shown(session, rows), following


def _found(session: OrmSession, network: Network, which: RecordFilter) -> Iterator[Select[Any]]:
    """Yield what finds the ids of the records by what they say; nothing if that is not asked."""
    done, judged = _conditions(session, network, which)
    if which.kind == "void" and (done[0] or judged[0]):  # it says none of this
        yield select(Record.id).where(false())
    for kind, table, pair in (("contribution", Contribution, done), ("evaluation", Evaluation, judged)):
        derived, posted = pair
        if not derived or which.kind not in {None, kind}:
            continue
        yield select(table.record_id).where(table.network_id == network.id, *derived)
        bodies = select(Record.id).join(RecordBody, RecordBody.record_id == Record.id)
        bodies = bodies.where(Record.network_id == network.id, Record.kind == kind, *posted)
        yield bodies.where(Record.status.in_(("held", "quarantined")))
        after = aliased(Record)
        yield bodies.join(after, after.voids == Record.id).where(after.network_id == network.id)
        if kind == "evaluation":  # nothing takes back one itself whose contribution is void
            counts = select(Evaluation.record_id).where(Evaluation.record_id == Record.id)
            yield bodies.where(Record.status == "accepted", ~counts.exists())


def _conditions(session: OrmSession, network: Network, which: RecordFilter) -> tuple[tuple[Where, Where], ...]:
    """Return for contributions and for evaluations the conditions on what is derived, and on the body."""
    done: tuple[Where, Where] = [], []
    judged: tuple[Where, Where] = [], []

    def add(to: tuple[Where, Where], derived: ColumnElement[bool], posted: ColumnElement[bool]) -> None:
        to[0].append(derived)
        to[1].append(posted)

    if which.member is not None:
        member_id = _member(session, network, which.member)
        held = Record.held_for == which.member
        add(done, Contribution.member_id == member_id, or_(held, _said("member") == which.member))
        add(judged, Evaluation.member_id == member_id, or_(held, _said("about", "member") == which.member))
    if which.type is not None:
        add(done, Contribution.type == which.type, _said("type") == which.type)
        add(judged, Evaluation.kind == which.type, _said("kind") == which.type)
    if which.session is not None:
        meeting_id = filters.named(session, network, Meeting, which.session)
        add(done, Contribution.session_id == meeting_id, _said("session") == which.session)
        add(judged, Evaluation.about_id == meeting_id, _said("about", "session") == which.session)
    if which.tag is not None:
        tagged = select(ContributionTag.record_id).where(ContributionTag.tag == which.tag)
        add(done, Contribution.record_id.in_(tagged), _holds(which.tag))
    if which.resource is not None:
        add(done, Contribution.resource == which.resource, _said("resource") == which.resource)
    if which.evaluator is not None:
        evaluator_id = filters.named(session, network, Member, which.evaluator, "evaluator")
        add(judged, Evaluation.evaluator_id == evaluator_id, _said("evaluator") == which.evaluator)
    if which.contribution is not None:
        work = records.find(session, network, which.contribution, "contribution")
        if work is None:
            raise filters.unknown("contribution")
        line = records.line_of(session, [work.id])
        refs = session.scalars(select(Record.ref).where(Record.id.in_(line), Record.ref.is_not(None)))
        named = [*map(str, line), *refs]
        add(judged, Evaluation.about_id.in_(line), _said("about", "contribution").in_(named))
    if which.instrument is not None:
        posted = or_(*(_said(name) == which.instrument for name in INSTRUMENTS))
        add(judged, Evaluation.instrument == which.instrument, posted)
    return done, judged


def _member(session: OrmSession, network: Network, ref: str) -> Any:
    """Return the id of a member, or None if there are only records that wait for one with this ref."""
    waits = select(Record.id).where(Record.network_id == network.id, Record.held_for == ref).limit(1)
    member_id = session.scalar(select(Member.id).where(Member.network_id == network.id, Member.ref == ref))
    if member_id is None and session.scalar(waits) is None:
        raise filters.unknown("member")
    return member_id


def _said(*path: str) -> ColumnElement[str]:
    found: ColumnElement[str] = RecordBody.body[path].as_string()
    return found


def _holds(tag: str) -> ColumnElement[bool]:
    """Return the condition that the tags of a body, written as JSON, have this one among them."""
    tags = _said("tags")
    forms = {json.dumps(tag), json.dumps(tag, ensure_ascii=False)}
    return or_(*(func.replace(tags, form, "") != tags for form in sorted(forms)))
