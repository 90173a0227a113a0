"""calls for participants: applications, proposals and decisions."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0043"
down_revision: str | None = "0042"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
KINDS = (
    *("awarded", "replaced", "revoked", "suspended", "reinstated", "expiring"),
    *("webhook", "case", "question", "key", "sign-in", "notice", "claim", "claimed", "return", "guidelines"),
)
OF_APPLICATIONS = ("call_applications", "CASCADE")


def refers(table: str, **columns: tuple[str, str | None]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], [f"{to}.id"], name=op.f(f"fk_{table}_{name}"), ondelete=ondelete)
        for name, (to, ondelete) in columns.items()
    ]


def acted_by() -> list[sa.Column]:
    return [
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("actor_member_id", sa.Uuid(), nullable=True),
    ]


def kinds(values: Sequence[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"kind IN ({listed})"


BY = {"token_id": ("tokens", None), "actor_member_id": ("members", None)}


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("opens_at", MOMENT, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=False),
        sa.Column("places", sa.BigInteger(), nullable=False),
        sa.Column("open_to", sa.String(length=16), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("gives_role", JSON, nullable=True),
        sa.Column("protected_reason", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("open_to IN ('members', 'anybody')", name=op.f("ck_calls_open_to")),
        sa.CheckConstraint("places > 0", name=op.f("ck_calls_places")),
        sa.CheckConstraint("open_to = 'anybody' OR NOT public", name=op.f("ck_calls_public")),
        *refers("calls", network_id=("networks", None)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("network_id", "ref", name=op.f("uq_calls_network_id_ref")),
    )
    op.create_table(
        "call_applications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("applied_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "state IN ('applied', 'withdrawn', 'accepted', 'waiting', 'declined')",
            name=op.f("ck_call_applications_state"),
        ),
        *refers(
            "call_applications",
            network_id=("networks", None),
            call_id=("calls", None),
            member_id=("members", None),
            account_id=("accounts", "CASCADE"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_applications")),
        sa.UniqueConstraint("call_id", "member_id", name=op.f("uq_call_applications_call_id_member_id")),
        sa.UniqueConstraint("call_id", "account_id", name=op.f("uq_call_applications_call_id_account_id")),
    )
    for column in ("member_id", "account_id"):
        op.create_index(op.f(f"ix_call_applications_{column}"), "call_applications", [column])
    op.create_table(
        "call_application_texts",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("organization", sa.Text(), nullable=True),
        sa.Column("discipline", sa.Text(), nullable=True),
        sa.Column("expertise", JSON, nullable=False),
        sa.Column("readiness", JSON, nullable=False),
        *refers("call_application_texts", application_id=OF_APPLICATIONS),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_call_application_texts")),
    )
    op.create_table(
        "call_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=False),
        *acted_by(),
        sa.CheckConstraint("outcome IN ('accepted', 'waiting', 'declined')", name=op.f("ck_call_decisions_outcome")),
        *refers("call_decisions", application_id=OF_APPLICATIONS, **BY),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_decisions")),
    )
    op.create_table(
        "call_questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        *acted_by(),
        *refers("call_questions", application_id=OF_APPLICATIONS, **BY),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_questions")),
    )
    op.create_table(
        "call_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("k", sa.BigInteger(), nullable=False),
        sa.Column("input_sha256", sa.String(length=64), nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        *acted_by(),
        *refers("call_proposals", network_id=("networks", None), call_id=("calls", None), **BY),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_proposals")),
    )
    op.create_index(op.f("ix_call_proposals_call_id"), "call_proposals", ["call_id"])
    op.create_table(
        "call_locks",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('include', 'exclude')", name=op.f("ck_call_locks_kind")),
        *refers("call_locks", proposal_id=("call_proposals", None), application_id=OF_APPLICATIONS),
        sa.PrimaryKeyConstraint("proposal_id", "application_id", name=op.f("pk_call_locks")),
    )
    for table in ("call_decisions", "call_questions", "call_locks"):
        op.create_index(op.f(f"ix_{table}_application_id"), table, ["application_id"])

    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), kinds((*KINDS, "call")))
        batch.add_column(sa.Column("call_application_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_messages_call_application_id"),
            "call_applications",
            ["call_application_id"],
            ["id"],
            ondelete="CASCADE",
        )


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE kind = 'call'")
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), kinds(KINDS))
        batch.drop_constraint(op.f("fk_messages_call_application_id"), type_="foreignkey")
        batch.drop_column("call_application_id")
    for table in (
        "call_locks",
        "call_proposals",
        "call_questions",
        "call_decisions",
        "call_application_texts",
        "call_applications",
        "calls",
    ):
        op.drop_table(table)
