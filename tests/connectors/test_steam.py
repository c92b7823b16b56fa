"""Steam reviews are read by last change, with thumbs as stars and the developer's answers."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.kit.contract import Author, Kind, Page, Post, Precision, Span, Web
from connectors.kit.errors import TryLater
from connectors.kit.web import Network
from connectors.steam import Steam
from tests.connectors.place import BEGINNING, Place, Published
from tests.connectors.suite import CONTACT, FREE, ConnectorSuite, Memory

RECORDINGS = Path(__file__).parent / "recordings" / "steam"
START = "AoJ+/"  # cursors hold what an address must not


class Store(Place):
    """The list of one app's reviews; a cursor stands for a place in the order, not for a count."""

    ends_with: ClassVar[str] = "the same cursor"

    def __init__(self) -> None:
        super().__init__()
        self.success = 1
        self.answers: dict[int, str] = {}  # what the developer says, by number
        self.falls_empty = False  # as pages do now and then

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/appreviews/620", self._reviews)]

    async def _reviews(self, request: web.Request) -> web.Response:
        asked = request.query
        assert (asked["json"], asked["language"], asked["purchase_type"]) == ("1", "all", "all")
        assert asked["filter_offtopic_activity"] == "0"
        if self.success != 1:
            return web.json_response({"success": self.success})
        order = _updated if asked["filter"] == "updated" else _created
        every = sorted(self.listed(), key=order, reverse=True)
        below = every
        if asked["cursor"] != "*":
            bar = tuple(orjson.loads(b64decode(asked["cursor"].removeprefix(START))))
            below = [post for post in every if order(post) < bar]
        shown = below[: min(self.page, int(asked["num_per_page"]))]
        if self.falls_empty and asked["cursor"] != "*":
            shown = []
        summary: dict[str, object] = {"num_reviews": len(shown)}
        if asked["cursor"] == "*":
            summary["total_reviews"] = len(every)
        cursor = asked["cursor"]
        if shown:
            cursor = START + b64encode(orjson.dumps(order(shown[-1]))).decode()
        elif self.ends_with != "the same cursor":
            cursor = "AoJanother/one=="
        return web.json_response(
            {
                "success": 1,
                "query_summary": summary,
                "reviews": [self._review(post) for post in shown],
                "cursor": cursor,
            }
        )

    def _review(self, post: Published) -> dict[str, object]:
        told: dict[str, object] = {
            "recommendationid": str(post.number),
            "author": {"steamid": "76500000000000001", "num_reviews": 3},
            "language": "english",
            "review": post.text,
            "timestamp_created": _created(post)[0],
            "timestamp_updated": _updated(post)[0],
            "voted_up": post.stars > 2,
            "votes_up": 1,
            "votes_funny": 0,
            "weighted_vote_score": "0.52",
        }
        if post.number in self.answers:
            told["developer_response"] = self.answers[post.number]
            told["timestamp_dev_responded"] = int(self.now.timestamp())
        return told


class EndlessStore(Store):
    """The end of its list is an empty page with one more cursor."""

    ends_with = "another cursor"


def _created(post: Published) -> tuple[int, int]:
    return int(post.at.timestamp()), post.number


def _updated(post: Published) -> tuple[int, int]:
    return int((post.edited or post.at).timestamp()), post.number


class TestSteam(ConnectorSuite):
    """By last change."""

    connector = Steam
    options: ClassVar = {"app": "620"}
    place = Store


class TestSteamByPublication(ConnectorSuite):
    """By first publication, to an end that does not say so."""

    connector = Steam
    options: ClassVar = {"app": "620", "sort": "recent"}
    place = EndlessStore


# What is asked, and what it proves.


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Web]:
    async with store, Network(CONTACT, allow={store.host_port}) as network:
        yield network.web(FREE, "steam")


async def poll(store: Store, network: Web, memory: Memory) -> list[Page]:
    store.wait(timedelta(seconds=1))
    read = []
    async for page in Steam(app="620", api=store.url).pages(network, memory.cursor, memory):
        memory.keep(page)
        read.append(page)
    return read


def claimed(pages: Iterable[Page]) -> list[Span]:
    return [page.span for page in pages if page.span]


async def test_a_quiet_app_costs_one_request() -> None:
    async with opened(store := Store()) as network:
        store.insert(20)
        store.wait(timedelta(days=3))
        memory = Memory(store)
        await poll(store, network, memory)
        store.asked.clear()
        store.wait(timedelta(days=1))

        pages = await poll(store, network, memory)

        assert len(store.asked) == 1
        assert claimed(pages)[-1].end == store.now


async def test_a_list_that_was_met_whole_proves_all_time_since() -> None:
    async with opened(store := Store()) as network:
        store.insert(23)
        memory = Memory(store)

        spans = claimed(await poll(store, network, memory))

        assert spans[-1] == Span(memory.since, store.now)


async def test_a_list_that_falls_empty_too_early_proves_only_what_it_showed() -> None:
    async with opened(store := Store()) as network:
        store.insert(23, apart=timedelta(hours=1))
        store.falls_empty = True
        memory = Memory(store)

        spans = claimed(await poll(store, network, memory))

        assert min(span.start for span in spans) == store.listed()[store.page - 1].at


