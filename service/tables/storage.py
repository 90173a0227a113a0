"""Rows of `storage`: facts about this installation."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row


class ServiceFact(Row):
    """A fact about this installation: a name and a value.

    One is the base URL, which must not change once a credential exists.
    """

    __tablename__ = "service_facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
