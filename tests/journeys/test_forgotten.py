"""What its author deletes, or we have kept long enough, is forgotten; that it was there is not."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from listener.domain.case import Status
from listener.domain.event import What
from tests.connectors.place import Fault, Published
from tests.journeys.afterwards import (
    COLD,
    ON_FIRE,
    PRAISE,
    Reader,
    once,
    settle,
    story,
    the_case,
    the_mention,
    told,
)
from tests.journeys.scenes import (
    ALWAYS,
    Hamlet,
    Orange,
    Paper,
    Village,
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


# --- deletions


async def test_a_deleted_posts_words_and_author_go_and_its_place_in_the_counts_stays(
    world: World, village: Village
) -> None:
    await settle(world, village, mastodon(village))
    post = said(village, COLD, by="Edith Example")
    await once(world, village)
    post = reworded(village, post, ON_FIRE)
    await once(world, village)
    before, printed = await the_case(world), len(world.printed)

    village.delete(post)
    await once(world, village, after=hours(1))

    mention, case = await the_mention(world), await the_case(world)
    assert mention.deleted_at == world.now
    [former] = await world.revisions()
    left = f"{mention.model_dump()} {former.model_dump()}"
    for secret in ("fish", "fire", "edith", "Edith", post.html):
        assert secret not in left
    assert (mention.flagged, mention.revisions, mention.case_id) == (True, 2, case.id)
    assert (case.mentions, case.status) == (before.mentions, Status.OPEN)
    assert (await story(world))[-1] is What.DELETED
    assert (await told(world))[-1] is What.DELETED
    assert "fish" not in world.printed[printed:]


async def test_a_deleted_post_that_a_list_still_shows_stays_deleted(world: World) -> None:
    class Stubborn(Orange):
        """A search that goes on showing what was deleted."""

        @override
        def listed(self) -> list[Published]:
            return sorted(self._held.values(), key=lambda post: post.at, reverse=True)

    async with Stubborn() as orange:
        await settle(world, orange, hackernews(orange))
        post = said(orange, COLD)
        await once(world, orange)
        orange.delete(post)
        await once(world, orange, after=hours(1))
        assert (await the_mention(world)).text == ""

        brands = [{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "box"}]
        await world.set_up(brands=brands)  # reads everything again
        await once(world, orange)
        await once(world, orange, after=hours(6))

        mention = await the_mention(world)
        assert mention.text == ""
        assert mention.deleted_at is not None
        assert (await story(world)).count(What.DELETED) == 1


async def test_a_post_that_is_absent_once_is_not_deleted(world: World) -> None:
    async with Orange() as orange:
        await settle(world, orange, hackernews(orange))
        post = said(orange, COLD)
        await once(world, orange)

        orange.hidden = {post.number}
        await once(world, orange, after=hours(1))
        orange.hidden = set()
        await once(world, orange, after=hours(6))
        orange.hidden = {post.number}
        await once(world, orange, after=hours(24))

        assert (await the_mention(world)).text == COLD
        assert await story(world) == [What.OPENED]


async def test_a_post_that_is_absent_twice_in_a_row_is_deleted(world: World) -> None:
    async with Orange() as orange:
        await settle(world, orange, hackernews(orange))
        post = said(orange, COLD)
        await once(world, orange)

        orange.hidden = {post.number}
        await once(world, orange, after=hours(1))
        await once(world, orange, after=hours(6))

        assert (await the_mention(world)).deleted_at == world.now
        assert await story(world) == [What.OPENED, What.DELETED]


async def test_a_place_that_cannot_be_asked_is_no_deletion(world: World, village: Village) -> None:
    await settle(world, village, mastodon(village))
    said(village, COLD)
    await once(world, village)

    village.fail(Fault.BROKEN, ALWAYS)
    for after in (1, 6, 24):
        await once(world, village, after=hours(after))

    assert (await the_mention(world)).text == COLD


async def test_posts_of_another_make_are_changed_and_deleted_too(world: World) -> None:
    async with Hamlet() as hamlet:
        await settle(world, hamlet, mastodon(hamlet))
        post, gone = said(hamlet, COLD), said(hamlet, PRAISE)
        await once(world, hamlet)

        reworded(hamlet, post, ON_FIRE)
        hamlet.delete(gone)
        await once(world, hamlet, after=hours(1))

        changed, deleted = await world.mentions()
        assert (changed.text, deleted.text) == (ON_FIRE, "")
        assert await story(world) == [What.OPENED, What.EDITED, What.PRIORITY]


# --- forgetting


async def test_what_was_kept_long_enough_keeps_its_counts_and_loses_words_and_names(
    world: World,
) -> None:
    async with Paper() as paper:
        await settle(world, paper, feed(paper))
        said(paper, COLD, by="Ada Example")
        said(paper, PRAISE, by="Ben Example")
        await once(world, paper)
        days = timedelta(days=91)

        await once(world, paper, after=days)
        complaint, praise = await world.mentions()
        assert complaint.text == COLD, "what has a case is kept for two years"
        assert (praise.text, praise.author_name, praise.url) == ("", "", "")
        assert (praise.purged_at, praise.flagged) == (world.now, False)

        await once(world, paper, after=timedelta(days=730))
        forgotten = await world.mentions()
        assert [one.flagged for one in forgotten] == [True, False]
        assert all(one.purged_at and one.judged_at for one in forgotten)
        left = " ".join(str(one.model_dump()) for one in forgotten)
        assert "fish" not in left
        assert "Example" not in left
        assert (await the_case(world)).mentions == 1


@pytest.mark.parametrize("edited", [False, True])
async def test_what_was_forgotten_does_not_come_back(world: World, edited: bool) -> None:
    async with Paper() as paper:
        await settle(world, paper, feed(paper))
        post = said(paper, COLD)
        await once(world, paper)
        await once(world, paper, after=timedelta(days=731))
        events = await story(world)

        if edited:
            reworded(paper, post, ON_FIRE)
        await world.set_up(sources=[feed(paper), feed(paper, "The same again")])
        await once(world, paper)
        await once(world, paper)

        mention = await the_mention(world)
        assert (mention.text, mention.author_name) == ("", "")
        assert mention.purged_at is not None
        assert await world.revisions() == []
        assert await story(world) == events
