"""private badges that people open to a named employer, and when these looked."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "openings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("shown_to", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_openings_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_openings_credential_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_openings")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_openings_secret_sha256")),
    )
    for column in ("account_id", "credential_id", "expires_at"):
        op.create_index(op.f(f"ix_openings_{column}"), "openings", [column])
    op.create_table(
        "opening_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("opening_id", sa.Uuid(), nullable=False),
        sa.Column("viewed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["opening_id"], ["openings.id"], name=op.f("fk_opening_views_opening_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_views")),
    )
    op.create_index(op.f("ix_opening_views_opening_id"), "opening_views", ["opening_id"])


def downgrade() -> None:
    for table in ("opening_views", "openings"):
        op.drop_table(table)
