"""Find what is odd about new evidence, compared with what is there already.

Nothing is refused here, and no finding proves that somebody did wrong: odd evidence gets a flag, and evidence that
could count twice is set aside until somebody has looked at it.

1. `late`: it came in longer after it happened than the network allows; it counts a tier lower.
2. `repeated`: the same, word for word, is there under another id. The later one is set aside. Evidence that says no
   more than who did what kind of thing and when can be two things, and is not compared.
3. `overlap`: the member attended something else at that time. The later record is set aside.
4. `shared-artifact`: another person contributed the same file first, and neither names the other as peer. The later
   record is set aside.
5. `reciprocal` and `ring`: the member judged has judged the judge, or has judged somebody who has judged the judge.
   Each pair of judge and judged is checked once, when it is new, and counts all the same: colleagues may well know
   each other's work, and a rule says by `max_reciprocal` how far it relies on that.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from service.access.act import Act
from service.evidence import derivation, flags
from service.evidence.bodies import Derived
from service.storage.database import WriteSession, hold_numbers
from service.tables import Contribution, ContributionArtifact, Evaluation, Meeting, Member, Network, Record, RecordBody

Row = Mapping[str, Any]
Span = tuple[datetime, datetime]
TOLERATED = timedelta(minutes=10)
"""How long two attended things may overlap without a flag."""
LONGEST = timedelta(days=7)
"""How far before and after an attended time others are searched."""
JUDGING = ("rubric", "score", "endorsement")
"""Kinds of evaluation in which one member judges another."""
BARE = {"member", "type", "occurred_at"}
"""What every contribution says; one that says no more is not compared."""


@dataclass(frozen=True)
class Entrant:
    """A record that would count, with its body as it is kept, what derives from it, and whether it is late."""

    record: Record
    body: Row
    derived: Derived
    late: bool

    def row(self, table: type[Contribution | Evaluation]) -> Row | None:
        """Return the row that derives from it in this table, if there is one."""
        return next((values for kind, values in self.derived if kind is table), None)

    @property
    def digests(self) -> set[str]:
        """The digests of the files that it carries."""
        return {values["sha256"] for kind, values in self.derived if kind is ContributionArtifact}

    @property
    def member_id(self) -> UUID | None:
        """The member whom it is about."""
        row = self.row(Contribution) or self.row(Evaluation)
        return row["member_id"] if row else None


@dataclass(frozen=True)
class Finding:
    """What is odd about a record, and the other record that shows it."""

    kind: str
    other_id: UUID | None = None
    other_member_id: UUID | None = None
    sets_aside: bool = False
    on_both: bool = False


Findings = dict[UUID, list[Finding]]


def is_late(network: Network, record: Record, first: Record) -> bool:
    """Return whether a record is late (1), whichever way it came in.

    Args:
        first: the record that it corrects, or the record itself: a correction is as late as what it corrects was.
    """
    if record.occurred_at is None:
        return False
    return derivation.is_late(network, record.occurred_at, first.received_at)


def look(session: WriteSession, network: Network, entrants: Sequence[Entrant]) -> Findings:
    """Return what is odd about these records, by their ids.

    Each is also compared with those before it here, except those that were set aside.
    """
    found: Findings = defaultdict(list)
    for entrant in entrants:
        if entrant.late:
            found[entrant.record.id].append(Finding("late"))
    for check in (_repeated, _overlapping, _shared, _mutual):
        left = [entrant for entrant in entrants if not sets_aside(found.get(entrant.record.id, ()))]
        check(session, network, left, found)
    return found


def sets_aside(findings: Collection[Finding]) -> bool:
    """Return whether a record with these findings does not count for now."""
    return any(finding.sets_aside for finding in findings)


def write_down(act: Act, entrant: Entrant, findings: Collection[Finding]) -> None:
    """Raise the flags for what was found about a record that is in the database now."""
    record_id = entrant.record.id
    for finding in findings:
        other = finding.other_id
        bearing: dict[UUID, UUID | None] = {record_id: entrant.member_id}
        if other is not None:
            bearing[other] = finding.other_member_id
        flags.add(act, finding.kind, record_id, other=other, bearing=bearing, sets_aside=finding.sets_aside)
        if finding.on_both and other is not None:
            flags.add(act, finding.kind, other, other=record_id, bearing=bearing)


def _repeated(session: WriteSession, network: Network, entrants: Sequence[Entrant], found: Findings) -> None:
    """Find evidence that is there already, word for word, under another id (2).

    An evaluation without an evaluator is not compared: nobody is known who could have given it twice.
    """
    placed: list[tuple[Entrant, tuple[Any, ...]]] = []
    for entrant in entrants:
        work, judgement = entrant.row(Contribution), entrant.row(Evaluation)
        if work is not None and not _said(entrant.body).keys() <= BARE:
            placed.append((entrant, (work["member_id"], work["type"], work["occurred_at"])))
        if judgement is not None and judgement["evaluator_id"] is not None:
            place = (judgement["about_id"], judgement["evaluator_id"], judgement["kind"], judgement["occurred_at"])
            placed.append((entrant, place))
    there = _there(session, network, {place for _, place in placed})
    for entrant, place in placed:
        said = _said(entrant.body)
        same = next((record_id for record_id, other in there[place] if other == said), None)
        if same is not None:
            found[entrant.record.id].append(Finding("repeated", same, entrant.member_id, sets_aside=True))
        else:
            there[place].append((entrant.record.id, said))


def _overlapping(session: WriteSession, network: Network, entrants: Sequence[Entrant], found: Findings) -> None:
    """Find members who attended two things at once (3).

    The times are those of the sessions or, where these have none, of the records.
    """
    attending = [
        (entrant, row) for entrant in entrants if (row := entrant.row(Contribution)) is not None and _attended(row)
    ]
    if not attending:
        return
    times = [row["occurred_at"] for _, row in attending]
    near = select(
        Contribution.record_id,
        Contribution.member_id,
        Contribution.session_id,
        Contribution.occurred_at,
        Contribution.minutes,
    ).where(
        Contribution.network_id == network.id,
        Contribution.type == "attended",
        Contribution.member_id.in_({row["member_id"] for _, row in attending}),
        Contribution.occurred_at.between(min(times) - LONGEST, max(times) + LONGEST),
    )
    there = [dict(row) for row in session.execute(near.order_by(Contribution.record_id)).mappings()]
    session_ids = {row["session_id"] for row in [*there, *(row for _, row in attending)]} - {None}
    held = select(Meeting.id, Meeting.starts_at, Meeting.ends_at).where(Meeting.id.in_(session_ids))
    sessions = {session_id: (starts, ends) for session_id, starts, ends in session.execute(held)}
    by_member: defaultdict[UUID, list[tuple[Row, Span]]] = defaultdict(list)
    for row in there:
        if (span := _span(row, sessions)) is not None:
            by_member[row["member_id"]].append((row, span))
    for entrant, row in attending:
        span = _span(row, sessions)
        if span is None:
            continue
        mine = by_member[row["member_id"]]
        other = next((each for each, when in mine if _at_once(row, span, each, when)), None)
        if other is not None:
            finding = Finding("overlap", other["record_id"], row["member_id"], sets_aside=True, on_both=True)
            found[entrant.record.id].append(finding)
        else:
            mine.append((row, span))


def _shared(session: WriteSession, network: Network, entrants: Sequence[Entrant], found: Findings) -> None:
    """Find files that two people call theirs (4)."""
    works = [(entrant, entrant.row(Contribution)) for entrant in entrants if entrant.digests]
    carrying = [(entrant, work) for entrant, work in works if work is not None]
    if not carrying:
        return
    digests = set().union(*(entrant.digests for entrant, _ in carrying))
    # Without this lock, two that come at the same moment would miss each other.
    hashed = (hashlib.sha256(network.id.bytes + bytes.fromhex(sha256)) for sha256 in sorted(digests))
    hold_numbers(session, [int.from_bytes(each.digest()[:8]) for each in hashed])
    carried = (
        select(ContributionArtifact.sha256, Contribution.record_id, Contribution.member_id, Contribution.peer_id)
        .join(Contribution, Contribution.record_id == ContributionArtifact.record_id)
        .where(ContributionArtifact.network_id == network.id, ContributionArtifact.sha256.in_(digests))
        .order_by(Contribution.record_id)
    )
    there: defaultdict[str, list[Row]] = defaultdict(list)
    for carrier in session.execute(carried).mappings():
        there[carrier["sha256"]].append(dict(carrier))
    member_ids = {row["member_id"] for _, row in carrying} | {
        row["member_id"] for rows in there.values() for row in rows
    }
    people = select(Member.id, Member.person_id).where(Member.id.in_(member_ids))
    persons = {member_id: person_id or member_id for member_id, person_id in session.execute(people)}
    for entrant, row in carrying:
        who = persons[row["member_id"]]
        held = [there[sha256] for sha256 in sorted(entrant.digests)]
        others = [each for rows in held if who not in {persons[one["member_id"]] for one in rows} for each in rows]
        other = next((each for each in others if not _together(row, each)), None)
        if other is None:
            for rows in held:
                rows.append(row)
            continue
        finding = Finding("shared-artifact", other["record_id"], other["member_id"], sets_aside=True, on_both=True)
        found[entrant.record.id].append(finding)


def _mutual(session: WriteSession, network: Network, entrants: Sequence[Entrant], found: Findings) -> None:
    """Find pairs, and rings of three, who judge one another (5)."""
    judging = []
    for entrant in entrants:
        row = entrant.row(Evaluation)
        if row is not None and row["kind"] in JUDGING and row["evaluator_id"] and row["member_id"]:
            judging.append((entrant, row["evaluator_id"], row["member_id"]))
    if not judging:
        return
    judges, judged = {judge for _, judge, _ in judging}, {member for _, _, member in judging}
    # Whom the judged have judged, who has judged the judges, and which of these pairs there are already.
    near = select(Evaluation.evaluator_id, Evaluation.member_id).where(
        Evaluation.network_id == network.id,
        Evaluation.kind.in_(JUDGING),
        or_(
            Evaluation.evaluator_id.in_(judged),
            Evaluation.member_id.in_(judges),
            and_(Evaluation.evaluator_id.in_(judges), Evaluation.member_id.in_(judged)),
        ),
    )
    by: defaultdict[UUID, set[UUID]] = defaultdict(set)
    of: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for pair in session.execute(near.distinct()):
        by[pair.evaluator_id].add(pair.member_id)
        of[pair.member_id].add(pair.evaluator_id)
    here: dict[tuple[UUID, UUID], UUID] = {}
    for entrant, judge, member in judging:
        if judge in of[member]:
            continue
        between = sorted(by[member] & of[judge])
        kind, back = ("reciprocal", judge) if member in of[judge] else ("ring", between[0] if between else None)
        if back is not None:
            other = here.get((member, back)) or _first(session, network, member, back)
            found[entrant.record.id].append(Finding(kind, other, back))
        here[judge, member] = entrant.record.id
        by[judge].add(member)
        of[member].add(judge)


def _first(session: WriteSession, network: Network, judge: UUID, member: UUID) -> UUID | None:
    """Return the first record in which this judge judged this member."""
    query = select(Evaluation.record_id).where(
        Evaluation.network_id == network.id,
        Evaluation.evaluator_id == judge,
        Evaluation.member_id == member,
        Evaluation.kind.in_(JUDGING),
    )
    return session.scalar(query.order_by(Evaluation.record_id).limit(1))


def _together(row: Row, other: Row) -> bool:
    """Return whether one of two contributions says that it was done with the member of the other."""
    return bool(row["peer_id"] == other["member_id"] or other["peer_id"] == row["member_id"])


def _attended(row: Row) -> bool:
    return bool(row["type"] == "attended")


def _span(row: Row, sessions: Mapping[UUID, tuple[datetime, datetime | None]]) -> Span | None:
    """Return when an attendance began and ended, or None if that is not known."""
    starts, ends = sessions.get(row["session_id"], (None, None))
    if starts is not None and ends is not None:
        return starts, ends
    begins: datetime = row["occurred_at"]
    return (begins, begins + timedelta(minutes=row["minutes"])) if row["minutes"] else None


def _at_once(row: Row, span: Span, other: Row, when: Span) -> bool:
    """Return whether two things were attended at once; somebody who returns to a session is in the same one."""
    if row["session_id"] is not None and row["session_id"] == other["session_id"]:
        return False
    return min(span[1], when[1]) - max(span[0], when[0]) > TOLERATED


def _there(
    session: WriteSession, network: Network, places: Collection[tuple[Any, ...]]
) -> defaultdict[tuple[Any, ...], list[tuple[UUID, Row]]]:
    """Return the records that count at these places, with what they say."""
    at: dict[UUID, tuple[Any, ...]] = {}
    for table, columns in (
        (Contribution, (Contribution.member_id, Contribution.type, Contribution.occurred_at)),
        (Evaluation, (Evaluation.about_id, Evaluation.evaluator_id, Evaluation.kind, Evaluation.occurred_at)),
    ):
        wanted = [place for place in places if len(place) == len(columns)]
        if not wanted:
            continue
        query = select(table.record_id, *columns).where(table.network_id == network.id)
        for number, column in enumerate(columns):
            query = query.where(column.in_({place[number] for place in wanted}))
        at |= {record_id: tuple(place) for record_id, *place in session.execute(query) if tuple(place) in places}
    there: defaultdict[tuple[Any, ...], list[tuple[UUID, Row]]] = defaultdict(list)
    if at:
        bodies = select(RecordBody).where(RecordBody.record_id.in_(at)).order_by(RecordBody.record_id)
        for row in session.scalars(bodies):
            there[at[row.record_id]].append((row.record_id, _said(row.body)))
    return there


def _said(body: Row) -> Row:
    """Return what a body says, without the names of its record."""
    return {name: value for name, value in body.items() if name not in {"ref", "source"}}
