"""keys, status lists and their entries of the VC API."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:

    op.create_table(
        "vc_api_keys",
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("multikey", sa.String(), nullable=False),
        sa.Column("custody_uri", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("algorithm IN ('Ed25519', 'P-256', 'P-384')", name=op.f("ck_vc_api_keys_algorithm")),
        sa.PrimaryKeyConstraint("algorithm", name=op.f("pk_vc_api_keys")),
    )
    op.create_table(
        "vc_api_status_lists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('revocation', 'suspension')", name=op.f("ck_vc_api_status_lists_purpose")),
        sa.ForeignKeyConstraint(
            ["algorithm"], ["vc_api_keys.algorithm"], name=op.f("fk_vc_api_status_lists_algorithm")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vc_api_status_lists")),
    )
    op.create_index(
        op.f("ix_vc_api_status_lists_algorithm_purpose"), "vc_api_status_lists", ["algorithm", "purpose"], unique=False
    )
    op.create_table(
        "vc_api_status_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status_list_id", sa.Uuid(), nullable=False),
        sa.Column("status_index", sa.BigInteger(), nullable=False),
        sa.Column("credential_sha256", sa.String(length=64), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["status_list_id"], ["vc_api_status_lists.id"], name=op.f("fk_vc_api_status_entries_status_list_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vc_api_status_entries")),
        sa.UniqueConstraint(
            "status_list_id", "status_index", name=op.f("uq_vc_api_status_entries_status_list_id_status_index")
        ),
    )
    op.create_index(
        op.f("ix_vc_api_status_entries_credential_sha256"), "vc_api_status_entries", ["credential_sha256"], unique=False
    )
    op.create_index("ix_vc_api_status_entries_set", "vc_api_status_entries", ["status_list_id", "set_at"], unique=False)


def downgrade() -> None:

    op.drop_table("vc_api_status_entries")
    op.drop_table("vc_api_status_lists")
    op.drop_table("vc_api_keys")
