"""awards that wait before they are signed."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("awards", sa.Column("end_reason", sa.Text(), nullable=True))
    op.add_column("awards", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_awards_due_at"), "awards", ["due_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_awards_due_at"), "awards")
    op.drop_column("awards", "due_at")
    op.drop_column("awards", "end_reason")
