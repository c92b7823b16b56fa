"""Everybody keeps their own views, in their own order, and not too many."""

import pytest

from listener.domain.record import NotAllowed
from listener.domain.view import MOST
from listener.store import views
from listener.store.session import Store
from tests.world import World


async def names(store: Store, staff_id: int = 1) -> list[str]:
    async with store.reading() as session:
        return [view.name for view in await views.of(session, staff_id)]


async def keep(store: Store, *kept: str, staff_id: int = 1, query: str = "queue=mine") -> None:
    async with store.transaction() as session:
        for name in kept:
            await views.keep(session, staff_id, name, query)


async def test_a_view_is_kept_under_its_name_for_whoever_made_it(world: World) -> None:
    await world.hire("Ana", "Ben")

    await keep(world.store, "  One   star ", "German")
    await keep(world.store, "German", staff_id=2)

    assert await names(world.store) == ["One star", "German"]
    assert await names(world.store, 2) == ["German"]


async def test_the_same_name_changes_the_view_in_its_place(world: World) -> None:
    await world.hire("Ana")
    await keep(world.store, "One star", "German")

    await keep(world.store, "One star", query="stars=1")

    async with world.store.reading() as session:
        kept = await views.of(session, 1)
    assert [(view.name, view.query) for view in kept] == [
        ("One star", "stars=1"),
        ("German", "queue=mine"),
    ]


async def test_views_are_moved_and_let_go_by_their_owner_only(world: World) -> None:
    await world.hire("Ana", "Ben")
    await keep(world.store, "a", "b", "c")

    async with world.store.transaction() as session:
        assert await views.move(session, 1, 3, -1)
        assert await views.move(session, 2, 3, -1) is None
        assert await views.let_go(session, 2, 1) is None
        assert await views.let_go(session, 1, 1)

    assert await names(world.store) == ["c", "b"]


@pytest.mark.parametrize(
    ("name", "query", "why"),
    [
        ("  ", "", "Give the view a name."),
        ("x" * 41, "", "A name has at most 40 characters; this has 41."),
        ("x", "q" * 2001, "These filters are too long to be kept."),
    ],
)
async def test_what_cannot_be_kept_is_refused_in_a_sentence(
    world: World, name: str, query: str, why: str
) -> None:
    await world.hire("Ana")

    with pytest.raises(NotAllowed, match=why):
        await keep(world.store, name, query=query)


async def test_nobody_keeps_more_than_fifty(world: World) -> None:
    await world.hire("Ana")
    await keep(world.store, *(f"view {number}" for number in range(MOST)))

    with pytest.raises(NotAllowed, match="You have 50 views already"):
        await keep(world.store, "one more")
