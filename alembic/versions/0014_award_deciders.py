"""who decided each award, as rows."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
KINDS: dict[str, Any] = {
    "at": MOMENT,
    "decided_at": MOMENT,
    "from_at": MOMENT,
    "until_at": MOMENT,
    "full": sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
    "place": sa.BigInteger(),
}
WORDS = ("basis", "outcome", "receipt_digest", "role", "sha256")
STAFF = ("admin", "approver", "assessor", "facilitator")
SOME = 500


def upgrade() -> None:
    op.create_table(
        "award_deciders",
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("token_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(length=64), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["award_id"], ["awards.id"], name=op.f("fk_award_deciders_award_id")),
        sa.ForeignKeyConstraint(["token_id"], ["tokens.id"], name=op.f("fk_award_deciders_token_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_award_deciders_member_id")),
        sa.PrimaryKeyConstraint("award_id", "place", name=op.f("pk_award_deciders")),
    )
    _carry_over()


def downgrade() -> None:
    op.drop_table("award_deciders")


def _carry_over() -> None:
    """Write down who decided the awards there are, some at a time.

    Where there is a receipt, it says so. Of an award that is not signed yet, or was before there were receipts, it is
    whoever asked for it, and those who approved.
    """
    connection = op.get_bind()
    awards = _table("awards", "id", "basis", "decided_at", "token_id", "actor_member_id", "receipt_digest")
    receipts = _table("receipts", "award_id", "sha256", "full")
    deciders = _table("award_deciders", "award_id", "place", "token_id", "member_id", "role", "at")
    mine = sa.and_(receipts.c.award_id == awards.c.id, receipts.c.sha256 == awards.c.receipt_digest)
    found = sa.select(awards, receipts.c.full).outerjoin(receipts, mine).order_by(awards.c.id).limit(SOME)
    last = None
    while True:
        rows = connection.execute(found if last is None else found.where(awards.c.id > last)).all()
        if not rows:
            return
        last = rows[-1].id
        made: list[dict[str, Any]] = []
        for row in rows:
            named = _of_receipt(row.full) if row.full is not None else _of_rows(connection, row)
            made += [{"award_id": row.id, "place": place} | each for place, each in enumerate(named)]
        if made:
            connection.execute(deciders.insert(), made)


def _of_receipt(full: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in full["deciders"]:
        yield {
            "token_id": UUID(each["token"]) if each["token"] else None,
            "member_id": UUID(each["member"]) if each["member"] else None,
            "role": each["role"],
            "at": datetime.fromisoformat(each["at"]),
        }


def _of_rows(connection: sa.Connection, award: Any) -> Iterator[dict[str, Any]]:
    if award.basis not in ("rule", "approval"):
        role = _role(connection, award.actor_member_id, award.decided_at)
        yield {
            "token_id": award.token_id,
            "member_id": award.actor_member_id,
            "role": role,
            "at": award.decided_at,
        }
    approvals = _table("approvals", "id", "award_id", "outcome", "token_id", "approver_id", "role", "at")
    approved = sa.select(approvals).where(approvals.c.award_id == award.id, approvals.c.outcome == "approved")
    for row in connection.execute(approved.order_by(approvals.c.at, approvals.c.id)):
        yield {"token_id": row.token_id, "member_id": row.approver_id, "role": row.role, "at": row.at}


def _role(connection: sa.Connection, member_id: Any, at: datetime) -> str | None:
    """Return the role in which a member decided; None for a token of the whole network."""
    if member_id is None:
        return None
    roles = _table("roles", "member_id", "role", "from_at", "until_at")
    held = sa.select(roles.c.role).where(roles.c.member_id == member_id, roles.c.from_at <= at)
    there = set(connection.scalars(held.where(sa.or_(roles.c.until_at.is_(None), roles.c.until_at > at))))
    return next((role for role in STAFF if role in there), "member")


def _table(name: str, *columns: str) -> sa.TableClause:
    kinds = {column: sa.String() if column in WORDS else KINDS.get(column, sa.Uuid()) for column in columns}
    return sa.table(name, *(sa.column(column, kind) for column, kind in kinds.items()))
