"""people who return after they lost their mailbox, and badges to be signed anew under another name or address."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
KINDS = (
    *("awarded", "replaced", "revoked", "suspended", "reinstated", "expiring", "webhook", "case", "question", "key"),
    *("sign-in", "notice", "claim", "claimed"),
)


def upgrade() -> None:
    op.create_table(
        "returns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("old_account_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("vouch_sha256", sa.String(length=64), nullable=False),
        sa.Column("stop_sha256", sa.String(length=64), nullable=False),
        sa.Column("locked", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'waiting', 'done', 'stopped', 'refused', 'over')", name=op.f("ck_returns_state")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_returns_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_returns_network_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_returns_member_id")),
        sa.ForeignKeyConstraint(
            ["old_account_id"], ["accounts.id"], name=op.f("fk_returns_old_account_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns")),
        sa.UniqueConstraint("vouch_sha256", name=op.f("uq_returns_vouch_sha256")),
        sa.UniqueConstraint("stop_sha256", name=op.f("uq_returns_stop_sha256")),
    )
    for columns in (["account_id"], ["member_id"], ["old_account_id"], ["state", "due_at"]):
        op.create_index(op.f(f"ix_returns_{'_'.join(columns)}"), "returns", columns)
    op.create_table(
        "return_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.id"], name=op.f("fk_return_addresses_return_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_return_addresses")),
        sa.UniqueConstraint("return_id", "value", name=op.f("uq_return_addresses_return_id_value")),
    )
    op.create_table(
        "vouchings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["return_id"], ["returns.id"], name=op.f("fk_vouchings_return_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_vouchings_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_vouchings_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchings")),
        sa.UniqueConstraint("return_id", "account_id", name=op.f("uq_vouchings_return_id_account_id")),
    )
    op.create_index(op.f("ix_vouchings_account_id_at"), "vouchings", ["account_id", "at"])
    op.create_table(
        "badges_to_sign",
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("with_address", sa.Boolean(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_badges_to_sign_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_badges_to_sign_credential_id")),
        sa.PrimaryKeyConstraint("credential_id", name=op.f("pk_badges_to_sign")),
    )
    op.create_index(op.f("ix_badges_to_sign_due_at"), "badges_to_sign", ["due_at"])
    op.create_index(op.f("ix_badges_to_sign_account_id"), "badges_to_sign", ["account_id"])
    # On SQLite the table cannot be copied while others refer to it; a constraint comes with its column there.
    check = "CONSTRAINT ck_accounts_badges_behind CHECK (badges_behind IN ('name', 'address'))"
    op.execute(f"ALTER TABLE accounts ADD COLUMN badges_behind VARCHAR(16) {check}")
    op.create_index(op.f("ix_accounts_badges_behind"), "accounts", ["badges_behind"])
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), _kinds((*KINDS, "return")))
        batch.add_column(sa.Column("return_address_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_messages_return_address_id"), "return_addresses", ["return_address_id"], ["id"], ondelete="CASCADE"
        )


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE kind = 'return'")
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), _kinds(KINDS))
        batch.drop_constraint(op.f("fk_messages_return_address_id"), type_="foreignkey")
        batch.drop_column("return_address_id")
    op.drop_index(op.f("ix_accounts_badges_behind"), "accounts")
    op.execute("ALTER TABLE accounts DROP COLUMN badges_behind")
    for table in ("badges_to_sign", "vouchings", "return_addresses", "returns"):
        op.drop_table(table)


def _kinds(values: Sequence[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"kind IN ({listed})"
