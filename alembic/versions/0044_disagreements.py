"""disagreements between members, and awards that wait while one is open."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0044"
down_revision: str | None = "0038"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPTIONAL = (("achievement_id", sa.Uuid()), ("achievement_version_id", sa.Uuid()), ("contested_at", MOMENT))
CHECKS = {
    "ck_cases_kind": (
        "kind IN ('refusal', 'declined', 'revocation', 'suspension')",
        "kind IN ('refusal', 'declined', 'revocation', 'suspension', 'disagreement')",
    ),
    "ck_cases_outcome": (
        "outcome IN ('upheld', 'overturned', 'withdrawn')",
        "outcome IN ('upheld', 'overturned', 'withdrawn', 'agreed', 'decided', 'unresolved')",
    ),
    "ck_case_steps_kind": (
        "kind IN ('opened', 'statement', 'assigned', 'left', 'escalated', 'overdue', 'withdrawn', 'resolved')",
        (
            "kind IN ('opened', 'statement', 'assigned', 'left', 'escalated', 'overdue', 'withdrawn', 'resolved',"
            " 'proposed', 'accepted', 'held', 'released')"
        ),
    ),
}
"""Checks that allow more: what they said before, and what they say now."""
NEW_CHECKS = {
    "ck_cases_topic": "topic IN ('conduct', 'credit', 'feedback', 'confidentiality', 'other')",
    "ck_cases_about": (
        "(kind <> 'disagreement' AND achievement_id IS NOT NULL AND achievement_version_id IS NOT NULL"
        " AND contested_at IS NOT NULL AND topic IS NULL) OR (kind = 'disagreement' AND achievement_id IS NULL"
        " AND achievement_version_id IS NULL AND respondent_id IS NOT NULL AND topic IS NOT NULL"
        " AND answer_due_at IS NOT NULL AND days IS NOT NULL)"
    ),
    "ck_cases_not_oneself": "kind <> 'disagreement' OR state = 'resolved' OR member_who <> respondent_who",
}
SQLITE_COLUMNS = {
    "topic": "VARCHAR(16)",
    "record_id": "CHAR(32) CONSTRAINT fk_cases_record_id REFERENCES records (id)",
    "session_id": "CHAR(32)",
    "days": "JSON",
    "guidelines": "BIGINT",
    "answer_due_at": "DATETIME",
}
BETWEEN = sa.text("kind = 'disagreement' AND state <> 'resolved'")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, kind in SQLITE_COLUMNS.items():
            op.execute(f"ALTER TABLE cases ADD COLUMN {name} {kind}")
        op.execute("ALTER TABLE case_texts ADD COLUMN follows TEXT")
        _rewrite(_texts())
    else:
        _upgrade_postgresql()
    op.create_index(
        "uq_cases_open_between",
        "cases",
        ["member_id", "respondent_id"],
        unique=True,
        sqlite_where=BETWEEN,
        postgresql_where=BETWEEN,
    )
    op.create_index(op.f("ix_cases_respondent_id"), "cases", ["respondent_id"])
    op.create_table(
        "case_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("achievement_id", sa.Uuid(), nullable=True),
        sa.Column("from_at", MOMENT, nullable=False),
        sa.Column("until_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_holds_case_id")),
        sa.ForeignKeyConstraint(["step_id"], ["case_steps.id"], name=op.f("fk_case_holds_step_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_case_holds_member_id")),
        sa.ForeignKeyConstraint(["achievement_id"], ["achievements.id"], name=op.f("fk_case_holds_achievement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_holds")),
    )
    op.create_index(op.f("ix_case_holds_case_id"), "case_holds", ["case_id"])
    op.create_index(op.f("ix_case_holds_member_id"), "case_holds", ["member_id"])


def downgrade() -> None:
    # Awards that only a case held are due again.
    op.execute(
        "UPDATE awards SET due_at = decided_at WHERE state = 'pending' AND due_at IS NULL AND id NOT IN"
        " (SELECT award_id FROM reviews WHERE state = 'waiting' AND award_id IS NOT NULL)"
    )
    op.drop_table("case_holds")
    op.execute(
        "DELETE FROM messages WHERE case_step_id IN (SELECT case_steps.id FROM case_steps JOIN cases"
        " ON cases.id = case_steps.case_id WHERE cases.kind = 'disagreement')"
    )
    op.execute(
        "DELETE FROM case_texts WHERE step_id IN (SELECT case_steps.id FROM case_steps JOIN cases"
        " ON cases.id = case_steps.case_id WHERE cases.kind = 'disagreement')"
    )
    op.execute("DELETE FROM case_steps WHERE case_id IN (SELECT id FROM cases WHERE kind = 'disagreement')")
    op.execute("DELETE FROM cases WHERE kind = 'disagreement'")
    op.drop_index(op.f("ix_cases_respondent_id"), "cases")
    op.drop_index("uq_cases_open_between", "cases")
    if op.get_bind().dialect.name == "sqlite":
        _rewrite([(table, after, before) for table, before, after in reversed(_texts())])
    else:
        _downgrade_postgresql()
    for name in reversed(SQLITE_COLUMNS):
        op.execute(f"ALTER TABLE cases DROP COLUMN {name}")
    op.execute("ALTER TABLE case_texts DROP COLUMN follows")


def _upgrade_postgresql() -> None:
    op.add_column("cases", sa.Column("topic", sa.String(length=16), nullable=True))
    op.add_column("cases", sa.Column("record_id", sa.Uuid(), nullable=True))
    op.add_column("cases", sa.Column("session_id", sa.Uuid(), nullable=True))
    op.add_column("cases", sa.Column("days", JSON, nullable=True))
    op.add_column("cases", sa.Column("guidelines", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("answer_due_at", MOMENT, nullable=True))
    op.add_column("case_texts", sa.Column("follows", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_cases_record_id"), "cases", "records", ["record_id"], ["id"])
    op.create_foreign_key(op.f("fk_cases_session_id"), "cases", "sessions", ["session_id"], ["id"], ondelete="SET NULL")
    for name, kind in OPTIONAL:
        op.alter_column("cases", name, existing_type=kind, nullable=True)
    for name, (_, after) in CHECKS.items():
        _check(name, after)
    for name, check in NEW_CHECKS.items():
        op.create_check_constraint(op.f(name), "cases", check)


def _downgrade_postgresql() -> None:
    for name in NEW_CHECKS:
        op.drop_constraint(op.f(name), "cases", type_="check")
    for name, (before, _) in CHECKS.items():
        _check(name, before)
    for name, kind in OPTIONAL:
        op.alter_column("cases", name, existing_type=kind, nullable=False)


def _check(name: str, check: str) -> None:
    table = "case_steps" if name.startswith("ck_case_steps") else "cases"
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, check)


def _texts() -> list[tuple[str, str, str]]:
    """Return what changes in the texts of the tables on SQLite: the table, the words before, and those after."""
    kinds = {"achievement_id": "CHAR(32)", "achievement_version_id": "CHAR(32)", "contested_at": "DATETIME"}
    changes = [("cases", f"{name} {kind} NOT NULL, ", f"{name} {kind}, ") for name, kind in kinds.items()]
    for name, (before, after) in CHECKS.items():
        changes.append(("case_steps" if name.startswith("ck_case_steps") else "cases", before, after))
    first = "CONSTRAINT ck_cases_resolved CHECK"
    added = "".join(f"CONSTRAINT {name} CHECK ({check}), " for name, check in NEW_CHECKS.items())
    added += "CONSTRAINT fk_cases_session_id FOREIGN KEY(session_id) REFERENCES sessions (id) ON DELETE SET NULL, "
    return [*changes, ("cases", first, added + first)]


def _rewrite(changes: Sequence[tuple[str, str, str]]) -> None:
    """Change the texts of tables, which SQLite cannot copy while others refer to them.

    Spec: SQLite, "ALTER TABLE", section 7.
    """
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    for table, before, after in changes:
        connection.exec_driver_sql(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = ?",
            (before, after, table),
        )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")
