"""Rows of `participation`: expectations, goals, needs and calls for participants."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row
from service.tables.identifiers import new_id

# expectations


class Expectation(Row):
    """What a network expects of its members in each period, under its own `ref`; its content is in its versions.

    `version` is the newest. Once it has ended, only periods that were over by then are judged.
    """

    __tablename__ = "expectations"
    __table_args__ = (UniqueConstraint("network_id", "ref"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    network_id: Mapped[UUID] = mapped_column(ForeignKey("networks.id"))
    ref: Mapped[str] = mapped_column(String(200))
    version: Mapped[int]
    created_at: Mapped[datetime]
    ended_on: Mapped[date | None]


class ExpectationVersion(Row):
    """One version of an expectation, which never changes: it judges the periods that begin on `from_date` or later.

    It judges them until a later version begins.
    """

    __tablename__ = "expectation_versions"
    __table_args__ = (UniqueConstraint("expectation_id", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    expectation_id: Mapped[UUID] = mapped_column(ForeignKey("expectations.id"))
    version: Mapped[int]
    from_date: Mapped[date]
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime]


# goals

# needs

# calls
