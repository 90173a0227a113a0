"""The parts of sentences about rules: amounts, filters, windows of time, names."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from service.criteria.filters import ContributionFilter
from service.criteria.windows import Between, Last, SinceEnrolment
from service.durations import Duration
from service.texts.languages import N_, Language

COUNTED: Final[Mapping[str, Callable[[Language, int], str]]] = {
    "attended": lambda said, n: said.ngettext("%(num)s meeting attended", "%(num)s meetings attended", n),
    "facilitated": lambda said, n: said.ngettext("%(num)s meeting led", "%(num)s meetings led", n),
    "presented": lambda said, n: said.ngettext("%(num)s talk given", "%(num)s talks given", n),
    "shared": lambda said, n: said.ngettext("%(num)s resource shared", "%(num)s resources shared", n),
    "authored": lambda said, n: said.ngettext("%(num)s text written", "%(num)s texts written", n),
    "commented": lambda said, n: said.ngettext("%(num)s comment", "%(num)s comments", n),
    "reviewed": lambda said, n: said.ngettext("%(num)s review", "%(num)s reviews", n),
    "mentored": lambda said, n: said.ngettext("%(num)s time as a mentor", "%(num)s times as a mentor", n),
    "submitted": lambda said, n: said.ngettext(
        "%(num)s piece of work handed in", "%(num)s pieces of work handed in", n
    ),
    "answered": lambda said, n: said.ngettext("%(num)s question answered", "%(num)s questions answered", n),
    "completed": lambda said, n: said.ngettext("%(num)s task completed", "%(num)s tasks completed", n),
    "goal_met": lambda said, n: said.ngettext("%(num)s goal met", "%(num)s goals met", n),
    "organized": lambda said, n: said.ngettext("%(num)s event organized", "%(num)s events organized", n),
    "accepted": lambda said, n: said.ngettext(
        "%(num)s version of the guidelines accepted", "%(num)s versions of the guidelines accepted", n
    ),
    "adopted": lambda said, n: said.ngettext("%(num)s resource taken up", "%(num)s resources taken up", n),
}
"""A number of contributions of one type."""

KINDS: Final[Mapping[str, str]] = {
    "attended": N_("meetings attended"),
    "facilitated": N_("meetings led"),
    "presented": N_("talks given"),
    "shared": N_("resources shared"),
    "authored": N_("texts written"),
    "commented": N_("comments"),
    "reviewed": N_("reviews"),
    "mentored": N_("mentoring"),
    "submitted": N_("work handed in"),
    "answered": N_("questions answered"),
    "completed": N_("tasks completed"),
    "goal_met": N_("goals met"),
    "organized": N_("events organized"),
    "accepted": N_("guidelines accepted"),
    "adopted": N_("resources taken up"),
}
"""Contributions of a type, without a number."""

_UNITS: Final[Mapping[str, Callable[[Language, int, str], str]]] = {
    "session": lambda said, n, kinds: said.ngettext(
        "%(num)s meeting with %(kinds)s", "%(num)s meetings with %(kinds)s", n, kinds=kinds
    ),
    "day": lambda said, n, kinds: said.ngettext(
        "%(num)s day with %(kinds)s", "%(num)s days with %(kinds)s", n, kinds=kinds
    ),
    "week": lambda said, n, kinds: said.ngettext(
        "%(num)s week with %(kinds)s", "%(num)s weeks with %(kinds)s", n, kinds=kinds
    ),
    "peer": lambda said, n, kinds: said.ngettext(
        "%(num)s colleague in %(kinds)s", "%(num)s different colleagues in %(kinds)s", n, kinds=kinds
    ),
    "resource": lambda said, n, kinds: said.ngettext(
        "%(num)s resource in %(kinds)s", "%(num)s different resources in %(kinds)s", n, kinds=kinds
    ),
}
_CREDITED: Final[Mapping[str, Callable[[Language, int], str]]] = {
    "item": lambda said, n: said.ngettext(
        "%(num)s time that a colleague took up a shared resource",
        "%(num)s times that colleagues took up shared resources",
        n,
    ),
    "peer": lambda said, n: said.ngettext(
        "%(num)s colleague who took up a shared resource",
        "%(num)s different colleagues who took up shared resources",
        n,
    ),
    "resource": lambda said, n: said.ngettext(
        "%(num)s shared resource that colleagues took up", "%(num)s shared resources that colleagues took up", n
    ),
}
"""What others took up of what somebody shared, by what is counted."""
_ALIKE: Final = {("session", "attended"), ("session", "facilitated"), ("resource", "shared")}
"""Units that are what the contribution is about, so that counting either says the same."""

_SPANS: Final[Sequence[Callable[[Language, int], str]]] = (
    lambda said, n: said.ngettext("%(num)s year", "%(num)s years", n),
    lambda said, n: said.ngettext("%(num)s month", "%(num)s months", n),
    lambda said, n: said.ngettext("%(num)s week", "%(num)s weeks", n),
    lambda said, n: said.ngettext("%(num)s day", "%(num)s days", n),
    lambda said, n: said.ngettext("%(num)s hour", "%(num)s hours", n),
    lambda said, n: said.ngettext("%(num)s minute", "%(num)s minutes", n),
    lambda said, n: said.ngettext("%(num)s second", "%(num)s seconds", n),
)
_TIERS: Final = {
    1: N_("confirmed at least by a peer"),
    2: N_("confirmed at least by a facilitator"),
    3: N_("confirmed by the network"),
    4: N_("confirmed by the network"),  # by two people of it, which the rule says by itself
}


def named(text: str) -> str:
    """Return a name as people write it: "autumn-circle" is "autumn circle"; other names stay as they are."""
    return re.sub("[-_]", " ", text) if re.fullmatch("[a-z0-9]+([-_][a-z0-9]+)+", text) else text


def quoted(names: Sequence[str], language: Language) -> list[str]:
    """Return names, which are data, in quotation marks."""
    return [language.gettext(N_("“%(name)s”"), name=named(name)) for name in names]


def kinds(where: ContributionFilter, language: Language) -> str:
    """Return which contributions a filter asks for, without a number."""
    if where.types is None:
        return language.gettext(N_("contributions"))
    of = [language.gettext(KINDS[name]) if name in KINDS else _own(name, language) for name in where.types]
    return language.listed(of, of="or")


def counted(where: ContributionFilter, unit: str, count: int, language: Language) -> str:
    """Return a number of contributions that a filter asks for, or of the different things that they have."""
    only = only_type(where)
    if unit != "item" and (unit, only) not in _ALIKE:
        return _UNITS[unit](language, count, kinds(where, language))
    if only in COUNTED:
        return COUNTED[str(only)](language, count)
    if where.types is None:
        return language.ngettext("%(num)s contribution", "%(num)s contributions", count)
    return language.ngettext(
        "%(num)s contribution (%(kinds)s)", "%(num)s contributions (%(kinds)s)", count, kinds=kinds(where, language)
    )


def credited(unit: str, count: int, language: Language) -> str:
    """Return how often others took up what somebody shared, or how many people or resources that were."""
    return _CREDITED[unit](language, count)


def only_type(where: ContributionFilter) -> str | None:
    """Return the only type of contributions that a filter asks for."""
    return where.types[0] if where.types is not None and len(where.types) == 1 else None


def time(minutes: int, language: Language) -> str:
    """Return an amount of time: "1 hour and 30 minutes"."""
    hours, left = divmod(minutes, 60)
    return _spans((0, 0, 0, 0, hours, left, 0), language) or _SPANS[5](language, 0)


def days(count: int, language: Language) -> str:
    """Return a number of days."""
    return _SPANS[3](language, count)


def filtered(where: ContributionFilter, language: Language) -> Iterator[str]:
    """Yield what else a filter on contributions asks for, beside their types."""
    if where.tags_any:
        tags = language.listed(quoted(where.tags_any, language), of="or")
        yield language.gettext(N_("tagged %(tags)s"), tags=tags)
    if where.role:
        yield language.gettext(N_("in the role “%(role)s”"), role=named(where.role))
    if where.series:
        yield language.gettext(N_("in the series “%(series)s”"), series=named(where.series))
    if where.sessions:
        meetings = language.listed(quoted(where.sessions, language), of="or")
        yield language.gettext(N_("in the meeting %(meetings)s"), meetings=meetings)
    if where.objective:
        yield language.gettext(N_("in meetings about the objective “%(objective)s”"), objective=named(where.objective))
    yield from tier(where.min_tier, language)


def tier(min_tier: int | None, language: Language) -> Iterator[str]:
    """Yield who must stand behind the evidence, if a rule says so."""
    if min_tier:
        yield language.gettext(_TIERS[min_tier])


def window(asked: Any, language: Language, *, decided: bool) -> Iterator[str]:
    """Yield when the evidence must be from, if a rule says so.

    Args:
        decided: of a decision that was made, so that time counts back from then and not from now.
    """
    if isinstance(asked, Between):
        start, end = _moment(asked.from_, language), _moment(asked.to, language)
        if start and end:
            yield language.gettext(N_("from %(start)s on and before %(end)s"), start=start, end=end)
        elif start:
            yield language.gettext(N_("from %(start)s on"), start=start)
        else:
            yield language.gettext(N_("before %(end)s"), end=end)
    elif isinstance(asked, Last):
        text = N_("not more than %(time)s before the decision") if decided else N_("not more than %(time)s ago")
        yield language.gettext(text, time=_spans(Duration.parse(asked.last).parts, language))
    elif isinstance(asked, SinceEnrolment):
        yield language.gettext(N_("after enrolment"))


def _own(name: str, language: Language) -> str:
    """Return a type of contributions that the network added, whose name begins with `x-`."""
    return quoted([name.removeprefix("x-")], language)[0]


def _spans(parts: Sequence[int], language: Language) -> str:
    return language.listed([say(language, n) for say, n in zip(_SPANS, parts, strict=True) if n])


def _moment(moment: date | None, language: Language) -> str:
    if moment is None:
        return ""
    return language.moment(moment) if isinstance(moment, datetime) else language.day(moment.isoformat())
