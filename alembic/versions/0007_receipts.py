"""receipts of decisions, and the awards on which others were built."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "award_children",
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_award_children_award_id")),
        sa.ForeignKeyConstraint(["child_id"], ["awards.id"], name=op.f("fk_award_children_child_id")),
        sa.PrimaryKeyConstraint("award_id", "child_id", name=op.f("pk_award_children")),
    )
    op.create_index(op.f("ix_award_children_child_id"), "award_children", ["child_id"])
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("full", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_receipts_network_id")),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_receipts_award_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_award_id"), "receipts", ["award_id"])


def downgrade() -> None:
    op.drop_table("receipts")
    op.drop_table("award_children")
