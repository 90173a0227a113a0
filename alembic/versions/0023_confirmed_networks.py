"""whether the operator has confirmed who a network is, and under which names.

Networks that are there already stay unconfirmed: anybody with an admin token could name them, and nobody has looked
since. The operator confirms each by name.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")


def upgrade() -> None:
    op.add_column("networks", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("networks", sa.Column("confirmed_names", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("networks", "confirmed_names")
    op.drop_column("networks", "confirmed_at")
