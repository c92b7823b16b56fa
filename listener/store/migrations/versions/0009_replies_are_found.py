"""Replies are found by what their place calls them, when somebody answers them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_replies_post_id", "replies", ["post_id"])


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_replies_post_id", table_name="replies")
