"""Notices for one person, channels by brand and urgency, and when people want quiet."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BY_NAME = {"uq": "uq_%(table_name)s_%(column_0_name)s"}  # SQLite keeps no name of its own
NOBODY = sa.text("staff_id IS NULL")
WAITING = sa.text("sent_at IS NULL AND failed_at IS NULL")


def added() -> list[tuple[str, sa.Column[Any]]]:
    """The new columns of two tables.

    Each is added by itself: SQLite would make the tables anew, and others refer to them.
    """
    no = sa.text("false")
    return [
        ("channels", sa.Column("brands", sa.JSON())),
        ("channels", sa.Column("only_urgent", sa.Boolean(), nullable=False, server_default=no)),
        ("staff", sa.Column("slack", sa.String())),
        ("staff", sa.Column("quiet_from", sa.Time())),
        ("staff", sa.Column("quiet_until", sa.Time())),
        ("staff", sa.Column("quieter", sa.Boolean(), nullable=False, server_default=no)),
    ]


def former() -> str:
    """What the database calls the constraint that had no name."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    return "notices_event_id_channel_key" if postgresql else "uq_notices_event_id"


def waiting(*, there: bool) -> None:
    """Make or drop the index of what waits: SQLite copies the table without its condition."""
    if op.get_bind().dialect.name == "postgresql":
        return
    if there:
        op.create_index("ix_notices_waiting", "notices", ["next_at"], sqlite_where=WAITING)
    else:
        op.drop_index("ix_notices_waiting", "notices")


def upgrade() -> None:
    """Go to this revision."""
    for table, column in added():
        op.add_column(table, column)
    op.create_index("ix_staff_slack", "staff", ["slack"], unique=True)
    waiting(there=False)
    with op.batch_alter_table("notices", naming_convention=BY_NAME) as notices:
        notices.add_column(sa.Column("staff_id", sa.Integer()))
        notices.add_column(sa.Column("why", sa.String()))
        notices.create_foreign_key("fk_notices_staff", "staff", ["staff_id"], ["id"])
        notices.drop_constraint(former(), type_="unique")
        notices.create_unique_constraint("uq_notices_person", ["event_id", "channel", "staff_id"])
    waiting(there=True)
    op.create_index("ix_notices_staff_id", "notices", ["staff_id"])
    op.create_index(
        "uq_notices_channel",
        "notices",
        ["event_id", "channel"],
        unique=True,
        sqlite_where=NOBODY,
        postgresql_where=NOBODY,
    )


def downgrade() -> None:
    """Go back to the one before, which knows no notices for one person."""
    op.execute("DELETE FROM notices WHERE staff_id IS NOT NULL")
    op.drop_index("uq_notices_channel", "notices")
    op.drop_index("ix_notices_staff_id", "notices")
    waiting(there=False)
    with op.batch_alter_table("notices", naming_convention=BY_NAME) as notices:
        notices.drop_constraint("uq_notices_person", type_="unique")
        notices.drop_constraint("fk_notices_staff", type_="foreignkey")
        notices.drop_column("why")
        notices.drop_column("staff_id")
        notices.create_unique_constraint(former(), ["event_id", "channel"])
    waiting(there=True)
    op.drop_index("ix_staff_slack", "staff")
    for table, column in reversed(added()):
        op.drop_column(table, column.name)
