"""Cite the records of an award in its credential: evidence and rubric results.

Privacy decides what is public: what was done, when, who says so, and the seal of the record. Titles, texts, links,
names of evaluators and sessions stay with the network. About something that happened in a confidential session a
credential says only that it happened.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import aliased

from credentials.proofs.encodings import base64url_encode
from service.achievements.definitions import rule_of
from service.criteria.kinds.rubric import Rubric
from service.criteria.tree import rules
from service.evidence import derivation, records, tiers
from service.evidence.vocabulary import is_spdx
from service.tables import AchievementVersion, Contribution, Evaluation, Meeting, Member, Rating, Record
from service.texts.sentences import sentence

MAX_EVIDENCE = 100
"""The most records that a credential cites one by one; a sentence says how many more there are."""

SHA256_MULTIHASH = b"\x12\x20"
CONTRIBUTED = {
    "attended": "Attended a session",
    "facilitated": "Facilitated a session",
    "presented": "Gave a presentation",
    "shared": "Shared a resource",
    "authored": "Wrote a work",
    "commented": "Commented on a colleague's work",
    "reviewed": "Reviewed a colleague's work",
    "mentored": "Mentored a colleague",
    "submitted": "Submitted a work",
    "answered": "Answered a colleague's question",
    "completed": "Completed an activity",
    "goal_met": "Met a goal",
    "organized": "Organized an activity",
    "accepted": "Accepted the network's guidelines",
    "adopted": "Took up a colleague's resource",
}
EVALUATED = {
    "rubric": "Was assessed with a rubric",
    "score": "Was scored in an assessment",
    "survey": "Was rated in a survey",
    "self-report": "Answered a survey about themself",
    "endorsement": "Was endorsed",
    "reflection": "Reflected in writing",
}
CONFIDENTIAL = "confidential"
"""The genre of a record of a confidential session."""
EARLIER = "Recorded from the network's earlier records."
"""What is said of a record of a network's history."""


@dataclass(frozen=True)
class GivenLevel:
    """The level that one person gave one criterion of a rubric, in one attempt."""

    rubric: str
    attempt: tuple[UUID, str | None]
    criterion: str
    judge: UUID
    level: float


@dataclass(frozen=True)
class Citation:
    """A record as a credential cites it.

    `digest` is its salted seal, 64 hexadecimal digits. `minutes` are those that may
    be public; 0 if there are none. `member_id` is whose record it is. `taken_up` is what is said of it to credit who shared
    what this member took up: not who they are.
    """

    on: date
    genre: str
    narrative: str
    digest: str
    judgements: tuple[GivenLevel, ...] = ()
    minutes: int = 0
    member_id: UUID | None = None
    taken_up: str = ""

    def in_badge_of(self, member_id: UUID) -> "Citation":
        """Return how the badge of a member cites it: what a colleague took up is said so, and the time is not theirs."""
        if not self.taken_up or self.member_id == member_id:
            return self
        return replace(self, narrative=self.taken_up, minutes=0)


def find(session: OrmSession, record_ids: Collection[UUID]) -> dict[UUID, Citation]:
    """Return what may be public about each record."""
    judged, meeting = aliased(Contribution), aliased(Meeting)
    about_session = case((Evaluation.about_kind == "session", Evaluation.about_id))
    rows = session.execute(
        select(Record, Contribution, Evaluation, meeting.confidential)
        .outerjoin(Contribution, Contribution.record_id == Record.id)
        .outerjoin(Evaluation, Evaluation.record_id == Record.id)
        .outerjoin(judged, and_(Evaluation.about_kind == "contribution", judged.record_id == Evaluation.about_id))
        .outerjoin(meeting, meeting.id == func.coalesce(Contribution.session_id, judged.session_id, about_session))
        .where(Record.id.in_(record_ids))
    ).all()
    told = [(record, what) for record, done, judgement, _ in rows if (what := done or judgement) is not None]
    own = derivation.in_time(session, [(record, what.member_id) for record, what in told if not _is_own_answer(what)])
    judgements = _judgements(session, record_ids)
    earlier = records.of_history(session, record_ids)
    return {
        record.id: _citation(
            record,
            done or judgement,
            tiers.in_words(record, own.get(record.id, record.tier)),
            tuple(judgements[record.id]),
            hidden=bool(hidden),
            earlier=record.id in earlier,
        )
        for record, done, judgement, hidden in rows
    }


