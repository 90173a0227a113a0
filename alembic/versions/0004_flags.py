"""flags."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

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

    op.create_table(
        "contribution_artifacts",
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_contribution_artifacts_network_id")),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["contributions.record_id"],
            name=op.f("fk_contribution_artifacts_record_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("record_id", "sha256", name=op.f("pk_contribution_artifacts")),
    )
    with op.batch_alter_table("contribution_artifacts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contribution_artifacts_network_id_sha256"), ["network_id", "sha256"], unique=False
        )

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_evaluations_evaluator_id_member_id"), ["evaluator_id", "member_id"], unique=False
        )

    with op.batch_alter_table("networks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("late_after_days", sa.BigInteger(), server_default="90", nullable=False))

    _carry_over()


def _carry_over() -> None:
    """Write down the digests of what was contributed before, some at a time."""
    connection = op.get_bind()
    bodies, artifacts = _table("record_bodies", "body"), _table("contribution_artifacts", "network_id", "sha256")
    works = _table("contributions", "network_id")
    found = sa.select(works.c.record_id, works.c.network_id, bodies.c.body).join(
        bodies, bodies.c.record_id == works.c.record_id
    )
    last = None
    while True:
        some = found if last is None else found.where(works.c.record_id > last)
        rows = connection.execute(some.order_by(works.c.record_id).limit(500)).all()
        if not rows:
            return
        last = rows[-1].record_id
        made = []
        for row in rows:
            named = (artifact.get("blob") or artifact.get("sha256") for artifact in row.body.get("artifacts") or ())
            own = {"record_id": row.record_id, "network_id": row.network_id}
            made += [own | {"sha256": sha256} for sha256 in sorted(set(filter(None, named)))]
        if made:
            connection.execute(artifacts.insert(), made)


def _table(name: str, *columns: str) -> sa.TableClause:
    kinds = {"body": sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), "network_id": sa.Uuid()}
    made = [sa.column(column, kinds.get(column, sa.String())) for column in columns]
    return sa.table(name, sa.column("record_id", sa.Uuid()), *made)


def downgrade() -> None:

    # Not by copying the table, to which every other one refers.
    op.execute("ALTER TABLE networks DROP COLUMN late_after_days")

    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evaluations_evaluator_id_member_id"))

    with op.batch_alter_table("contribution_artifacts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contribution_artifacts_network_id_sha256"))

    op.drop_table("contribution_artifacts")
    with op.batch_alter_table("flags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flags_record_id"))
        batch_op.drop_index(batch_op.f("ix_flags_other_member_id"))
        batch_op.drop_index(batch_op.f("ix_flags_other_id"))
        batch_op.drop_index(batch_op.f("ix_flags_network_id_kind"))
        batch_op.drop_index(batch_op.f("ix_flags_member_id"))

    op.drop_table("flags")
