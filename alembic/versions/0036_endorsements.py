"""endorsements: skills of a badge that peers recognise."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0036"
down_revision: str | None = "0035"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
REFERS_TO = {
    "network_id": "networks",
    "credential_id": "credentials",
    "member_id": "members",
    "account_id": "accounts",
    "status_list_id": "status_lists",
}


def upgrade() -> None:
    op.create_table(
        "endorsements",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("skill", sa.BigInteger(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("consented_at", MOMENT, nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("given_at", MOMENT, nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=False),
        sa.Column("status_list_id", sa.Uuid(), nullable=True),
        sa.Column("status_index", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.CheckConstraint("choice IN ('waiting', 'hidden', 'page', 'badge')", name=op.f("ck_endorsements_choice")),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_endorsements_{column}"))
            for column, table in REFERS_TO.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endorsements")),
        sa.UniqueConstraint("status_list_id", "status_index", name=op.f("uq_endorsements_status_list_id_status_index")),
    )
    op.create_index(
        "uq_endorsements_standing",
        "endorsements",
        ["credential_id", "member_id", "skill"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_index(op.f("ix_endorsements_credential_id"), "endorsements", ["credential_id"])
    op.create_index(op.f("ix_endorsements_account_id"), "endorsements", ["account_id"])
    op.create_index(op.f("ix_endorsements_member_id_given_at"), "endorsements", ["member_id", "given_at"])
    op.create_table(
        "endorsement_texts",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_endorsement_texts_credential_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_endorsement_texts")),
    )
    op.create_index(op.f("ix_endorsement_texts_credential_id"), "endorsement_texts", ["credential_id"])


def downgrade() -> None:
    op.drop_table("endorsement_texts")
    op.drop_table("endorsements")
