"""Alarms climb the ladder: their steps, and notices of them to single people."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

WAITING = sa.text("sent_at IS NULL AND failed_at IS NULL")
NOBODY = sa.text("staff_id IS NULL")
OLD = ["alarm_id", "channel", "over"]
# PostgreSQL has given the constraint this name; SQLite none, so that it is found by a rule.
NAME = "alarm_notices_alarm_id_channel_over_key"
NAMING = {"uq": "alarm_notices_alarm_id_channel_over_key"}


def upgrade() -> None:
    """Go to this revision."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "alarm_rungs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alarm_id", sa.Integer(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("rank", sa.String(), nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("told_at", moment),
        sa.Column("called", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["alarm_id"], ["alarms.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("alarm_id", "since", "step"),
    )
    told = sa.text("told_at IS NULL")
    op.create_index(
        "ix_alarm_rungs_due",
        "alarm_rungs",
        ["due_at"],
        sqlite_where=told,
        postgresql_where=told,
    )
    op.drop_index("ix_alarm_notices_waiting", "alarm_notices")
    with op.batch_alter_table("alarm_notices", naming_convention=NAMING) as table:
        table.drop_constraint(NAME, type_="unique")
        table.add_column(sa.Column("staff_id", sa.Integer()))
        table.add_column(sa.Column("call", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("why", sa.String()))
        table.create_foreign_key("fk_alarm_notices_staff", "staff", ["staff_id"], ["id"])
        table.create_unique_constraint(
            "uq_alarm_notices_person", ["alarm_id", "staff_id", "call", "over"]
        )
    op.create_index(
        "uq_alarm_notices_channel",
        "alarm_notices",
        OLD,
        unique=True,
        sqlite_where=NOBODY,
        postgresql_where=NOBODY,
    )
    waiting()


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_alarm_notices_waiting", "alarm_notices")
    op.drop_index("uq_alarm_notices_channel", "alarm_notices")
    op.execute("DELETE FROM alarm_notices WHERE staff_id IS NOT NULL")
    with op.batch_alter_table("alarm_notices") as table:
        table.drop_constraint("uq_alarm_notices_person", type_="unique")
        table.drop_constraint("fk_alarm_notices_staff", type_="foreignkey")
        for column in ("why", "call", "staff_id"):
            table.drop_column(column)
        table.create_unique_constraint(NAME, OLD)
    waiting()
    op.drop_table("alarm_rungs")


def waiting() -> None:
    """The index of what is to be told; SQLite writes the table anew, and forgets its condition."""
    op.create_index(
        "ix_alarm_notices_waiting",
        "alarm_notices",
        ["next_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
