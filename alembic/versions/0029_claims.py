"""claim links and codes, and the mails about them."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
KINDS = (
    "awarded",
    "replaced",
    "revoked",
    "suspended",
    "reinstated",
    "expiring",
    "webhook",
    "case",
    "question",
    "key",
    "sign-in",
    "notice",
)
NEW_KINDS = ("claim", "claimed")


def upgrade() -> None:
    op.create_table(
        "claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=True),
        sa.Column("locked", sa.Text(), nullable=True),
        sa.Column("address_sha256", sa.String(length=64), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("sends", sa.BigInteger(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("sign_in_id", sa.Uuid(), nullable=True),
        sa.Column("address_added", sa.Boolean(), nullable=False),
        sa.Column("back_sha256", sa.String(length=64), nullable=True),
        sa.Column("back_locked", sa.Text(), nullable=True),
        sa.CheckConstraint("means IN ('mail', 'paper', 'account')", name=op.f("ck_claims_means")),
        sa.CheckConstraint("state IN ('open', 'used', 'replaced', 'released')", name=op.f("ck_claims_state")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_claims_network_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_claims_member_id")),
        sa.ForeignKeyConstraint(
            ["sign_in_id"], ["sign_ins.id"], name=op.f("fk_claims_sign_in_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claims")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_claims_secret_sha256")),
        sa.UniqueConstraint("back_sha256", name=op.f("uq_claims_back_sha256")),
    )
    for column in ("member_id", "expires_at"):
        op.create_index(op.f(f"ix_claims_{column}"), "claims", [column])
    is_open = sa.text("state = 'open'")
    op.create_index(
        "uq_claims_open", "claims", ["member_id"], unique=True, sqlite_where=is_open, postgresql_where=is_open
    )
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), _kinds((*KINDS, *NEW_KINDS)))
        batch.add_column(sa.Column("claim_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(op.f("fk_messages_claim_id"), "claims", ["claim_id"], ["id"], ondelete="CASCADE")


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE kind IN ('claim', 'claimed')")
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), _kinds(KINDS))
        batch.drop_constraint(op.f("fk_messages_claim_id"), type_="foreignkey")
        batch.drop_column("claim_id")
    op.drop_table("claims")


def _kinds(values: Sequence[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"kind IN ({listed})"
