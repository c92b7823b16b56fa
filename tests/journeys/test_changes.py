"""What becomes of a case when its post is edited, or said again by others, or unsure at first."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from listener.desk import closing, taking
from listener.domain.case import Outcome, Status
from listener.domain.correction import Better
from listener.domain.event import What
from tests.connectors.place import SECOND
from tests.connectors.test_appstore import Store as Shop
from tests.journeys.afterwards import (
    COLD,
    ON_FIRE,
    PERHAPS,
    PRAISE,
    SAME_ON_FIRE,
    Reader,
    once,
    settle,
    story,
    the_case,
    the_mention,
    told,
)
from tests.journeys.scenes import (
    Orange,
    Paper,
    Village,
    appstore,
    feed,
    hackernews,
    hours,
    mastodon,
    reworded,
    said,
)
from tests.world import World


@pytest.fixture
async def world(database: str, tmp_path: Path) -> AsyncIterator[World]:
    """A listener whose classifier can tell praise and doubt from complaints."""
    async with World(database, tmp_path, classifier=Reader()) as world:
        yield world


@pytest.fixture
async def village() -> AsyncIterator[Village]:
    async with Village() as village:
        yield village


# --- edits

SOON, LATER = SECOND, hours(1)


@pytest.mark.parametrize("after", [SOON, LATER], ids=["listed again", "asked for again"])
async def test_an_edit_keeps_what_was_said_before_and_is_judged_and_told(
    world: World, village: Village, after: timedelta
) -> None:
    await settle(world, village, mastodon(village))
    post = said(village, COLD)
    await once(world, village)
    before = await the_case(world)
    assert before.due_at == world.now + hours(4)

    reworded(village, post, ON_FIRE)
    await once(world, village, after=after)

    mention, case = await the_mention(world), await the_case(world)
    assert (mention.text, mention.revisions) == (ON_FIRE, 2)
    assert mention.judged_at == world.now
    [former] = await world.revisions()
    assert (former.text, former.number, former.replaced_at) == (COLD, 1, world.now)
    assert not before.urgent
    assert case.urgent
    assert case.priority > before.priority
    assert case.due_at == world.now + hours(1)
    assert "Speaks of harm: safety." in case.reasons
    assert await story(world) == [What.OPENED, What.EDITED, What.PRIORITY]
    assert await told(world) == await story(world)


async def test_an_edit_that_two_sources_see_is_one_revision(world: World, village: Village) -> None:
    sources = mastodon(village, "By tag"), mastodon(village, "By timeline", tag=None)
    await settle(world, village, *sources)
    post = said(village, COLD)
    await once(world, village)

    reworded(village, post, ON_FIRE)
    for _ in range(3):
        await once(world, village)

    assert (await the_mention(world)).revisions == 2
    assert (await story(world)).count(What.EDITED) == 1


async def test_a_post_that_is_edited_back_and_forth_keeps_every_revision(
    world: World, village: Village
) -> None:
    await settle(world, village, mastodon(village))
    post = said(village, COLD)
    for words in (ON_FIRE, COLD, PRAISE):
        await once(world, village)
        post = reworded(village, post, words)
    await once(world, village)

    assert (await the_mention(world)).text == PRAISE
    former = [(one.number, one.text) for one in await world.revisions()]
    assert former == [(1, COLD), (2, ON_FIRE), (3, COLD)]


async def test_a_case_whose_author_is_content_now_says_so_and_stays_for_a_person(
    world: World, village: Village
) -> None:
    await settle(world, village, mastodon(village))
    post = said(village, COLD)
    await once(world, village)

    reworded(village, post, PRAISE)
    await once(world, village)

    case = await the_case(world)
    assert (case.status, case.priority) == (Status.OPEN, 0)
    assert case.reasons == ["Its author has changed it: it no longer reads like a complaint."]
    assert (await the_mention(world)).flagged is False


@pytest.mark.parametrize(
    ("outcome", "words", "status"),
    [
        (Outcome.ANSWERED, ON_FIRE, Status.OWNED),
        (Outcome.ANSWERED, PRAISE, Status.CLOSED),
        (Outcome.NOT_US, ON_FIRE, Status.CLOSED),
        (Outcome.SPAM, ON_FIRE, Status.CLOSED),
    ],
)
async def test_a_closed_case_is_reopened_by_an_edit_that_still_complains(
    world: World, village: Village, outcome: Outcome, words: str, status: Status
) -> None:
    await settle(world, village, mastodon(village))
    await world.hire("Ana")
    post = said(village, COLD)
    await once(world, village)
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 1, "Ana", outcome)

    reworded(village, post, words)
    await once(world, village)

    case = await the_case(world)
    assert case.status is status
    assert case.owner_id == 1, "who knows the case gets it back"
    if status is Status.OWNED:
        assert (case.reopened, case.outcome, case.closed_at) == (1, None, None)
        assert case.urgent
        assert case.due_at == world.now + hours(1)
        assert await told(world) == await story(world)
        assert (await story(world))[-2:] == [What.EDITED, What.REOPENED]
    else:
        assert (case.reopened, case.outcome) == (0, outcome)


async def test_a_review_that_loses_its_stars_becomes_a_case(world: World) -> None:
    async with Shop() as shop:
        await settle(world, shop, appstore(shop), brands=[{"name": "Acme", "query": "acme"}])
        [post] = shop.insert()
        shop._held[post.number] = post = replace(post, stars=5, text="I owe you all my thanks!")
        await once(world, shop)
        assert await world.cases() == []

        shop.now += SECOND
        shop._held[post.number] = replace(post, stars=1, edited=shop.now)
        await once(world, shop)

        mention, case = await the_mention(world), await the_case(world)
        assert (mention.rating, mention.revisions) == (1, 2)
        assert [one.rating for one in await world.revisions()] == [5]
        assert case.due_at == world.now + hours(24)


# --- our own posts


@pytest.mark.parametrize("known", ["by its token", "by its handle", "by its address"])
async def test_our_own_posts_are_context_and_never_a_case(
    world: World, village: Village, known: str
) -> None:
    handles = {
        "by its handle": [f"@bolt@{village.host_port}"],
        "by its address": [f"{village.url}/@bolt"],
    }
    brands = [{"name": "Acme", "query": "fish", "handles": handles.get(known, [])}]
    await settle(world, village, mastodon(village), brands=brands)
    ours = "Acme Support" if known == "by its token" else "Bolt Support"
    said(village, COLD, by=ours)
    said(village, ON_FIRE, by="Ada Example")
    await once(world, village)

    own, other = await world.mentions()
    assert (own.ours, own.judged_at, own.flagged, own.case_id) == (True, None, None, None)
    assert (other.ours, other.case_id) == (False, 1)
    assert (await the_case(world)).mentions == 1


# --- said again by others


async def test_what_is_said_in_twelve_places_is_one_case_that_presses_more(
    world: World, village: Village
) -> None:
    async with Orange() as orange, Paper() as paper:
        await settle(world, village, mastodon(village))
        await settle(world, orange, hackernews(orange))
        await settle(world, paper, feed(paper))
        said(village, COLD, by="Ada Example")
        await once(world, village, orange, paper)
        first = await the_case(world)

        priorities = [first.priority]
        for place in (village, orange, paper):
            for name in ("Ben", "Cid", "Dot"):
                said(place, f"RT @ada: {COLD}", by=f"{name} of {type(place).__name__}")
            await once(world, village, orange, paper)
            priorities.append((await the_case(world)).priority)
        said(village, f"{COLD} https://pictures.example/fish", by="Eve")
        said(orange, f"Via @ada {COLD}", by="Fay")
        await once(world, village, orange, paper)

        case = await the_case(world)
        assert len(await world.mentions()) == case.mentions == 12
        assert "Said in 12 places." in case.reasons
        assert priorities == sorted(priorities)
        assert case.priority == first.priority + 10 + 15, "one of them is a newspaper"
        assert world.printed.count(COLD) == 1, "one card, which is edited"
        assert set(await story(world)) == {What.OPENED, What.JOINED}


async def test_a_copy_that_speaks_of_harm_makes_the_case_urgent(
    world: World, village: Village
) -> None:
    await settle(world, village, mastodon(village))
    said(village, COLD, by="Ada")
    await once(world, village)
    before = await the_case(world)

    said(village, SAME_ON_FIRE, by="Ben")
    await once(world, village)

    case = await the_case(world)
    assert case.mentions == 2
    assert case.urgent
    assert case.priority > before.priority + 3
    assert case.due_at == world.now + hours(1)
    assert "Speaks of harm: safety." in case.reasons


async def test_one_who_softens_words_that_others_repeat_does_not_calm_the_case(
    world: World, village: Village
) -> None:
    await settle(world, village, mastodon(village))
    post = said(village, COLD, by="Ada")
    said(village, COLD, by="Ben")
    await once(world, village)
    before = await the_case(world)

    reworded(village, post, PRAISE)
    await once(world, village)

    case = await the_case(world)
    assert (case.priority, case.reasons) == (before.priority, before.reasons)


@pytest.mark.parametrize(
    ("who", "status"), [("Ada", Status.OWNED), ("Ben", Status.CLOSED)], ids=["author", "stranger"]
)
async def test_only_the_authors_own_return_reopens_a_closed_case(
    world: World, village: Village, who: str, status: Status
) -> None:
    await settle(world, village, mastodon(village))
    await world.hire("Ana")
    said(village, COLD, by="Ada")
    await once(world, village)
    await taking.take(world.store, 1, "Ana")
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED)

    said(village, f"{COLD} Again!", by=who)
    await once(world, village, after=hours(1))

    case = await the_case(world)
    assert (case.status, case.mentions) == (status, 2)
    assert (What.REOPENED in await told(world)) is (who == "Ada")
    if who == "Ada":
        assert case.due_at == world.now + hours(4)


# --- unsure


async def test_an_unsure_mention_waits_for_a_person_without_deadline_or_notice(
    world: World, village: Village
) -> None:
    await settle(world, village, mastodon(village))
    await world.hire("Ana")
    post = said(village, PERHAPS)
    await once(world, village)
    said(village, f"RT {PERHAPS}", by="Ben")
    reworded(village, post, f"{PERHAPS} Or so.")
    await once(world, village)

    case = await the_case(world)
    assert (case.unsure, case.due_at, case.mentions) == (True, None, 2)
    assert await world.notices() == []

    world.now += hours(5)
    await closing.correct(world.store, 1, "Ana", Better.COMPLAINT, world.settings.policies)
    await once(world, village)

    case = await the_case(world)
    assert not case.unsure
    # It is five already: four hours of work are those of tomorrow morning.
    assert case.due_at == case.waiting_since + hours(20) if case.waiting_since else False
    assert await told(world) == [What.CONFIRMED]


@pytest.mark.parametrize("together", [True, False])
async def test_plain_words_beside_unsure_ones_call_somebody(world: World, together: bool) -> None:
    async with Shop() as shop:
        brands = [{"name": "Acme", "query": "acme"}]
        await settle(world, shop, appstore(shop), brands=brands)
        shop.now += SECOND
        for author, stars in (("Ada", 3), ("Ben", 1)):  # one star is a complaint whatever it says
            [post] = shop.insert()
            shop._held[post.number] = replace(post, text=PERHAPS, author=author, stars=stars)
            if not together:
                await once(world, shop)
        await once(world, shop)

        case = await the_case(world)
        assert (case.unsure, case.mentions) == (False, 2)
        assert case.due_at is not None
        assert await told(world) != []


async def test_an_unsure_mention_that_becomes_plain_is_told(world: World, village: Village) -> None:
    await settle(world, village, mastodon(village))
    post = said(village, PERHAPS)
    await once(world, village)
    assert await told(world) == []

    reworded(village, post, ON_FIRE)
    await once(world, village)

    case = await the_case(world)
    assert (case.unsure, case.urgent) == (False, True)
    assert case.due_at == world.now + hours(1)
    assert await told(world) == [What.CONFIRMED]
