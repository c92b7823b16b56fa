"""A page of posts is kept once and whole, whatever strange things stand in it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.kit.contract import Attachment, Author, Page, Post, Rating, Span, Unread
from listener.domain.case import Status
from listener.domain.coverage import Covered
from listener.domain.event import What
from listener.domain.mention import Mention
from listener.domain.source import Arrival, DeadLetter, Seen
from listener.store import intake, newcomers
from tests.given import COMPLAINTS, INBOX, KEY, heard, judged, named, said, settled
from tests.world import World

SECOND_INBOX = {"name": "Second", "connector": "webhook", "options": {"secret": KEY}}
COLD = COMPLAINTS[0]


async def test_a_post_that_names_the_brand_is_kept_and_another_only_remembered(
    world: World,
) -> None:
    await settled(world)

    kept = await heard(
        world,
        said(COLD, published=world.now),
        said("Nobody we look after.", published=world.now),
    )

    assert (kept.posts, kept.mentions) == (2, 1)
    assert [mention.text for mention in await world.mentions()] == [COLD]
    assert len(await world.all_of(Seen)) == 1


async def test_the_same_page_twice_is_kept_once(world: World) -> None:
    await settled(world)
    page = [said(f"{COLD} {number}", id=str(number), published=world.now) for number in range(5)]

    assert (await heard(world, *page)).mentions == 5
    again = await heard(world, *page)

    assert (again.mentions, again.edits) == (0, 0)
    assert len(await world.mentions()) == 5
    assert await world.revisions() == []


async def test_the_same_post_twice_in_one_page_is_kept_once_as_it_stands_last(
    world: World,
) -> None:
    await settled(world)
    first = said("fish, first words", id="1", published=world.now)

    kept = await heard(world, first, replace(first, text="fish, last words"))

    assert kept.mentions == 1
    assert [mention.text for mention in await world.mentions()] == ["fish, last words"]


async def test_two_sources_that_see_one_post_leave_two_sightings(world: World) -> None:
    await settled(world, sources=[INBOX, SECOND_INBOX])
    post = said(COLD, id="1", published=world.now)

    await heard(world, post)
    kept = await heard(world, post, source="Second")

    assert (kept.mentions, kept.edits) == (0, 0)
    assert await world.sightings() == {"1": ["Inbox", "Second"]}


async def test_the_words_of_two_places_may_differ_without_being_an_edit(world: World) -> None:
    """One source shows the whole text, another its beginning: nobody changed anything."""
    await settled(world, sources=[INBOX, SECOND_INBOX])
    post = said(COLD, id="1", published=world.now)

    await heard(world, post)
    await heard(world, replace(post, text=COLD[:30], truncated=True))
    await heard(world, replace(post, text=COLD[:30], truncated=True), source="Second")
    await heard(world, replace(post, text=f"{COLD} "), source="Second")

    assert [mention.text for mention in await world.mentions()] == [COLD]
    assert await world.revisions() == []


async def test_an_edit_is_a_revision_that_is_judged_again(world: World) -> None:
    await settled(world)
    post = said(COLD, id="1", published=world.now)
    await heard(world, post)
    await judged(world)

    edited = replace(post, text="The fish is fine now.", edited=world.now)
    kept = await heard(world, edited)

    assert kept.edits == 1
    [mention] = await world.mentions()
    assert (mention.text, mention.revisions, mention.waits) == ("The fish is fine now.", 2, True)
    [revision] = await world.revisions()
    assert (revision.number, revision.text) == (1, COLD)
    assert [event.what for event in await world.events()] == [What.OPENED, What.EDITED]


async def test_an_older_state_of_a_post_never_replaces_a_newer_one(world: World) -> None:
    await settled(world)
    post = said(COLD, id="1", published=world.now)
    newer = replace(post, text="fish, at noon", edited=world.now + timedelta(hours=2))
    older = replace(post, text="fish, at ten", edited=world.now + timedelta(hours=1))

    await heard(world, newer)
    kept = await heard(world, older)

    assert kept.edits == 0
    assert [mention.text for mention in await world.mentions()] == ["fish, at noon"]


async def test_a_changed_rating_is_an_edit(world: World) -> None:
    await settled(world)
    post = said("fish", id="1", published=world.now, rating=Rating(1))
    await heard(world, post)

    await heard(world, replace(post, rating=Rating(5)))

    [mention] = await world.mentions()
    [revision] = await world.revisions()
    assert (mention.stars, revision.rating) == (5, 1)


async def test_a_deleted_post_loses_its_words_in_all_its_revisions(world: World) -> None:
    await settled(world)
    post = said(COLD, id="1", published=world.now, title="A title")
    await heard(world, post)
    await heard(world, replace(post, text="Other fish.", edited=world.now))
    await judged(world)

    kept = await heard(world, gone=["1", "never seen"])

    assert kept.gone == 1
    [mention] = await world.mentions()
    assert (mention.text, mention.title, mention.author_name, mention.url) == ("", None, "", "")
    assert mention.deleted_at == world.now
    assert [(one.text, one.title) for one in await world.revisions()] == [("", None)]
    assert (await world.events())[-1].what is What.DELETED
    assert (await world.cases())[0].status is Status.OPEN  # somebody still looks


async def test_a_list_that_still_names_a_deleted_post_does_not_bring_it_back(
    world: World,
) -> None:
    await settled(world)
    post = said(COLD, id="1", published=world.now)
    await heard(world, post)
    await heard(world, gone=["1"])

    await heard(world, replace(post, text=f"{COLD} Edited.", edited=world.now))

    [mention] = await world.mentions()
    assert mention.text == ""


@pytest.mark.parametrize(
    ("strange", "kept"),
    [
        ("fish\0chips", "fishchips"),
        ("fish \ud83d cold", "fish ? cold"),
        ("fish \udcff", "fish ?"),
        ("\ufeffﬁsh ‮ fish", "\ufeffﬁsh ‮ fish"),
        ("fish 😡👨‍👩‍👧", "fish 😡👨‍👩‍👧"),
        ("fish'); DROP TABLE mentions; --", "fish'); DROP TABLE mentions; --"),
        ("fish " * 2, "fish fish "),
    ],
)
async def test_strange_letters_do_not_stop_a_page(world: World, strange: str, kept: str) -> None:
    await settled(world)

    await heard(
        world,
        said(strange, published=world.now),
        said(COLD, published=world.now),
    )

    assert [mention.text for mention in await world.mentions()] == [kept, COLD]
    await judged(world)
    assert all(mention.flagged for mention in await world.mentions())


@pytest.mark.parametrize("letter", ["\0", "\ud800"])
async def test_strange_letters_anywhere_in_a_post_do_not_stop_a_page(
    world: World, letter: str
) -> None:
    await settled(world)
    odd = f"o{letter}dd"
    post = Post(
        id=f"1{letter}",
        url=f"https://place.example/{odd}",
        text=f"fish {odd}",
        title=odd,
        published=world.now,
        author=Author(id=odd, name=odd, handle=odd, url=odd),
        language=odd,
        in_reply_to=odd,
        thread=odd,
        branch=odd,
        links=(odd,),
        attachments=(Attachment(url=odd, kind=odd, alt=odd),),
    )

    await heard(
        world,
        post,
        said(COLD, published=world.now),
        unreadable=[Unread(f"because {odd}", odd)],
        gone=[odd],
    )
    again = await heard(world, post, unreadable=[Unread(f"because {odd}", odd)])

    assert again.mentions == again.edits == 0
    assert len(await world.mentions()) == 2
    assert len(await world.dead_letters()) == 1


@pytest.mark.parametrize("reach", [2**31, 2**40, 2**70])
async def test_a_reach_beyond_all_measure_is_kept_as_a_very_large_one(
    world: World, reach: int
) -> None:
    await settled(world)
    post = said(COLD, published=world.now, reach=reach)

    await heard(world, replace(post, author=Author(id="ada", reach=reach)))

    [mention] = await world.mentions()
    assert mention.reach == mention.author_reach == 2**31 - 1


async def test_ten_megabytes_of_text_are_one_mention(world: World) -> None:
    await settled(world)
    text = "fish " + "and chips " * 1_048_576

    async with asyncio.timeout(60):
        await heard(world, said(text, published=world.now))

    [mention] = await world.mentions()
    assert mention.text == text


async def test_a_post_that_is_nothing_but_the_brand_keeps_a_few_of_its_marks(
    world: World,
) -> None:
    await settled(world)

    async with asyncio.timeout(60):
        await heard(world, said("fish " * 30_000, published=world.now))

    [mention] = await world.mentions()
    assert len(mention.marks) == newcomers.MARKS


async def test_six_hundred_posts_of_one_page_are_kept_together(world: World) -> None:
    await settled(world)
    page = [
        said(f"fish number {number}", id=f"{number:03}", published=world.now)
        for number in range(600)
    ]
    other = [said(f"bird {number}", id=f"b{number}", published=world.now) for number in range(600)]

    kept = await heard(world, *page, *other)
    again = await heard(world, *page, *other)

    assert (kept.posts, kept.mentions) == (1200, 600)
    assert again.mentions == again.edits == 0
    assert len(await world.mentions()) == 600
    assert len(await world.all_of(Seen)) == 600


async def test_a_page_that_fails_half_way_leaves_nothing(world: World) -> None:
    await settled(world)

    class Torn(Exception):
        pass

    async def torn() -> None:
        async with world.store.transaction() as session:
            source = await named(world, "Inbox")
            one = newcomers.Named(said(COLD, published=world.now), 1)
            rules = newcomers.Rules(fresh=timedelta(days=2))
            page = Page(posts=(one.post,), cursor="next")
            await intake.keep(session, source, page, [one], rules=rules, now=world.now)
            await intake.remember(session, source, page.posts, now=world.now)
            raise Torn

    with pytest.raises(Torn):
        await torn()

    for table in (Mention, Seen):
        assert await world.all_of(table) == []


async def test_what_could_not_be_read_is_set_aside_once_and_not_at_full_length(
    world: World,
) -> None:
    await settled(world)
    unread = Unread("It has no text.", "x" * 100_000)

    for _ in range(3):
        await heard(world, unreadable=[unread])
    await heard(world, unreadable=[Unread("It has no date.", "x" * 100_000)])

    letters: list[DeadLetter] = await world.dead_letters()
    assert [letter.reason for letter in letters] == ["It has no text.", "It has no date."]
    assert {len(letter.raw) for letter in letters} == {intake.RAW}


async def test_a_source_knows_what_it_has_read_and_another_does_not(world: World) -> None:
    await settled(world, sources=[INBOX, SECOND_INBOX])
    await heard(
        world,
        said(COLD, id="kept", published=world.now),
        said("bird", id="unwanted", published=world.now),
    )

    async with world.store.reading() as session:
        ids = ["kept", "unwanted", "new"]
        inbox, second = await named(world, "Inbox"), await named(world, "Second")
        assert await intake.known(session, inbox, ids) == {"kept", "unwanted"}
        assert await intake.known(session, second, ids) == frozenset()
        assert await intake.known(session, inbox, []) == frozenset()


async def test_a_delivery_is_noticed_when_it_comes_again(world: World) -> None:
    await settled(world)
    inbox = await named(world, "Inbox")

    async def arrived(delivery: str) -> bool:
        async with world.store.transaction() as session:
            return await intake.arrived(session, inbox, delivery, now=world.now)

    assert [await arrived("msg_1"), await arrived("msg_1"), await arrived("msg_2")] == [
        True,
        False,
        True,
    ]
    assert await arrived("odd \0 \ud800")
    assert not await arrived("odd \0 \ud800")
    assert len(await world.all_of(Arrival)) == 3


async def test_what_has_been_read_is_entered_once_in_the_ledger(world: World) -> None:
    await settled(world)
    inbox = await named(world, "Inbox")

    async def covered(start: int, end: int) -> None:
        minute = timedelta(minutes=1)
        page = Page(cursor=None, span=Span(world.now + start * minute, world.now + end * minute))
        async with world.store.transaction() as session:
            await intake.cover(session, inbox, page)

    for start, end in ((0, 10), (30, 40), (5, 12), (12, 20), (50, 60), (0, 60)):
        await covered(start, end)

    rows: list[Covered] = await world.all_of(Covered)
    assert [row.span for row in rows] == [Span(world.now, world.now + timedelta(hours=1))]


async def test_two_pages_with_the_same_posts_at_once_are_kept_once(world: World) -> None:
    await settled(world, sources=[INBOX, SECOND_INBOX])
    page = [said(f"fish {number}", id=str(number), published=world.now) for number in range(50)]

    async with asyncio.timeout(60):
        kept = await asyncio.gather(
            heard(world, *page),
            heard(world, *reversed(page), source="Second"),
            heard(world, *page),
            heard(world, *reversed(page), source="Second"),
        )

    assert sum(one.mentions for one in kept) == 50
    assert len(await world.mentions()) == 50
    assert set(map(tuple, (await world.sightings()).values())) <= {
        ("Inbox", "Second"),
        ("Second", "Inbox"),
    }


async def test_long_posts_are_handed_over_in_portions_and_all_kept(world: World) -> None:
    await settled(world)
    page = [
        said(f"fish {number} ".ljust(60_000, "é"), id=f"{number:03}", published=world.now)
        for number in range(11)
    ]
    portions = list(newcomers.portions([newcomers.Named(post, 1) for post in page]))

    kept = await heard(world, *page)

    assert [len(portion) for portion in portions] == [4, 4, 3]
    assert kept.mentions == 11
    assert {one.text for one in await world.mentions()} == {post.text for post in page}
