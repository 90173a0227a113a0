"""A second, plain and slow implementation of `criteria/1`, for comparison.

It is lists and loops over JSON, without SQL and without our models. Tests compare the service with it, so it shares
nothing with the service.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Meeting:
    """A session."""

    id: UUID
    ref: str
    series: str | None
    starts_at: datetime
    objectives: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Deed:
    """A contribution."""

    id: UUID
    member: UUID
    type: str
    at: datetime
    tier: int = 3
    minutes: int | None = None
    meeting: Meeting | None = None
    peer: UUID | None = None
    resource: str | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Judgement:
    """An evaluation of a member.

    With a rubric it has ratings, of an assessment a scaled score; or it is an endorsement. `posted`: it was held against
    a rubric that the network had posted.
    """

    id: UUID
    member: UUID
    kind: str
    instrument: str
    at: datetime
    about: UUID
    judge: UUID | None = None
    part: str | None = None
    tier: int = 3
    ratings: tuple[tuple[str, float], ...] = ()
    scaled: float | None = None
    occasion: str | None = None
    form: str | None = None
    posted: bool = False


@dataclass(frozen=True)
class Period:
    """A role that a member has, or had."""

    member: UUID
    role: str
    begins: datetime
    ends: datetime | None


@dataclass(frozen=True)
class Held:
    """An award of another achievement."""

    id: UUID
    member: UUID
    achievement: str
    version: int
    state: str
    at: datetime
    valid_until: datetime | None = None


@dataclass(frozen=True)
class Vote:
    """What somebody in a role said about an award of the achievement that is judged.

    It counts until it ends.
    """

    id: UUID
    member: UUID
    approver: UUID
    role: str
    at: datetime
    approved: bool = True
    ended: datetime | None = None


@dataclass
class World:
    """Everything that is known about a network at one moment.

    `persons`: who each member is.
    """

    now: datetime
    zone: str
    persons: dict[UUID, UUID | None]
    meetings: list[Meeting] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    periods: list[Period] = field(default_factory=list)
    organizations: dict[UUID, str] = field(default_factory=dict)
    enrolled: dict[UUID, datetime] = field(default_factory=dict)
    votes: list[Vote] = field(default_factory=list)

    def person(self, member: UUID) -> UUID:
        """Return who the member is."""
        return self.persons[member] or member

    def begins(self, day: date) -> datetime:
        """Return when a day begins in the network."""
        return datetime.combine(day, time(), ZoneInfo(self.zone)).astimezone(UTC)

    def day(self, at: datetime) -> date:
        """Return the day of an instant, in the network."""
        return at.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True)
class Result:
    """What a member has reached of a criterion."""

    met: bool
    observed: float
    required: float
    records: frozenset[UUID] = frozenset()
    children: tuple["Result", ...] = ()
    also: tuple[float, float] | None = None


def judge(criterion: dict[str, Any], world: World, member: UUID) -> Result:
    """Return what the member has reached of a criterion, which is JSON."""
    if "rule" in criterion:
        observed, required, records, *second = RULES[criterion["rule"]](criterion, world, member)
        met = observed >= required
        observed, required = float(observed), float(required)
        if not second:
            return Result(met, observed, required, frozenset(records))
        joined, number, needed = second
        met = (met or number >= needed) if joined == "or" else (met and number >= needed)
        return Result(met, observed, required, frozenset(records), also=(number, needed))
    if "all" in criterion:
        parts, needed = criterion["all"], len(criterion["all"])
    elif "any" in criterion:
        parts, needed = criterion["any"], 1
    else:
        parts, needed = criterion["at_least"]["of"], criterion["at_least"]["n"]
    children = tuple(judge(part, world, member) for part in parts)
    met = len([child for child in children if child.met])
    return Result(met >= needed, met, needed, children=children)


def inside(criterion: dict[str, Any], world: World, member: UUID, at: datetime) -> bool:
    """Return whether an instant is in the window of a rule."""
    window = criterion.get("window", {})
    if "last" in window:
        return at >= back(window["last"], world)
    if "since" in window:
        return member not in world.enrolled or at >= world.enrolled[member]
    bounds = {
        end: datetime.fromisoformat(text) if "T" in text else world.begins(date.fromisoformat(text))
        for end, text in window.items()
    }
    return bounds.get("from", at) <= at and ("to" not in bounds or at < bounds["to"])


def back(duration: str, world: World) -> datetime:
    """Return the moment a duration ago.

    It goes back by months and days on the calendar, and then on the clock.
    """
    amounts: dict[str, int] = {}
    digits, clock = "", False
    for letter in duration[1:]:
        if letter == "T":
            clock = True
        elif letter.isdigit():
            digits += letter
        else:
            amounts[("clock " if clock else "") + letter] = int(digits)
            digits = ""
    local = world.now.astimezone(ZoneInfo(world.zone))
    year, month = local.year, local.month
    for _ in range(amounts.get("Y", 0) * 12 + amounts.get("M", 0)):
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
    day = min(local.day, monthrange(year, month)[1])
    then = date(year, month, day) - timedelta(days=amounts.get("W", 0) * 7 + amounts.get("D", 0))
    wall = datetime.combine(then, local.time(), ZoneInfo(world.zone)).replace(fold=local.fold)
    seconds = amounts.get("clock H", 0) * 3600 + amounts.get("clock M", 0) * 60 + amounts.get("clock S", 0)
    return wall.astimezone(UTC) - timedelta(seconds=seconds)


def deeds(criterion: dict[str, Any], world: World, member: UUID, credited_to: UUID | None = None) -> Iterator[Deed]:
    """Yield the contributions of a member that match a rule's filter and window, which is that of who is credited."""
    where = criterion.get("where", {})
    for deed in world.deeds:
        if deed.member != member or not inside(criterion, world, credited_to or member, deed.at):
            continue
        if "types" in where and deed.type not in where["types"]:
            continue
        if "tags_any" in where and not deed.tags & set(where["tags_any"]):
            continue
        if deed.tier < where.get("min_tier", 0):
            continue
        if "role" in where and not had_role(where["role"], world, member, deed.at):
            continue
        if "series" in where and (deed.meeting is None or deed.meeting.series != where["series"]):
            continue
        if "sessions" in where and (deed.meeting is None or deed.meeting.ref not in where["sessions"]):
            continue
        if "objective" in where and (deed.meeting is None or where["objective"] not in deed.meeting.objectives):
            continue
        yield deed


