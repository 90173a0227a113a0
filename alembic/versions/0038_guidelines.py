"""guidelines in versions, and why a record is held, and sessions that became confidential; mails about guidelines."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0038"
down_revision: str | None = "0037"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")
KINDS = (
    *("awarded", "replaced", "revoked", "suspended", "reinstated", "expiring"),
    *("webhook", "case", "question", "key", "sign-in", "notice", "claim", "claimed", "return"),
)
REASONS = "held_code IN ('member-unknown', 'guidelines-not-accepted')"


def upgrade() -> None:
    op.create_table(
        "guideline_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("preamble", sa.Text(), nullable=True),
        sa.Column("sections", DOCUMENT, nullable=False),
        sa.Column("conflict_days", DOCUMENT, nullable=False),
        sa.Column("change_note", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_guideline_versions_network_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guideline_versions")),
        sa.UniqueConstraint("network_id", "number", name=op.f("uq_guideline_versions_network_id_number")),
    )
    op.create_table(
        "guideline_settings",
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("acceptance", sa.String(length=16), server_default="remind", nullable=False),
        sa.Column("grace_days", sa.BigInteger(), server_default="14", nullable=False),
        sa.Column("holds_since", MOMENT, nullable=True),
        sa.Column("confidential_details", sa.String(length=16), server_default="kept", nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("acceptance IN ('remind', 'hold')", name=op.f("ck_guideline_settings_acceptance")),
        sa.CheckConstraint(
            "confidential_details IN ('kept', 'not-stored')", name=op.f("ck_guideline_settings_confidential_details")
        ),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_guideline_settings_network_id")),
        sa.PrimaryKeyConstraint("network_id", name=op.f("pk_guideline_settings")),
    )
    # On SQLite the table cannot be copied while others refer to it; a constraint comes with its column there.
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"ALTER TABLE records ADD COLUMN held_code VARCHAR(32) CONSTRAINT ck_records_held_code CHECK ({REASONS})"
        )
    else:
        op.add_column("records", sa.Column("held_code", sa.String(length=32), nullable=True))
        op.create_check_constraint(op.f("ck_records_held_code"), "records", REASONS)
    op.add_column("sessions", sa.Column("badges_behind", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), _kinds((*KINDS, "guidelines")))
        batch.add_column(sa.Column("guideline_version_id", sa.Uuid(), nullable=True))
        batch.create_foreign_key(
            op.f("fk_messages_guideline_version_id"), "guideline_versions", ["guideline_version_id"], ["id"]
        )
    op.execute("UPDATE records SET held_code = 'member-unknown' WHERE held_for IS NOT NULL")


def downgrade() -> None:
    op.execute("DELETE FROM messages WHERE kind = 'guidelines'")
    with op.batch_alter_table("messages") as batch:
        batch.drop_constraint(op.f("ck_messages_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_messages_kind"), _kinds(KINDS))
        batch.drop_constraint(op.f("fk_messages_guideline_version_id"), type_="foreignkey")
        batch.drop_column("guideline_version_id")
    op.execute("ALTER TABLE sessions DROP COLUMN badges_behind")
    op.execute("ALTER TABLE records DROP COLUMN held_code")
    op.drop_table("guideline_settings")
    op.drop_table("guideline_versions")


def _kinds(values: Sequence[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"kind IN ({listed})"
