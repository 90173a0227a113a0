"""Each badge of a batch in words: a row of the page, a line of a CSV, or JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from credentials import reading
from credentials.instants import write_instant
from service.checking import wording
from service.checking.batch.batch import FAILED_HERE, NOT_IN_TIME, TIME_USED_UP, Item, ItemAnswer
from service.checking.batch.spreadsheets import BOM, line
from service.checking.questions import Question
from service.checking.tones import NO_BADGE
from service.checking.wording import QUESTIONS, WordedAnswer
from service.texts.display_names import one_line
from service.texts.languages import N_, Language
from service.unpacking.reasons import why_not

Kind = Literal["good", "unsure", "bad", "unchecked"]

COLUMNS: Final = (
    N_("Verdict"),
    N_("What it means"),
    *QUESTIONS.values(),
    N_("Badge"),
    N_("Issuer"),
    N_("Domain of the issuer"),
    N_("Awarded on"),
    N_("Valid until"),
    N_("Issued to this person"),
    N_("Checked at"),
    N_("Newer badge"),
    N_("Line"),
    N_("File"),
)
"""Columns after the employer's own."""
GIVEN: Final = N_("Given")
"""The one column before them where the employer has none."""

UNCHECKED: Final = N_("Not checked")
OF_CODES: Final[Mapping[str, str]] = {
    NOT_IN_TIME: N_("It did not answer in time. That says nothing about the badge: try again."),
    FAILED_HERE: N_("Something failed here. That says nothing about the badge: try again."),
    TIME_USED_UP: N_(
        "Checking the others took too long, so we did not check this one. That says nothing about the badge: try again."
    ),
    "host-silent": N_("Its server did not answer for other badges, so we did not ask it again. Try again later."),
}
MATCHES: Final[Mapping[str, str]] = {
    "passed": N_("Yes"),
    "failed": N_("No, to a different address"),
    "undecided": N_("Could not be compared"),
    "skipped": N_("Not asked"),
}
CREDENTIAL_DATES: Final = (("awardedDate", "validFrom", "issuanceDate"), ("validUntil", "expirationDate"))


