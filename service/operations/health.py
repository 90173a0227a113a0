"""The health of the service, as an operator reads it."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from service.issuing import status_lists
from service.runtime.runtime import Runtime
from service.storage import migrations
from service.storage.database import ReadSession
from service.tables import Message, UnsettledMember
from service.vc_api import status


def look(session: ReadSession, runtime: Runtime, now: datetime) -> dict[str, Any]:
    """Return the state of the service; `status` is "ok" or "degraded"."""
    overdue = len(status_lists.overdue(session, now)) + status.overdue(session, now)
    migrated = migrations.is_current(runtime.database)
    return {
        "status": "ok" if migrated and not overdue else "degraded",
        "database": "sqlite" if runtime.database.is_sqlite else "postgresql",
        "migrated": migrated,
        "overdue_status_lists": overdue,
        "messages_waiting": session.scalar(select(func.count()).select_from(Message).where(Message.state == "queued"))
        or 0,
        "members_unsettled": session.scalar(select(func.count()).select_from(UnsettledMember)) or 0,
    }
