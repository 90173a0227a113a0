"""What a network expects of somebody, in words for that person alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from service.criteria.kinds.sum import Sum
from service.networks import objectives
from service.participation.expectations import periods, standing
from service.participation.expectations.standing import Stands, State
from service.sharing.rules import parts, sentences
from service.sharing.rules.told import Names, Reached
from service.storage.database import ReadSession
from service.storage.paging import Window
from service.tables import Member, Network
from service.texts.languages import N_, Language

EXPECTATIONS_ON_A_PAGE: Final = 50
STATES: Final[dict[State, str]] = {
    "met": N_("Met"),
    "on-course": N_("On course"),
    "behind": N_("Behind"),
    "nothing-to-count": N_("Nothing to count yet"),
    "not-yet-begun": N_("Not yet begun"),
}
MISSED: Final = N_("Not met")
BEHIND: Final = N_("You are behind on something that your network expects of you.")


@dataclass(frozen=True)
class OwnExpectation:
    """An expectation as its member sees it.

    `asks` is what is expected, `reached` how far the member has come, and `by_now` how much is expected by now, each in
    words. `earlier` is a day of the period before, where that is judged.
    """

    stands: Stands
    name: str
    text: str | None
    asks: str
    state: str
    reached: str | None
    by_now: str | None
    serves: Sequence[str]
    earlier: date | None

    @property
    def begins(self) -> str:
        """The first day of the period."""
        return self.stands.judged.period.start.isoformat()

    @property
    def last_day(self) -> str | None:
        """The last day of the period; None: it has no end."""
        end = self.stands.judged.period.end
        return (end - timedelta(days=1)).isoformat() if end is not None else None


def list_own(
    session: ReadSession,
    network: Network,
    member: Member,
    now: datetime,
    language: Language,
    window: Window,
    on: date | None = None,
) -> tuple[list[OwnExpectation], str | None]:
    """Return what is expected of a member, in words, and the next cursor.

    Args:
        on: in the period that this day is in; None: in the one that runs now.
    """
    found, following = standing.of_member(session, network, member, now, window, on)
    texts = {each.objective.ref: str(each.version.content["text"]) for each in objectives.in_force(session, network)}
    return [_own(each, texts, language) for each in found], following


def waits(session: ReadSession, network: Network, member: Member, now: datetime) -> str | None:
    """Return the sentence of what waits for a member to do, to be translated; None: nothing."""
    found, _ = standing.of_member(session, network, member, now, Window())
    return BEHIND if any(each.state == "behind" for each in found) else None


def _own(stands: Stands, texts: dict[str, str], language: Language) -> OwnExpectation:
    period, rule = stands.judged.period, stands.judged.rule.model_copy(update={"window": None})
    said, reached, by_now = period.version.content, None, None
    if stands.observed is not None and stands.required is not None:
        told = Reached(stands.observed, stands.required, stands.state == "met")
        reached = sentences.sentence(rule, language, Names(), told)
    if stands.expected is not None and not stands.over and stands.state in {"on-course", "behind"}:
        amount = int(stands.expected)
        by_now = parts.time(amount, language) if isinstance(rule, Sum) else language.number(amount)
    missed = stands.state == "behind" and stands.over
    before = periods.at(stands.judged.shown.versions, period.start - timedelta(days=1))
    return OwnExpectation(
        stands,
        said["name"],
        said.get("text"),
        sentences.sentence(rule, language, Names()),
        language.gettext(MISSED if missed else STATES[stands.state]),
        reached,
        by_now,
        [texts[code] for code in said.get("objectives", ()) if code in texts],
        before.start if before is not None else None,
    )
