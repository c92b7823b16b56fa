"""Notices that go by mail because Slack does not take them, and those that fail, found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    op.add_column("notices", sa.Column("detour", sa.String()))
    for name, column, what in (
        ("ix_notices_failing", "id", "failure"),
        ("ix_notices_detours", "next_at", "detour"),
    ):
        where = sa.text(f"{what} IS NOT NULL")
        op.create_index(name, "notices", [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_notices_detours", "notices")
    op.drop_index("ix_notices_failing", "notices")
    op.drop_column("notices", "detour")
