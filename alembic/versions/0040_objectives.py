"""objectives in versions, which sessions and achievements name, and expectations."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0040"
down_revision: str | None = "0039"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
OBJECT = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "objectives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_objectives_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objectives")),
        sa.UniqueConstraint("network_id", "ref", name=op.f("uq_objectives_network_id_ref")),
    )
    op.create_table(
        "objective_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", OBJECT, nullable=False),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["objective_id"], ["objectives.id"], name=op.f("fk_objective_versions_objective_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objective_versions")),
        sa.UniqueConstraint("objective_id", "version", name=op.f("uq_objective_versions_objective_id_version")),
    )
    op.create_table(
        "session_objectives",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["objective_id"], ["objectives.id"], name=op.f("fk_session_objectives_objective_id")),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name=op.f("fk_session_objectives_session_id")),
        sa.PrimaryKeyConstraint("session_id", "objective_id", name=op.f("pk_session_objectives")),
    )
    op.create_index(op.f("ix_session_objectives_objective_id"), "session_objectives", ["objective_id"])
    op.add_column("achievement_versions", sa.Column("pinned_objectives", OBJECT, server_default="{}", nullable=False))
    op.create_table(
        "expectations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_expectations_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expectations")),
        sa.UniqueConstraint("network_id", "ref", name=op.f("uq_expectations_network_id_ref")),
    )
    op.create_table(
        "expectation_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("expectation_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("content", OBJECT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["expectation_id"], ["expectations.id"], name=op.f("fk_expectation_versions_expectation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_expectation_versions")),
        sa.UniqueConstraint("expectation_id", "version", name=op.f("uq_expectation_versions_expectation_id_version")),
    )


def downgrade() -> None:
    op.drop_table("expectation_versions")
    op.drop_table("expectations")
    op.drop_column("achievement_versions", "pinned_objectives")
    op.drop_table("session_objectives")
    op.drop_table("objective_versions")
    op.drop_table("objectives")
