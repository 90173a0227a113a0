"""Run migrations on the database that the caller hands over, or on the configured one."""

from typing import Any, Literal

from sqlalchemy import JSON

import service.tables.past  # noqa: F401  (its tables are not among the rows that `service.tables` exports)
from alembic import context
from service.runtime.settings import load
from service.storage.database import Database
from service.tables import Row
from service.tables.columns import Instant


def _render(kind: str, item: Any, context_: Any) -> str | Literal[False]:
    """Write our column types as what they are in the database: migrations import nothing of ours."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        context_.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def _migrate(connection: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=Row.metadata,
        compare_type=True,
        render_item=_render,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    _migrate(handed_over)
else:
    database = Database(load().database_url)
    with database.engine.connect() as own:
        _migrate(own)
    database.dispose()
