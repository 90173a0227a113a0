"""how a credential names its recipient, whether they declined it, and which evidence they hide."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    # On SQLite a constraint comes with its column, and goes with it.
    check = "CONSTRAINT ck_credentials_name_shown CHECK (name_shown IN ('none', 'hashed', 'plain'))"
    op.execute(f"ALTER TABLE credentials ADD COLUMN name_shown VARCHAR(16) DEFAULT 'none' NOT NULL {check}")
    op.add_column("credentials", sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "hidden_evidence",
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.Column("item", sa.String(length=500), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_hidden_evidence_credential_id")),
        sa.PrimaryKeyConstraint("credential_id", "item", name=op.f("pk_hidden_evidence")),
    )


def downgrade() -> None:
    op.drop_table("hidden_evidence")
    for column in ("declined_at", "name_shown"):
        op.execute(f"ALTER TABLE credentials DROP COLUMN {column}")
