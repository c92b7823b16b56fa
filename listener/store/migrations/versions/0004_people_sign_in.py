"""People sign in: passwords, brands, logins, attempts that failed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    # Not as a batch: that would make the table anew, and others refer to its rows.
    op.add_column("staff", sa.Column("brands", sa.JSON(), nullable=True))
    op.add_column("staff", sa.Column("zone", sa.String(), nullable=True))
    op.add_column("staff", sa.Column("password", sa.String(), nullable=True))
    op.add_column("staff", sa.Column("link", sa.String(), nullable=True))
    op.add_column("staff", sa.Column("link_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_staff_link"), "staff", ["link"], unique=True)
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("whose", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("whose"),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempts_failed_at"), ["failed_at"], unique=False)

    op.create_table(
        "logins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    with op.batch_alter_table("logins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_logins_staff_id"), ["staff_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_logins_used_at"), ["used_at"], unique=False)


def downgrade() -> None:
    """Go back to the revision before."""
    with op.batch_alter_table("logins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_logins_used_at"))
        batch_op.drop_index(batch_op.f("ix_logins_staff_id"))

    op.drop_table("logins")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_failed_at"))

    op.drop_table("attempts")
    op.drop_index(op.f("ix_staff_link"), table_name="staff")
    for column in ("link_until", "link", "password", "zone", "brands"):
        op.drop_column("staff", column)
