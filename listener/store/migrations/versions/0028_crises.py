"""Crises that people declare, what belongs to each, and who is to be told of it."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")
WAITING = sa.text("sent_at IS NULL AND failed_at IS NULL")


def upgrade() -> None:
    """Go to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "crises",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("alarm_id", sa.Integer()),
        sa.Column("theme_id", sa.Integer()),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("declared_by", sa.Integer(), nullable=False),
        sa.Column("declared_at", moment, nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("update_due_at", moment, nullable=False),
        sa.Column("reminded", sa.Boolean(), nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("ended_by", sa.Integer()),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"]),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"]),
        sa.ForeignKeyConstraint(["theme_id"], ["themes.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["declared_by"], ["staff.id"]),
        sa.ForeignKeyConstraint(["ended_by"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_crises_open",
        "crises",
        ["brand_id", "name"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("ix_crises_brand", "crises", ["brand_id", "ended_at"])
    op.create_table(
        "crisis_cases",
        sa.Column("crisis_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("staff_id", sa.Integer()),
        sa.Column("tagged", sa.Boolean(), nullable=False),
        sa.Column("left_at", moment),
        sa.ForeignKeyConstraint(["crisis_id"], ["crises.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("crisis_id", "case_id"),
    )
    op.create_index("ix_crisis_cases_case_id", "crisis_cases", ["case_id"])
    op.create_table(
        "holding_texts",
        sa.Column("crisis_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.Integer(), nullable=False),
        sa.Column("written_at", moment, nullable=False),
        sa.Column("approved_by", sa.Integer()),
        sa.Column("approved_at", moment),
        sa.ForeignKeyConstraint(["crisis_id"], ["crises.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["written_by"], ["staff.id"]),
        sa.ForeignKeyConstraint(["approved_by"], ["staff.id"]),
        sa.PrimaryKeyConstraint("crisis_id", "language"),
    )
    op.create_table(
        "crisis_updates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("crisis_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["crisis_id"], ["crises.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_crisis_updates_crisis_id", "crisis_updates", ["crisis_id"])
    op.create_table(
        "crisis_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("crisis_id", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("staff_id", sa.Integer()),
        sa.Column("other", sa.Integer()),
        sa.Column("words", sa.String()),
        sa.ForeignKeyConstraint(["crisis_id"], ["crises.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_crisis_events_crisis_id", "crisis_events", ["crisis_id"])
    op.create_table(
        "bulletins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("crisis_id", sa.Integer(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("whom", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("staff_id", sa.Integer()),
        sa.Column("at", moment, nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", moment),
        sa.Column("failed_at", moment),
        sa.Column("failure", sa.String()),
        sa.ForeignKeyConstraint(["crisis_id"], ["crises.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("crisis_id", "told", "what", "whom"),
    )
    op.create_index(
        "ix_bulletins_waiting",
        "bulletins",
        ["next_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )


def downgrade() -> None:
    """Go back to the one before."""
    for table in (
        "bulletins",
        "crisis_events",
        "crisis_updates",
        "holding_texts",
        "crisis_cases",
        "crises",
    ):
        op.drop_table(table)
