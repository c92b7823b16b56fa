"""What people say of a theme holds, and is refused in a sentence where it makes no sense."""

import pytest

from listener.desk import theming
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.staff import Role
from listener.domain.theme import Became, Theme, ThemeEvent
from tests.given import settled
from tests.stages.test_theme import COUPON, complain, look
from tests.web.visiting import hired
from tests.world import World

TICKET = "https://tickets.example/browse/SHOP-7"


async def one_theme(world: World) -> None:
    """A theme, an agent, a lead, and a lead of another brand."""
    await settled(world)
    await hired(world, "Ada", Role.AGENT)
    await hired(world, "Lea", Role.LEAD, brands=[1])
    await hired(world, "Eve", Role.LEAD, brands=[99])
    await complain(world, *COUPON, by="ada")
    await look(world)


async def test_a_lead_gives_it_an_owner_and_a_link_and_the_history_knows(world: World) -> None:
    await one_theme(world)

    assert await theming.own(world.store, 1, "Lea", "Ada") == "Ada sees to theme 1 now."
    assert await theming.link(world.store, 1, "Lea", f" {TICKET} ") == (
        f"Theme 1 leads to {TICKET} now."
    )
    await theming.own(world.store, 1, "Lea", "Ada")  # said again, it is no news

    [theme] = await world.all_of(Theme)
    events = (await world.all_of(ThemeEvent))[1:]
    assert (theme.owner_id, theme.link) == (events[0].other, TICKET)
    assert [(one.what, one.words) for one in events] == [
        (Became.OWNED, None),
        (Became.LINKED, TICKET),
    ]
    assert await theming.own(world.store, 1, "Lea", "") == "Nobody sees to theme 1 now."
    assert await theming.link(world.store, 1, "Lea", "") == "Theme 1 leads nowhere now."
    [theme] = await world.all_of(Theme)
    assert (theme.owner_id, theme.link) == (None, None)


async def test_only_who_assigns_may_and_only_to_who_sees_the_brand(world: World) -> None:
    await one_theme(world)

    with pytest.raises(NoRight, match="Ada is here as agent"):
        await theming.own(world.store, 1, "Ada", "Ada")
    with pytest.raises(NoRight):
        await theming.link(world.store, 1, "Ada", TICKET)
    with pytest.raises(NotThere, match="There is no theme 1"):
        await theming.own(world.store, 1, "Eve", "Ada")
    with pytest.raises(NotAllowed, match="Eve does not see this brand"):
        await theming.own(world.store, 1, "Lea", "Eve")
    with pytest.raises(NotAllowed, match="Nobody here is called 'Zoe'"):
        await theming.own(world.store, 1, "Lea", "Zoe")
    with pytest.raises(NotAllowed, match="That is no link"):
        await theming.link(world.store, 1, "Lea", "SHOP-7")

    assert len(await world.all_of(ThemeEvent)) == 1


async def test_what_cannot_be_put_apart_is_refused_and_nothing_is_changed(world: World) -> None:
    await one_theme(world)
    every = [one.key for one in await world.mentions()]

    for mentions, name, why in (
        ([], "Apart", "Choose the posts"),
        (every, "Apart", "These are all posts of theme 1"),
        ([*every[:1], 999], "Apart", "Post 999 is not one of theme 1"),
        (every[:1], " ", "A theme needs a name"),
        (every[:1], "x" * 81, "at most 80 characters"),
    ):
        with pytest.raises(NotAllowed, match=why):
            await theming.split(world.store, 1, "Ada", mentions, name)

    assert len(await world.all_of(Theme)) == 1
    assert len(await world.all_of(ThemeEvent)) == 1


async def test_a_theme_that_takes_another_in_keeps_who_sees_to_it(world: World) -> None:
    await one_theme(world)
    first = (await world.mentions())[0].key
    apart = await theming.split(world.store, 1, "Ada", [first], "Apart")
    await theming.link(world.store, apart.number, "Lea", TICKET)

    await theming.merge(world.store, apart.number, "Ada", 1)

    theme, gone = await world.all_of(Theme)
    assert (theme.people, theme.link, gone.merged_into) == (3, TICKET, 1)
    with pytest.raises(NotThere):
        await theming.rename(world.store, apart.number, "Ada", "Late")