def evidence(credential_url: str, citations: Iterable[Citation]) -> Iterator[dict[str, Any]]:
    """Yield the evidence of a credential, oldest first.

    Shape: `{id, type: ["Evidence"], narrative, genre, digestMultibase}`; the seal is a multihash of SHA-256.
    Spec: Open Badges 3.0, section B.1.10 (Evidence); VC Data Model 2.0, section 5.3 (`digestMultibase`).
    """
    ordered = sorted(citations, key=lambda citation: (citation.on, citation.digest))
    for n, citation in enumerate(ordered[:MAX_EVIDENCE], start=1):
        yield {
            "id": f"{credential_url}#evidence-{n}",
            "type": ["Evidence"],
            "narrative": citation.narrative,
            "genre": citation.genre,
            "digestMultibase": multibase(citation.digest),
        }
    if len(ordered) > MAX_EVIDENCE:
        yield {
            "id": f"{credential_url}#evidence-{MAX_EVIDENCE + 1}",
            "type": ["Evidence"],
            "narrative": f"{len(ordered) - MAX_EVIDENCE} more records of the network.",
            "genre": "summary",
        }


def time_spent(credential_url: str, citations: Iterable[Citation]) -> Iterator[dict[str, Any]]:
    """Yield the evidence item that states the time spent in all, if that is known.

    Open Badges has no member for it: `creditsEarned` counts credits. So the item states it in words, and for programs
    in `description` as an ISO 8601 duration in hours and minutes.

    Spec: Open Badges 3.0, section B.1.10 (Evidence).
    """
    told = [citation.minutes for citation in citations if citation.minutes]
    if told:
        hours, minutes = divmod(sum(told), 60)
        parts = [(hours, "hour", "H"), (minutes, "minute", "M")]
        words = " and ".join(f"{n} {noun if n == 1 else noun + 's'}" for n, noun, _ in parts if n)
        pieces = "1 piece of evidence" if len(told) == 1 else f"{len(told)} pieces of evidence"
        yield {
            "id": f"{credential_url}#time",
            "type": ["Evidence"],
            "name": "Time spent",
            "description": "PT" + "".join(f"{n}{letter}" for n, _, letter in parts if n),
            "narrative": f"{words} in all, by {pieces}.",
            "genre": "duration",
        }


def multibase(digest: str) -> str:
    """Return a SHA-256 digest, 64 hexadecimal digits, as multihash in multibase."""
    return "u" + base64url_encode(SHA256_MULTIHASH + bytes.fromhex(digest))


def results(
    version: AchievementVersion, achievement: Mapping[str, Any], citations: Iterable[Citation]
) -> Iterator[dict[str, Any]]:
    """Yield the level reached in each rubric criterion that the achievement describes.

    1. Levels of one attempt belong together; of several attempts the best one is cited.
    2. A level is reached if as many people as the rule asks for gave it or a higher one.

    Args:
        achievement: the version's Open Badges document, whose result descriptions follow the definition's order.
    Spec: Open Badges 3.0, section B.1.22 (Result).
    """
    judgements = [judgement for citation in citations for judgement in citation.judgements]
    described = version.definition.get("result_descriptions") or []
    reached: dict[str, dict[str, float]] = {}
    for rubric in {description["rubric"] for description in described if description.get("rubric")}:
        raters = _raters(version, rubric)
        mine = [judgement for judgement in judgements if judgement.rubric == rubric]
        attempts = [_levels(mine, attempt, raters) for attempt in {judgement.attempt for judgement in mine}]
        reached[rubric] = max(attempts, key=lambda levels: (len(levels), sum(levels.values())), default={})  # (1)
    written_first = achievement.get("resultDescription", [])[: len(described)]  # those of credits follow
    for description, written in zip(described, written_first, strict=True):
        level = reached.get(description.get("rubric"), {}).get(description.get("criterion"))
        named = zip(description.get("levels") or [], written.get("rubricCriterionLevel", []), strict=True)
        achieved = [item["id"] for listed, item in named if listed["level"] == level]
        if achieved:
            yield {"type": ["Result"], "resultDescription": written["id"], "achievedLevel": achieved[0]}


