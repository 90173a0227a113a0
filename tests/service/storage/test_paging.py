"""Pages of a list: one form of cursor, good for the same list, filters and order."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from service.errors import InvalidError
from service.storage.paging import Window

AT = datetime(2026, 3, 1, 17, 0, 0, 123456, tzinfo=UTC)
ID = UUID(int=7)


def test_a_cursor_gives_back_what_it_was_made_of() -> None:
    cursor = Window(of="list").cursor(AT, ID, 3, "a/ä", 0.5)
    assert Window(cursor, of="list").last(datetime, UUID, int, str, float) == (AT, ID, 3, "a/ä", 0.5)
    assert Window(of="list").last(int) is None


def test_a_cursor_of_another_list_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidError) as caught:
        Window(Window(of="that").cursor(1), of="this").last(int)
    assert (caught.value.code, caught.value.pointer) == ("cursor-elsewhere", "after")
    assert "begin without `after`" in caught.value.message


def cursor_of(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "ä",
        "AAAA",
        cursor_of(),
        cursor_of(""),
        cursor_of("", 1, 2),
        cursor_of("", "1"),
        cursor_of("", True),
        cursor_of("", 2**63),
        cursor_of("", None),
        base64.urlsafe_b64encode(b"[" * 1400).decode(),
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidError) as caught:
        Window(cursor).last(int)
    assert caught.value.code == "cursor-invalid"


def test_values_that_no_column_holds_are_no_cursor() -> None:
    times = ("2026-03-01T17:00:00", "today", "0001-01-01T00:00:00+14:00", 1)
    ids, texts = ("x", 1), ("a\0b", "\ud800")
    for kind, values in ((datetime, times), (UUID, ids), (str, texts)):
        for value in values:
            with pytest.raises(InvalidError):
                Window(cursor_of("", value)).last(kind)
