"""How Alembic reaches the database: by the connection that `schema` hands it."""

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from sqlmodel import SQLModel

PLAIN = {
    "Instant": "sa.DateTime(timezone=True)",
    "Word": "sa.String()",
    "AutoString": "sa.String()",
}


def plain(kind: str, column_type: Any, _: Any) -> str | Literal[False]:
    """Write our own column types as the database's, so that migrations never change meaning."""
    return PLAIN.get(type(column_type).__name__, False) if kind == "type" else False


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=plain,
    compare_type=True,
)
context.run_migrations()