@dataclass(frozen=True)
class Line:
    """One badge of a batch in words, without the report itself.

    Args:
        number: from 1.
        kind: good, unsure or bad, from the headline; unchecked without a check.
        code: the headline of the check, or the code of why there is none.
        again: whether to try again may help.
        asked, questions: the five, as codes and in words; () without a check.
        steps: the checks of the report, `{name, outcome, codes}`.
        badge: what it was awarded for, according to itself.
        awarded, until: according to itself, ISO 8601; "" where it says nothing.
        matches: outcome of the comparison with the recipient: passed, failed, undecided or skipped.
        checked_at: ISO 8601, in UTC, whole seconds; "" without a check.
        newer: address of a newer text of the badge; "" without one.
    """

    number: int
    item: Item
    kind: Kind
    code: str
    title: str
    sentence: str
    again: bool = False
    asked: tuple[Question, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    questions: tuple[WordedAnswer, ...] = ()
    badge: str = ""
    issuer: str = ""
    domain: str = ""
    awarded: str = ""
    until: str = ""
    matches: str = "skipped"
    checked_at: str = ""
    newer: str = ""

    def cells(self, language: Language) -> tuple[str, ...]:
        """Return the cells under `COLUMNS`."""
        words = [said.word for said in self.questions] or [""] * len(QUESTIONS)
        matches = language.gettext(MATCHES[self.matches]) if self.questions else ""
        return (
            self.title,
            self.sentence,
            *words,
            self.badge,
            self.issuer,
            self.domain,
            self.awarded[:10],
            self.until[:10],
            matches,
            self.checked_at,
            self.newer,
            str(self.item.line or ""),
            self.item.file,
        )

    @property
    def badge_name(self) -> str:
        """The name of the badge on one line, for pages; tables give it unchanged."""
        return one_line(self.badge)

    @property
    def is_of_a_badge(self) -> bool:
        """Whether a badge was read, whatever the check says of it."""
        return bool(self.questions) and self.code not in NO_BADGE

    def csv(self, language: Language, delimiter: str = ",", more: Sequence[str] = ()) -> str:
        """Return its line of a CSV: the employer's own cells first, unchanged, and `more` last."""
        own = self.item.cells or (self.item.ref or self.item.name,)
        return line((*own, *self.cells(language), *more), delimiter)

    def to_json(self) -> dict[str, Any]:
        """Return it for a program, without the credential.

        `{number, given, line, file, row, verdict, kind, title, sentence, questions: [{name, answer, reason}], badge, issuer: {name,
        domain}, awarded, valid_until, recipient, checked_at, newer, checks: [{name, outcome, codes}], try_again}`.
        """
        return {
            "number": self.number,
            "given": self.item.name,
            "line": self.item.line or None,
            "file": self.item.file or None,
            "row": list(self.item.cells),
            "verdict": self.code,
            "kind": self.kind,
            "title": self.title,
            "sentence": self.sentence,
            "questions": [question.to_json() for question in self.asked],
            "badge": self.badge,
            "issuer": {"name": self.issuer, "domain": self.domain},
            "awarded": self.awarded,
            "valid_until": self.until,
            "recipient": self.matches,
            "checked_at": self.checked_at,
            "newer": self.newer or None,
            "checks": list(self.steps),
            "try_again": self.again,
        }


@dataclass
class Sums:
    """How many badges of a batch are of each kind.

    `items` is the sum of the four that follow it.
    """

    items: int = 0
    good: int = 0
    unsure: int = 0
    bad: int = 0
    unchecked: int = 0
    try_again: int = 0

    def add(self, told: ItemAnswer) -> None:
        """Count one more."""
        kind = kind_of(told)
        setattr(self, kind, getattr(self, kind) + 1)
        self.items += 1
        self.try_again += told.again

    def to_json(self) -> dict[str, int]:
        """Return `{items, good, unsure, bad, unchecked, try_again}`."""
        return asdict(self)


def kind_of(told: ItemAnswer) -> Kind:
    """Return whether an answer is good, unsure, bad or unchecked."""
    return told.checked.tone if told.checked is not None else "unchecked"


def in_words(told: ItemAnswer, language: Language, number: int | None = None) -> Line:
    """Return one answer in words, numbered by its place unless `number` is given."""
    number = told.index + 1 if number is None else number
    if told.checked is None:
        code, sentence = _why_not(told)
        words = language.gettext(UNCHECKED), language.gettext(sentence)
        return Line(number, told.item, "unchecked", code, *words, told.again)
    checked = told.checked
    credential = checked.report.readable
    awarded, until = (_date(credential, names) for names in CREDENTIAL_DATES)
    return Line(
        number,
        told.item,
        checked.tone,
        checked.headline,
        *wording.headline(checked, language),
        told.again,
        checked.questions,
        tuple(
            {"name": check.name, "outcome": check.outcome, "codes": [found.code for found in check.findings]}
            for check in checked.report.checks
        ),
        tuple(wording.said(checked, language)),
        reading.only_text(reading.achievement(credential).get("name")),
        checked.issuer.name if checked.issuer is not None else "",
        checked.issuer.domain if checked.issuer is not None else "",
        awarded,
        until,
        checked.outcome("recipient"),
        write_instant(checked.at),
        checked.newer,
    )


def heading(own: Sequence[str], language: Language, delimiter: str = ",", more: Sequence[str] = ()) -> str:
    """Return the first line of a CSV, with the mark that tells office programs its encoding."""
    before = own or (language.gettext(GIVEN),)
    return BOM + line((*before, *map(language.gettext, (*COLUMNS, *more))), delimiter)


def _why_not(told: ItemAnswer) -> tuple[str, str]:
    """Return why there is no check: a code and an English sentence."""
    if told.item.problem is not None:
        return told.item.problem.code, told.item.problem.message
    assert told.error is not None
    if told.error.code in OF_CODES:
        return told.error.code, OF_CODES[told.error.code]
    why = why_not(told.error)
    return why.code, why.message


def _date(credential: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the first of these members that is a date and time; "" without one."""
    values = (credential.get(name) for name in names)
    return next((value for value in values if isinstance(value, str) and value[:4].isdigit() and "T" in value), "")
