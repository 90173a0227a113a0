"""Rows of `runtime`: what callers owe the fair limits."""

from sqlalchemy import Float, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row


class SharedLimit(Row):
    """A caller of any process who has used much of a fair limit.

    `caller` is a keyed hash of the address; the key is not in the database. `whole_again` is when the whole allowance
    is back and the row can be deleted. It is in seconds since 1970 by the clock of the database, so that statements can
    count with it.
    """

    __tablename__ = "shared_limits"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    caller: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    whole_again: Mapped[float] = mapped_column(Float(53), index=True)
