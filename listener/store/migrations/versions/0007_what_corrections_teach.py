"""What corrections teach at once, and what finds a thread again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ANSWERS = sa.text("ours AND in_reply_to IS NOT NULL")
THREADS = sa.text("case_id IS NOT NULL AND thread IS NOT NULL")


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "lessons",
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("correction_id", sa.Integer(), nullable=False),
        sa.Column("mention_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"]),
        sa.ForeignKeyConstraint(["correction_id"], ["corrections.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["mention_id"], ["mentions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("band", "brand_id", "correction_id"),
    )
    for column in ("brand_id", "correction_id", "mention_id"):
        op.create_index(f"ix_lessons_{column}", "lessons", [column])
    op.create_index(
        "ix_mentions_answers",
        "mentions",
        ["connector", "in_reply_to"],
        sqlite_where=ANSWERS,
        postgresql_where=ANSWERS,
    )
    op.create_index(
        "ix_mentions_thread",
        "mentions",
        ["connector", "thread"],
        sqlite_where=THREADS,
        postgresql_where=THREADS,
    )


def downgrade() -> None:
    """Go back to the one before."""
    for name, where in (("ix_mentions_thread", THREADS), ("ix_mentions_answers", ANSWERS)):
        op.drop_index(name, "mentions", sqlite_where=where, postgresql_where=where)
    op.drop_table("lessons")
