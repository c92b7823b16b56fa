"""Alarms, and who is to be told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

OPEN = sa.text("over_at IS NULL")
WAITING = sa.text("sent_at IS NULL AND failed_at IS NULL")


def upgrade() -> None:
    """Go to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "alarms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("brand_id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("source_id", sa.Integer()),
        sa.Column("since", moment, nullable=False),
        sa.Column("raised_at", moment, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("chart", sa.JSON(), nullable=False),
        sa.Column("acknowledged_by", sa.Integer()),
        sa.Column("acknowledged_at", moment),
        sa.Column("snoozed_until", moment),
        sa.Column("over_at", moment),
        sa.ForeignKeyConstraint(["brand_id"], ["brands.id"]),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"]),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "uq_alarms_open",
        "alarms",
        ["brand_id", "about"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("ix_alarms_raised", "alarms", ["raised_at"])
    op.create_table(
        "alarm_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", moment),
        sa.Column("failed_at", moment),
        sa.Column("failure", sa.String()),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("alarm_id", "channel", "over"),
    )
    op.create_index(
        "ix_alarm_notices_waiting",
        "alarm_notices",
        ["next_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    # What was said lately, of all brands: the watch asks for it every minute.
    op.create_index("ix_mentions_lately", "mentions", ["published_at"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_mentions_lately", "mentions")
    op.drop_table("alarm_notices")
    op.drop_table("alarms")