def _levels(judgements: Sequence[GivenLevel], attempt: tuple[UUID, str | None], raters: int) -> dict[str, float]:
    given: defaultdict[str, dict[UUID, float]] = defaultdict(dict)
    for judgement in judgements:
        if judgement.attempt == attempt:
            before = given[judgement.criterion].get(judgement.judge, judgement.level)
            given[judgement.criterion][judgement.judge] = max(before, judgement.level)
    return {
        criterion: sorted(levels.values())[-raters]  # (2)
        for criterion, levels in given.items()
        if len(levels) >= raters
    }


def _raters(version: AchievementVersion, rubric: str) -> int:
    """Return how many people must give a level of the rubric.

    If several rules ask for it, the strictest counts.
    """
    tree = rule_of(version.definition)
    asked = [rule.raters for rule in rules(tree) if isinstance(rule, Rubric) and rule.rubric == rubric] if tree else []
    return max(asked, default=1)


def _citation(
    record: Record,
    what: Contribution | Evaluation | None,
    stands: str,
    judgements: tuple[GivenLevel, ...],
    *,
    hidden: bool,
    earlier: bool,
) -> Citation:
    assert what is not None  # an award rests on accepted records only, and those are derived
    source = sentence(stands)
    source += f" {EARLIER}" if earlier else ""
    if hidden:
        told = f"In a confidential session. {source}"
        return Citation(what.local_date, CONFIDENTIAL, told, record.body_digest, judgements, member_id=what.member_id)
    if isinstance(what, Contribution):
        genre, spent = what.type, what.minutes or 0
        deed = CONTRIBUTED.get(what.type, f"Contributed ({what.type.removeprefix('x-')})")
        deed += f" under {what.license}" if what.license and is_spdx(what.license) else ""
    else:
        genre, spent = what.kind, 0
        deed = EVALUATED["self-report" if _is_own_answer(what) else what.kind] + (
            f" ({what.instrument})" if what.instrument else ""
        )
    day = f"{what.local_date.day} {what.local_date:%B %Y}"
    minutes = f", {spent} minutes" if spent else ""
    told = f"{deed} on {day}{minutes}. {source}"
    taken_up = f"A colleague took up a resource that the member shared, on {day}. {_word_of_colleague(record, source)}"
    return Citation(
        what.local_date,
        genre,
        told,
        record.body_digest,
        judgements,
        spent,
        what.member_id,
        taken_up if genre == "adopted" else "",
    )


def _word_of_colleague(record: Record, source: str) -> str:
    """Return who stands for what a colleague took up: what they say themself is the word of a peer."""
    return source if record.tier else source.replace(sentence(tiers.TIERS[0]), sentence(tiers.TIERS[1]), 1)


def _is_own_answer(what: Contribution | Evaluation) -> bool:
    if isinstance(what, Contribution) or what.kind != "survey":
        return False
    return what.member_id is not None and what.evaluator_id == what.member_id


def _judgements(session: OrmSession, record_ids: Collection[UUID]) -> defaultdict[UUID, list[GivenLevel]]:
    found: defaultdict[UUID, list[GivenLevel]] = defaultdict(list)
    rows = session.execute(
        select(Evaluation, Rating.criterion, Rating.level, func.coalesce(Member.person_id, Member.id))
        .join(Rating, Rating.record_id == Evaluation.record_id)
        .join(Member, Member.id == Evaluation.evaluator_id)
        .where(Evaluation.record_id.in_(record_ids), Evaluation.instrument.is_not(None))
    )
    for evaluation, criterion, level, judge in rows:
        attempt = (evaluation.about_id, evaluation.part)
        found[evaluation.record_id].append(GivenLevel(evaluation.instrument or "", attempt, criterion, judge, level))
    return found
