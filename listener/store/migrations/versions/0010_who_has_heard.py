"""Since when a case waits for somebody to say that they heard it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UNHEARD = sa.text("unheard_since IS NOT NULL")


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("cases", sa.Column("unheard_since", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_cases_unheard",
        "cases",
        ["unheard_since"],
        sqlite_where=UNHEARD,
        postgresql_where=UNHEARD,
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_cases_unheard", "cases")
    op.drop_column("cases", "unheard_since")
