"""what callers owe the fair limits that several processes keep together."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "shared_limits",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("caller", sa.LargeBinary(length=32), nullable=False),
        sa.Column("whole_again", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("name", "caller", name=op.f("pk_shared_limits")),
    )
    op.create_index(op.f("ix_shared_limits_whole_again"), "shared_limits", ["whole_again"])


def downgrade() -> None:
    op.drop_table("shared_limits")
