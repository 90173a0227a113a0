"""Sentences of rules on how members were judged.

That is rubrics, scores, gains and endorsements.
"""

from collections.abc import Iterator

from service.criteria.kinds.endorsed import Endorsed
from service.criteria.kinds.gain import Gain
from service.criteria.kinds.rubric import Rubric
from service.criteria.kinds.score import Score
from service.sharing.rules import parts
from service.sharing.rules.parts import named, quoted
from service.sharing.rules.told import Parts, Told
from service.texts.languages import N_

OWN_ANSWERS = N_("own answers included")
"""Said where what members say of themselves in a survey counts."""


def rubric(told: Told) -> Parts:
    """Put a rule `rubric` into words."""
    rule: Rubric = told.rule
    language = told.language
    of = {"level": language.number(rule.min_level), "rubric": named(rule.rubric)}
    known = [] if rule.criteria == "*" else rule.criteria
    if told.reached is not None:
        main = language.ngettext(
            "Reached level %(level)s or better in %(num)s criterion of the rubric “%(rubric)s”",
            "Reached level %(level)s or better in %(num)s criteria of the rubric “%(rubric)s”",
            told.count,
            **of,
        )
    elif known:
        listed = quoted([told.names.criteria.get((rule.rubric, each), each) for each in known], language)
        text = N_("Reach level %(level)s or better in the rubric “%(rubric)s”: %(criteria)s")
        main = told.say(text, **of, criteria=language.listed(listed))
    else:
        main = told.say(N_("Reach level %(level)s or better in every criterion of the rubric “%(rubric)s”"), **of)

    def also() -> Iterator[str]:
        yield told.say(N_("in one piece of work"))
        if rule.part is not None:
            yield told.say(N_("in its part “%(part)s”"), part=named(rule.part))
        if rule.people > 1:
            yield language.ngettext(
                "as judged by at least %(num)s person", "as judged by at least %(num)s people", rule.people
            )
        yield from parts.tier(rule.where.min_tier, language)

    return main, language.number(told.reached.required if told.reached else 0), also()


def score(told: Told) -> Parts:
    """Put a rule `score` into words."""
    rule: Score = told.rule
    percent, name = told.language.percent, named(rule.assessment)
    if told.reached is None:
        main = told.say(N_("Score at least %(score)s in “%(name)s”"), score=percent(rule.gte), name=name)
    else:
        main = told.say(N_("Scored %(score)s in “%(name)s”"), score=percent(told.reached.observed), name=name)

    def also() -> Iterator[str]:
        counts = {"last": N_("the last score counts"), "first": N_("the first score counts")}
        if rule.stat in counts:
            yield told.say(counts[rule.stat])
        if rule.self_report:
            yield told.say(OWN_ANSWERS)
        yield from parts.tier(rule.where.min_tier, told.language)

    return main, percent(rule.gte), also()


def gain(told: Told) -> Parts:
    """Put a rule `gain` into words."""
    rule: Gain = told.rule
    name = named(rule.instrument)

    def grown(value: float) -> str:
        if rule.metric == "raw":
            return told.say(N_("%(points)s percentage points"), points=told.language.number(round(value * 100, 2)))
        return told.language.percent(value)

    needed = grown(rule.gte)
    after = told.language.percent(rule.or_post_gte) if rule.or_post_gte is not None else ""
    if told.reached is not None:
        text = {"raw": N_("Improved by %(gain)s in “%(name)s”")}.get(
            rule.metric, N_("Gained %(gain)s of what was left to learn in “%(name)s”")
        )
        main = told.say(text, gain=grown(told.reached.observed), name=name)
        if after and told.reached.met and told.reached.observed < told.reached.required:
            main, needed = told.say(N_("Scored well enough in “%(name)s” afterwards"), name=name), after
        elif after:
            needed = told.say(N_("%(gain)s, or a score of %(score)s afterwards,"), gain=needed, score=after)
    else:
        text = {"raw": N_("Improve by at least %(gain)s in “%(name)s”")}.get(
            rule.metric, N_("Gain at least %(gain)s of what is left to learn in “%(name)s”")
        )
        main = told.say(text, gain=needed, name=name)
        if after:
            main = told.say(N_("%(what)s, or score at least %(score)s afterwards"), what=main, score=after)
    return main, needed, _gain_also(told, rule)


def _gain_also(told: Told, rule: Gain) -> Iterator[str]:
    if rule.min_days is not None:
        yield told.language.ngettext(
            "with at least %(num)s day in between", "with at least %(num)s days in between", rule.min_days
        )
    if rule.same_form is not None:
        yield told.say(N_("on the same form") if rule.same_form else N_("on two different forms"))
    if rule.self_report:
        yield told.say(OWN_ANSWERS)
    yield from parts.tier(rule.where.min_tier, told.language)


def endorsed(told: Told) -> Parts:
    """Put a rule `endorsed` into words."""
    rule: Endorsed = told.rule
    language, skill = told.language, named(rule.skill)
    needed = language.number(rule.gte)
    if told.reached is None:
        main = language.ngettext(
            "Be endorsed for “%(skill)s” by at least %(num)s person",
            "Be endorsed for “%(skill)s” by at least %(num)s people",
            rule.gte,
            skill=skill,
        )
    else:
        main = language.ngettext(
            "Endorsed for “%(skill)s” by %(num)s person",
            "Endorsed for “%(skill)s” by %(num)s people",
            told.count,
            skill=skill,
        )
    orgs = ""
    if rule.distinct_orgs is not None:
        orgs = language.ngettext(
            "from at least %(num)s organization", "from at least %(num)s organizations", rule.distinct_orgs
        )
        needed = f"{needed} {orgs}"
    return main, needed, _endorsed_also(told, rule, orgs if told.reached is None else "")


def _endorsed_also(told: Told, rule: Endorsed, orgs: str) -> Iterator[str]:
    if orgs:
        yield orgs
    if rule.from_role is not None:
        yield told.say(N_("by people with the role “%(role)s”"), role=named(rule.from_role))
    if rule.from_achievement is not None:
        yield told.say(N_("by people with the badge %(badge)s"), badge=told.badges([rule.from_achievement])[0])
    if rule.max_reciprocal is not None:
        yield told.language.ngettext(
            "with at most %(num)s of them endorsed in return",
            "with at most %(num)s of them endorsed in return",
            rule.max_reciprocal,
        )
    yield from parts.tier(rule.where.min_tier, told.language)