def had_role(role: str, world: World, member: UUID, at: datetime) -> bool:
    """Return whether a member had a role at a moment."""
    return any(
        (period.member, period.role) == (member, role)
        and period.begins <= at
        and (period.ends is None or at < period.ends)
        for period in world.periods
    )


def unit(deed: Deed, name: str, world: World) -> Any:
    """Return the day, session ... of a contribution; None if it has none."""
    if name == "item":
        return deed.id
    if name == "session":
        return deed.meeting.id if deed.meeting else None
    if name == "day":
        return world.day(deed.at)
    if name == "week":
        return world.day(deed.at).isocalendar()[:2]
    if name == "resource":
        return deed.resource
    if deed.peer is None or world.person(deed.peer) == world.person(deed.member):
        return None
    return world.person(deed.peer)


Answer = tuple[Any, ...]
"""(observed, required, records); for a rule with two numbers also ("and" or "or", observed, required)."""


def count(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Count contributions, or their different sessions, days and so on; or what others took up of what one shared."""
    if criterion.get("credit") == "sharer":
        return credited(criterion, world, member)
    newest: dict[Any, Deed] = {}
    for deed in deeds(criterion, world, member):
        key = unit(deed, criterion.get("distinct", "item"), world)
        if key is not None and (key not in newest or (deed.at, deed.id) > (newest[key].at, newest[key].id)):
            newest[key] = deed
    return len(newest), criterion["gte"], [deed.id for deed in newest.values()]


def credited(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Count who took up what the member shared first; each person once for each resource."""
    newest: dict[Any, tuple[Deed, Deed]] = {}
    for other in {deed.member for deed in world.deeds}:
        for deed in deeds(criterion, world, other, credited_to=member):
            shares = [each for each in world.deeds if (each.type, each.resource) == ("shared", deed.resource)]
            first = min(shares, key=lambda each: (each.at, each.id), default=None)
            if deed.resource is None or first is None or first.member != member or first.at > deed.at:
                continue
            if world.person(other) == world.person(member):
                continue
            keys = {
                "item": (world.person(other), deed.resource),
                "peer": world.person(other),
                "resource": deed.resource,
            }
            key = keys[criterion.get("distinct", "item")]
            if key not in newest or (deed.at, deed.id) > (newest[key][0].at, newest[key][0].id):
                newest[key] = (deed, first)
    return len(newest), criterion["gte"], list({deed.id for pair in newest.values() for deed in pair})


def total(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Add up minutes; each day, week or session counts no more than its cap."""
    caps = criterion.get("cap_per", {})
    name, cap = next(iter(caps.items()), ("item", float("inf")))
    sums: dict[Any, float] = {}
    records = []
    for deed in deeds(criterion, world, member):
        key = unit(deed, name, world)
        if key is not None and deed.minutes:
            sums[key] = sums.get(key, 0) + deed.minutes
            records.append(deed.id)
    return sum(min(amount, cap) for amount in sums.values()), criterion["gte"], records


def attendance(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Count sessions that were attended long enough, against a number and a rate."""
    rate = criterion.get("min_rate")
    run = [
        meeting
        for meeting in world.meetings
        if meeting.series == criterion["series"] and inside(criterion, world, member, meeting.starts_at)
    ]
    begun = [meeting for meeting in run if meeting.starts_at <= world.now]
    attended, records = 0, []
    for meeting in run if rate is None else begun:
        there = [
            deed for deed in world.deeds if (deed.member, deed.type, deed.meeting) == (member, "attended", meeting)
        ]
        if there and sum(deed.minutes or 0 for deed in there) >= criterion.get("min_minutes", 0):
            attended += 1
            records += [deed.id for deed in there]
    needed = max(criterion.get("min_sessions", 1), 1)
    if rate is not None:
        while begun and needed / len(begun) < rate:
            needed += 1
    return attended, needed, records


def of_others(criterion: dict[str, Any], world: World, member: UUID, kind: str, name: str) -> Iterator[Judgement]:
    """Yield the evaluations of a member by others; of a survey also the member's own answers, if the rule asks so."""
    for given in world.judgements:
        if (given.member, given.kind, given.instrument) != (member, kind, name):
            continue
        if given.judge is not None and world.person(given.judge) == world.person(member):
            own = given.kind == "survey" and given.judge == given.about == member
            if not own or not criterion.get("self_report", False):
                continue
        if given.tier < min(criterion.get("where", {}).get("min_tier", 0), 3):
            continue
        if inside(criterion, world, member, given.at):
            yield given


def rubric(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Take the piece of work that enough people found good enough in most criteria."""
    people = criterion.get("raters", 1)
    if criterion.get("where", {}).get("min_tier") == 4:
        people = max(people, 2)
    attempts: dict[UUID, list[tuple[Judgement, str]]] = {}
    for given in of_others(criterion, world, member, "rubric", criterion["rubric"]):
        if given.judge is None or ("part" in criterion and given.part != criterion["part"]):
            continue
        if criterion.get("unposted") is False and not given.posted:
            continue
        for name, level in given.ratings:
            if name in criterion["criteria"] and level >= criterion["min_level"]:
                attempts.setdefault(given.about, []).append((given, name))
    best: tuple[Any, ...] = (0, 0, None, None, [])
    for about, found in attempts.items():
        judges = [
            {world.person(given.judge) for given, rated in found if rated == name and given.judge is not None}
            for name in criterion["criteria"]
        ]
        met = len([who for who in judges if len(who) >= people])
        findings = sum(min(len(who), people) for who in judges)
        newest = max(given.at for given, _ in found)
        if best[4] == [] or (met, findings, newest, about) > best[:4]:
            best = (met, findings, newest, about, [given.id for given, _ in found])
    return best[0], len(criterion["criteria"]), best[4]


def score(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Take the best, last or first score."""
    found = [
        given
        for given in of_others(criterion, world, member, "score", criterion["assessment"])
        if given.scaled is not None
    ]
    if criterion.get("self_report"):
        answers = of_others(criterion, world, member, "survey", criterion["assessment"])
        found += [given for given in answers if given.judge == given.about == member and given.scaled is not None]
    if not found:
        return 0, criterion["gte"], []
    orders: dict[str, Callable[[Judgement], Any]] = {
        "best": lambda given: (given.scaled, given.at, given.id),
        "last": lambda given: (given.at, given.id),
        "first": lambda given: (-given.at.timestamp(), -given.id.int),
    }
    chosen = max(found, key=orders[criterion.get("stat", "best")])
    return chosen.scaled or 0.0, criterion["gte"], [chosen.id]


def gain(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Compare every score after with the first one before."""
    name = criterion["instrument"]
    given = [
        each
        for kind in ("score", "survey")
        for each in of_others(criterion, world, member, kind, name)
        if each.scaled is not None
    ]
    pres = [each for each in given if each.occasion == "pre"]
    posts = [each for each in given if each.occasion == "post"]
    before = min(pres, key=lambda each: (each.at, each.id), default=None)
    gains = []
    for after in posts:
        if before is None or after.at <= before.at:
            continue
        if (world.day(after.at) - world.day(before.at)).days < criterion.get("min_days", 0):
            continue
        if "same_form" in criterion:
            if before.form is None or after.form is None:
                continue
            if (before.form == after.form) != criterion["same_form"]:
                continue
        pre, post = Fraction(str(before.scaled)), Fraction(str(after.scaled))
        if criterion["metric"] == "raw":
            value = post - pre
        elif (pre == 1 and (post == 1 or criterion["metric"] == "normalized")) or (
            criterion["metric"] == "change" and pre == post == 0
        ):
            continue
        elif criterion["metric"] == "change" and post < pre:
            value = (post - pre) / pre
        else:
            value = (post - pre) / (1 - pre)
        gains.append((value, after.at, after.id))
    best = max(gains, default=None)
    records = {best[2], before.id} if best and before else set()
    observed, required = (best[0] if best else Fraction(0)), Fraction(str(criterion["gte"]))
    if "or_post_gte" not in criterion:
        return observed, required, records
    top = max(posts, key=lambda each: (each.scaled, each.at, each.id), default=None)
    records |= {top.id} if top else set()
    return observed, required, records, "or", (top.scaled if top else 0), criterion["or_post_gte"]


def endorsed(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Count the people who endorsed; of mutual ones only the last count."""
    given = []
    for each in of_others(criterion, world, member, "endorsement", criterion["skill"]):
        assert each.judge is not None
        if "from_role" in criterion and not had_role(criterion["from_role"], world, each.judge, each.at):
            continue
        if "from_achievement" in criterion and not any(
            (award.member, award.achievement) == (each.judge, criterion["from_achievement"])
            and award.state in ("awarded", "suspended", "expired")
            and award.at <= each.at
            for award in world.held
        ):
            continue
        given.append(each)
    newest: dict[UUID, Judgement] = {}
    for each in sorted(given, key=lambda each: (each.at, each.id)):
        newest[world.person(each.judge)] = each  # type: ignore[arg-type]
    mutual = {
        world.person(other.member)
        for other in world.judgements
        if other.kind == "endorsement" and other.judge is not None and world.person(other.judge) == world.person(member)
    }
    returned = sorted((each.at, each.id, who) for who, each in newest.items() if who in mutual)
    most = criterion.get("max_reciprocal", len(returned))
    for _, _, who in returned[: max(len(returned) - most, 0)]:
        del newest[who]
    records = [each.id for each in newest.values()]
    if "distinct_orgs" not in criterion:
        return len(newest), criterion["gte"], records
    orgs = {
        world.organizations[each.judge]
        for each in given
        if each.judge in world.organizations and world.person(each.judge) in newest
    }
    return len(newest), criterion["gte"], records, "and", len(orgs), criterion["distinct_orgs"]


def tenure(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Count days one by one, and the sessions led."""
    today = world.day(world.now)
    window = criterion.get("window", {})
    start, end = None, None
    if "last" in window:
        start = world.day(back(window["last"], world))
    else:
        start, end = (
            world.day(datetime.fromisoformat(text))
            if text is not None and "T" in text
            else date.fromisoformat(text)
            if text is not None
            else None
            for text in (window.get("from"), window.get("to"))
        )
    days = set()
    has_role = False
    for period in world.periods:
        if (period.member, period.role) != (member, criterion["role"]) or period.begins > world.now:
            continue
        has_role = True
        day = world.day(period.begins)
        while day < min(today, world.day(period.ends) if period.ends else today):
            if (start is None or start <= day) and (end is None or day < end):
                days.add(day)
            day += timedelta(days=1)
    newest: dict[UUID, Deed] = {}
    for deed in sorted(world.deeds, key=lambda deed: (deed.at, deed.id)):
        if (deed.member, deed.type) != (member, "facilitated") or deed.meeting is None:
            continue
        if inside(criterion, world, member, deed.at) and had_role(criterion["role"], world, member, deed.at):
            newest[deed.meeting.id] = deed
    led = len(newest) if has_role else 0
    if "min_sessions_led" not in criterion:
        return len(days), criterion["min_days"], []
    records = [deed.id for deed in newest.values()]
    if "min_days" not in criterion:
        return led, criterion["min_sessions_led"], records
    return len(days), criterion["min_days"], records, "and", led, criterion["min_sessions_led"]


def holds(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Count the achievements that are held."""
    valid = criterion.get("valid_on_award", False)
    found = {
        award.achievement
        for award in world.held
        if award.member == member
        and award.achievement in criterion["achievements"]
        and award.version >= criterion.get("min_version", 1)
        and award.state in (["awarded"] if valid else ["awarded", "suspended", "expired"])
        and not (valid and award.valid_until is not None and award.valid_until <= world.now)
        and inside(criterion, world, member, award.at)
    }
    return len(found), criterion.get("n", len(criterion["achievements"])), []


def approval(criterion: dict[str, Any], world: World, member: UUID) -> Answer:
    """Count the people who approved in the role and whose approval still counts."""
    standing = [
        vote
        for vote in world.votes
        if vote.approved and vote.at <= world.now and not (vote.ended is not None and vote.ended <= world.now)
    ]
    pairs = {(world.person(vote.approver), world.person(vote.member)) for vote in standing}
    people = set()
    for vote in standing:
        if vote.member != member or vote.role != criterion["by_role"] or not inside(criterion, world, member, vote.at):
            continue
        approver, recipient = world.person(vote.approver), world.person(vote.member)
        if criterion.get("not_conflicted", True) and (recipient, approver) in pairs:
            continue
        people.add(approver)
    return len(people), criterion.get("n", 1), []


RULES: dict[str, Callable[[dict[str, Any], World, UUID], Answer]] = {
    "count": count,
    "sum": total,
    "attendance": attendance,
    "rubric": rubric,
    "score": score,
    "gain": gain,
    "endorsed": endorsed,
    "holds": holds,
    "tenure": tenure,
    "approval": approval,
}
