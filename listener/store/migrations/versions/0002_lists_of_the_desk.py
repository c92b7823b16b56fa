"""What the lists of the desk look at."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNCLOSED = sa.text("status <> 'closed'")


def upgrade() -> None:
    """Go to this revision."""
    op.create_index(
        "ix_cases_desk",
        "cases",
        [
            "brand_id",
            "status",
            "unsure",
            "urgent",
            "priority",
            "owner_id",
            "due_at",
            "opened_at",
            "snoozed_until",
        ],
        sqlite_where=UNCLOSED,
        postgresql_where=UNCLOSED,
    )
    op.create_index("ix_cases_closed", "cases", ["closed_at"])
    op.drop_index("ix_mentions_case", "mentions")
    op.create_index("ix_mentions_case", "mentions", ["case_id", "id"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_mentions_case", "mentions")
    op.create_index("ix_mentions_case", "mentions", ["case_id"])
    op.drop_index("ix_cases_closed", "cases")
    op.drop_index("ix_cases_desk", "cases")
