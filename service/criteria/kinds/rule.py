"""The kinds of rules in `criteria/1`: what each asks for, in parameters and in words.

One kind is one class here and one function in `service.rule_queries`, which says the same in SQL.

Over 400 lines because the kinds are read side by side.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from service.bodies import RoleName
from service.criteria.filters import (
    Amount,
    Between,
    ContributionFilter,
    EvaluationFilter,
    Last,
    Most,
    Name,
    Names,
    Number,
    Part,
    RubricFilter,
    SinceEnrolment,
    Window,
    most_days,
)

Stability = Literal["grows", "may-change"]
"""`grows`: more evidence never lowers it. `may-change`: evidence or time can move it either way."""


class Fault(NamedTuple):
    """What keeps a definition from being published; the pointer begins at the criterion that was looked at."""

    code: str
    message: str
    pointer: str


class Also(NamedTuple):
    """A second number of a rule, met at `required`; `joined`: whether both are needed, or one of them."""

    name: str
    observed: float
    required: float
    joined: Literal["and", "or"]
    text: str

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.observed >= self.required


class Reached(NamedTuple):
    """How far a member has come with a rule; `progress` may still be above 1."""

    observed: float
    required: float
    progress: float
    met: bool
    also: Also | None


class Rule(Part):
    """One condition on a member's evidence."""

    rule: str
    window: Window | None = Field(None, description="when the evidence occurred; always, if left out")

    @property
    def kind(self) -> str:
        """The name of the rule."""
        return self.rule

    @property
    def requirement(self) -> str:
        """What the rule asks for, in words that follow "0 of"."""
        raise NotImplementedError

    @property
    def stability(self) -> Stability:
        """Whether evidence and time can only add to the rule's number."""
        return "may-change" if isinstance(self.window, Last) else "grows"

    @property
    def topics(self) -> set[str]:
        """What must be heard of for the rule's number to grow, as `service.listening` names it."""
        raise NotImplementedError

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return the number at which the rule is met, and the progress towards it.

        Args:
            observed: the member's number.
            beside: a second number that some kinds need; each says which.
        """
        raise NotImplementedError

    def also(self, beside: float) -> Also | None:
        """Return the second number of the rule, for those kinds that ask for one."""
        _ = beside
        return None

    def exact(self, observed: float) -> float:
        """Return the member's number without what arithmetic in floating point has done to it."""
        return observed

    def reached(self, observed: float, beside: float) -> Reached:
        """Return how far a member has come, of both numbers where the rule has two."""
        observed = self.exact(observed)
        required, progress = self.measure(observed, beside)
        also = self.also(beside)
        if also is None:
            return Reached(observed, required, progress, observed >= required, None)
        parts = min(max(progress, 0), 1), min(also.observed / also.required, 1)
        if also.joined == "or":
            return Reached(observed, required, max(parts), observed >= required or also.met, also)
        return Reached(observed, required, sum(parts) / 2, observed >= required and also.met, also)

    def sentence(self, observed: float, required: float) -> str:
        """Say how far a member has come."""
        _ = required
        return f"{number(observed)} of {self.requirement}"

    def impossible(self, zone: tzinfo) -> Iterator[Fault]:
        """Give what makes the rule one that nobody can ever meet."""
        if isinstance(self.window, Between):
            bounds = self.window.bounds(None, zone)
            if bounds.start is not None and bounds.end is not None and bounds.end <= bounds.start:
                yield Fault("window-empty", "Expected `to` after `from`: the window is [from, to).", "/window/to")


