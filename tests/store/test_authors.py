"""Beside a case stands what its author said before, what we answered, and who says the like."""

from datetime import timedelta

from listener.desk import closing
from listener.domain.case import Outcome, Status
from listener.domain.mention import Mention
from listener.domain.reply import Reply, State
from listener.store import authors, likes
from listener.store.authors import Earlier
from listener.store.session import AsyncSession
from tests.given import COMPLAINTS, Cheerful, complained, heard, judged, said, settled
from tests.world import World

COLD, SLOW, MONEY, *_ = COMPLAINTS


async def mention(session: AsyncSession, number: int) -> Mention:
    return await session.get_one(Mention, number)


async def before(world: World, number: int) -> list[Earlier]:
    async with world.store.reading() as session:
        return await authors.earlier(session, await mention(session, number))


async def like(world: World, number: int, alike: likes.Likes | None = None) -> list[int]:
    alike = alike or likes.Likes()
    async with world.store.reading() as session:
        found = await alike.of_last_day(session, await mention(session, number), now=world.now)
    return [one.id for one in found]


async def test_an_authors_earlier_mentions_come_with_what_became_of_them(world: World) -> None:
    await settled(world)
    await heard(world, said("I love fish", published=world.now))
    await judged(world, Cheerful())
    world.now += timedelta(hours=1)
    await complained(world, COLD)
    await closing.close(world.store, 1, "Ana", Outcome.ANSWERED_ELSEWHERE)
    async with world.store.transaction() as session:
        session.add(
            Reply(
                case_id=1, mention_id=2, staff_id=1, publish_key="k", text="So sorry, Ada.",
                state=State.POSTED, made_at=world.now, next_at=world.now, sent_at=world.now,
            )
        )  # fmt: skip
    world.now += timedelta(hours=1)
    await complained(world, SLOW)
    await complained(world, MONEY, author="ben")

    latest, first = await before(world, 3)

    assert (latest.mention.text, latest.status) == (COLD, Status.CLOSED)
    assert latest.outcome is Outcome.ANSWERED_ELSEWHERE
    assert (latest.answer, latest.answered_at) == ("So sorry, Ada.", world.now - timedelta(hours=1))
    assert (first.mention.text, first.status, first.answer) == ("I love fish", None, None)
    assert await before(world, 1) == []  # nothing was said before the first
    assert await before(world, 4) == []


async def test_authors_without_a_name_are_not_one_author(world: World) -> None:
    await settled(world)
    await complained(world, COLD, SLOW, author="")

    assert await before(world, 2) == []


async def test_what_an_author_deleted_is_not_held_against_them(world: World) -> None:
    await settled(world)
    await heard(world, said(COLD, id="one", published=world.now))
    await judged(world)
    await complained(world, SLOW)
    assert len(await before(world, 2)) == 1

    await heard(world, gone=["one"])

    assert await before(world, 2) == []


async def test_like_complaints_of_the_last_day_are_found(world: World) -> None:
    await settled(world)
    await complained(world, "The fish from Mill Lane was cold again, the batter soggy.", author="x")
    world.now += timedelta(hours=25)
    await complained(world, COLD, SLOW, MONEY)
    await heard(world, said("Cold fish, soft batter in the bag, lovely!", published=world.now))
    await judged(world, Cheerful())
    await complained(
        world, "On Friday the fish I ordered was cold and soft in the bag, batter gone.", author="y"
    )

    assert await like(world, 6) == [2]
    assert await like(world, 4) == []


async def test_what_is_deleted_is_no_like_complaint_from_then_on(world: World) -> None:
    await settled(world)
    await complained(world, COLD)
    again = "On Friday the fish I ordered was cold and soft in the bag, batter gone."
    await complained(world, again, author="y")
    alike = likes.Likes()
    assert await like(world, 2, alike) == [1]

    async with world.store.transaction() as session:
        (await mention(session, 1)).deleted_at = world.now

    assert await like(world, 2, alike) == []
