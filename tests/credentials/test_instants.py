from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.instants import read_instant, write_instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01T12:30:00Z", datetime(2026, 7, 1, 12, 30, tzinfo=UTC)),
        ("2026-07-01T12:30:00+02:00", datetime(2026, 7, 1, 10, 30, tzinfo=UTC)),
        ("2026-07-01T12:30:00.5Z", datetime(2026, 7, 1, 12, 30, 0, 500_000, tzinfo=UTC)),
        ("2026-07-01T12:30:00.1234567Z", datetime(2026, 7, 1, 12, 30, 0, 123_456, tzinfo=UTC)),
        ("2026-06-30T24:00:00Z", datetime(2026, 7, 1, tzinfo=UTC)),
        ("2026-06-30T24:00:00.000-14:00", datetime(2026, 7, 1, 14, tzinfo=UTC)),
    ],
)
def test_a_time_stamp_is_one_instant_in_utc(text: str, expected: datetime) -> None:
    instant = read_instant(text)
    assert instant == expected
    assert instant.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-07-01T12:30:00",  # no zone
        "2026-07-01",
        "2026-07-01 12:30:00Z",
        "2026-07-01t12:30:00z",
        "2026-02-30T12:30:00Z",
        "2026-07-01T24:00:01Z",
        "2026-07-01T12:30:60Z",
        "2026-07-01T12:30:00+14:01",
        "2026-07-01T12:30:00.Z",
        "0001-01-01T00:00:00+14:00",  # before the year 1
        "9999-12-31T24:00:00Z",
        "٢٠٢٦-07-01T12:30:00Z",
        "2026-07-01T12:30:00Z\n",
        "",
        None,
        20260701,
        ["2026-07-01T12:30:00Z"],
    ],
)
def test_anything_else_is_no_instant(value: object) -> None:
    assert read_instant(value) is None


@given(st.text() | st.integers() | st.none())
def test_no_value_makes_reading_fail(value: object) -> None:
    read_instant(value)


@given(instant=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5, minutes=-45))])))
def test_what_is_written_reads_as_the_same_whole_second(instant: datetime) -> None:
    assert read_instant(write_instant(instant)) == instant.replace(microsecond=0)


def test_an_instant_without_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_instant(datetime(2026, 7, 1))  # noqa: DTZ001  # the fault under test
