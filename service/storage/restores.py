"""When backups were put in place of the database, so that rows are missing."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from service.errors import InvalidError
from service.storage.database import WriteSession
from service.tables import Restore

STILL_OPEN: Final = timedelta(minutes=5)
"""How long before a backup something may have begun that was committed after it."""


def note(session: WriteSession, backup_at: datetime, restored_at: datetime) -> Restore:
    """Note that the database is a backup made at `backup_at`, put in place at `restored_at`.

    Raises:
        InvalidError: the backup would be younger than its restore (code "restore-before-backup").
    """
    if backup_at >= restored_at:
        message = f"Expected a backup made before it was restored at {restored_at.isoformat()}, got a later time."
        raise InvalidError("restore-before-backup", message)
    row = Restore(backup_at=backup_at, restored_at=restored_at)
    session.add(row)
    session.flush()
    return row


def may_have_lost(session: OrmSession, at: datetime) -> bool:
    """Return whether rows that were written at that instant may have been lost in a restore."""
    # Compared here, not in SQL: a stranger's instant may be one that no database has.
    return any(row.backup_at - STILL_OPEN <= at <= row.restored_at for row in session.scalars(select(Restore)))
