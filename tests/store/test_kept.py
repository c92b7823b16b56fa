"""What every page asks alike is remembered until it is written, and for a second at most."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col

from listener.domain.staff import Staff
from listener.store import kept as kept_module
from listener.store import people
from listener.store.kept import kept
from listener.store.session import AsyncSession, Store, bulk


class Asked:
    """Asks who the people are, and counts how often."""

    times = 0

    async def names(self, session: AsyncSession) -> Sequence[str]:
        self.times += 1
        return [one.name for one in await people.every(session)]

    async def look(self, session: AsyncSession) -> Sequence[str]:
        return await kept(session, self.names, of=("staff",), key="names")


async def looked(store: Store, asked: Asked) -> Sequence[str]:
    async with store.reading() as session:
        return await asked.look(session)


async def add(store: Store, name: str) -> None:
    async with store.transaction() as session:
        session.add(Staff(name=name))


async def test_pages_that_ask_alike_ask_once(store: Store) -> None:
    asked = Asked()
    await add(store, "Noor")
    assert [await looked(store, asked) for _ in range(3)] == [["Noor"]] * 3
    assert asked.times == 1


@pytest.mark.parametrize(
    "write",
    [
        sa.update(Staff).where(col(Staff.name) == "Noor").values(name="Nora"),
        sa.text("UPDATE staff SET name = 'Nora'"),
    ],
)
async def test_what_is_written_here_is_seen_at_once(store: Store, write: Any) -> None:
    asked = Asked()
    await add(store, "Noor")
    await looked(store, asked)
    async with store.transaction() as session:
        await bulk(session, write)
    assert await looked(store, asked) == ["Nora"]
    await add(store, "Ben")
    assert await looked(store, asked) == ["Ben", "Nora"]


async def test_what_else_is_written_makes_nobody_ask_again(store: Store) -> None:
    asked = Asked()
    await looked(store, asked)
    async with store.transaction() as session:
        await bulk(session, sa.text("DELETE FROM case_tags"))
    await looked(store, asked)
    assert asked.times == 1


async def test_who_began_to_read_before_it_was_written_leaves_nothing_old(store: Store) -> None:
    asked = Asked()
    async with store.reading() as early:
        before = await bulk(early, sa.select(col(Staff.name)))
        assert before.all() == []
        await add(store, "Noor")
        await asked.look(early)
    assert await looked(store, asked) == ["Noor"]


async def test_what_is_not_kept_yet_is_for_nobody_else(store: Store) -> None:
    asked = Asked()
    async with store.transaction() as session:
        session.add(Staff(name="Noor"))
        assert await asked.look(session) == ["Noor"]
        assert await looked(store, asked) == []
        await session.rollback()
    assert await looked(store, asked) == []


async def test_what_another_process_wrote_is_seen_after_a_second(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, other = Asked(), Store(store.url.render_as_string(hide_password=False))
    await looked(store, asked)
    await add(other, "Noor")
    await other.close()
    monkeypatch.setattr(kept_module, "FRESH", 0.0)  # the second is over
    assert await looked(store, asked) == ["Noor"]
