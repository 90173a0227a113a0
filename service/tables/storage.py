"""Rows of `storage`: facts about this installation, and what was lost of its rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.tables.columns import Row
from service.tables.identifiers import new_id


class ServiceFact(Row):
    """A fact about this installation: a name and a value.

    One is the base URL, which must not change once a credential exists.
    """

    __tablename__ = "service_facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Restore(Row):
    """A backup was put in place of the database.

    What was written between the two instants, such as which credentials were signed, the rows do not know any more.
    """

    __tablename__ = "restores"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    backup_at: Mapped[datetime]
    restored_at: Mapped[datetime]
