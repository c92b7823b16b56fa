"""Complaints that share a cause become one theme, which keeps its number and its name."""

import re
from datetime import timedelta
from html import unescape

import pytest

from listener.desk import theming
from listener.domain.case import Case
from listener.domain.mention import Mention
from listener.domain.staff import Role
from listener.domain.theme import Became, Belonging, Theme, ThemeEvent
from listener.stages.theme import Themes
from tests.given import heard, judged, said, settled
from tests.web.visiting import hired, street
from tests.world import World

COUPON = (
    "FRESH20 did nothing on my fish, I was charged the full price",
    "Tried the code FRESH20 for fish, the till ignored it",
    "<b>Your</b> fish voucher FRESH20 shows a tick and then takes nothing off",
)
TILL = (
    "The cashier at the till refused my FRESH20 for fish",
    "FRESH20 for fish: cashier at the till refused it",
    "A cashier refused FRESH20 at the till, no fish",
)
VANS = (
    "Your driver threw the parcel of fish over the fence",
    "Driver left the parcel in the rain, soaked fish",
    "The driver dropped the parcel with my fish and ran",
)
COLD = "The delivery man left my fish in the rain while nobody was at home"


async def complain(world: World, *texts: str, by: str) -> None:
    posts = [
        said(text, published=world.now, author=f"{by}{place}") for place, text in enumerate(texts)
    ]
    await heard(world, *posts)
    await judged(world)


async def look(world: World) -> None:
    """A look through, as a service does that has just begun."""
    world.now += timedelta(minutes=6)
    await Themes(world.store).step()


async def test_three_people_with_one_cause_are_a_theme_named_by_their_words(world: World) -> None:
    await settled(world)
    await complain(world, *COUPON, COLD, by="ada")

    await look(world)

    (theme,) = await world.all_of(Theme)
    assert theme.name.split(", ")[0] == "fresh20"
    assert theme.people == 3
    assert len(await world.all_of(Belonging)) == 3
    assert [one.what for one in await world.all_of(ThemeEvent)] == [Became.BEGAN]


async def test_one_person_three_times_is_no_theme(world: World) -> None:
    await settled(world)
    await heard(world, *(said(text, published=world.now, author="ada") for text in COUPON))
    await judged(world)

    await look(world)

    assert await world.all_of(Theme) == []


async def test_a_theme_grows_under_the_name_that_people_gave_it(world: World) -> None:
    await settled(world)
    await hired(world, "Ada", Role.AGENT)
    await complain(world, *COUPON, by="ada")
    await look(world)
    await theming.rename(world.store, 1, "Ada", "The broken coupon")

    await complain(world, "FRESH20 refused for my fish again", by="ben")
    await look(world)

    (theme,) = await world.all_of(Theme)
    assert (theme.id, theme.name, theme.people) == (1, "The broken coupon", 4)


async def test_without_new_complaints_nothing_is_looked_through(world: World) -> None:
    await settled(world)
    await complain(world, *COUPON, by="ada")
    world.now += timedelta(minutes=2)
    await look(world)

    world.now += timedelta(minutes=6)

    assert await Themes(world.store).step() == 0


async def test_the_page_shows_a_theme_and_escapes_what_was_said(world: World) -> None:
    await settled(world)
    await hired(world, "Ada", Role.AGENT, brands=[1])
    await hired(world, "Eve", Role.AGENT, brands=[99])
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        assert "No theme." in (await browser.get("/themes")).text
        await complain(world, *COUPON, by="ada")
        await look(world)

        page = (await browser.get("/themes")).text

        assert "fresh20" in page
        assert "3 people" in page
        assert "<b>Your" not in page
        assert "fresh20" not in (await (await place.signed_in("Eve")).get("/themes")).text


async def test_what_a_theme_counts_leads_to_its_mentions_from_case_and_digest(
    world: World,
) -> None:
    await settled(world)
    await hired(world, "Ada", Role.LEAD, brands=[1])
    await complain(world, *COUPON, COLD, by="ada")
    await look(world)
    await theming.rename(world.store, 1, "Ada", "The broken coupon")
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        concerned = await world.all_of(Case)
        pages = [(await browser.get(f"/cases/{case.key}")).text for case in concerned]
        assert sum("3 people, the same: The broken coupon" in page for page in pages) == 3

        today = world.now.date().isoformat()
        digest = (await browser.get(f"/digest?of=day&on={today}")).text
        assert "The broken coupon" in digest
        (link,) = set(re.findall(r'href="(/mentions\?[^"]*theme=1[^"]*)"', digest))
        listed = (await browser.get(unescape(link))).text
        assert listed.count("FRESH20") == 3
        assert COLD not in listed

        await theming.mute(world.store, 1, "Ada", muted=True)
        page = (await browser.get(f"/cases/{concerned[0].key}")).text
        assert "The broken coupon" not in page


