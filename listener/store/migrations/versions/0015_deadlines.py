"""Policies, the clocks of cases, and which warnings have been given."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NEWS = sa.text("look_at IS NOT NULL")
MOMENTS = ("counts_from", "worse_at", "first_answered_at", "paused_at", "resolve_at", "look_at")


def added() -> list[sa.Column[Any]]:
    """The new columns of cases."""
    return [
        sa.Column("connector", sa.String(), nullable=True),
        sa.Column("policy", sa.String(), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("pauses", sa.JSON(), nullable=False, server_default="[]"),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in MOMENTS),
    ]


def upgrade() -> None:
    """Go to this revision. Standing cases keep the deadlines they were promised."""
    op.create_table(
        "policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *(
            sa.Column(name, sa.JSON(), nullable=True)
            for name in ("brands", "connectors", "kinds", "severities", "teams")
        ),
        *(
            sa.Column(name, sa.Integer(), nullable=True)
            for name in ("first_reply", "next_reply", "resolution")
        ),
        sa.Column("always", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", "version"),
    )
    op.create_table(
        "warnings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "clock", "round", "level"),
    )
    op.create_index("ix_warnings_level", "warnings", ["level", "at"])
    for column in added():
        op.add_column("cases", column)
    # By itself, and in words that both databases know: SQLite would make the table anew.
    op.execute("ALTER TABLE cases ADD COLUMN team_id INTEGER REFERENCES teams (id)")
    op.execute(
        "UPDATE cases SET first_answered_at = answered_at, connector = (SELECT connector FROM "
        "mentions WHERE mentions.case_id = cases.id ORDER BY mentions.id LIMIT 1)"
    )
    op.create_index(
        "ix_cases_clocks", "cases", ["look_at"], sqlite_where=NEWS, postgresql_where=NEWS
    )


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_cases_clocks", table_name="cases")
    for name in ("team_id", *(column.name for column in reversed(added()))):
        op.drop_column("cases", name)
    op.drop_table("warnings")
    op.drop_table("policies")
