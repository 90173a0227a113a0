"""cases that a member opened in person, without a token; cases and reviews found by the member."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa

from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    _set_nullable(True)
    for name in ("cases", "reviews"):
        op.create_index(op.f(f"ix_{name}_member_id"), name, ["member_id"])


def downgrade() -> None:
    for name in ("reviews", "cases"):
        op.drop_index(op.f(f"ix_{name}_member_id"), name)
    # The row needs a token again: that of the network which was made last stands for the member's own act.
    _add_missing_tokens()
    op.execute(
        "UPDATE cases SET opened_by_token = (SELECT id FROM tokens WHERE tokens.network_id = cases.network_id"
        " ORDER BY id DESC LIMIT 1) WHERE opened_by_token IS NULL"
    )
    _set_nullable(False)


def _set_nullable(nullable: bool) -> None:
    """Let a case have no token, or not.

    SQLite cannot copy the table while steps refer to a case, so that its text is changed.

    Spec: SQLite, "ALTER TABLE", section 7.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.alter_column("cases", "opened_by_token", existing_type=sa.Uuid(), nullable=nullable)
        return
    before, after = "opened_by_token CHAR(32)", "opened_by_token CHAR(32) NOT NULL"
    before, after = (after, before) if nullable else (before, after)
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'cases'",
        (f"{before}, ", f"{after}, "),
    )
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")


def _add_missing_tokens() -> None:
    """Give each network a token that has none and needs one: nobody knows it, and it was revoked at once."""
    tokens = sa.table(
        "tokens",
        *(sa.column(name, sa.Uuid()) for name in ("id", "network_id")),
        *(sa.column(name, sa.Text()) for name in ("name", "sha256")),
        sa.column("scopes", sa.JSON()),
        *(sa.column(name, sa.DateTime(timezone=True)) for name in ("created_at", "expires_at", "revoked_at")),
    )
    cases = sa.table("cases", sa.column("network_id", sa.Uuid()), sa.column("opened_by_token", sa.Uuid()))
    has_one = sa.select(tokens.c.network_id).where(tokens.c.network_id.is_not(None))
    needs_one = sa.select(cases.c.network_id).where(cases.c.opened_by_token.is_(None))
    connection, now = op.get_bind(), datetime.now(UTC)
    for network_id in connection.scalars(needs_one.where(cases.c.network_id.not_in(has_one)).distinct()).all():
        row = {
            "id": uuid4(),
            "network_id": network_id,
            "name": "opened in person",
            "sha256": hashlib.sha256(secrets.token_bytes(32)).hexdigest(),
            "scopes": [],
            "created_at": now,
            "expires_at": now,
            "revoked_at": now,
        }
        connection.execute(tokens.insert().values(row))
