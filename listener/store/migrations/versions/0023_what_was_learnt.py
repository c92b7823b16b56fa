"""Versions of what brands have taught, and by which one a mention was judged."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

STANDS = sa.text("in_force_since IS NOT NULL")


def upgrade() -> None:
    """Go to this revision."""
    op.create_table(
        "learnt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("right_before", sa.Integer(), nullable=False),
        sa.Column("right_now", sa.Integer(), nullable=False),
        sa.Column("gained", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("against", sa.Integer(), nullable=False),
        sa.Column("sure", sa.Integer(), nullable=False),
        sa.Column("worse", sa.JSON(), nullable=False),
        sa.Column("refused", sa.String(), nullable=False),
        sa.Column("doubted_id", sa.Integer()),
        sa.Column("head", sa.LargeBinary()),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_force_since", sa.DateTime(timezone=True)),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["doubted_id"], ["staff.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("brand_id", "number"),
    )
    op.create_index(
        "ix_learnt_in_force",
        "learnt",
        ["brand_id"],
        unique=True,
        sqlite_where=STANDS,
        postgresql_where=STANDS,
    )
    op.create_table(
        "learns_with",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["brands.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("brand_id"),
    )
    op.create_index("ix_learns_with_other_id", "learns_with", ["other_id"])
    op.create_table(
        "learning_looks",
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True)),
        sa.Column("taken_until", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("brand_id"),
    )
    # Not as a batch: that would make the table anew, and others refer to its rows.
    op.add_column("mentions", sa.Column("learnt", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_column("mentions", "learnt")
    for table in ("learning_looks", "learns_with", "learnt"):
        op.drop_table(table)
