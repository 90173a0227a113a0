"""What rules look at: occasions of scores, days of roles, who listens to what, and what rows said before."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


MOMENT = sa.DateTime(timezone=True)
_EVIDENCE: dict[str, Any] = {
    "record_id": sa.Uuid(),
    "network_id": sa.Uuid(),
    "member_id": sa.Uuid(),
    "occurred_at": MOMENT,
    "local_date": sa.Date(),
    "local_week": sa.String(8),
    "tier": sa.BigInteger(),
}
PAST: dict[str, tuple[str, dict[str, Any]]] = {
    "contributions": (
        "member_id",
        _EVIDENCE
        | {
            "type": sa.String(64),
            "minutes": sa.BigInteger(),
            "session_id": sa.Uuid(),
            "peer_id": sa.Uuid(),
            "resource": sa.String(400),
        },
    ),
    "contribution_tags": ("record_id", {"record_id": sa.Uuid(), "tag": sa.String(100)}),
    "evaluations": (
        "member_id",
        _EVIDENCE
        | {
            "kind": sa.String(16),
            "about_kind": sa.String(16),
            "about_id": sa.Uuid(),
            "evaluator_id": sa.Uuid(),
            "instrument": sa.String(200),
            "instrument_version": sa.String(64),
            "part": sa.String(100),
            "occasion": sa.String(8),
            "form": sa.String(64),
            "scaled": sa.Double(),
        },
    ),
    "ratings": ("record_id", {"record_id": sa.Uuid(), "criterion": sa.String(200), "level": sa.Double()}),
    "roles": (
        "member_id",
        {
            "id": sa.Uuid(),
            "member_id": sa.Uuid(),
            "role": sa.String(64),
            "from_at": MOMENT,
            "until_at": MOMENT,
            "from_date": sa.Date(),
            "until_date": sa.Date(),
        },
    ),
    "enrolments": (
        "member_id",
        {"member_id": sa.Uuid(), "achievement_id": sa.Uuid(), "achievement_version_id": sa.Uuid(), "at": MOMENT},
    ),
    "members": (
        "id",
        {
            "id": sa.Uuid(),
            "network_id": sa.Uuid(),
            "ref": sa.String(200),
            "person_id": sa.Uuid(),
            "organization": sa.String(200),
            "enrolled_at": MOMENT,
            "merged_into": sa.Uuid(),
        },
    ),
}
"""The tables of what rows said before, with the column by which they are found."""


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
    op.add_column("unsettled_members", sa.Column("topics", sa.Text(), nullable=True))
    op.create_table(
        "listeners",
        sa.Column("network_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.String(length=300), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["achievement_id"], ["achievements.id"], name=op.f("fk_listeners_achievement_id")),
        sa.ForeignKeyConstraint(["network_id"], ["networks.id"], name=op.f("fk_listeners_network_id")),
        sa.PrimaryKeyConstraint("network_id", "topic", "achievement_id", name=op.f("pk_listeners")),
    )
    # What is published already listens to everything.
    op.execute(
        "INSERT INTO listeners (network_id, topic, achievement_id) SELECT network_id, '*', id FROM achievements"
        " WHERE id IN (SELECT achievement_id FROM achievement_versions WHERE published_at IS NOT NULL)"
    )

    for table in ("members", "roles", "enrolments"):
        op.add_column(table, sa.Column("known_from", MOMENT, nullable=True))
    op.add_column("records", sa.Column("accepted_at", MOMENT, nullable=True))
    for table, (found_by, columns) in PAST.items():
        times = {"known_from": MOMENT, "known_until": MOMENT, "ended_by": sa.Uuid()}
        op.create_table(
            f"past_{table}",
            *(sa.Column(name, kind, nullable=name != "known_until") for name, kind in (columns | times).items()),
        )
        op.create_index(op.f(f"ix_past_{table}_{found_by}"), f"past_{table}", [found_by])


def downgrade() -> None:
    for table in PAST:
        op.drop_table(f"past_{table}")
    op.drop_column("records", "accepted_at")
    for table in ("members", "roles", "enrolments"):
        op.drop_column(table, "known_from")
    op.drop_table("listeners")
    op.drop_column("unsettled_members", "topics")
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
