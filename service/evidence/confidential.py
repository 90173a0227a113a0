"""What is not even stored of evidence about confidential sessions.

What is left says who did what kind of thing, in which session, when and how long, or how somebody judged it in levels
and scores. Everything that somebody wrote is left out before the record is sealed, and the answer says what that was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.bodies import validated
from service.evidence.bodies import Submitted, find_references
from service.evidence.contributions import ContributionIn
from service.evidence.evaluations import EvaluationFields
from service.tables import GuidelineSettings, Meeting, Network, RecordBody

LEFT_OUT: Final = ("title", "description", "url", "artifacts", "peer", "resource", "tags", "comment", "statement")
"""The members of bodies that go."""
NOT_STORED: Final = "Not stored: the session is confidential."
"""What stands in place of a text without which an evaluation would not be one."""


@dataclass(frozen=True)
class Lessened:
    """A body as it is recorded, as it came, and JSON pointers to what was left out."""

    body: Submitted
    came: Submitted
    left_out: tuple[str, ...] = ()


def lessen(
    session: OrmSession, network: Network, chosen: GuidelineSettings | None, bodies: Sequence[Submitted]
) -> list[Lessened]:
    """Return bodies as the network chose to record them, in the same order."""
    if chosen is None or chosen.confidential_details == "kept":
        return [Lessened(body, body) for body in bodies]
    named = [_session_of(session, network, body) for body in bodies]
    mine = select(Meeting.ref).where(Meeting.network_id == network.id, Meeting.confidential)
    hidden = set(session.scalars(mine.where(Meeting.ref.in_({ref for ref in named if ref is not None}))))
    return [_lessened(body) if ref in hidden else Lessened(body, body) for body, ref in zip(bodies, named, strict=True)]


def _session_of(session: OrmSession, network: Network, body: Submitted) -> str | None:
    """Return the ref of the session in which something was done, or which is evaluated."""
    if isinstance(body, ContributionIn):
        return body.session
    if not isinstance(body, EvaluationFields) or body.about.contribution is None:
        return body.about.session if isinstance(body, EvaluationFields) else None
    work = find_references(session, network, [body]).works.get(body.about.contribution)
    kept = session.get(RecordBody, work.record_id) if work is not None else None
    return kept.body.get("session") if kept is not None else None


def _lessened(body: Submitted) -> Lessened:
    said = dict(body.kept)
    gone = [f"/{name}" for name in LEFT_OUT if said.pop(name, None) is not None]
    answers: dict[str, Any] = said.get("answers", {})
    if any(isinstance(answer, str) for answer in answers.values()):
        said["answers"] = {item: None if isinstance(answer, str) else answer for item, answer in answers.items()}
        gone.append("/answers")
    if said.get("text", NOT_STORED) != NOT_STORED:
        said["text"] = NOT_STORED
        gone.append("/text")
    return Lessened(validated(TypeAdapter(type(body)), said), body, tuple(gone)) if gone else Lessened(body, body)
