"""The shape of the database, and how an older one is brought up to it."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

from listener.domain import (  # noqa: F401  (each brings its tables)
    alarm,
    brand,
    card,
    case,
    correction,
    coverage,
    crisis,
    deadline,
    embedding,
    event,
    ladder,
    learnt,
    lesson,
    likeness,
    login,
    mention,
    miss,
    note,
    notice,
    presence,
    reply,
    routing,
    source,
    staff,
    subscription,
    tag,
    team,
    theme,
    view,
    wording,
)
from listener.store.session import DatabaseTrouble, Store

METADATA = SQLModel.metadata
MIGRATIONS = Path(__file__).parent / "migrations"
WORDS = "mention_index"  # each database has its own kind of index of words
_LOCK = 7_305_513  # any number: whoever holds it in PostgreSQL may change the shape


async def upgrade(store: Store, revision: str = "head") -> str | None:
    """Bring the database to a revision; return the one it had before."""
    async with store.writer.connect() as connection:
        before = await connection.run_sync(_change, revision, upwards=True)
        await connection.commit()
        return before


async def ensure(store: Store) -> None:
    """Bring the database up to date if it is not; without the write lock when it is."""
    async with store.reading() as session:
        connection = await session.connection()
        before = await connection.run_sync(revision_of)
    if before != newest():
        await upgrade(store)


async def require(store: Store) -> None:
    """Refuse a database that this program cannot read as it is; nothing of it is changed."""
    async with store.reading() as session:
        connection = await session.connection()
        before = await connection.run_sync(revision_of)
    if before != newest():
        raise DatabaseTrouble(
            f"The tables of {store.shown} are not those of this version. Run `listener migrate` "
            "first, or start the service: it brings them up to date."
        )


async def downgrade(store: Store, revision: str) -> str | None:
    """Take the database back to an older revision; return the one it had before."""
    async with store.writer.connect() as connection:
        before = await connection.run_sync(_change, revision, upwards=False)
        await connection.commit()
        return before


async def state(store: Store) -> tuple[str | None, str]:
    """The revision the database has, and the one this program needs."""
    async with store.writer.connect() as connection:
        return await connection.run_sync(revision_of), newest()


def newest() -> str:
    """The revision this program needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise LookupError("there are no migrations")
    return head


def revisions() -> list[str]:
    """All revisions that this program knows, the first first."""
    steps = ScriptDirectory.from_config(_config()).walk_revisions()
    return [step.revision for step in steps][::-1]


def _change(connection: Connection, revision: str, *, upwards: bool) -> str | None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = revision_of(connection)
    if before is not None and before not in revisions():
        raise DatabaseTrouble(
            f"The database was made by a newer Listener (its revision is {before}). "
            "Install that version again, or restore the backup from before the upgrade."
        )
    config = _config()
    config.attributes["connection"] = connection
    (command.upgrade if upwards else command.downgrade)(config, revision)
    return before


def revision_of(connection: Connection) -> str | None:
    """The revision a database has; None before it has any table."""
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def unnamed_differences(connection: Connection) -> list[Any]:
    """What the database lacks or has too much, compared with the tables in the code."""
    from alembic.autogenerate import compare_metadata

    def named(name: str | None, kind: str, _: Any) -> bool:
        return kind != "table" or not (name or "").startswith(WORDS)

    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_name": named}
    )
    return list(compare_metadata(context, METADATA))
