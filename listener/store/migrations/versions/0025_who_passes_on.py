"""How many of those whom an alarm counts only pass on what others wrote."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column(
        "alarms", sa.Column("passed_on", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_column("alarms", "passed_on")
