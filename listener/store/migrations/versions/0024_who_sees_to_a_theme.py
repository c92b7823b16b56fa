"""Who sees to a theme, where, what people put together or apart, and who sleeps until it spreads."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    # Not as two steps, nor as a new table: SQLite would empty those that refer to this one.
    op.execute("ALTER TABLE themes ADD COLUMN owner_id INTEGER REFERENCES staff (id)")
    op.add_column("themes", sa.Column("link", sa.String()))
    op.add_column(
        "themes", sa.Column("by_hand", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("theme_mentions", sa.Column("since", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE theme_mentions SET since = "
        "(SELECT began_at FROM themes WHERE themes.id = theme_mentions.theme_id)"
    )
    op.add_column("theme_events", sa.Column("words", sa.String()))
    op.create_index("ix_theme_events_other", "theme_events", ["other"])
    op.add_column("cases", sa.Column("wakes_on_people", sa.Integer()))
    op.add_column("cases", sa.Column("slept_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_theme_events_other", "theme_events")
    for table, column in (
        ("cases", "slept_at"),
        ("cases", "wakes_on_people"),
        ("theme_events", "words"),
        ("theme_mentions", "since"),
        ("themes", "by_hand"),
        ("themes", "link"),
        ("themes", "owner_id"),
    ):
        op.drop_column(table, column)
