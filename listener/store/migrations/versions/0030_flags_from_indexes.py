"""How good the flags are is counted from two indexes: no row of a case or a mention is read."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

OF_CASES = sa.text("case_id IS NOT NULL")


def upgrade() -> None:
    """Go to this revision."""
    op.drop_index("ix_cases_brand", "cases")
    op.create_index("ix_cases_brand", "cases", ["brand_id", "opened_at", "status", "outcome"])
    op.drop_index("ix_mentions_case", "mentions")
    op.create_index(
        "ix_mentions_case",
        "mentions",
        ["case_id", "id", "connector", "flagged", "unsure"],
        sqlite_where=OF_CASES,
        postgresql_where=OF_CASES,
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_mentions_case", "mentions")
    op.create_index("ix_mentions_case", "mentions", ["case_id", "id"])
    op.drop_index("ix_cases_brand", "cases")
    op.create_index("ix_cases_brand", "cases", ["brand_id", "opened_at"])
