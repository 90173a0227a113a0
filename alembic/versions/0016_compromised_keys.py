"""when a stolen key was declared, who is told about it, and quick ways from a key to what it signed."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

INSTANTS = (
    ("keys", "declared_at"),
    ("keys", "cleared_at"),
    ("service_keys", "compromised_at"),
    ("service_keys", "declared_at"),
)
LOOK_UPS = (("messages", "key_id"), ("signed_copies", "kid"), ("signed_copies", "jwt_kid"))


def upgrade() -> None:
    for table, column in INSTANTS:
        op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    # On SQLite a constraint comes with its column.
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE messages ADD COLUMN key_id CHAR(32) CONSTRAINT fk_messages_key_id REFERENCES keys (id)")
    else:
        op.add_column("messages", sa.Column("key_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f("fk_messages_key_id"), "messages", "keys", ["key_id"], ["id"])
    for table, column in LOOK_UPS:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table, column in LOOK_UPS:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
    for table, column in (("messages", "key_id"), *INSTANTS):
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