class Count(Rule):
    """A number of contributions, or of the different things that they have."""

    rule: Literal["count"]
    where: ContributionFilter = Field(ContributionFilter(), description="which contributions; all, if left out")
    distinct: Literal["item", "session", "day", "week", "peer", "resource"] = Field(
        "item", description="what is counted: contributions, or their different sessions, days, weeks, peers, resources"
    )
    gte: Amount = Field(description="as many as this, or more")

    _NOUNS: ClassVar = {
        "item": ("contribution", "contributions"),
        "session": ("session with contributions", "sessions with contributions"),
        "day": ("day with contributions", "days with contributions"),
        "week": ("week with contributions", "weeks with contributions"),
        "peer": ("peer in contributions", "peers in contributions"),
        "resource": ("resource in contributions", "resources in contributions"),
    }

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        return f"{self.gte} {self._NOUNS[self.distinct][self.gte > 1]}{self.where}{self.window or ''}"

    @property
    def topics(self) -> set[str]:
        """Contributions of the types, and the role in which they are made."""
        return self.where.topics

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the part of it that is there."""
        _ = beside
        return self.gte, observed / self.gte

    def impossible(self, zone: tzinfo) -> Iterator[Fault]:
        """Give also a number above what the window or the listed sessions have room for."""
        yield from super().impossible(zone)
        days = most_days(self.window, zone)
        room = None
        if self.distinct == "day":
            room = days
        elif self.distinct == "week" and days is not None:
            room = (days + 5) // 7 + 1
        elif self.distinct == "session" and self.where.sessions is not None:
            room = len(self.where.sessions)
        if room is not None and self.gte > room:
            yield Fault("rule-impossible", f"Expected at most {room}: there are no more to count.", "/gte")


class Sum(Rule):
    """The minutes of contributions, added up."""

    rule: Literal["sum"]
    where: ContributionFilter = Field(ContributionFilter(), description="which contributions; all, if left out")
    field: Literal["minutes"] = Field(description="what is added up")
    gte: Amount = Field(description="as much as this, or more")
    cap_per: dict[Literal["day", "week", "session"], Amount] | None = Field(
        None, min_length=1, max_length=1, description="count no more than this for one day, week or session"
    )

    @property
    def cap(self) -> tuple[str, int] | None:
        """The unit that is capped, and at how much."""
        return next(iter(self.cap_per.items())) if self.cap_per else None

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        capped = f", counting at most {self.cap[1]} a {self.cap[0]}" if self.cap else ""
        return f"{self.gte} {self.field} of contributions{self.where}{self.window or ''}{capped}"

    @property
    def topics(self) -> set[str]:
        """Contributions of the types, and the role in which they are made."""
        return self.where.topics

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the part of it that is there."""
        _ = beside
        return self.gte, observed / self.gte

    def impossible(self, zone: tzinfo) -> Iterator[Fault]:
        """Give also a sum above what the caps leave room for."""
        yield from super().impossible(zone)
        if self.cap is None:
            return
        days = most_days(self.window, zone)
        units: dict[str, int | None] = {
            "day": days,
            "week": None if days is None else (days + 5) // 7 + 1,
            "session": len(self.where.sessions) if self.where.sessions is not None else None,
        }
        room = units[self.cap[0]]
        if room is not None and self.gte > room * self.cap[1]:
            yield Fault("rule-impossible", f"Expected at most {room * self.cap[1]}: the cap allows no more.", "/gte")


