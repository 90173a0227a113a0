"""codes by which people say that they were in a session, and what they said."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0035"
down_revision: str | None = "0034"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "attendance_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("opens_at", MOMENT, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("approval", sa.Boolean(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("actor_member_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'replaced', 'closed')", name=op.f("ck_attendance_codes_state")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_attendance_codes_network_id")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_attendance_codes_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_attendance_codes_token_id")),
        sa.ForeignKeyConstraint(["actor_member_id"], ["members.id"], name=op.f("fk_attendance_codes_actor_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_codes")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_attendance_codes_secret_sha256")),
    )
    for column in ("session_id", "closes_at"):
        op.create_index(op.f(f"ix_attendance_codes_{column}"), "attendance_codes", [column])
    op.create_index(
        "uq_attendance_codes_open",
        "attendance_codes",
        ["session_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "attendance_claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("code_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("claimed_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'refused')", name=op.f("ck_attendance_claims_state")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_attendance_claims_network_id")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_attendance_claims_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["code_id"], ["attendance_codes.id"], name=op.f("fk_attendance_claims_code_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_attendance_claims_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_attendance_claims_member_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["tokens.id"], name=op.f("fk_attendance_claims_decided_by")),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_attendance_claims_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_claims")),
        sa.UniqueConstraint("session_id", "account_id", name=op.f("uq_attendance_claims_session_id_account_id")),
    )
    for column in ("account_id", "code_id", "member_id"):
        op.create_index(op.f(f"ix_attendance_claims_{column}"), "attendance_claims", [column])


def downgrade() -> None:
    for table in ("attendance_claims", "attendance_codes"):
        op.drop_table(table)
