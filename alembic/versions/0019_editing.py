"""names of members, who shares an address, what was retired, who was erased."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

CHECKS = {
    ("networks", "same_address"): "same_address IN ('same-person', 'ask')",
    ("members", "person_state"): "person_state IN ('asked', 'apart')",
}


def upgrade() -> None:
    _checked("networks", "same_address", "VARCHAR(16) DEFAULT 'same-person' NOT NULL")
    _checked("members", "person_state", "VARCHAR(16)")
    op.add_column("members", sa.Column("name", sa.Text(), nullable=True))
    op.add_column("members", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    erasure = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
    op.add_column("members", sa.Column("erasure", erasure, nullable=True))
    op.add_column("achievements", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("achievements", sa.Column("retirement_reason", sa.Text(), nullable=True))
    # Until now two members who were one person had one name.
    op.execute("UPDATE members SET name = (SELECT name FROM persons WHERE persons.id = members.person_id)")
    op.execute("ALTER TABLE persons DROP COLUMN name")


def downgrade() -> None:
    op.add_column("persons", sa.Column("name", sa.Text(), nullable=True))
    op.execute(
        "UPDATE persons SET name = (SELECT name FROM members"
        " WHERE members.person_id = persons.id AND name IS NOT NULL ORDER BY id LIMIT 1)"
    )
    for table, columns in {
        "achievements": ("retirement_reason", "retired_at"),
        "members": ("erasure", "erased_at", "name", "person_state"),
        "networks": ("same_address",),
    }.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _checked(table: str, column: str, kind: str) -> None:
    # On SQLite a table to which others refer cannot be copied; a constraint comes with its column there, and goes with it.
    check = f"CONSTRAINT ck_{table}_{column} CHECK ({CHECKS[table, column]})"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind} {check}")
