"""who decides about awards: reviews, approvals, and who is one person with whom."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

NOT_SELF = "review_since IS NOT NULL OR state IN ('revoked', 'expired') OR actor_who <> recipient_who"
COLUMNS = ("actor_who", "recipient_who", "review_since", "ended_by")


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_version_id", sa.Uuid(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("asked_by_token", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('approval', 'second', 'standing')", name=op.f("ck_reviews_kind")),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'declined', 'withdrawn')", name=op.f("ck_reviews_state")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_reviews_network_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_reviews_member_id")),
        sa.ForeignKeyConstraint(["achievement_id"], ["achievements.id"], name=op.f("fk_reviews_achievement_id")),
        sa.ForeignKeyConstraint(
            ["achievement_version_id"], ["achievement_versions.id"], name=op.f("fk_reviews_achievement_version_id")
        ),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_reviews_award_id")),
        sa.ForeignKeyConstraint(["asked_by_token"], ["tokens.id"], name=op.f("fk_reviews_asked_by_token")),
        sa.ForeignKeyConstraint(["asked_by"], ["members.id"], name=op.f("fk_reviews_asked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index(op.f("ix_reviews_network_id_state"), "reviews", ["network_id", "state"])
    op.create_index(op.f("ix_reviews_award_id"), "reviews", ["award_id"])
    op.create_index(
        "uq_reviews_waiting",
        "reviews",
        ["member_id", "achievement_id", "kind"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "approvals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_version_id", sa.Uuid(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=True),
        sa.Column("approver_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("recipient_who", sa.Uuid(), nullable=False),
        sa.Column("approver_who", sa.Uuid(), nullable=False),
        sa.Column("asked_by_who", sa.Uuid(), nullable=True),
        sa.CheckConstraint("outcome IN ('approved', 'declined')", name=op.f("ck_approvals_outcome")),
        sa.CheckConstraint(
            "ended_at IS NOT NULL OR (approver_who <> recipient_who"
            " AND (asked_by_who IS NULL OR approver_who <> asked_by_who))",
            name=op.f("ck_approvals_not_self"),
        ),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_approvals_network_id")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_approvals_review_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_approvals_member_id")),
        sa.ForeignKeyConstraint(["achievement_id"], ["achievements.id"], name=op.f("fk_approvals_achievement_id")),
        sa.ForeignKeyConstraint(
            ["achievement_version_id"], ["achievement_versions.id"], name=op.f("fk_approvals_achievement_version_id")
        ),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_approvals_award_id")),
        sa.ForeignKeyConstraint(["approver_id"], ["members.id"], name=op.f("fk_approvals_approver_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_approvals_token_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("review_id", "approver_id", "role", name=op.f("uq_approvals_review_id_approver_id_role")),
    )
    op.create_index(op.f("ix_approvals_member_id_achievement_id"), "approvals", ["member_id", "achievement_id"])
    op.create_index(op.f("ix_approvals_approver_id"), "approvals", ["approver_id"])
    op.create_index(op.f("ix_approvals_award_id"), "approvals", ["award_id"])


def downgrade() -> None:
    op.drop_table("approvals")
    op.drop_table("reviews")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_awards_not_self"), "awards", type_="check")
    for column in COLUMNS:
        # SQLite drops a column with its own constraints in place; the batch mode would copy the whole table.
        op.execute(f"ALTER TABLE awards DROP COLUMN {column}")


def _add_columns() -> None:
    """Add columns to `awards` where it stands: it cannot be copied while credentials refer to it.

    On SQLite a constraint can only come with a new column, and it may speak of the others.
    """
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE awards ADD COLUMN recipient_who CHAR(32)")
        op.execute("ALTER TABLE awards ADD COLUMN review_since DATETIME")
        op.execute(
            "ALTER TABLE awards ADD COLUMN ended_by CHAR(32) CONSTRAINT fk_awards_ended_by REFERENCES tokens (id)"
        )
        op.execute(f"ALTER TABLE awards ADD COLUMN actor_who CHAR(32) CONSTRAINT ck_awards_not_self CHECK ({NOT_SELF})")
    else:
        op.add_column("awards", sa.Column("recipient_who", sa.Uuid(), nullable=True))
        op.add_column("awards", sa.Column("review_since", sa.DateTime(timezone=True), nullable=True))
        op.add_column("awards", sa.Column("ended_by", sa.Uuid(), nullable=True))
        op.add_column("awards", sa.Column("actor_who", sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f("fk_awards_ended_by"), "awards", "tokens", ["ended_by"], ["id"])
        op.create_check_constraint(op.f("ck_awards_not_self"), "awards", NOT_SELF)
    # An award that somebody made to themself, before persons were compared, is under review from here on.
    op.execute(
        "UPDATE awards SET recipient_who = (SELECT coalesce(person_id, id) FROM members WHERE id = awards.member_id)"
    )
    op.execute(
        "UPDATE awards SET review_since = decided_at WHERE recipient_who ="
        " (SELECT coalesce(person_id, id) FROM members WHERE id = awards.actor_member_id)"
    )
    op.execute(
        "UPDATE awards SET actor_who = (SELECT coalesce(person_id, id) FROM members WHERE id = awards.actor_member_id)"
    )
