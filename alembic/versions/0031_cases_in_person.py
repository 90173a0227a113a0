"""cases that a member opened in person, without a token."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0031"
down_revision: str | None = "0027"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("cases") as table:
        table.alter_column("opened_by_token", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    # The row needs a token again: that of the network which was made last stands for the member's own act.
    op.execute(
        "UPDATE cases SET opened_by_token = (SELECT id FROM tokens WHERE tokens.network_id = cases.network_id"
        " ORDER BY id DESC LIMIT 1) WHERE opened_by_token IS NULL"
    )
    with op.batch_alter_table("cases") as table:
        table.alter_column("opened_by_token", existing_type=sa.Uuid(), nullable=False)
