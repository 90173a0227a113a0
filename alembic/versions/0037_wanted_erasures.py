"""people who want everything about them erased, and badges of whom only the status is told."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0037"
down_revision: str | None = "0036"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "wanted_erasures",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_wanted_erasures")),
    )
    op.create_index(op.f("ix_wanted_erasures_due_at"), "wanted_erasures", ["due_at"])
    op.add_column("credentials", sa.Column("erased_at", MOMENT, nullable=True))


def downgrade() -> None:
    op.drop_column("credentials", "erased_at")
    op.drop_table("wanted_erasures")
