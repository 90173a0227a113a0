"""What a person did for a badge of any issuer, according to the badge.

Pure, and trusts nothing: a part of another form is left out, texts and lists are cut, and an address is given only if
it can be shown as a link. Only what the signature covers is read, so that these facts count where the signature is
valid, and those of the decision receipt where its digest fits.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from credentials import reading
from credentials.instants import read_instant
from service.achievements import credit
from service.checking.basis import policy
from service.texts.display_names import one_line

MAX_LISTED: Final = 50
"""How many levels, skills or deeds of one badge are given."""
MAX_CHARACTERS: Final = 600
MAX_MINUTES: Final = 100 * 366 * 24 * 60

_JUDGED: Final = frozenset({"rubric", "score", "survey", "endorsement"})
_UNTOLD: Final = frozenset({"receipt", "renewal", "summary", "duration"})
_AMOUNT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_DURATION = re.compile(r"PT(?:(?P<hours>[0-9]{1,8})H)?(?:(?P<minutes>[0-9]{1,8})M)?")


@dataclass(frozen=True)
class Level:
    """A result: what was judged ("" without a name), the level reached, and the level required, if given."""

    name: str
    reached: str
    required: str = ""


@dataclass(frozen=True)
class Skill:
    """A skill that the achievement is aligned with.

    `framework` and `code` are "" without one. `url` identifies the skill, and may be http; `link` is what a page may
    link to.
    """

    name: str
    framework: str = ""
    url: str | None = None
    code: str = ""

    @property
    def link(self) -> str | None:
        """The address, if it is https."""
        return _https(self.url)


@dataclass(frozen=True)
class Authority:
    """Whose credits they are, as the issuer states it: the authority itself has signed nothing.

    `url` identifies it, and may be http; `link` is what a page may link to.
    """

    name: str
    url: str | None = None

    @property
    def link(self) -> str | None:
        """The address, if it is https."""
        return _https(self.url)


@dataclass(frozen=True)
class Credited:
    """How many credits of an authority were earned; `unit` is "" without one."""

    value: float
    authority: Authority
    unit: str = ""


@dataclass(frozen=True)
class Deeds:
    """What a person did.

    Args:
        levels: one for each result.
        minutes: how long it took in all; None where the badge does not say so in a readable form.
        credits: credits earned; None without any.
        credited: the credits of each authority, where the badge says whose they are.
        began, ended: of the activity; awarded: when it was earned, or else since when the badge is valid.
        judgements: how many of the cited pieces of evidence are somebody's judgement.
        deciders: the role of each person who decided, from the receipt; none where the rule alone decided, or without a
            receipt.
        skills: those that the achievement is aligned with.
        done: what the person did, in the words of the evidence, in its order.
        more: how many pieces of evidence are not among `done`.
    """

    levels: tuple[Level, ...] = ()
    minutes: int | None = None
    credits: float | None = None
    credited: tuple[Credited, ...] = ()
    began: datetime | None = None
    ended: datetime | None = None
    awarded: datetime | None = None
    judgements: int = 0
    deciders: tuple[str, ...] = ()
    skills: tuple[Skill, ...] = ()
    done: tuple[str, ...] = ()
    more: int = 0

    @property
    def credit_authority(self) -> Authority | None:
        """Whose credits they are; None where the badge does not say so, or names several."""
        named = {each.authority for each in self.credited}
        return named.pop() if len(named) == 1 else None


def deeds(credential: Mapping[str, Any], receipt: Mapping[str, Any] | None = None) -> Deeds:
    """Return what a person did for a badge, as far as the badge says.

    Args:
        credential: of any shape.
        receipt: the receipt of its decision, whose digest fits (`comparison.look`).
    """
    subject, achievement = reading.subject(credential), reading.achievement(credential)
    evidence = reading.evidence(credential)
    done = [text for item in evidence if _text(item.get("genre")) not in _UNTOLD and (text := _words(item))]
    return Deeds(
        levels=tuple(_levels(subject, achievement))[:MAX_LISTED],
        minutes=_minutes(evidence),
        credits=_credits(subject.get("creditsEarned")),
        credited=tuple(_credited(subject, achievement))[:MAX_LISTED],
        began=read_instant(subject.get("activityStartDate")),
        ended=read_instant(subject.get("activityEndDate")),
        awarded=read_instant(credential.get("awardedDate")) or read_instant(credential.get("validFrom")),
        judgements=sum(_text(item.get("genre")) in _JUDGED for item in evidence),
        deciders=tuple(text for role in policy.roles_in(receipt or {}) if (text := _text(role)))[:MAX_LISTED],
        skills=tuple(_skills(achievement))[:MAX_LISTED],
        done=tuple(done[:MAX_LISTED]),
        more=len(done[MAX_LISTED:]),
    )


def _levels(subject: Mapping[str, Any], achievement: Mapping[str, Any]) -> Iterator[Level]:
    described: dict[str, Mapping[str, Any]] = {}
    levels: dict[str, str] = {}
    for item in reading.objects(achievement.get("resultDescription")):
        if isinstance(item.get("id"), str):
            described[item["id"]] = item
        for level in reading.objects(item.get("rubricCriterionLevel")):
            if isinstance(level.get("id"), str):
                levels[level["id"]] = _named(level.get("name"))
    for result in reading.objects(subject.get("result")):
        about = described.get(_text(result.get("resultDescription")), {})
        reached = (
            levels.get(_text(result.get("achievedLevel"))) or _text(result.get("value")) or _text(result.get("status"))
        )
        required = levels.get(_text(about.get("requiredLevel"))) or _text(about.get("requiredValue"))
        if reached and about.get("resultType") != credit.RESULT_TYPE:
            yield Level(_named(about.get("name")), reached, required)


def _skills(achievement: Mapping[str, Any]) -> Iterator[Skill]:
    for item in reading.objects(achievement.get("alignment")):
        name = _named(item.get("targetName"))
        if name:
            framework, code = _named(item.get("targetFramework")), _named(item.get("targetCode"))
            yield Skill(name, framework, _address(item.get("targetUrl")), code)


def _credited(subject: Mapping[str, Any], achievement: Mapping[str, Any]) -> Iterator[Credited]:
    """Yield what the results for credits say (`achievements.credit`); one without exactly one authority is left out."""
    earned = {
        _text(result.get("resultDescription")): _text(result.get("value"))
        for result in reading.objects(subject.get("result"))
    }
    for item in reading.objects(achievement.get("resultDescription")):
        aligned = [
            each for each in reading.objects(item.get("alignment")) if each.get("targetType") == credit.AUTHORITY
        ]
        value = _AMOUNT.fullmatch(earned.get(_text(item.get("id")), ""))
        if item.get("resultType") == credit.RESULT_TYPE and len(aligned) == 1 and value and float(value[0]):
            name, unit = _named(aligned[0].get("targetName")), _named(aligned[0].get("targetFramework"))
            if name:
                yield Credited(float(value[0]), Authority(name, _address(aligned[0].get("targetUrl"))), unit)


def _minutes(evidence: list[Mapping[str, Any]]) -> int | None:
    """Return what the item of evidence for the time says (`citations.time_spent`), if there is exactly one."""
    told = [item.get("description") for item in evidence if item.get("genre") == "duration"]
    match = _DURATION.fullmatch(told[0]) if len(told) == 1 and isinstance(told[0], str) else None
    if match is None:
        return None
    minutes = int(match["hours"] or 0) * 60 + int(match["minutes"] or 0)
    return minutes if 0 < minutes <= MAX_MINUTES else None


def _credits(value: object) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e6
    return value if number else None  # type: ignore[return-value]


def _words(item: Mapping[str, Any]) -> str:
    return _named(item.get("narrative")) or _named(item.get("description")) or _named(item.get("name"))


def _named(value: object) -> str:
    return _text(reading.only_text(value))


def _text(value: object) -> str:
    """Return a text in one line, without invisible and direction characters.

    Return "" for anything else.
    """
    return one_line(value, MAX_CHARACTERS, gap=" ")


def _address(value: object) -> str | None:
    """Return a plain http or https address; None for anything else."""
    text = value if isinstance(value, str) and len(value) <= MAX_CHARACTERS and value.isascii() else ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    plain = (
        parts.scheme in {"http", "https"}
        and parts.hostname
        and not parts.username
        and text == _text(text)
        and " " not in text
    )
    return text if plain else None


def _https(url: str | None) -> str | None:
    return url if url is not None and urlsplit(url).scheme == "https" else None
