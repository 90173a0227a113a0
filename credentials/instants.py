"""Instants in credentials: XML Schema dateTimeStamp, always with a zone."""

import re
from datetime import UTC, datetime, timedelta

_DATE_TIME_STAMP = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T"
    r"(?:(?P<midnight>24:00:00(?:\.0+)?)|(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)"
    r"(?P<zone>Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
)


def read_instant(value: object) -> datetime | None:
    """Return the instant of a dateTimeStamp, in UTC; None for anything else.

    A date without a zone gives None, because it names no instant; so does one outside the years 0001 to 9999. Fractions
    finer than a microsecond are cut off.

    Spec: XML Schema 1.1 Datatypes, section 3.4.28; VC Data Model 2.0, section 9.5 (time values).
    """
    match = _DATE_TIME_STAMP.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    date, time, fraction, midnight, zone = match.group("date", "time", "fraction", "midnight", "zone")
    microseconds = (fraction or "0")[:6].ljust(6, "0")
    try:
        instant = datetime.fromisoformat(f"{date}T{time or '00:00:00'}.{microseconds}{zone}").astimezone(UTC)
        return instant + timedelta(days=1) if midnight else instant
    except (ValueError, OverflowError):
        return None


def write_instant(instant: datetime) -> str:
    """Return an aware instant in UTC as `YYYY-MM-DDTHH:MM:SSZ`.

    Fractions of a second are cut off.

    Raises:
        ValueError: an instant without a zone.
    """
    if instant.tzinfo is None:
        raise ValueError("expected an instant with a time zone, got one without")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
