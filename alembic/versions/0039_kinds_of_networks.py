"""when formal networks became active, which networks can be found, and who asks to join."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0039"
down_revision: str | None = "0038"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
WORDS = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPEN = sa.text("state = 'asked'")


def upgrade() -> None:
    # Networks that exist stay as they are: a formal one is active, and when it had its parts nobody has noted.
    op.add_column("networks", sa.Column("activated_at", MOMENT, nullable=True))
    op.create_table(
        "listings",
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("joining", sa.String(length=16), nullable=False),
        sa.Column("interests", WORDS, nullable=False),
        sa.Column("languages", WORDS, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("removed_for", sa.Text(), nullable=True),
        sa.CheckConstraint("joining IN ('closed', 'email', 'website', 'form')", name=op.f("ck_listings_joining")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_listings_network_id")),
        sa.PrimaryKeyConstraint("network_id", name=op.f("pk_listings")),
    )
    op.create_table(
        "listing_labels",
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("shown", sa.String(length=200), nullable=False),
        sa.CheckConstraint("kind IN ('interest', 'language', 'word')", name=op.f("ck_listing_labels_kind")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_listing_labels_network_id")),
        sa.PrimaryKeyConstraint("network_id", "kind", "label", name=op.f("pk_listing_labels")),
    )
    op.create_index(op.f("ix_listing_labels_kind_label"), "listing_labels", ["kind", "label"])
    op.create_table(
        "join_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'accepted', 'declined', 'withdrawn')", name=op.f("ck_join_requests_state")
        ),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_join_requests_network_id")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_join_requests_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_join_requests_member_id")),
        sa.ForeignKeyConstraint(["decided_by"], ["tokens.id"], name=op.f("fk_join_requests_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_requests")),
    )
    op.create_index(op.f("ix_join_requests_account_id_asked_at"), "join_requests", ["account_id", "asked_at"])
    op.create_index(op.f("ix_join_requests_member_id"), "join_requests", ["member_id"])
    op.create_index(
        "uq_join_requests_open",
        "join_requests",
        ["network_id", "account_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_table("join_requests")
    op.drop_table("listing_labels")
    op.drop_table("listings")
    op.drop_column("networks", "activated_at")
