"""Wait for what must become true, and no longer than a test that hangs."""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from service.runtime.runtime import Runtime

PATIENCE_SECONDS = 60
"""Only a hanging test waits so long."""


def until(fact: Callable[[], Any]) -> bool:
    """Wait until `fact()` is true; return whether it ever was."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.02)
    return False


def somebody_waits(runtime: Runtime) -> bool:
    """Return whether a transaction waits for another one; on SQLite there is one writer, and that is not seen."""
    if runtime.database.is_sqlite:
        return True
    asked = text(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()"
    )
    with runtime.database.read() as session:
        return bool(session.scalar(asked))
