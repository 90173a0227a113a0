"""who suspended a credential, and since when it stands again."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    # On SQLite the table cannot be copied while messages refer to it; a constraint comes with its column there.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE credentials ADD COLUMN suspended_by CHAR(32)"
            " CONSTRAINT fk_credentials_suspended_by REFERENCES tokens (id)"
        )
        op.execute("ALTER TABLE credentials ADD COLUMN reinstated_at DATETIME")
    else:
        op.add_column("credentials", sa.Column("suspended_by", sa.Uuid(), nullable=True))
        op.add_column("credentials", sa.Column("reinstated_at", sa.DateTime(timezone=True), nullable=True))
        op.create_foreign_key(op.f("fk_credentials_suspended_by"), "credentials", "tokens", ["suspended_by"], ["id"])


def downgrade() -> None:
    for column in ("reinstated_at", "suspended_by"):
        op.execute(f"ALTER TABLE credentials DROP COLUMN {column}")