class Attendance(Rule):
    """Sessions of a series that a member attended; the window is about when sessions begin."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["min_sessions"]}, {"required": ["min_rate"]}]})

    rule: Literal["attendance"]
    series: Name = Field(description="the series of sessions")
    min_sessions: Amount | None = Field(None, description="as many sessions as this, or more")
    min_rate: Number | None = Field(
        None, gt=0, le=1, description="this part of the sessions that have begun, or more; may fall as sessions go by"
    )
    min_minutes: Amount | None = Field(None, description="minutes in a session for it to count")

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.min_sessions is None and self.min_rate is None:
            raise PydanticCustomError("attendance-unbounded", "Expected min_sessions, min_rate or both")
        return self

    @property
    def requirement(self) -> str:
        """What the rule asks for, before it is known how many sessions there are."""
        asked = [
            f"{self.min_sessions} {'session' if self.min_sessions == 1 else 'sessions'}" if self.min_sessions else "",
            f"{number(round(self.min_rate * 100, 6))} % of the sessions" if self.min_rate is not None else "",
        ]
        return f"{' and '.join(filter(None, asked))}{self._words}"

    @property
    def _words(self) -> str:
        long_enough = f" for {self.min_minutes} minutes or more" if self.min_minutes else ""
        return f" of series {self.series} attended{long_enough}{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """Whether it only grows: a rate falls with every session that goes by."""
        return "may-change" if self.min_rate is not None else super().stability

    @property
    def topics(self) -> set[str]:
        """That somebody attended."""
        return {"did:attended"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return how many sessions are needed, of the `beside` that have begun; at least one."""
        required = max(self.min_sessions or 0, 1)
        if self.min_rate is not None and beside:
            # The quotient is rounded as the written rate is, so that 6 of 8 is 0.75 and 3 of 30 is 0.1.
            share = int(self.min_rate * beside) - 1
            while share / beside < self.min_rate:
                share += 1
            required = max(required, share)
        return required, observed / required

    def sentence(self, observed: float, required: float) -> str:
        """Say how many sessions were attended of those needed now."""
        return f"{number(observed)} of {number(required)} {'session' if required == 1 else 'sessions'}{self._words}"


