"""By which way a digest goes to its reader: mail, or Slack."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column(
        "subscriptions", sa.Column("way", sa.String(), nullable=False, server_default="mail")
    )


def downgrade() -> None:
    """Go back to the one before; those by Slack go by mail again, where there is an address."""
    op.drop_column("subscriptions", "way")
