"""What every page asks is asked once at the start, and nothing goes wrong where it cannot be."""

from pathlib import Path

from sqlalchemy import event

from listener.store.session import Store
from listener.web.warming import warm
from tests.given import complained, settled
from tests.web.visiting import street
from tests.world import World


async def test_the_first_page_asks_what_was_asked_before(world: World) -> None:
    await settled(world)
    await complained(world)
    asked: list[str] = []
    event.listen(
        world.store._reader.sync_engine,
        "before_cursor_execute",
        lambda *args: asked.append(args[2]),
    )

    await warm(world.store)
    before = {one for one in asked if "FROM cases" in one}
    asked.clear()
    async with street(world) as site:
        seen = await (await site.signed_in("Ana")).get("/queue")

    assert seen.status == 200
    assert {one for one in asked if "count(CASE" in one} <= before
    assert any("count(CASE" in one for one in before)


async def test_a_database_that_is_not_there_stops_nobody(tmp_path: Path) -> None:
    # Not of SQLite: the thread of a connection that fails outlives the loop that asked for it.
    store = Store(f"postgresql+asyncpg://nobody@/none?host={tmp_path}&port=5432")
    await warm(store)
    await store.close()
