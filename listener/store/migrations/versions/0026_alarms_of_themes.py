"""The theme that an alarm is about, or that explains most of it."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    # Not as two steps, nor as a new table: SQLite would empty those that refer to this one.
    op.execute("ALTER TABLE alarms ADD COLUMN theme_id INTEGER REFERENCES themes (id)")


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_column("alarms", "theme_id")
