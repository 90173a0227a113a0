"""goals with check-ins and what peers say of them, and the licence of what is shared."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0041"
down_revision: str | None = "0040"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
NEW = ("goals", "goal_answers", "goal_check_ins", "goal_texts", "goal_check_in_texts")
INDEXES = {
    "goals": (["network_id", "shared_with"], ["member_id"], ["buddy_id"], ["record_id"]),
    "goal_answers": (["member_id"],),
    "goal_check_ins": (["goal_id", "on_date"],),
}


def refers(table: str, column: str, to: str, *, goes_with_it: bool = False) -> sa.ForeignKeyConstraint:
    """Return the constraint that a column names a row of another table."""
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=name, ondelete="CASCADE" if goes_with_it else None)


def upgrade() -> None:
    op.create_table(
        "goals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("begun_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("objective", sa.String(length=200), nullable=True),
        sa.Column("shared_with", sa.String(length=16), nullable=False),
        sa.Column("buddy_id", sa.Uuid(), nullable=True),
        sa.Column("buddy_state", sa.String(length=16), nullable=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("closed_as", sa.String(length=16), nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("buddy_state IN ('asked', 'accepted', 'declined')", name=op.f("ck_goals_buddy_state")),
        sa.CheckConstraint("closed_as IN ('met', 'partly', 'dropped')", name=op.f("ck_goals_closed_as")),
        sa.CheckConstraint("shared_with IN ('nobody', 'buddy', 'network')", name=op.f("ck_goals_shared_with")),
        refers("goals", "network_id", "networks"),
        refers("goals", "member_id", "members"),
        refers("goals", "buddy_id", "members"),
        refers("goals", "record_id", "records"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goals")),
    )
    op.create_table(
        "goal_answers",
        sa.Column("goal_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=False),
        refers("goal_answers", "goal_id", "goals", goes_with_it=True),
        refers("goal_answers", "member_id", "members"),
        sa.PrimaryKeyConstraint("goal_id", "member_id", name=op.f("pk_goal_answers")),
    )
    op.create_table(
        "goal_check_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("goal_id", sa.Uuid(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        refers("goal_check_ins", "goal_id", "goals", goes_with_it=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goal_check_ins")),
    )
    op.create_table(
        "goal_texts",
        sa.Column("goal_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        refers("goal_texts", "goal_id", "goals", goes_with_it=True),
        sa.PrimaryKeyConstraint("goal_id", name=op.f("pk_goal_texts")),
    )
    op.create_table(
        "goal_check_in_texts",
        sa.Column("check_in_id", sa.Uuid(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("obstacle", sa.Text(), nullable=True),
        refers("goal_check_in_texts", "check_in_id", "goal_check_ins", goes_with_it=True),
        sa.PrimaryKeyConstraint("check_in_id", name=op.f("pk_goal_check_in_texts")),
    )
    for table, indexes in INDEXES.items():
        for columns in indexes:
            op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    op.add_column("contributions", sa.Column("license", sa.String(length=400), nullable=True))


def downgrade() -> None:
    op.drop_column("contributions", "license")
    for table in reversed(NEW):
        op.drop_table(table)
