"""Sentences about rules: what each asks for, and what was reached."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.criteria.kinds.approval import Approved
from service.criteria.kinds.attendance import Attendance
from service.criteria.kinds.count import Count
from service.criteria.kinds.endorsed import Endorsed
from service.criteria.kinds.gain import Gain
from service.criteria.kinds.holds import Holds
from service.criteria.kinds.rubric import Rubric
from service.criteria.kinds.rule import Rule
from service.criteria.kinds.score import Score
from service.criteria.kinds.sum import Sum
from service.criteria.kinds.tenure import Tenure
from service.criteria.tree import Criterion, Group
from service.sharing.rules import deeds, judgements, parts
from service.sharing.rules.told import Names, Parts, Reached, Told
from service.texts.languages import N_, Language

_KINDS: Final[Mapping[type[Rule], Callable[[Told], Parts]]] = {
    Count: deeds.count,
    Sum: deeds.total,
    Attendance: deeds.attendance,
    Rubric: judgements.rubric,
    Score: judgements.score,
    Gain: judgements.gain,
    Endorsed: judgements.endorsed,
    Holds: deeds.holds,
    Tenure: deeds.tenure,
    Approved: deeds.approval,
}


@dataclass(frozen=True)
class Line:
    """A rule, or what stands above the rules of a group, in words.

    Args:
        depth: how many headings it stands under.
        text: the sentence, without a full stop.
        heading: whether others stand under it.
        met: what a receipt says; None of a rule as it was published.
        records: how many records met it.
    """

    depth: int
    text: str
    heading: bool
    met: bool | None = None
    records: int = 0


def lines(
    criterion: Criterion,
    language: Language,
    names: Names,
    node: Mapping[str, Any] | None = None,
    depth: int = 0,
    *,
    decided: bool | None = None,
) -> Iterator[Line]:
    """Yield a rule in words, line by line.

    A group of one is shown as the one.

    Args:
        criterion: the rule of a published definition.
        language: of the reader.
        names: what the rule names by reference.
        node: the criteria of a receipt of a decision by this rule, or of a member's progress; left out: the lines say
            what the rule asks for.
        depth: of the first line.
        decided: False of progress, which nobody has decided on; left out: there is a decision if there is a node.
    """
    decided = node is not None if decided is None else decided
    met = None if node is None else bool(node["met"])
    if isinstance(criterion, Group):
        below = [None] * len(criterion.children) if node is None else node["children"]
        if len(criterion.children) > 1:
            yield Line(depth, heading(criterion, language, decided=decided), heading=True, met=met)
            depth += 1
        for child, found in zip(criterion.children, below, strict=True):
            yield from lines(child, language, names, found, depth, decided=decided)
        return
    assert isinstance(criterion, Rule)
    reached = None if node is None else Reached(node["observed"], node["required"], node["met"])
    records = 0 if node is None else len(node.get("evidence", []))
    text = sentence(criterion, language, names, reached, decided=decided)
    yield Line(depth, text, heading=False, met=met, records=records)


def sentence(
    rule: Rule, language: Language, names: Names, reached: Reached | None = None, *, decided: bool | None = None
) -> str:
    """Return a sentence about a rule, without a full stop: "Attended 4 meetings of “autumn circle” (3 needed)".

    Args:
        rule: of a published definition.
        language: of the reader.
        names: what the rule names by reference.
        reached: what a receipt says was reached; left out: the sentence says what the rule asks for.
        decided: as in `lines`.
    """
    decided = reached is not None if decided is None else decided
    told = Told(rule, language, names, reached)
    main, needed, also = _KINDS[type(rule)](told)
    said = ", ".join([main, *also, *parts.window(rule.window, language, decided=decided)])
    return said if reached is None else told.say(N_("%(what)s (%(needed)s needed)"), what=said, needed=needed)


def heading(group: Group, language: Language, *, decided: bool) -> str:
    """Return what stands above the criteria of a group."""
    if group.needed == len(group.children):
        return language.gettext(N_("All of these were needed:") if decided else N_("All of these:"))
    if decided:
        return language.ngettext(
            "At least one of these was needed:", "At least %(num)s of these were needed:", group.needed
        )
    return language.ngettext("At least one of these:", "At least %(num)s of these:", group.needed)


def asks_for_people(criterion: Criterion) -> bool:
    """Return whether people must approve before a rule is met."""
    children = criterion.children if isinstance(criterion, Group) else ()
    return isinstance(criterion, Approved) or any(asks_for_people(child) for child in children)
