"""questions to recipients whether a badge is theirs, and the messages that ask."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.String(length=32), nullable=False),
        sa.Column("identity_id", sa.Uuid(), nullable=False),
        sa.Column("page_sha256", sa.String(length=64), nullable=False),
        sa.Column("mail_sha256", sa.String(length=64), nullable=False),
        sa.Column("mail_secret", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mail_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=8), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("answer IN ('yes', 'no')", name=op.f("ck_confirmations_answer")),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_confirmations_answered")),
        sa.ForeignKeyConstraint(["credential_id"], ["credentials.id"], name=op.f("fk_confirmations_credential_id")),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identities.id"], name=op.f("fk_confirmations_identity_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sa.UniqueConstraint("page_sha256", name=op.f("uq_confirmations_page_sha256")),
        sa.UniqueConstraint("mail_sha256", name=op.f("uq_confirmations_mail_sha256")),
    )
    op.create_index(op.f("ix_confirmations_credential_id_mail_at"), "confirmations", ["credential_id", "mail_at"])
    op.create_index(op.f("ix_confirmations_identity_id"), "confirmations", ["identity_id"])
    op.create_index(op.f("ix_confirmations_expires_at"), "confirmations", ["expires_at"])
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confirmation_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_messages_confirmation_id"), "confirmations", ["confirmation_id"], ["id"], ondelete="CASCADE"
        )


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE confirmation_id IS NOT NULL")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_messages_confirmation_id"), type_="foreignkey")
        batch_op.drop_column("confirmation_id")
    op.drop_table("confirmations")
