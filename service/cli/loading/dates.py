"""Move the dates of an example by whole weeks, so that they are of now.

Days of the week stay. Rules look back (`last: P6M`), and late evidence counts less: with the dates of its files an example
would be another one each month.
"""

import re
from datetime import date, timedelta
from typing import Any

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}Z)?")


def moved(value: Any, weeks: int) -> Any:
    """Return JSON with every text that is a date, or an instant in UTC, moved by so many weeks."""
    if isinstance(value, dict):
        return {name: moved(each, weeks) for name, each in value.items()}
    if isinstance(value, list):
        return [moved(each, weeks) for each in value]
    if isinstance(value, str) and (found := _DAY.fullmatch(value)):
        day = date.fromisoformat(found[1]) + timedelta(weeks=weeks)
        return day.isoformat() + (found[2] or "")
    return value
