"""people who sign in, and mails that are of no network."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
MOMENT = sa.DateTime(timezone=True)
KINDS = ("awarded", "replaced", "revoked", "suspended", "reinstated", "expiring", "webhook", "case", "question", "key")
NEW_KINDS = ("sign-in", "notice")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("mails_off", JSON, nullable=False, server_default="[]"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "account_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("proved_at", MOMENT, nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_addresses_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_addresses")),
        sa.UniqueConstraint("value", name=op.f("uq_account_addresses_value")),
    )
    op.create_index(op.f("ix_account_addresses_account_id"), "account_addresses", ["account_id"])
    op.create_index(
        "uq_account_addresses_kept",
        "account_addresses",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("kept"),
        postgresql_where=sa.text("kept"),
    )
    op.create_table(
        "sign_in_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("browser_sha256", sa.String(length=64), nullable=False),
        sa.Column("link_sha256", sa.String(length=64), nullable=False),
        sa.Column("locked", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("onward", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.CheckConstraint("purpose IN ('sign-in', 'add-address')", name=op.f("ck_sign_in_requests_purpose")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sign_in_requests_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_requests")),
        sa.UniqueConstraint("browser_sha256", name=op.f("uq_sign_in_requests_browser_sha256")),
        sa.UniqueConstraint("link_sha256", name=op.f("uq_sign_in_requests_link_sha256")),
    )
    op.create_index(op.f("ix_sign_in_requests_address_asked_at"), "sign_in_requests", ["address", "asked_at"])
    op.create_index(op.f("ix_sign_in_requests_expires_at"), "sign_in_requests", ["expires_at"])
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("means", sa.String(length=16), nullable=False),
        sa.Column("browser", sa.String(length=100), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "means IN ('link', 'code', 'passkey', 'openid', 'claim', 'return')", name=op.f("ck_sign_ins_means")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sign_ins_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_sign_ins_secret_sha256")),
    )
    op.create_index(op.f("ix_sign_ins_account_id"), "sign_ins", ["account_id"])
    op.create_index(op.f("ix_sign_ins_expires_at"), "sign_ins", ["expires_at"])
    # On SQLite the table cannot be copied while members refer to it; a constraint comes with its column there.
    uuid, moment = ("CHAR(32)", "DATETIME") if _on_sqlite() else ("UUID", "TIMESTAMP WITH TIME ZONE")
    op.execute(
        f"ALTER TABLE persons ADD COLUMN account_id {uuid} CONSTRAINT fk_persons_account_id REFERENCES accounts (id)"
    )
    op.execute(f"ALTER TABLE persons ADD COLUMN claimed_at {moment}")
    op.create_index(op.f("ix_persons_account_id"), "persons", ["account_id"])
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), _kinds((*KINDS, *NEW_KINDS)))
        batch.alter_column("network_id", existing_type=sa.Uuid(), nullable=True)
        batch.add_column(sa.Column("sign_in_request_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("account_address_id", sa.Uuid(), nullable=True))
        batch.add_column(sa.Column("notice", sa.String(length=32), nullable=True))
        for column, table in (("sign_in_request_id", "sign_in_requests"), ("account_address_id", "account_addresses")):
            batch.create_foreign_key(op.f(f"fk_messages_{column}"), table, [column], ["id"], ondelete="CASCADE")


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE kind IN ('sign-in', 'notice')")
    if _on_sqlite():
        # Earlier migrations expect two constraints to come and go with their columns, as they came before this one.
        op.execute("ALTER TABLE messages ADD COLUMN kept_kind VARCHAR(16)")
        op.execute("ALTER TABLE messages ADD COLUMN kept_key_id CHAR(32)")
        op.execute("UPDATE messages SET kept_kind = kind, kept_key_id = key_id")
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        for column in ("sign_in_request_id", "account_address_id"):
            batch.drop_constraint(op.f(f"fk_messages_{column}"), type_="foreignkey")
        for column in ("sign_in_request_id", "account_address_id", "notice"):
            batch.drop_column(column)
        batch.alter_column("network_id", existing_type=sa.Uuid(), nullable=False)
        if _on_sqlite():
            batch.drop_index(op.f("ix_messages_key_id"))
            batch.drop_column("kind")
            batch.drop_column("key_id")
        else:
            batch.create_check_constraint(op.f("ck_messages_kind"), _kinds(KINDS))
    if _on_sqlite():
        check = f"CONSTRAINT ck_messages_kind CHECK ({_kinds(KINDS)})"
        op.execute("ALTER TABLE messages ADD COLUMN key_id CHAR(32) CONSTRAINT fk_messages_key_id REFERENCES keys (id)")
        op.execute(f"ALTER TABLE messages ADD COLUMN kind VARCHAR(16) DEFAULT 'awarded' NOT NULL {check}")
        op.execute("UPDATE messages SET kind = kept_kind, key_id = kept_key_id")
        op.execute("ALTER TABLE messages DROP COLUMN kept_kind")
        op.execute("ALTER TABLE messages DROP COLUMN kept_key_id")
        op.create_index(op.f("ix_messages_key_id"), "messages", ["key_id"])
    op.drop_index(op.f("ix_persons_account_id"), "persons")
    for column in ("claimed_at", "account_id"):
        op.execute(f"ALTER TABLE persons DROP COLUMN {column}")
    for table in ("sign_ins", "sign_in_requests", "account_addresses", "accounts"):
        op.drop_table(table)


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _kinds(values: Sequence[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"kind IN ({listed})"
