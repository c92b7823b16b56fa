"""Views that people keep, and what finds an author's mentions and the latest corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("staff_id", "name"),
    )
    op.create_index("ix_mentions_author", "mentions", ["connector", "author_id", "published_at"])
    op.create_index("ix_corrections_at", "corrections", ["at"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_corrections_at", "corrections")
    op.drop_index("ix_mentions_author", "mentions")
    op.drop_table("views")
