"""what became of the lines of an import, and since when all that it caused is decided."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.add_column("imports", sa.Column("counts", JSON, nullable=False, server_default="{}"))
    op.add_column("imports", sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
    # Nobody waits for what came before.
    op.execute("UPDATE imports SET settled_at = finished_at")
    op.create_index(op.f("ix_imports_settled_at_finished_at"), "imports", ["settled_at", "finished_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_imports_settled_at_finished_at"), "imports")
    with op.batch_alter_table("imports") as batch:
        batch.drop_column("settled_at")
        batch.drop_column("counts")
