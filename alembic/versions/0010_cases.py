"""what members contest: cases, their steps, and what is said in them."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_version_id", sa.Uuid(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=True),
        sa.Column("credential_id", sa.String(length=32), nullable=True),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("respondent_id", sa.Uuid(), nullable=True),
        sa.Column("mediator_id", sa.Uuid(), nullable=True),
        sa.Column("member_who", sa.Uuid(), nullable=False),
        sa.Column("respondent_who", sa.Uuid(), nullable=True),
        sa.Column("mediator_who", sa.Uuid(), nullable=True),
        sa.Column("progress", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True),
        sa.Column("contested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_by_token", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('refusal', 'declined', 'revocation', 'suspension')", name=op.f("ck_cases_kind")),
        sa.CheckConstraint("state IN ('open', 'mediating', 'escalated', 'resolved')", name=op.f("ck_cases_state")),
        sa.CheckConstraint("outcome IN ('upheld', 'overturned', 'withdrawn')", name=op.f("ck_cases_outcome")),
        sa.CheckConstraint("(state = 'resolved') = (outcome IS NOT NULL)", name=op.f("ck_cases_resolved")),
        sa.CheckConstraint(
            "state = 'resolved' OR mediator_who IS NULL OR (mediator_who <> member_who"
            " AND (respondent_who IS NULL OR mediator_who <> respondent_who))",
            name=op.f("ck_cases_not_self"),
        ),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_cases_network_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_cases_member_id")),
        sa.ForeignKeyConstraint(["achievement_id"], ["achievements.id"], name=op.f("fk_cases_achievement_id")),
        sa.ForeignKeyConstraint(
            ["achievement_version_id"], ["achievement_versions.id"], name=op.f("fk_cases_achievement_version_id")
        ),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_cases_award_id")),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_cases_credential_id")),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_cases_review_id")),
        sa.ForeignKeyConstraint(["result_id"], ["awards.id"], name=op.f("fk_cases_result_id")),
        sa.ForeignKeyConstraint(["respondent_id"], ["members.id"], name=op.f("fk_cases_respondent_id")),
        sa.ForeignKeyConstraint(["mediator_id"], ["members.id"], name=op.f("fk_cases_mediator_id")),
        sa.ForeignKeyConstraint(["opened_by_token"], ["tokens.id"], name=op.f("fk_cases_opened_by_token")),
        sa.ForeignKeyConstraint(["opened_by"], ["members.id"], name=op.f("fk_cases_opened_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index(op.f("ix_cases_network_id_state"), "cases", ["network_id", "state"])
    op.create_index(op.f("ix_cases_state_due_at"), "cases", ["state", "due_at"])
    op.create_index(
        "uq_cases_open",
        "cases",
        ["member_id", "achievement_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_table(
        "case_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "kind IN ('opened', 'statement', 'assigned', 'left', 'escalated', 'overdue', 'withdrawn', 'resolved')",
            name=op.f("ck_case_steps_kind"),
        ),
        sa.CheckConstraint(
            "part IN ('member', 'respondent', 'mediator', 'network', 'service')", name=op.f("ck_case_steps_part")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_steps_case_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_case_steps_token_id")),
        sa.ForeignKeyConstraint(["author_id"], ["members.id"], name=op.f("fk_case_steps_author_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["members.id"], name=op.f("fk_case_steps_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_steps")),
    )
    op.create_index(op.f("ix_case_steps_case_id"), "case_steps", ["case_id"])
    op.create_table(
        "case_texts",
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["step_id"], ["case_steps.id"], name=op.f("fk_case_texts_step_id")),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_case_texts")),
    )
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("case_step_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("member_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_messages_case_step_id"), "case_steps", ["case_step_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_messages_member_id"), "members", ["member_id"], ["id"])


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE case_step_id IS NOT NULL")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_messages_member_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_messages_case_step_id"), type_="foreignkey")
        batch_op.drop_column("member_id")
        batch_op.drop_column("case_step_id")
    op.drop_table("case_texts")
    op.drop_table("case_steps")
    op.drop_table("cases")