class Rubric(Rule):
    """A rubric, on which enough people found every criterion good enough in one and the same piece of work."""

    rule: Literal["rubric"]
    rubric: Name = Field(description="the rubric, as evaluations name it")
    criteria: Annotated[
        Annotated[Literal["*"], Tag("<all>")] | Annotated[Names, Tag("<some>")],
        Discriminator(lambda value: "<all>" if isinstance(value, str) else "<some>"),
    ] = Field(description='the criteria that must be met; "*": those that the result descriptions declare')
    min_level: Number = Field(ge=0, le=1000, description="this level or better")
    raters: Amount = Field(1, description="by as many different people as this, or more")
    part: Name | None = Field(None, description="only evaluations of this part of the work")
    where: RubricFilter = Field(RubricFilter(), description="which evaluations; all, if left out")

    @property
    def people(self) -> int:
        """How many different people must agree: tier 4 is what two or more found."""
        return max(self.raters, 2) if self.where.min_tier == 4 else self.raters

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        some = len(self.criteria) if self.criteria != "*" else 0
        asked = f"{some} {'criterion' if some == 1 else 'criteria'}" if some else "all criteria"
        part = f" (part {self.part})" if self.part else ""
        by = f", found by {self.people} people" if self.people > 1 else ""
        return f"{asked} of rubric {self.rubric}{part} at level {number(self.min_level)} or better{by}{self.where}{self.window or ''}"

    @property
    def topics(self) -> set[str]:
        """Evaluations by the rubric."""
        return {f"rubric:{self.rubric}"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return the number of criteria; the progress counts the `beside` findings of single people too."""
        _ = observed
        return len(self.criteria), beside / (len(self.criteria) * self.people)


class Score(Rule):
    """A score in an assessment, scaled to 0..1."""

    rule: Literal["score"]
    assessment: Name = Field(description="the assessment, as evaluations name it")
    stat: Literal["best", "last", "first"] = Field("best", description="which score counts where there are several")
    gte: Number = Field(gt=0, le=1, description="this scaled score or better")
    where: EvaluationFilter = Field(EvaluationFilter(), description="which evaluations; all, if left out")

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        return f"{self._words} of {number(self.gte)} or better"

    @property
    def _words(self) -> str:
        return f"a {self.stat} score in assessment {self.assessment}{self.where}{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """Whether it only grows: the last score can be worse, and late evidence can come before the first."""
        return super().stability if self.stat == "best" else "may-change"

    @property
    def topics(self) -> set[str]:
        """Scores in the assessment."""
        return {f"score:{self.assessment}"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the part of it that is there."""
        _ = beside
        return self.gte, observed / self.gte

    def sentence(self, observed: float, required: float) -> str:
        """Say what the score is and what it must be."""
        return f"{self._words}: {number(observed)}, needed {number(required)}"


class Gain(Rule):
    """What a member gained from the first score before to the best one after; all scores are scaled to 0..1.

    The first score before is the one that counts: nobody gains by doing worse in a second one.
    """

    rule: Literal["gain"]
    instrument: Name = Field(description="the assessment or survey, as evaluations name it")
    metric: Literal["normalized", "change", "raw"] = Field(
        description=(
            "raw: post - pre; normalized: that as a part of what was left to gain, 1 - pre; "
            "change: the same, and of a loss its part of what there was to lose, pre"
        )
    )
    gte: Number = Field(gt=0, le=1, description="a gain of this or better")
    or_post_gte: Number | None = Field(
        None, gt=0, le=1, description="or any score after of this or better, whatever was before"
    )
    min_days: Amount | None = Field(None, description="days between before and after, or more")
    same_form: bool | None = Field(
        None, description="true: both on one form; false: on two different forms; left out: no matter"
    )
    where: EvaluationFilter = Field(EvaluationFilter(), description="which evaluations; all, if left out")

    ROUNDED: ClassVar = 1e-9

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        other = f" or {self._after} of {number(self.or_post_gte)} or better" if self.or_post_gte is not None else ""
        return f"{self._words} of {number(self.gte)} or better{other}"

    @property
    def _words(self) -> str:
        kinds = {"normalized": "normalized gain", "change": "normalized change", "raw": "gain"}
        days = f" over {self.min_days} days or more" if self.min_days else ""
        forms = {None: "", True: " on the same form", False: " on another form"}[self.same_form]
        return f"a {kinds[self.metric]} in {self.instrument}{days}{forms}{self.where}{self.window or ''}"

    @property
    def _after(self) -> str:
        return f"a score after in {self.instrument}"

    @property
    def stability(self) -> Stability:
        """That it may change: an earlier score before can still turn up."""
        return "may-change"

    @property
    def topics(self) -> set[str]:
        """Scores in the assessment or survey."""
        return {f"score:{self.instrument}", f"survey:{self.instrument}"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the part of it that is there."""
        _ = beside
        return self.gte, max(observed, 0) / self.gte

    def also(self, beside: float) -> Also | None:
        """Return the best score after, which is `beside`."""
        if self.or_post_gte is None:
            return None
        text = f"{self._after}: {number(beside)}, needed {number(self.or_post_gte)}"
        return Also("post", beside, self.or_post_gte, "or", text)

    def exact(self, observed: float) -> float:
        """Return the gain; one that is the number asked for, but for rounding, is that number."""
        return self.gte if abs(observed - self.gte) < self.ROUNDED else observed

    def sentence(self, observed: float, required: float) -> str:
        """Say what the gain is and what it must be."""
        return f"{self._words}: {number(observed)}, needed {number(required)}"

    def impossible(self, zone: tzinfo) -> Iterator[Fault]:
        """Give also more days between than the window has."""
        yield from super().impossible(zone)
        days = most_days(self.window, zone)
        if days is not None and self.min_days is not None and self.min_days >= days:
            yield Fault("rule-impossible", f"Expected at most {days - 1}: the window has {days} days.", "/min_days")


class Endorsed(Rule):
    """Colleagues who endorsed a skill of the member, each person once."""

    rule: Literal["endorsed"]
    skill: Name = Field(description="the skill, as endorsements name it")
    gte: Amount = Field(description="by as many different people as this, or more")
    distinct_orgs: Amount | None = Field(None, description="from as many different organizations as this, or more")
    from_role: RoleName | None = Field(None, description="by people who had this role when they endorsed")
    from_achievement: Name | None = Field(
        None, description="by people who held this achievement, by ref, when they endorsed"
    )
    max_reciprocal: Most | None = Field(
        None, description="of those whom the member has endorsed too, for whatever, count no more than this"
    )
    where: EvaluationFilter = Field(EvaluationFilter(), description="which endorsements; all, if left out")

    @field_validator("distinct_orgs")
    @classmethod
    def _within(cls, distinct_orgs: int, info: ValidationInfo) -> int:
        people = info.data.get("gte")
        if people is not None and distinct_orgs > people:
            raise PydanticCustomError(
                "orgs-too-many", "Expected at most {gte}, as so many people are asked for", {"gte": people}
            )
        return distinct_orgs

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        orgs = f" from {self.distinct_orgs} organizations" if self.distinct_orgs else ""
        people = "person" if self.gte == 1 else "people"
        return f"{self.gte} {people}{orgs} who endorsed {self.skill}{self._words}"

    @property
    def _words(self) -> str:
        role = f" as {self.from_role}" if self.from_role else ""
        holding = f" holding {self.from_achievement}" if self.from_achievement else ""
        most = self.max_reciprocal
        mutual = f", at most {most} of them endorsed in return" if most is not None else ""
        return f"{role}{holding}{self.where}{self.window or ''}{mutual}"

    @property
    def stability(self) -> Stability:
        """Whether it only grows: an endorsement in return can take one away."""
        return "may-change" if self.max_reciprocal is not None else super().stability

    @property
    def topics(self) -> set[str]:
        """Endorsements of the skill."""
        return {f"endorsement:{self.skill}"}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `gte`, and the part of it that is there."""
        _ = beside
        return self.gte, observed / self.gte

    def also(self, beside: float) -> Also | None:
        """Return from how many organizations they are, which is `beside`."""
        if self.distinct_orgs is None:
            return None
        text = (
            f"{number(beside)} of {self.distinct_orgs} {'organization' if self.distinct_orgs == 1 else 'organizations'}"
        )
        return Also("organizations", beside, self.distinct_orgs, "and", text)

    def sentence(self, observed: float, required: float) -> str:
        """Say how many have endorsed."""
        people = "person" if required == 1 else "people"
        return f"{number(observed)} of {number(required)} {people} who endorsed {self.skill}{self._words}"


class Tenure(Rule):
    """How long a member has had a role, and how many sessions were led in it.

    Days are those of the network's calendar, from the one on which the role began to, but not with, the one on which
    it ended or today; a day in two periods counts once. A session is led by a contribution of type facilitated.
    """

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["min_days"]}, {"required": ["min_sessions_led"]}]}
    )

    rule: Literal["tenure"]
    role: RoleName = Field(description="the role")
    min_days: Amount | None = Field(None, description="days in the role, or more")
    min_sessions_led: Amount | None = Field(None, description="different sessions led while in the role, or more")

    @field_validator("window")
    @classmethod
    def _of_the_calendar(cls, window: Any) -> Any:
        if isinstance(window, SinceEnrolment):
            raise PydanticCustomError("window-unfit", 'Expected {"from", "to"} or {"last": "P1Y"}')
        return window

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.min_days is None and self.min_sessions_led is None:
            raise PydanticCustomError("tenure-unbounded", "Expected min_days, min_sessions_led or both")
        return self

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        days = f"{self.min_days} {_days(self.min_days)} as {self.role}" if self.min_days else ""
        asked = [days, f"{self.min_sessions_led} {self._led}" if self.min_sessions_led else ""]
        return f"{' and '.join(filter(None, asked))}{self.window or ''}"

    @property
    def _led(self) -> str:
        return f"{'session' if self.min_sessions_led == 1 else 'sessions'} led as {self.role}"

    @property
    def topics(self) -> set[str]:
        """The role, and that sessions are led."""
        return {f"role:{self.role}"} | ({"did:facilitated"} if self.min_sessions_led else set())

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return the days asked for, or else the sessions, and the part of them that is there."""
        _ = beside
        required = self.min_days or self.min_sessions_led or 1
        return required, observed / required

    def also(self, beside: float) -> Also | None:
        """Return how many sessions were led, which is `beside`, where days are asked for as well."""
        if self.min_days is None or self.min_sessions_led is None:
            return None
        text = f"{number(beside)} of {self.min_sessions_led} {self._led}{self.window or ''}"
        return Also("sessions_led", beside, self.min_sessions_led, "and", text)

    def sentence(self, observed: float, required: float) -> str:
        """Say how many days, or sessions, there are."""
        what = f"{_days(self.min_days)} as {self.role}" if self.min_days else self._led
        return f"{number(observed)} of {number(required)} {what}{self.window or ''}"

    def impossible(self, zone: tzinfo) -> Iterator[Fault]:
        """Give also more days than the window has."""
        yield from super().impossible(zone)
        days = most_days(self.window, zone)
        if days is not None and self.min_days is not None and self.min_days > days:
            yield Fault("rule-impossible", f"Expected at most {days}: the window has no more days.", "/min_days")


class Holds(Rule):
    """Achievements of the same network that the member has been awarded; the window is about when."""

    rule: Literal["holds"]
    achievements: Names = Field(description="the achievements, by ref")
    n: Amount | None = Field(None, description="as many of them as this, or more; all, if left out")
    valid_on_award: bool = Field(False, description="whether they must be valid now: not expired and not suspended")
    min_version: Amount | None = Field(None, description="awarded in this version or a later one")

    @field_validator("n")
    @classmethod
    def _within(cls, n: int, info: ValidationInfo) -> int:
        return no_more_than(n, info.data.get("achievements"))

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        held = "held and valid" if self.valid_on_award else "held"
        version = f" in version {self.min_version} or later" if self.min_version else ""
        named = ", ".join(self.achievements)
        return f"{self.n or len(self.achievements)} of the achievements {named} {held}{version}{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """Whether it only grows: what must be valid now can expire."""
        return "may-change" if self.valid_on_award else super().stability

    @property
    def topics(self) -> set[str]:
        """Awards of the achievements."""
        return {f"award:{ref}" for ref in self.achievements}

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return how many are needed, and the part of it that is there."""
        _ = beside
        required = self.n or len(self.achievements)
        return required, observed / required

    def sentence(self, observed: float, required: float) -> str:
        """Say how many are held."""
        _ = required
        return f"{number(observed)} held, needed {self.requirement}"


