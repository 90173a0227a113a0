"""indexes for what lists are found and ordered by; access tokens."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
INDEXES = (
    ("records", ["network_id", "kind", "occurred_at", "id"]),
    ("contributions", ["session_id"]),
    ("contributions", ["resource"]),
    ("contribution_tags", ["tag"]),
    ("sessions", ["network_id", "starts_at"]),
)


def upgrade() -> None:
    for table, columns in INDEXES:
        op.create_index(_name(table, columns), table, columns)
    waiting = sa.text("status <> 'accepted'")
    op.create_index("ix_records_waiting", "records", ["network_id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "access_tokens",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("scopes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_access_tokens_token_id")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_access_tokens")),
    )
    for columns in (["token_id", "expires_at"], ["expires_at"]):
        op.create_index(_name("access_tokens", columns), "access_tokens", columns)


def downgrade() -> None:
    op.drop_table("access_tokens")
    op.drop_index("ix_records_waiting", "records")
    for table, columns in reversed(INDEXES):
        op.drop_index(_name(table, columns), table)


def _name(table: str, columns: list[str]) -> str:
    return op.f(f"ix_{table}_{'_'.join(columns)}")
