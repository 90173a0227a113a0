"""what a mail tells, the language in which a network writes, and quick ways to what ends soon."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

KINDS = ("awarded", "replaced", "revoked", "suspended", "reinstated", "expiring", "webhook", "case", "question", "key")
LISTED = ", ".join(f"'{kind}'" for kind in KINDS)


def upgrade() -> None:
    op.add_column("networks", sa.Column("language", sa.String(length=16), nullable=False, server_default="en"))
    # On SQLite a constraint comes with its column, and goes with it.
    check = f"CONSTRAINT ck_messages_kind CHECK (kind IN ({LISTED}))"
    op.execute(f"ALTER TABLE messages ADD COLUMN kind VARCHAR(16) DEFAULT 'awarded' NOT NULL {check}")
    op.execute(
        "UPDATE messages SET kind = CASE WHEN webhook_id IS NOT NULL THEN 'webhook' WHEN case_step_id IS NOT NULL"
        " THEN 'case' WHEN confirmation_id IS NOT NULL THEN 'question' WHEN key_id IS NOT NULL THEN 'key'"
        " ELSE 'awarded' END"
    )
    op.create_index(op.f("ix_messages_credential_id"), "messages", ["credential_id"])
    op.create_index(op.f("ix_credentials_valid_until"), "credentials", ["valid_until"])


def downgrade() -> None:
    op.drop_index(op.f("ix_credentials_valid_until"), "credentials")
    op.drop_index(op.f("ix_messages_credential_id"), "messages")
    # An earlier version would tell of a new badge.
    op.execute("DELETE FROM messages WHERE kind IN ('replaced', 'revoked', 'suspended', 'reinstated', 'expiring')")
    for table, column in (("messages", "kind"), ("networks", "language")):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
