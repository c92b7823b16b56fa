"""What many tests are given: an empty database of either kind, and a world around a service."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from listener.store import schema
from listener.store.session import Store
from tests.postgres import Postgres, server
from tests.world import World

# Lets pytest explain the suite's assertions as it explains a test's own.
pytest.register_assert_rewrite(
    "tests.connectors.suite",
    "tests.connectors.suite_options",
    "tests.connectors.suite_reading",
    "tests.connectors.suite_troubles",
    "tests.connectors.suite_walks",
    "tests.connectors.memory",
    "tests.connectors.place",
)

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the whole run."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "listener.db"
    asyncio.run(make_tables(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def empty_postgres(postgres: Postgres) -> str:
    """A database with all tables and nothing in them, to be copied."""
    url = postgres.create()
    asyncio.run(make_tables(url))
    return url


async def make_tables(url: str) -> None:
    """Bring an empty database to the newest shape."""
    store = Store(url)
    await schema.upgrade(store)
    await store.close()


@pytest.fixture
def sqlite_url(empty_sqlite: Path, tmp_path: Path) -> str:
    """A fresh embedded database."""
    path = tmp_path / "listener.db"
    shutil.copy(empty_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: Postgres, empty_postgres: str) -> Iterator[str]:
    """A fresh database on the server."""
    url = postgres.take(empty_postgres)
    yield url
    postgres.give_back(url, empty_postgres)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """A fresh database: the test runs once on each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """A store on a fresh database, by its own clock."""
    store = Store(database)
    yield store
    await store.close()


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """A listener on a fresh database whose clock stands still; to it every post is a complaint."""
    async with World(database, tmp_path) as world:
        yield world
