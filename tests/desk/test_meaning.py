"""By meaning: found whatever the words, within one's walls, and gone as soon as it is gone."""

from datetime import timedelta

import pytest

from listener.desk import meaning
from listener.desk.meaning import Found, Meanings
from listener.domain.embedding import Embedding
from listener.domain.record import NotAllowed, NotThere
from listener.store import intake
from listener.store.search import Search
from models.classifier import Classifier
from tests.given import INBOX, heard, judged, said, settled
from tests.meant import Meaning
from tests.world import Gloomy, World

COUPONS = (
    "The fish coupon is refused at the checkout",
    "My discount for fish does nothing",
    "No voucher of the fish shop works",
)
PARCELS = (
    "The driver threw my fish over the fence",
    "Another fish parcel that never came",
    "Left the fish delivery in the rain",
)
HAIR = ("A hair in the fish cake", "Filthy tables at the fish place", "Mould on the fish")


def looking(world: World, classifier: Classifier | None = None) -> Meanings:
    async def model() -> Classifier:
        return classifier or Meaning()

    return Meanings(world.store, model)


async def told(world: World, *texts: str) -> None:
    posts = [said(text, published=world.now, author=f"p{text}") for text in texts]
    await heard(world, *posts)
    await judged(world, Meaning())


async def busy(world: World) -> None:
    await settled(world)
    await told(world, *COUPONS, *PARCELS, *HAIR)


def texts(found: Found) -> list[str]:
    return [one.mention.text for one in found.mentions]


async def test_what_means_the_same_is_found_whatever_its_words(world: World) -> None:
    await busy(world)

    found = await looking(world).find(Search(words="promo code broken"))

    assert set(texts(found)) == set(COUPONS)
    assert (found.brand, found.looked, found.waiting, found.others) == ("Acme", 9, 0, 0)
    assert not found.cut


async def test_what_is_like_a_mention_is_found_without_asking_a_model(world: World) -> None:
    await busy(world)

    found = await looking(world, Gloomy()).find(Search(), like=4)

    assert set(texts(found)) == set(PARCELS) - {PARCELS[0]}
    assert found.like is not None
    assert found.like.text == PARCELS[0]


async def test_what_its_author_deleted_is_gone_at_once(world: World) -> None:
    await busy(world)
    meanings = looking(world)
    await meanings.find(Search(words="coupon"))

    async with world.store.transaction() as session:
        await intake.forget(session, [1])
    gone = (await world.mentions())[1].post_id
    await heard(world, gone=[gone])

    assert texts(await meanings.find(Search(words="coupon"))) == [COUPONS[2]]


async def test_what_comes_changes_or_waits_is_seen(world: World) -> None:
    await busy(world)
    meanings = looking(world)
    await meanings.find(Search(words="coupon"))
    first = (await world.mentions())[0].post_id

    world.now += meaning.FRESH
    await told(world, "Your fish code fails")
    found = await meanings.find(Search(words="coupon"))
    assert set(texts(found)) == {*COUPONS, "Your fish code fails"}

    await heard(world, said("The fish parcel came late", id=first, published=world.now))
    waits = await meanings.find(Search(words="coupon"))
    assert (COUPONS[0] in texts(waits), waits.waiting) == (False, 1)

    await judged(world, Meaning())
    world.now += meaning.FRESH
    changed = await meanings.find(Search(words="parcel"))
    assert "The fish parcel came late" in texts(changed)
    assert COUPONS[0] not in texts(await meanings.find(Search(words="coupon")))
    assert changed.looked == 10


async def test_what_is_older_than_ninety_days_is_not_looked_through(world: World) -> None:
    await busy(world)
    world.now += meaning.WINDOW + timedelta(hours=1)
    await told(world, "A new fish coupon that fails", "And a fish parcel", "And a hair in the fish")

    found = await looking(world).find(Search(words="coupon"))

    assert texts(found) == ["A new fish coupon that fails"]
    assert found.looked == 3


async def test_filters_hold_here_too(world: World) -> None:
    await busy(world)
    meanings = looking(world)
    wanted = Search(words="coupon", source="Inbox", flagged=True)

    assert len((await meanings.find(wanted)).mentions) == 3
    for other in (Search(words="coupon", source="Other"), Search(words="coupon", language="de")):
        assert (await meanings.find(other)).mentions == []


