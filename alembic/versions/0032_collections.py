"""collections of badges."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0032"
down_revision: str | None = "0031"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("visibility IN ('public', 'unlisted')", name=op.f("ck_collections_visibility")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_collections_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
    )
    op.create_index(op.f("ix_collections_account_id"), "collections", ["account_id"])
    op.create_table(
        "collection_badges",
        sa.Column("collection_id", sa.String(length=32), nullable=False),
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_collection_badges_collection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_collection_badges_credential_id")),
        sa.PrimaryKeyConstraint("collection_id", "credential_id", name=op.f("pk_collection_badges")),
    )
    op.create_index(op.f("ix_collection_badges_credential_id"), "collection_badges", ["credential_id"])


def downgrade() -> None:
    for table in ("collection_badges", "collections"):
        op.drop_table(table)
