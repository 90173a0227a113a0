"""secret links by which people show badges to one authority."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
INDEXED = ("account_id", "credential_id", "collection_id", "expires_at")


def upgrade() -> None:
    op.create_table(
        "shown_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("shown_to", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("licence_number", sa.Text(), nullable=True),
        sa.Column("credential_id", sa.String(length=32), nullable=True),
        sa.Column("collection_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("kind IN ('authority')", name=op.f("ck_shown_links_kind")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_shown_links_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_shown_links_credential_id")),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_shown_links_collection_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shown_links")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_shown_links_secret_sha256")),
    )
    for column in INDEXED:
        op.create_index(op.f(f"ix_shown_links_{column}"), "shown_links", [column])


def downgrade() -> None:
    op.drop_table("shown_links")