async def test_pages_follow_each_other_and_end(world: World) -> None:
    await busy(world)
    meanings = looking(world)
    pages, after = [], 0
    for _ in range(3):
        found = await meanings.find(Search(words="coupon"), after=after, limit=1)
        pages += texts(found)
        assert (found.after is None) == (len(pages) == 3)
        after = found.after or 0

    assert sorted(pages) == sorted(COUPONS)


async def test_nobody_looks_through_a_wall(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    await told(world, *COUPONS, *PARCELS, "A nuts coupon that fails", "A parcel of nuts")
    meanings = looking(world)

    with pytest.raises(NotAllowed, match="choose which"):
        await meanings.find(Search(words="coupon"))
    with pytest.raises(NotThere, match="no brand called 'Bolt'"):
        await meanings.find(Search(words="coupon", brand="Bolt"), within=[1])
    with pytest.raises(NotThere, match="no mention 7"):
        await meanings.find(Search(), like=7, within=[1])
    with pytest.raises(NotAllowed, match="no brand yet"):
        await meanings.find(Search(words="coupon"), within=[])

    own = await meanings.find(Search(words="coupon"), within=[1])
    other = await meanings.find(Search(words="coupon", brand="Bolt"))
    assert set(texts(own)) == set(COUPONS)
    assert "A nuts coupon that fails" in texts(other)
    assert not set(texts(other)) & set(COUPONS)


@pytest.mark.parametrize("words", ["", "  ", "!!! ?"])
async def test_a_question_without_words_is_refused_in_a_sentence(world: World, words: str) -> None:
    await busy(world)

    with pytest.raises(NotAllowed, match="There is no word in that"):
        await looking(world).find(Search(words=words))


async def test_a_model_that_gives_no_meaning_says_so(world: World) -> None:
    await settled(world)
    await heard(world, said(COUPONS[0], published=world.now))
    await judged(world, Gloomy())

    with pytest.raises(NotAllowed, match="gloomy 1 does not say where texts lie"):
        await looking(world, Gloomy()).find(Search(words="coupon"))
    with pytest.raises(NotAllowed, match="has not read that mention"):
        await looking(world).find(Search(), like=1)


async def test_what_another_model_has_read_is_counted_and_left_out(world: World) -> None:
    await busy(world)

    class Newer(Meaning):
        name = "meaning 2"

    found = await looking(world, Newer()).find(Search(words="coupon"))

    assert (texts(found), found.looked, found.others) == ([], 0, 9)


async def test_of_too_many_the_latest_are_looked_through_and_it_says_so(world: World) -> None:
    await busy(world)
    world.now += timedelta(minutes=1)
    await told(world, "A late fish coupon", "A late fish parcel", "A late hair in the fish")
    meanings = looking(world)
    meanings.most = 3

    found = await meanings.find(Search(words="coupon"))

    assert (texts(found), found.looked, found.cut) == (["A late fish coupon"], 3, True)


async def test_memory_is_kept_for_the_brands_that_were_asked_for_last(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    await told(world, *COUPONS, *(text.replace("fish", "nuts") for text in COUPONS))
    meanings = looking(world)
    meanings.most = 4

    for brand in ("Acme", "Bolt", "Acme"):
        found = await meanings.find(Search(words="coupon", brand=brand))
        assert found.looked == 3
        assert await kept(meanings) == 3


async def kept(meanings: Meanings) -> int:
    return sum(len(read.plane) for read in meanings._planes.values())


async def test_an_hour_later_all_is_read_anew(world: World) -> None:
    await busy(world)
    meanings = looking(world)
    await meanings.find(Search(words="coupon"))
    async with world.store.transaction() as session:
        await intake.forget(session, [4, 5])

    world.now += meaning.AGAIN
    found = await meanings.find(Search(words="coupon"))

    assert (found.looked, await kept(meanings)) == (7, 7)
    assert len(await world.all_of(Embedding)) == 7


async def test_more_than_one_portion_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "PORTION", 2)
    await busy(world)

    found = await looking(world).find(Search(words="coupon"))

    assert (set(texts(found)), found.looked) == (set(COUPONS), 9)
