"""Cursor paging, which stays stable while rows are written.

It asks for what comes after a key, not for a page number.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session as OrmSession

from service.errors import InvalidError

RowT = TypeVar("RowT")
MAX_LIMIT = 200


def page(
    session: OrmSession, query: Select[RowT], key: InstrumentedAttribute[Any], after: str | None, limit: int
) -> tuple[Sequence[RowT], str | None]:
    """Return up to `limit` rows in rising order of `key`, and the next cursor.

    The cursor is that of the next page, or None.

    Args:
        query: what to list, without order.
        key: a unique column of type UUID, int or str.
        after: a cursor that an earlier page gave.
        limit: 1 to 200.
    Raises:
        InvalidError: this service did not give the cursor (code "cursor-invalid").
    """
    if after is not None:
        query = query.where(key > read_cursor(after, key.type.python_type))
    rows = session.scalars(query.order_by(key).limit(limit + 1)).all()
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    return rows, write_cursor(getattr(rows[-1], key.key))


def write_cursor(last: object) -> str:
    """Return the cursor of the page that follows the row with this key."""
    return base64.urlsafe_b64encode(str(last).encode()).decode().rstrip("=")


def read_cursor(cursor: str, kind: type) -> UUID | int | str:
    """Return the key that a cursor stands for.

    Raises:
        InvalidError: this service did not give it (code "cursor-invalid").
    """
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        return plain if kind is str else UUID(plain) if kind is UUID else int(plain)
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise InvalidError(
            "cursor-invalid", "Expected a cursor from the member `next` of an earlier page.", "after"
        ) from error
