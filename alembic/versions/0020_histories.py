"""a network's history: from when to when it reaches, and until when it may be loaded."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

INSTANTS = ("history_from", "history_until", "history_declared_at", "history_open_until")


def upgrade() -> None:
    for column in INSTANTS:
        op.add_column("networks", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column("networks", sa.Column("history_reason", sa.Text(), nullable=True))


def downgrade() -> None:
    for column in (*INSTANTS, "history_reason"):
        op.execute(f"ALTER TABLE networks DROP COLUMN {column}")
