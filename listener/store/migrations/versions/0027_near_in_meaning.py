"""Of which brand an embedding is and since when, so that one asks for a brand's new ones only."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this revision."""
    # Not known while the columns come: what stands there learns it from its mention below.
    op.add_column(
        "embeddings", sa.Column("brand_id", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column(
        "embeddings",
        sa.Column(
            "kept_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default="1970-01-01 00:00:00",
        ),
    )
    op.execute(
        "UPDATE embeddings SET "
        "brand_id = (SELECT brand_id FROM mentions WHERE mentions.id = embeddings.mention_id), "
        "kept_at = (SELECT coalesce(judged_at, seen_at) FROM mentions "
        "WHERE mentions.id = embeddings.mention_id)"
    )
    op.create_index("ix_embeddings_kept", "embeddings", ["brand_id", "kept_at"])


def downgrade() -> None:
    """Go back to the one before."""
    op.drop_index("ix_embeddings_kept", "embeddings")
    op.drop_column("embeddings", "kept_at")
    op.drop_column("embeddings", "brand_id")