async def test_who_passes_on_anothers_words_is_not_quoted(world: World) -> None:
    await settled(world)
    await hired(world, "Ada", Role.LEAD)
    await complain(
        world,
        "FRESH20 did nothing on my fish",
        "RT @zed: the fish till ignored FRESH20, I was charged",
        "RT @yan: FRESH20 fish voucher shows a tick, I was charged",
        by="ada",
    )
    await look(world)
    [theme] = await world.all_of(Theme)
    [first] = [one for one in await world.mentions() if one.text.startswith("FRESH20")]
    assert theme.quote_id == first.key

    async with world.store.transaction() as session:  # as a look of an older version chose it
        old = await session.get_one(Theme, theme.key)
        old.quote_id = next(
            one.key for one in await world.mentions() if one.text.startswith("RT @zed")
        )
    async with street(world) as place:
        browser = await place.signed_in("Ada")
        today = world.now.date().isoformat()
        for path in ("/themes", "/themes/1", f"/digest?of=day&on={today}"):
            quotes = re.findall(
                r"<blockquote[^>]*>(.*?)</blockquote>", (await browser.get(path)).text
            )
            assert quotes, path
            assert not any("RT @" in quote for quote in quotes), path
            assert "FRESH20 did nothing on my fish" in quotes[0], path


async def test_what_was_put_apart_by_hand_does_not_flow_back_and_grows_by_itself(
    world: World,
) -> None:
    await settled(world)
    await hired(world, "Ada", Role.AGENT)
    await complain(world, *COUPON, *TILL, by="ada")
    await look(world)
    await look(world)
    assert len(await world.all_of(Theme)) == 1
    at_the_till = [one.key for one in await world.mentions() if "cashier" in one.text]

    made = await theming.split(world.store, 1, "Ada", at_the_till, "Cashiers refuse it")
    assert made.said == "3 posts of theme 1 are theme 2 now: Cashiers refuse it."
    await complain(world, "Again a cashier at the till refused FRESH20 for my fish", by="ben")
    await look(world)

    first, second = await world.all_of(Theme)
    belong = {one.mention_id: one.theme_id for one in await world.all_of(Belonging)}
    assert (first.people, second.people, second.name) == (3, 4, "Cashiers refuse it")
    assert {belong[one] for one in at_the_till} == {2}
    assert [(one.theme_id, one.what, one.other) for one in await world.all_of(ThemeEvent)][-1] == (
        2, Became.SPLIT, 1,
    )  # fmt: skip


async def test_what_was_put_together_by_hand_is_not_taken_apart(world: World) -> None:
    await settled(world)
    await hired(world, "Ada", Role.AGENT)
    await complain(world, *COUPON, *VANS, by="ada")
    await look(world)
    assert len(await world.all_of(Theme)) == 2

    await theming.merge(world.store, 2, "Ada", 1)
    await complain(world, "FRESH20 refused for my fish again", by="ben")
    await look(world)

    first, second = await world.all_of(Theme)
    assert (first.people, first.ended_at, second.merged_into) == (7, None, 1)
    assert {one.theme_id for one in await world.all_of(Belonging)} == {1}


async def test_a_look_that_was_under_way_undoes_nothing_that_people_did(world: World) -> None:
    await settled(world)
    await hired(world, "Ada", Role.AGENT)
    await complain(world, *COUPON, *TILL, by="ada")
    await look(world)
    await complain(world, "FRESH20 refused for my fish again", by="ben")
    world.now += timedelta(minutes=6)
    stage, moved = Themes(world.store), await world.mentions()

    async def meanwhile(_: object, *__: object) -> list[object]:
        await theming.split(world.store, 1, "Ada", [moved[0].key, moved[1].key], "Two of them")
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("listener.stages.theme.asyncio.to_thread", meanwhile)
        assert await stage.step() == 0
    await look(world)

    belong = {one.mention_id: one.theme_id for one in await world.all_of(Belonging)}
    assert belong[moved[0].key] == 2


async def test_growing_stands_in_the_history(world: World) -> None:
    await settled(world)
    await complain(world, *COUPON, by="ada")
    await look(world)

    await complain(
        world, "FRESH20 refused for my fish", "my fish, FRESH20, nothing taken off", by="ben"
    )
    await look(world)

    lines = [(one.what, one.words) for one in await world.all_of(ThemeEvent)]
    assert lines == [(Became.BEGAN, "3"), (Became.GREW, "5")]


@pytest.mark.parametrize("sure", [True, False])
async def test_what_the_model_doubted_belongs_once_its_case_is_a_complaint(
    world: World, sure: bool
) -> None:
    await settled(world)
    await complain(world, *COUPON, by="ada")
    async with world.store.transaction() as session:
        mention = await session.get_one(Mention, 1)
        mention.flagged, mention.unsure = False, True
        case = await session.get_one(Case, mention.case_id)
        case.unsure = not sure
    await look(world)

    assert [one.people for one in await world.all_of(Theme)] == ([3] if sure else [])
