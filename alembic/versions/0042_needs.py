"""what members want to learn and can offer, asked in cycles, and links by which they answer."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0042"
down_revision: str | None = "0041"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
SAID = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def _made(table: str, *columns: Any) -> None:
    """Make a table of a network, with who made each row."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        *columns,
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("actor_member_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f(f"fk_{table}_network_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f(f"fk_{table}_token_id")),
        sa.ForeignKeyConstraint(["actor_member_id"], ["members.id"], name=op.f(f"fk_{table}_actor_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def upgrade() -> None:
    _made(
        "needs_cycles",
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("said", SAID, nullable=False),
        sa.Column("opens_at", MOMENT, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.UniqueConstraint("network_id", "ref", name=op.f("uq_needs_cycles_network_id_ref")),
    )
    op.create_index(op.f("ix_needs_cycles_told_at_opens_at"), "needs_cycles", ["told_at", "opens_at"])
    _made(
        "needs_answers",
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("said", SAID, nullable=False),
        sa.Column("share_offer", sa.Boolean(), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("via IN ('member', 'network', 'page', 'link')", name=op.f("ck_needs_answers_via")),
        sa.ForeignKeyConstraint(["cycle_id"], ["needs_cycles.id"], name=op.f("fk_needs_answers_cycle_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_needs_answers_member_id")),
        sa.UniqueConstraint("cycle_id", "member_id", name=op.f("uq_needs_answers_cycle_id_member_id")),
    )
    op.create_index(op.f("ix_needs_answers_member_id"), "needs_answers", ["member_id"])
    _made(
        "needs_links",
        sa.Column("cycle_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["cycle_id"], ["needs_cycles.id"], name=op.f("fk_needs_links_cycle_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_needs_links_member_id")),
        sa.UniqueConstraint("cycle_id", "member_id", name=op.f("uq_needs_links_cycle_id_member_id")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_needs_links_secret_sha256")),
    )
    op.create_index(op.f("ix_needs_links_member_id"), "needs_links", ["member_id"])


def downgrade() -> None:
    op.drop_table("needs_links")
    op.drop_table("needs_answers")
    op.drop_table("needs_cycles")