class Approved(Rule):
    """People in a role who approved the award; nobody approves for themself."""

    rule: Literal["approval"]
    by_role: RoleName = Field(description="the role in the network that they have when they approve")
    n: Amount = Field(1, description="as many different people as this, or more")
    not_conflicted: bool = Field(
        True, description="whether an approval does not count by somebody whom the member has approved in turn"
    )

    @property
    def requirement(self) -> str:
        """What the rule asks for."""
        people = "person" if self.n == 1 else "people"
        return f"{self.n} {people} with the role {self.by_role} who approved{self.window or ''}"

    @property
    def stability(self) -> Stability:
        """Whether it only grows: an approval is withdrawn, or turns out to be one in exchange for another."""
        return "may-change"

    @property
    def topics(self) -> set[str]:
        """Nothing: whoever approves has the award decided in the same breath."""
        return set()

    def measure(self, observed: float, beside: float) -> tuple[float, float]:
        """Return `n`, and the part of it that is there."""
        _ = beside
        return self.n, observed / self.n


def no_more_than(n: int, choice: Sequence[Any] | None) -> int:
    """Return `n`, the part of a choice that is needed, where the choice has so many (None: it is itself refused)."""
    if choice is not None and n > len(choice):
        raise PydanticCustomError(
            "n-too-large", "Expected at most {count}, as there are no more", {"count": len(choice)}
        )
    return n


def number(value: float) -> str:
    """Write a number as people do: without a fraction where it has none."""
    return f"{value:.10g}"


def _days(count: int) -> str:
    return "day" if count == 1 else "days"
