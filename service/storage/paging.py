"""Cursor paging, which stays stable while rows are written.

It asks for what comes after a row, not for a page number.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.orm import Session as OrmSession

from service.errors import InvalidError

RowT = TypeVar("RowT")
Key = InstrumentedAttribute[Any]
MAX_LIMIT = 200
MAX_CURSOR = 2000


@dataclass(frozen=True)
class Window:
    """Which part of a list is asked for.

    Attributes:
        after: a cursor that an earlier page gave.
        limit: how many rows at most, 1 to 200.
        of: what is listed: the list, with its filters and its order. A cursor is only good for the same again.
    """

    after: str | None = None
    limit: int = MAX_LIMIT
    of: str = ""

    def cursor(self, *last: object) -> str:
        """Return the cursor of the page that follows the row with these values."""
        said = json.dumps([self.of, *map(_written, last)], separators=(",", ":"))
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")

    def last(self, *kinds: type) -> tuple[Any, ...] | None:
        """Return the values of the row after which the page begins; None at the beginning of the list.

        Raises:
            InvalidError: this service did not give the cursor (code "cursor-invalid"), or gave it for another list,
                other filters or another order (code "cursor-elsewhere").
        """
        if self.after is None:
            return None
        of, values = _read(self.after)
        if of != self.of:
            message = (
                "Expected a cursor of this list with the same filters and the same order; this one is of another:"
                " begin without `after`."
            )
            raise InvalidError("cursor-elsewhere", message, "after")
        try:
            return tuple(_value(value, kind) for value, kind in zip(values, kinds, strict=True))
        except (ValueError, TypeError, OverflowError) as error:
            raise _invalid() from error


@dataclass(frozen=True)
class Order:
    """An order of rows, by columns, the last of them unique; or the same, falling."""

    keys: tuple[Key, ...]
    falling: bool = False


def order(sort: str | None, **known: Sequence[Key]) -> Order:
    """Return the order that a list is asked for.

    Args:
        sort: a name of `known`, with `-` before it for the falling order; None: the first.
        known: for each name the columns, the last of them unique.
    """
    name = sort or next(iter(known))
    return Order(tuple(known[name.removeprefix("-")]), name.startswith("-"))


def page(
    session: OrmSession, query: Select[RowT], window: Window, by: Order | Key
) -> tuple[Sequence[RowT], str | None]:
    """Return one page of a list, and the cursor of the next page, or None.

    Args:
        query: what to list, without order.
        by: in which order; a unique column stands for its rising order.
    Raises:
        InvalidError: as `Window.last`.
    """
    ordered = by if isinstance(by, Order) else Order((by,))
    keys = ordered.keys
    last = window.last(*(key.type.python_type for key in keys))
    if last is not None:
        here, there = tuple_(*keys), tuple_(*last, types=[key.type for key in keys])
        query = query.where(here < there if ordered.falling else here > there)
    query = query.order_by(*(key.desc() if ordered.falling else key for key in keys))
    rows = session.scalars(query.limit(window.limit + 1)).all()
    if len(rows) <= window.limit:
        return rows, None
    rows = rows[: window.limit]
    return rows, window.cursor(*(getattr(rows[-1], key.key) for key in keys))


def _written(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float) else str(value)


def _value(value: Any, kind: type) -> Any:
    if kind is datetime:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("expected a time with its zone")
        return instant.astimezone(UTC)
    if kind is UUID:
        return UUID(str(value))
    if kind is float and isinstance(value, int):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError("expected a value of another kind")
    if isinstance(value, str) and b"\0" in value.encode():
        raise ValueError("expected text that PostgreSQL can look up")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("expected a number that a column holds")
    return value


def _read(cursor: str) -> tuple[str, list[Any]]:
    try:
        plain = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        of, *values = json.loads(plain)
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise _invalid() from error
    return of, values


def _invalid() -> InvalidError:
    return InvalidError("cursor-invalid", "Expected a cursor from the member `next` of an earlier page.", "after")
