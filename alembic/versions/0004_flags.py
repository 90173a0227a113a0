"""flags."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:

    op.create_table(
        "flags",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("other_member_id", sa.Uuid(), nullable=True),
        sa.Column("sets_aside", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('late', 'repeated', 'overlap', 'shared-artifact', 'reciprocal', 'ring', 'token', 'contribution')",
            name=op.f("ck_flags_kind"),
        ),
        sa.CheckConstraint("state IN ('open', 'released', 'voided')", name=op.f("ck_flags_state")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_flags_member_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_flags_network_id")),
        sa.ForeignKeyConstraint(["other_id"], ["records.id"], name=op.f("fk_flags_other_id")),
        sa.ForeignKeyConstraint(["other_member_id"], ["members.id"], name=op.f("fk_flags_other_member_id")),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_flags_record_id")),
        sa.ForeignKeyConstraint(["settled_by"], ["tokens.id"], name=op.f("fk_flags_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
    )
    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flags_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_flags_network_id_kind"), ["network_id", "kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_flags_other_id"), ["other_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_flags_other_member_id"), ["other_member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_flags_record_id"), ["record_id"], unique=False)

    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("late_after_days", sa.BigInteger(), server_default="90", nullable=False))


def downgrade() -> None:

    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.drop_column("late_after_days")

    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flags_record_id"))
        batch_op.drop_index(batch_op.f("ix_flags_other_member_id"))
        batch_op.drop_index(batch_op.f("ix_flags_other_id"))
        batch_op.drop_index(batch_op.f("ix_flags_network_id_kind"))
        batch_op.drop_index(batch_op.f("ix_flags_member_id"))

    op.drop_table("flags")
