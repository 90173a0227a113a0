"""Correct a piece of evidence, and settle at once what follows, in one act."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session as OrmSession

from service.access.act import CallersAct
from service.awards import listing, settling, upholding
from service.awards.upholding import Outcome
from service.bodies import Body, Prose, Uid
from service.criteria import rejudging
from service.evidence import adoptions, corrections
from service.evidence.corrections import Prepared
from service.evidence.recording import Submission
from service.intake import posting
from service.issuing import unsigned
from service.issuing.decision import Decision
from service.runtime.runtime import Runtime
from service.storage.database import rehearsal
from service.tables import Award


class CorrectionFields(Body):
    """What a record should have said, and why."""

    changes: dict[str, Any] = Field(
        min_length=1,
        description="the members of the body that change, as a JSON Merge Patch (RFC 7396): what is left out stays, "
        "null takes a member away, and a list is replaced whole",
        examples=[{"minutes": 55}],
    )
    reason: Prose = Field(examples=["The attendance sheet says 55 minutes."])


class CorrectionIn(CorrectionFields):
    """What a record should have said, why, and whether to correct it already."""

    dry_run: bool = Field(False, description="only say what would follow; nothing is written")


class CorrectionLine(CorrectionFields):
    """Which record should have said what, and why."""

    record: Uid = Field(description="id of the record that counts now")


@dataclass(frozen=True)
class Correction:
    """What a correction led to, or would.

    `awards` are those at stake, each with what becomes of it; `foreseen` is what a dry run would award first.
    """

    submission: Submission
    awards: Sequence[tuple[Award, Outcome]] = ()
    foreseen: Sequence[Decision] = ()


@dataclass(frozen=True)
class Affected:
    """An award that a correction touches, in the network's own names, and what becomes of it.

    `award` is None for one that would be made; `credential` is its public address.
    """

    member: str
    achievement: str
    outcome: Outcome | Literal["made"]
    award: UUID | None = None
    credential: str | None = None

    def said(self) -> dict[str, str]:
        """Return it as JSON; what it has not is left out."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


def correct(act: CallersAct, runtime: Runtime, record_id: UUID, said: CorrectionIn) -> Correction:
    """Correct a record, and return what became of it; one that was corrected so before is returned as it is.

    Awards that rest on it are decided again with the corrected evidence: what is still earned stands as it is, and on
    what is not people decide. What is earned with it is awarded.

    Raises:
        NotFoundError, ForbiddenError, ConflictError, InvalidError: as `corrections.prepare` and `carry_out`.
    """
    return _correct(act, runtime, said, corrections.prepare(act, record_id, said.changes))


def confirm(act: CallersAct, runtime: Runtime, record_id: UUID, said: CorrectionIn) -> Correction:
    """Correct a record that another member posted, as the peer who was asked for their word; as `correct`."""
    return _correct(act, runtime, said, corrections.prepare(act, record_id, said.changes, as_peer=True))


def _correct(act: CallersAct, runtime: Runtime, said: CorrectionIn, prepared: Prepared | Submission) -> Correction:
    if isinstance(prepared, Submission):
        return Correction(prepared)
    resting = upholding.resting_on(act, [prepared.old.id, *prepared.evaluations], prepared.line)
    named = adoptions.resources_of(act.session, [prepared.old.id])
    with rehearsal(act.session) if said.dry_run else nullcontext():
        corrected = corrections.carry_out(act, prepared, said.reason)
        outcomes = upholding.decide_again(act, resting)
        if said.dry_run:
            return Correction(corrected.submission, outcomes, settling.foreseen(act, corrected.bearing))
    rejudging.mark(act, corrected.bearing)
    posting.mark_sharers(act, named | adoptions.resources_of(act.session, [corrected.submission.record.id]))
    made = settling.settle(act, runtime, corrected.bearing)
    wait = bool(rejudging.marked(act.session, corrected.bearing))
    return Correction(replace(corrected.submission, awards=tuple(made), awards_wait=wait), outcomes)


def affected(session: OrmSession, runtime: Runtime, correction: Correction) -> Iterator[Affected]:
    """Yield the awards that a correction touches: those at stake, and those that are new."""
    outcomes: dict[UUID, Outcome | Literal["made"]] = {award.id: outcome for award, outcome in correction.awards}
    rows = [*(award for award, _ in correction.awards), *correction.submission.awards]
    for each in listing.named(session, rows):
        url = unsigned.credential_url(runtime.settings, each.credential.id) if each.credential is not None else None
        outcome = outcomes.get(each.award.id, "made")
        yield Affected(each.member_ref, each.achievement_ref, outcome, each.award.id, url)
    for member, achievement in listing.refs_of(session, correction.foreseen):
        yield Affected(member, achievement, "made")
