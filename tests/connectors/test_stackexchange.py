"""Stack Exchange is searched back in time, asked for whole texts, and left alone when it says so."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import orjson
import pytest
from aiohttp import web
from pydantic import ValidationError
from typing_extensions import override

from connectors.kit.contract import Attachment, Author, Kind, Page, Post, State, Web
from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable
from connectors.kit.web import Network
from connectors.stackexchange import StackExchange, manners, shapes
from tests.connectors.place import BEGINNING, Place, Published
from tests.connectors.suite import CONTACT, FREE, ConnectorSuite, Memory

RECORDINGS = Path(__file__).parent / "recordings" / "stackexchange"
SITE = "cooking.stackexchange.com"


class Exchange(Place):
    """One site: posts share their numbers, every other one answers question 1, all is gzip."""

    answers = True  # or nothing but questions

    def __init__(self) -> None:
        super().__init__()
        self.also: dict[str, object] = {}  # what the next wrappers say besides
        self.refuses: dict[str, object] | None = None

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/2.3/search/excerpts", self._search),
            web.get("/2.3/questions", self._tagged),
            web.get("/2.3/questions/{ids}", self._by_ids),
            web.get("/2.3/answers/{ids}", self._by_ids),
        ]

    async def _search(self, request: web.Request) -> web.StreamResponse:
        assert request.query["q"] == "acme"
        return self._page(request, [self._excerpt(post) for post in self._window(request)])

    async def _tagged(self, request: web.Request) -> web.StreamResponse:
        assert (request.query["tagged"], request.query["filter"]) == ("acme;soup", "withbody")
        return self._page(request, [self._post(post) for post in self._window(request)])

    async def _by_ids(self, request: web.Request) -> web.StreamResponse:
        assert request.query["filter"] == "withbody"
        ids = request.match_info["ids"].split(";")
        assert len(ids) <= 100
        wants_answers = "/answers/" in request.path
        held = [self.holds(int(id_)) for id_ in ids]
        found = [post for post in held if post and self._is_answer(post) == wants_answers]
        return self._page(request, [self._post(post) for post in found], by_ids=True)

    def _window(self, request: web.Request) -> list[Published]:
        assert (request.query["sort"], request.query["order"]) == ("creation", "desc")
        until = int(request.query["todate"])
        return [post for post in self.listed() if int(post.at.timestamp()) <= until]

    def _page(
        self, request: web.Request, found: list[dict[str, object]], *, by_ids: bool = False
    ) -> web.StreamResponse:
        assert request.query["site"] == SITE
        if self.refuses is not None:
            return self._packed(self.refuses, 400)
        size = int(request.query["pagesize"])
        size = size if by_ids else min(size, self.page)
        number = int(request.query.get("page", "1"))
        assert number <= 25 or "key" in request.query
        shown = found[(number - 1) * size : number * size]
        more = number * size < len(found)
        told = {"items": shown, "has_more": more, "quota_max": 300, "quota_remaining": 299}
        return self._packed({**told, **self.also})

    def _packed(self, told: dict[str, object], status: int = 200) -> web.StreamResponse:
        response = web.json_response(told, status=status)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    def _is_answer(self, post: Published) -> bool:
        return self.answers and post.number > 1 and post.number % 2 == 0

    def _ids(self, post: Published) -> dict[str, object]:
        if self._is_answer(post):
            return {"answer_id": post.number, "question_id": 1}
        return {"question_id": post.number}

    def _excerpt(self, post: Published) -> dict[str, object]:
        return {
            **self._ids(post),
            "item_type": "answer" if self._is_answer(post) else "question",
            "creation_date": int(post.at.timestamp()),
            "title": "Soup &amp; more",
            "excerpt": f'Post <span class="highlight">{post.number}</span>',
        }

    def _post(self, post: Published) -> dict[str, object]:
        told: dict[str, object] = {
            **self._ids(post),
            "owner": {"user_id": 77, "display_name": "Ada Example"},
            "creation_date": int(post.at.timestamp()),
            "body": post.html,
        }
        if post.edited:
            told["last_edit_date"] = int(post.edited.timestamp())
        if not self._is_answer(post):
            told["title"] = "Soup &amp; more"
            told["link"] = f"https://{SITE}/questions/{post.number}/soup"
        return told


class Questions(Exchange):
    """The same, where nobody answers."""

    answers = False


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """Ports are used again, so forget which address wanted to be left alone."""
    yield
    manners._resting.clear()


class TestStackExchangeSearch(ConnectorSuite):
    """What a search finds."""

    connector = StackExchange
    options: ClassVar = {"site": "cooking.stackexchange.com", "query": "acme"}
    place = Exchange


class TestStackExchangeTag(ConnectorSuite):
    """What carries two tags, with a key, which belongs into the address here."""

    connector = StackExchange
    options: ClassVar = {"site": SITE, "tag": "acme, soup", "key": "made-up-key"}
    place = Questions
    key_in_address = True


# What is asked, and when it is not.


@asynccontextmanager
async def opened(site: Exchange) -> AsyncIterator[Web]:
    async with site, Network(CONTACT, allow={site.host_port}) as network:
        yield network.web(FREE, "stackexchange")


def searching(site: Exchange, **options: object) -> StackExchange:
    given = {"api": site.url, "site": SITE, "query": "acme", **options}
    return StackExchange.model_validate(given)


async def poll(site: Exchange, network: Web, memory: Memory) -> list[Page]:
    site.wait(timedelta(seconds=1))
    read = []
    async for page in searching(site).pages(network, memory.cursor, memory):
        memory.keep(page)
        read.append(page)
    return read


async def test_a_search_asks_for_whole_texts_and_never_twice_the_same() -> None:
    async with opened(site := Exchange()) as network:
        site.insert(23)
        await poll(site, network, Memory(site))

        asked = [(each.path, tuple(each.query.items())) for each in site.asked]
        assert len(asked) == len(set(asked))
        assert all(each.query.get("page", "1") == "1" for each in site.asked)


async def test_a_walk_that_they_ask_to_pause_goes_on_later() -> None:
    async with opened(site := Exchange()) as network:
        site.insert(23)
        memory = Memory(site)
        site.also = {"backoff": 10}
        with pytest.raises(TryLater) as paused:
            await poll(site, network, memory)
        asked = len(site.asked)
        with pytest.raises(TryLater):
            await poll(site, network, memory)

        assert paused.value.wait is not None
        assert timedelta(seconds=9) < paused.value.wait <= timedelta(seconds=10)
        assert len(site.asked) == asked == 3  # each method once: they pause one at a time
        assert len(memory.posts) == site.page

        site.also = {}
        manners._resting.clear()
        await poll(site, network, memory)
        assert memory.numbers == list(range(1, 24))


async def test_a_quota_that_is_used_up_is_not_overdrawn_until_midnight() -> None:
    async with opened(site := Exchange()) as network:
        site.insert(1)
        site.also = {"quota_remaining": 0}

        assert not (health := await searching(site).check(network)).well
        assert "10,000 a day" in health.says
        with pytest.raises(TryLater) as waiting:
            await poll(site, network, Memory(site))

        assert waiting.value.wait is not None
        midnight = (datetime.now(UTC) + waiting.value.wait).time()
        assert (midnight.hour, midnight.minute) in {(0, 0), (0, 1)}
        assert len(site.asked) == 1
        # Another key has a quota of its own.
        site.also = {}
        assert (await searching(site, key="made-up-key").check(network)).well


async def test_a_check_says_how_much_of_the_quota_is_left() -> None:
    async with opened(site := Exchange()) as network:
        health = await searching(site).check(network)

        assert health.says == (
            "Searches cooking.stackexchange.com for “acme”; 299 of 300 requests are left today."
        )
        tagged = searching(site, query=None, tag="acme;soup")
        assert "questions tagged acme and soup" in (await tagged.check(network)).says


@pytest.mark.parametrize(
    ("number", "said", "meant", "words"),
    [
        (400, "No site found for name `cooking.stackexchange.com`", Gone, "has no site"),
        (400, "`key` doesn't match a known application", AccessDenied, "does not know this key"),
        (403, "page above 25 requires access token or app key", AccessDenied, "refuses us"),
        (404, "no method found with this name", Unreadable, "error 404"),
        (500, "simulated", TryLater, "out of order"),
        (503, "simulated", TryLater, "out of order"),
        (None, "", Unreadable, "no reason"),
    ],
)
async def test_a_refusal_has_its_name(
    number: int | None, said: str, meant: type[ConnectorError], words: str
) -> None:
    async with opened(site := Exchange()) as network:
        site.refuses = {"error_id": number, "error_name": "x", "error_message": said}

        with pytest.raises(meant, match=words) as refused:
            await poll(site, network, Memory(site))

        assert type(refused.value) is meant


async def test_a_throttle_says_for_how_long() -> None:
    async with opened(site := Exchange()) as network:
        said = "too many requests from this IP, more requests available in 46472 seconds"
        site.refuses = {"error_id": 502, "error_name": "throttle_violation", "error_message": said}

        with pytest.raises(TryLater) as refused:
            await poll(site, network, Memory(site))

        assert refused.value.wait == timedelta(seconds=46472)


async def test_many_posts_of_one_second_are_turned_page_by_page() -> None:
    async with opened(site := Exchange()) as network:
        site.insert(35, at=BEGINNING)
        memory = Memory(site)

        await poll(site, network, memory)

        assert memory.numbers == list(range(1, 36))


async def test_a_recheck_finds_answers_and_leaves_other_sites_alone() -> None:
    async with opened(site := Exchange()) as network:
        site.insert(3)
        site.delete(site.listed()[0])

        ids = [f"{SITE}/2", f"{SITE}/3", "stackoverflow.com/1", f"{SITE}/1"]
        changes = await searching(site).recheck(network, ids)

        assert [change.id for change in changes] == ids
        states = [change.state for change in changes]
        assert states == [State.SAME, State.ABSENT, State.UNKNOWN, State.SAME]
        assert changes[0].post is not None
        assert changes[0].post.in_reply_to == f"{SITE}/1"


async def test_a_recheck_asks_for_a_hundred_at_a_time() -> None:
    async with opened(site := Questions()) as network:
        site.insert(230)

        ids = [f"{SITE}/{number}" for number in range(1, 231)]
        changes = await searching(site).recheck(network, ids)

        assert {change.state for change in changes} == {State.SAME}
        assert len(site.asked) == 3


# What is read.


class Recorded(Exchange):
    """Answers from recordings."""

    @override
    async def _search(self, request: web.Request) -> web.StreamResponse:
        return self._packed(orjson.loads((RECORDINGS / "excerpts.json").read_bytes()))

    @override
    async def _by_ids(self, request: web.Request) -> web.StreamResponse:
        kind = request.path.split("/")[2]
        told = orjson.loads((RECORDINGS / f"{kind}.json").read_bytes())
        return self._packed(told)


@pytest.fixture
async def recorded() -> AsyncIterator[Memory]:
    async with opened(site := Recorded()) as network:
        memory = Memory(site, since=BEGINNING - timedelta(days=9000))
        await poll(site, network, memory)
        yield memory


def at(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


async def test_a_question_is_mapped_whole(recorded: Memory) -> None:
    assert recorded.posts[f"{SITE}/501"] == Post(
        id=f"{SITE}/501",
        url="https://cooking.stackexchange.com/questions/501/why-is-acme-soup-cold",
        title='Why is Acme\'s "hot" soup < 20° cold?',
        text="I bought this & it is cold.\n\nif soup < 20:\n    complain()",
        author=Author(
            id=f"{SITE}/77",
            name="Ada & Co",
            url="https://cooking.stackexchange.com/users/77/ada-co",
        ),
        published=at(1740900000),
        edited=at(1740990000),
        reach=2301,
        thread=f"{SITE}/501",
        branch=SITE,
        links=("https://cooking.stackexchange.com/q/400",),
        attachments=(Attachment("https://i.sstatic.net/soup.png", "image", "a bowl"),),
    )


async def test_an_answer_has_no_title_and_knows_its_question(recorded: Memory) -> None:
    answer = recorded.posts[f"{SITE}/502"]

    assert (answer.kind, answer.title) == (Kind.REPLY, None)
    assert answer.text == "Mine is always cold, too."
    assert answer.url == "https://cooking.stackexchange.com/a/502"
    assert answer.in_reply_to == answer.thread == f"{SITE}/501"


async def test_pieces_in_another_shape_are_set_aside_alone(recorded: Memory) -> None:
    assert recorded.posts.keys() == {f"{SITE}/501", f"{SITE}/502"}
    assert {unread.reason for unread in recorded.unreadable} == {
        "One excerpt is in a shape we do not know: creation_date (missing).",
        "One question is in a shape we do not know: body (missing).",
    }


def test_a_deleted_account_is_only_a_name() -> None:
    told = shapes.Questions.model_validate_json((RECORDINGS / "questions.json").read_bytes())

    posts = [each.as_post(SITE) for each in told.items if isinstance(each, shapes.Question)]

    assert posts[1].id == f"{SITE}/500"
    assert posts[1].author == Author(name="user4711")


# Options.


@pytest.mark.parametrize(
    ("site", "host"),
    [
        ("stackoverflow", "stackoverflow.com"),
        ("pt.stackoverflow", "pt.stackoverflow.com"),
        ("meta.askubuntu", "meta.askubuntu.com"),
        ("cooking", "cooking.stackexchange.com"),
        ("cooking.meta", "cooking.meta.stackexchange.com"),
        ("https://cooking.stackexchange.com/questions", "cooking.stackexchange.com"),
        ("mathoverflow.net", "mathoverflow.net"),
    ],
)
def test_a_site_has_one_host_however_it_is_named(site: str, host: str) -> None:
    assert shapes.host_of(StackExchange(site=site, query="acme").site) == host


@pytest.mark.parametrize(
    "options",
    [{}, {"query": "a", "tag": "b"}, {"tag": " ; "}, {"query": "a", "site": "not a site"}],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        StackExchange.model_validate(options)
