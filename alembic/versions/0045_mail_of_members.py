"""mail of a member, found by its kind."""

from collections.abc import Sequence

from alembic import op

revision: str = "0045"
down_revision: str | None = "0044"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(op.f("ix_messages_member_id_kind"), "messages", ["member_id", "kind"])


def downgrade() -> None:
    op.drop_index(op.f("ix_messages_member_id_kind"), "messages")
