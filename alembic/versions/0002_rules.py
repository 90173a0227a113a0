"""What the rules gain, endorsed and tenure ask for: occasions and forms of scores, and the local dates of roles."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    # Not as a batch: on SQLite that would make the table anew, and the ratings would go with the old one.
    check = "CONSTRAINT ck_evaluations_occasion CHECK (occasion IN ('pre', 'post', 'pulse'))"
    op.execute(f"ALTER TABLE evaluations ADD COLUMN occasion VARCHAR(8) {check}")
    op.add_column("evaluations", sa.Column("form", sa.String(length=64), nullable=True))
    endorsed = sa.text("kind = 'endorsement'")
    op.create_index(
        "ix_evaluations_endorsed_by",
        "evaluations",
        ["evaluator_id"],
        sqlite_where=endorsed,
        postgresql_where=endorsed,
    )
    op.add_column("roles", sa.Column("from_date", sa.Date(), nullable=True))
    op.add_column("roles", sa.Column("until_date", sa.Date(), nullable=True))
    _date_roles()
    with op.batch_alter_table("roles") as roles:
        roles.alter_column("from_date", existing_type=sa.Date(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("roles") as roles:
        roles.drop_column("until_date")
        roles.drop_column("from_date")
    op.drop_index("ix_evaluations_endorsed_by", table_name="evaluations")
    op.drop_column("evaluations", "form")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_evaluations_occasion"), "evaluations", type_="check")
    op.drop_column("evaluations", "occasion")


def _date_roles() -> None:
    """Write down on which days roles begin and end in their networks' time zones."""
    moment = sa.DateTime(timezone=True)
    roles = sa.table(
        "roles",
        *(sa.column("id", sa.Uuid()), sa.column("member_id", sa.Uuid())),
        *(sa.column("from_at", moment), sa.column("until_at", moment)),
        *(sa.column("from_date", sa.Date()), sa.column("until_date", sa.Date())),
    )
    members = sa.table("members", sa.column("id", sa.Uuid()), sa.column("network_id", sa.Uuid()))
    networks = sa.table("networks", sa.column("id", sa.Uuid()), sa.column("time_zone", sa.String()))
    query = (
        sa.select(roles.c.id, roles.c.from_at, roles.c.until_at, networks.c.time_zone)
        .join(members, members.c.id == roles.c.member_id)
        .join(networks, networks.c.id == members.c.network_id)
    )
    connection = op.get_bind()
    dated = [
        {"row": row_id, "begins": _day(from_at, zone), "ends": _day(until_at, zone) if until_at else None}
        for row_id, from_at, until_at, zone in connection.execute(query)
    ]
    if dated:
        change = sa.update(roles).where(roles.c.id == sa.bindparam("row"))
        connection.execute(change.values(from_date=sa.bindparam("begins"), until_date=sa.bindparam("ends")), dated)


def _day(instant: datetime, zone: str) -> date:
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    return aware.astimezone(ZoneInfo(zone)).date()