async def test_an_old_review_that_is_edited_comes_to_the_top_with_its_id() -> None:
    async with opened(store := Store()) as network:
        first, *_ = store.insert(25)
        memory = Memory(store)
        await poll(store, network, memory)
        store.wait(timedelta(days=40))
        edited = store.edit(first)
        store.asked.clear()

        await poll(store, network, memory)

        post = memory.posts[str(first.number)]
        assert (post.text, post.edited) == (edited.text, edited.edited)
        assert post.published == first.at
        assert len(memory.posts) == 25


async def test_what_the_developer_answered_follows_its_review() -> None:
    async with opened(store := Store()) as network:
        first, _ = store.insert(2)
        memory = Memory(store)
        await poll(store, network, memory)
        store.answers[first.number] = "We are sorry."

        await poll(store, network, memory)

        answer = memory.posts[f"{first.number}/developer"]
        assert (answer.kind, answer.author.ours) == (Kind.REPLY, True)
        assert (answer.in_reply_to, answer.text) == (str(first.number), "We are sorry.")


async def test_an_app_that_steam_does_not_list_is_said_to_be_so() -> None:
    async with opened(store := Store()) as network:
        store.insert(3)
        assert (await Steam(app="620", api=store.url).check(network)).says == (
            "Reads the reviews of app 620 on Steam; it has 3."
        )
        store.success = 2

        health = await Steam(app="620", api=store.url).check(network)
        assert (health.well, "app 620" in health.says) == (False, True)
        with pytest.raises(TryLater, match="app 620"):
            await poll(store, network, Memory(store))


# What a review becomes.


class Recorded(Store):
    """Answers with a recording, and then with nothing more."""

    @override
    async def _reviews(self, request: web.Request) -> web.Response:
        told = orjson.loads((RECORDINGS / "reviews.json").read_bytes())
        if request.query["cursor"] != "*":
            assert request.query["cursor"] == told["cursor"]
            told["reviews"] = []
        return web.json_response(told)


@pytest.fixture
async def recorded() -> AsyncIterator[Memory]:
    async with opened(store := Recorded()) as network:
        memory = Memory(store, since=BEGINNING - timedelta(days=9000))
        await poll(store, network, memory)
        yield memory


def at(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


async def test_a_review_is_mapped_whole(recorded: Memory) -> None:
    post = recorded.posts["7004"]

    assert post.rating is not None
    assert post.rating.stars == 1
    assert post == Post(
        id="7004",
        url="https://steamcommunity.com/profiles/76500000000000004/recommended/620",
        kind=Kind.REVIEW,
        text=(
            "Cold soup\n\nEvery bowl is cold & late, see the page.\n\n"
            "- no spoon\n- no [DLC] bread\n\nIt never warms <3 https://video.example/1"
        ),
        author=Author(
            id="76500000000000004", url="https://steamcommunity.com/profiles/76500000000000004"
        ),
        rating=post.rating,
        language="zh-CN",
        published=at(1740900000),
        edited=at(1740990000),
        reach=41,
        thread="7004",
        branch="620",
        links=("https://acme.example/soup", "https://video.example/1"),
    )


async def test_thumbs_up_is_five_stars_and_a_new_language_is_none(recorded: Memory) -> None:
    post = recorded.posts["7002"]

    assert post.rating is not None
    assert post.rating.stars == 5
    assert post.language is None
    assert post.reach is None


async def test_answers_have_their_time_or_the_one_they_were_seen_at(recorded: Memory) -> None:
    timed, timeless = (recorded.posts[f"{id_}/developer"] for id_ in ("7004", "7003"))

    assert timed.text == "We are sorry: version 1.2 has a stove."
    assert (timed.published, timed.precision) == (at(1740995000), Precision.SECOND)
    assert timeless.precision is Precision.SEEN
    assert recorded.posts["7003"].reach == 3


async def test_a_review_in_another_shape_is_set_aside_alone(recorded: Memory) -> None:
    assert {unread.reason for unread in recorded.unreadable} == {
        "A review is in a shape we do not know: voted_up (missing)."
    }
    assert "7001" not in recorded.posts


# Options.


@pytest.mark.parametrize(
    "app", ["620", " 620 ", "https://store.steampowered.com/app/620/Acme_Soup/?l=german"]
)
def test_an_app_is_known_by_its_number_or_its_address(app: str) -> None:
    assert Steam(app=app).app == "620"
    assert Steam(app=app).about_us


@pytest.mark.parametrize(("asked", "named"), [("de", "german"), ("PT-br", "brazilian")])
def test_a_language_is_known_by_steams_name_or_its_tag(asked: str, named: str) -> None:
    assert Steam(app="620", language=asked).language == named


@pytest.mark.parametrize(("app", "language"), [("acme", "all"), ("620", "klingon")])
def test_what_names_no_app_or_language_is_refused(app: str, language: str) -> None:
    with pytest.raises(ValidationError):
        Steam(app=app, language=language)
