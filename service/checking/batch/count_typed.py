"""What somebody counts, as they typed it into the form."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Final

from service.checking.batch.approved import read_list
from service.checking.batch.counting import Wanted
from service.errors import InvalidError

MAX_AMOUNT: Final = 100_000
"""Hours or credits that a person may need."""


@dataclass(frozen=True)
class Typed:
    """The fields of *Count hours and credits*, as they came; "" where nothing was typed.

    Args:
        issuers: approved issuers, one a line.
        listed: the content of a chosen file with more of them; it cannot be shown again.
    """

    issuers: str = ""
    since: str = ""
    until: str = ""
    hours: str = ""
    credits: str = ""
    listed: str = ""

    @property
    def given(self) -> bool:
        """Whether anything was typed or chosen."""
        return any(
            each.strip() for each in (self.issuers, self.since, self.until, self.hours, self.credits, self.listed)
        )


def wanted(typed: Typed) -> Wanted | None:
    """Return what is counted; None where nothing was typed.

    Raises:
        InvalidError: codes "count-date-invalid", "count-dates-reversed", "count-amount-invalid", "issuers-too-many".
    """
    if not typed.given:
        return None
    issuers = "\n".join(text for text in (typed.issuers, typed.listed) if text.strip())
    since, until = _day(typed.since), _day(typed.until)
    hold_in_order(since, until)
    return Wanted(read_list(issuers) if issuers else None, since, until, _amount(typed.hours), _amount(typed.credits))


def hold_in_order(since: date | None, until: date | None) -> None:
    """Refuse a first day after the last.

    Raises:
        InvalidError: they are so (code "count-dates-reversed").
    """
    if since is not None and until is not None and since > until:
        raise InvalidError("count-dates-reversed", f"Expected a first day before the last, got {since} and {until}.")


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidError("count-date-invalid", f"Expected a date such as 2026-03-01, got {text[:30]}.") from error


def _amount(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        found = float(text.strip().replace(",", "."))
    except ValueError:
        found = math.nan
    if not 0 < found <= MAX_AMOUNT:
        raise InvalidError("count-amount-invalid", f"Expected a number from 0 to {MAX_AMOUNT}, got {text[:30]}.")
    return found
