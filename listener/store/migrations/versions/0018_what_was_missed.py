"""Which deadlines were missed, how long each answer was waited for, and what is a crisis."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision. What was missed before is found by looking at every clock anew."""
    op.add_column(
        "cases", sa.Column("crisis", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("cases", sa.Column("waits", sa.JSON(), nullable=False, server_default="[]"))
    op.execute(
        "UPDATE cases SET crisis = true WHERE id IN "
        "(SELECT case_id FROM case_tags WHERE tag = 'crisis')"
    )
    op.execute("UPDATE cases SET look_at = opened_at WHERE counts_from IS NOT NULL")
    op.create_table(
        "misses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("team_id", sa.Integer()),
        sa.Column("owner_id", sa.Integer()),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
        sa.Column("why", sa.String()),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"]),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"]),
        sa.ForeignKeyConstraint(["owner_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "clock", "since"),
    )
    op.create_index("ix_misses_brand", "misses", ["brand_id", "due_at"])
    op.create_index("ix_misses_due", "misses", ["due_at"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_table("misses")
    op.drop_column("cases", "waits")
    op.drop_column("cases", "crisis")
