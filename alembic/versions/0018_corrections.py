"""corrections: the record that was the first to say what others correct, and why it was corrected."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    # On SQLite a constraint comes with its column.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE records ADD COLUMN first_id CHAR(32) CONSTRAINT fk_records_first_id REFERENCES records (id)"
        )
    else:
        op.add_column("records", sa.Column("first_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f("fk_records_first_id"), "records", "records", ["first_id"], ["id"])
    op.create_index(op.f("ix_records_first_id"), "records", ["first_id"])
    op.add_column("record_bodies", sa.Column("reason", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("record_bodies", "reason")
    op.drop_index(op.f("ix_records_first_id"), "records")
    op.execute("ALTER TABLE records DROP COLUMN first_id")
