"""Sentences of rules on what members did and have.

That is contributions, badges, roles and approvals.
"""

from collections.abc import Iterator

from service.criteria.kinds.approval import Approved
from service.criteria.kinds.attendance import Attendance
from service.criteria.kinds.count import Count
from service.criteria.kinds.holds import Holds
from service.criteria.kinds.sum import Sum
from service.criteria.kinds.tenure import Tenure
from service.sharing.rules import parts
from service.sharing.rules.parts import named
from service.sharing.rules.told import Parts, Told
from service.texts.languages import N_


def count(told: Told) -> Parts:
    """Put a rule `count` into words."""
    rule: Count = told.rule
    language = told.language
    also = parts.filtered(rule.where, language)
    needed = language.number(rule.gte)
    if rule.credit == "sharer":
        count = rule.gte if told.reached is None else told.count
        amount = parts.credited(rule.distinct, count, language)
        return amount if told.reached else told.say(N_("At least %(amount)s"), amount=amount), needed, also
    if parts.only_type(rule.where) == "attended" and rule.distinct in ("item", "session"):
        if rule.where.series is None:
            return _attended(told, rule.gte), needed, also
        rest = parts.filtered(rule.where.model_copy(update={"series": None}), language)
        return _attended_of(told, rule.gte, rule.where.series), needed, rest
    count = rule.gte if told.reached is None else told.count
    amount = parts.counted(rule.where, rule.distinct, count, language)
    return amount if told.reached else told.say(N_("At least %(amount)s"), amount=amount), needed, also


def _attended(told: Told, least: int) -> str:
    if told.reached is not None:
        return told.language.ngettext("Attended %(num)s meeting", "Attended %(num)s meetings", told.count)
    return told.language.ngettext("Attend at least %(num)s meeting", "Attend at least %(num)s meetings", least)


def _attended_of(told: Told, least: int, series: str) -> str:
    if told.reached is not None:
        return told.language.ngettext(
            "Attended %(num)s meeting of “%(series)s”",
            "Attended %(num)s meetings of “%(series)s”",
            told.count,
            series=named(series),
        )
    return told.language.ngettext(
        "Attend at least %(num)s meeting of “%(series)s”",
        "Attend at least %(num)s meetings of “%(series)s”",
        least,
        series=named(series),
    )


def attendance(told: Told) -> Parts:
    """Put a rule `attendance` into words."""
    rule: Attendance = told.rule
    part = told.language.percent(rule.min_rate or 0)
    if told.reached is not None:
        main = _attended_of(told, 0, rule.series)
    elif rule.min_sessions is None:
        text = N_("Attend at least %(part)s of the meetings of “%(series)s”")
        main = told.say(text, part=part, series=named(rule.series))
    else:
        main = _attended_of(told, rule.min_sessions, rule.series)
        if rule.min_rate is not None:
            main = told.say(N_("%(what)s, and at least %(part)s of all its meetings"), what=main, part=part)

    def also() -> Iterator[str]:
        if rule.min_minutes is not None:
            yield told.say(N_("each for %(time)s or longer"), time=parts.time(rule.min_minutes, told.language))

    return main, told.language.number(told.reached.required if told.reached else 0), also()


def total(told: Told) -> Parts:
    """Put a rule `sum` into words."""
    rule: Sum = told.rule
    amount = parts.time(rule.gte if told.reached is None else told.count, told.language)
    kinds = parts.kinds(rule.where, told.language)
    text = N_("At least %(time)s of %(kinds)s") if told.reached is None else N_("%(time)s of %(kinds)s")

    def also() -> Iterator[str]:
        yield from parts.filtered(rule.where, told.language)
        if rule.cap is not None:
            unit, most = rule.cap
            text = {
                "day": N_("counting at most %(time)s a day"),
                "week": N_("counting at most %(time)s a week"),
                "session": N_("counting at most %(time)s a meeting"),
            }[unit]
            yield told.say(text, time=parts.time(most, told.language))

    return told.say(text, time=amount, kinds=kinds), parts.time(rule.gte, told.language), also()


def holds(told: Told) -> Parts:
    """Put a rule `holds` into words."""
    rule: Holds = told.rule
    needed = rule.n or len(rule.achievements)
    badges = told.language.listed(told.badges(rule.achievements))
    single = len(rule.achievements) == 1
    if told.reached is None:
        text = N_("Hold the badge %(badges)s") if single else N_("Hold all of these badges: %(badges)s")
        main = told.say(text, badges=badges)
        if needed < len(rule.achievements):
            main = told.language.ngettext(
                "Hold at least %(num)s of these badges: %(badges)s",
                "Hold at least %(num)s of these badges: %(badges)s",
                needed,
                badges=badges,
            )
    else:
        main = told.language.ngettext(
            "Held %(num)s of these badges: %(badges)s",
            "Held %(num)s of these badges: %(badges)s",
            told.count,
            badges=badges,
        )

    def also() -> Iterator[str]:
        if rule.valid_on_award:
            yield told.say(N_("valid at the time of the award"))
        if rule.min_version is not None:
            yield told.say(N_("in version %(version)s or later"), version=told.language.number(rule.min_version))

    return main, told.language.number(needed), also()


def tenure(told: Told) -> Parts:
    """Put a rule `tenure` into words."""
    rule: Tenure = told.rule
    language, role = told.language, named(rule.role)
    led = rule.min_sessions_led
    if rule.min_days is None:
        assert led is not None
        if told.reached is None:
            main = language.ngettext(
                "Lead at least %(num)s meeting in the role “%(role)s”",
                "Lead at least %(num)s meetings in the role “%(role)s”",
                led,
                role=role,
            )
        else:
            main = language.ngettext(
                "Led %(num)s meeting in the role “%(role)s”",
                "Led %(num)s meetings in the role “%(role)s”",
                told.count,
                role=role,
            )
        return main, language.number(led), iter(())
    needed = parts.days(rule.min_days, language)
    both = language.ngettext("%(num)s meeting led", "%(num)s meetings led", led) if led is not None else ""
    if told.reached is None:
        main = told.say(N_("Have the role “%(role)s” for at least %(days)s"), role=role, days=needed)
        if led is not None:
            main = told.say(N_("%(what)s, with at least %(led)s in it"), what=main, led=both)
    else:
        main = told.say(N_("Had the role “%(role)s” for %(days)s"), role=role, days=parts.days(told.count, language))
        if led is not None:
            needed = told.say(N_("%(days)s and %(led)s"), days=needed, led=both)
    return main, needed, iter(())


def approval(told: Told) -> Parts:
    """Put a rule `approval` into words."""
    rule: Approved = told.rule
    language, role = told.language, named(rule.by_role)
    if told.reached is None:
        main = language.ngettext(
            "Be approved by %(num)s person with the role “%(role)s”",
            "Be approved by at least %(num)s people with the role “%(role)s”",
            rule.n,
            role=role,
        )
    else:
        main = language.ngettext(
            "Approved by %(num)s person with the role “%(role)s”",
            "Approved by %(num)s people with the role “%(role)s”",
            told.count,
            role=role,
        )
    return main, language.number(rule.n), iter(())
