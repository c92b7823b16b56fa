"""Which messages show a case, and when a place may be spoken to."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    no = sa.text("false")
    op.create_table(
        "cards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ts", sa.String()),
        sa.Column("urgent", sa.Boolean(), nullable=False, server_default=no),
        sa.Column("folded", sa.Boolean(), nullable=False, server_default=no),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "channel", "sort"),
    )
    op.create_index("ix_cards_message", "cards", ["channel", "ts"])
    op.create_table(
        "paces",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("place"),
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("paces")
    op.drop_table("cards")
