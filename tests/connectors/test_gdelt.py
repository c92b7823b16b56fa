"""GDELT is searched in windows that hide nothing, whatever its answers look like."""

import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from typing_extensions import override

from connectors.gdelt import LANGUAGES, Gdelt, canonical, cleaned, lenient, untokenised
from connectors.kit.contract import Attachment, Author, Kind, Page, Post, Precision, Span, Web
from connectors.kit.errors import TryLater, Unreadable
from connectors.kit.web import Network
from tests.connectors.place import Place, Published
from tests.connectors.suite import CONTACT, FREE, ConnectorSuite, Memory

RECORDINGS = Path(__file__).parent / "recordings" / "gdelt"


class Small(Gdelt, frozen=True):
    """The same, with answers as small as a test's."""

    most: ClassVar[int] = 25
    finest: ClassVar[timedelta] = timedelta(seconds=1)


class Index(Place):
    """The search: windows with both their ends, no more than 25 articles an answer."""

    page: ClassVar[int] = 25

    def __init__(self) -> None:
        super().__init__()
        self.body: bytes | None = None  # what it answers, whatever it is asked

    @override
    def routes(self) -> Iterable[web.RouteDef]:
        return [web.get("/api/v2/doc/doc", self.search)]

    async def search(self, request: web.Request) -> web.Response:
        asked = request.query
        assert (asked["mode"], asked["format"], asked["sort"]) == ("artlist", "json", "datedesc")
        if self.body is not None:
            return web.Response(body=self.body, content_type="text/html")
        found = self.listed()
        if "startdatetime" in asked:
            start, end = (at(asked[name]) for name in ("startdatetime", "enddatetime"))
            found = [post for post in found if start <= post.at <= end]
        shown = found[: min(int(asked["maxrecords"]), self.page)]
        return web.json_response({"articles": [article(one) for one in shown]} if shown else {})


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def article(post: Published) -> dict[str, str]:
    return {
        "url": f"https://courier.example:443/{post.number}",
        "title": re.sub(r'([":,.])', r" \1 ", post.text),
        "seendate": f"{post.at:%Y%m%dT%H%M%SZ}",
        "socialimage": "",
        "domain": "courier.example",
        "language": "English",
        "sourcecountry": "United Kingdom",
    }


class TestGdelt(ConnectorSuite):
    """The ten contract tests."""

    connector = Small
    options: ClassVar = {"query": '"acme soup"'}
    place = Index
    lists_edits = False  # the suite looks for the edit in the text, and there is only a title


@asynccontextmanager
async def door(index: Index) -> AsyncIterator[Web]:
    async with Network(CONTACT, allow={index.host_port}) as network:
        yield network.web(FREE, "gdelt")


async def poll(index: Index, memory: Memory, *, stop_after: int | None = None) -> list[Page]:
    index.wait(timedelta(seconds=1))
    read = []
    async with door(index) as web_:
        async for page in Small(query='"acme soup"', api=index.url).pages(
            web_, memory.cursor, memory
        ):
            memory.keep(page)
            read.append(page)
            if len(read) == stop_after:
                break
    return read


async def test_a_changed_title_is_a_new_revision_of_the_same_article() -> None:
    async with Index() as index:
        [published] = index.insert(1)
        memory = Memory(index)
        await poll(index, memory)
        [before] = memory.posts.values()
        index.edit(published)
        await poll(index, memory)
        [after] = memory.posts.values()

    assert after.id == before.id
    assert after.revision != before.revision


# Windows.


async def test_a_quiet_week_costs_one_request_and_is_claimed_whole() -> None:
    async with Index() as index:
        index.insert(9)
        memory = Memory(index)
        [page] = await poll(index, memory)

    assert len(index.asked) == 1
    assert page.span == Span(memory.since, index.now)


async def test_windows_join_without_a_gap_down_to_what_is_wanted() -> None:
    async with Index() as index:
        index.insert(150, apart=timedelta(minutes=7))
        memory = Memory(index)
        pages = await poll(index, memory)

    spans = [page.span for page in pages if page.span]
    assert memory.numbers == [*range(1, 151)]
    assert len(spans) == len(pages) > 5
    assert spans[0].end == index.now
    assert spans[-1].start == memory.since
    assert [span.start for span in spans[:-1]] == [span.end for span in spans[1:]]


async def test_articles_come_newest_first() -> None:
    async with Index() as index:
        index.insert(80, apart=timedelta(minutes=7))
        pages = await poll(index, Memory(index))

    times = [post.published for page in pages for post in page.posts]
    assert times == sorted(times, reverse=True)


async def test_a_moment_with_more_articles_than_an_answer_is_told_as_a_gap() -> None:
    async with Index() as index:
        index.insert(3, apart=timedelta(minutes=1))
        index.wait(timedelta(minutes=5))
        crowd = index.now
        index.insert(60, at=crowd)
        index.wait(timedelta(minutes=5))
        index.insert(3, apart=timedelta(minutes=1))
        memory = Memory(index)
        pages = await poll(index, memory)

    assert {unread.reason for unread in memory.unreadable} == {
        "GDELT found more than 25 articles of one quarter of an hour."
    }
    assert not any(page.span.start < crowd < page.span.end for page in pages if page.span)
    assert {1, 2, 3, 64, 65, 66} < set(memory.numbers)


async def test_what_the_index_no_longer_holds_is_not_claimed() -> None:
    async with Index() as index:
        memory = Memory(index, since=index.now - timedelta(days=400))
        [page] = await poll(index, memory)

    assert page.span == Span((index.now - timedelta(days=88)).replace(microsecond=0), index.now)


async def test_a_cursor_in_other_words_or_of_the_future_loses_nothing() -> None:
    async with Index() as index:
        index.insert(3)
        strange = Memory(index, cursor="from another version")
        await poll(index, strange)
        ahead = Memory(index, cursor='{"read": "2999-01-01T00:00:00Z"}')
        await poll(index, ahead)
        index.insert(1)
        await poll(index, ahead)

    assert strange.numbers == [1, 2, 3]
    assert 4 in ahead.numbers


def test_one_window_is_asked_for_every_five_seconds_at_most() -> None:
    assert (Gdelt.pace.requests, Gdelt.pace.per.seconds, Gdelt.pace.at_once) == (1, 5, 1)


# Answers.


async def answered(body: bytes) -> Page:
    async with Index() as index:
        index.body = body
        return (await poll(index, Memory(index)))[0]


async def test_an_article_is_a_title_an_address_and_when_it_was_seen() -> None:
    page = await answered((RECORDINGS / "artlist.json").read_bytes())

    assert page.posts[0] == Post(
        id="www.courier.example/acme-recalls-soup",
        url="https://www.courier.example/acme-recalls-soup",
        kind=Kind.ARTICLE,
        title="Acme recalls soup; customers ask why, again",
        text="",
        author=Author(id="courier.example", name="courier.example", url="https://courier.example"),
        published=datetime(2025, 9, 13, 12, 15, tzinfo=UTC),
        precision=Precision.SEEN,
        language="en",
        attachments=(Attachment("https://www.courier.example/soup.jpg", "image"),),
    )


async def test_two_spellings_of_one_address_are_one_article_as_it_was_seen_last() -> None:
    page = await answered((RECORDINGS / "artlist.json").read_bytes())

    assert [post.id for post in page.posts] == [
        "www.courier.example/acme-recalls-soup",
        "zeitung.example/suppe?id=7",
    ]


async def test_what_json_does_not_allow_in_a_title_is_read_all_the_same() -> None:
    page = await answered((RECORDINGS / "artlist.json").read_bytes())

    assert page.posts[1].title == 'Acme C:\\Suppe und kalt: ein "Test" der Ware'
    assert page.posts[1].language == "de"


async def test_a_bad_article_is_set_aside() -> None:
    page = await answered((RECORDINGS / "artlist.json").read_bytes())

    assert [unread.reason for unread in page.unreadable] == [
        "An article has no address.",
        "An article is in a shape we do not know: seendate (datetime_type).",
    ]


@pytest.mark.parametrize("body", [b"{}", b'{"articles": []}', b"\xef\xbb\xbf{ }"])
async def test_an_empty_answer_is_no_fault(body: bytes) -> None:
    page = await answered(body)

    assert (page.posts, page.unreadable) == ((), ())
    assert page.span is not None


async def test_a_sentence_about_too_many_requests_means_later() -> None:
    said = b"Please limit requests to one every 5 seconds or contact us for larger queries."

    with pytest.raises(TryLater, match="too often") as caught:
        await answered(said)

    assert caught.value.wait is not None
    assert caught.value.wait >= timedelta(seconds=5)


@pytest.mark.parametrize(
    "said",
    [
        b"Your query was too short or too long.",
        b"The specified phrase is too short.",
        b"One or more of your keywords were too common.",
    ],
)
async def test_a_sentence_about_the_query_names_the_option_to_change(said: bytes) -> None:
    with pytest.raises(Unreadable, match="Change the option query") as caught:
        await answered(said)

    assert caught.value.raw == said.decode()


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"articles": [{"url"', b'{"articles": 7}'])
async def test_anything_else_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        await answered(body)


@given(st.dictionaries(st.text(), st.text()))
def test_good_json_stays_as_it_is(told: dict[str, str]) -> None:
    assert lenient(json.dumps(told)) == told


# Addresses, titles, languages.


@pytest.mark.parametrize(
    ("told", "address", "id_"),
    [
        ("https://A.example:443/x#top", "https://a.example/x", "a.example/x"),
        ("http://a.example:80/x/", "http://a.example/x/", "a.example/x"),
        ("http://a.example:8080/x", "http://a.example:8080/x", "a.example:8080/x"),
        ("https://a.example/x%20title=Soup", "https://a.example/x", "a.example/x"),
        ('https://a.example/x" target=_blank', "https://a.example/x", "a.example/x"),
        ("https://a.example/x?a=1&amp;b=2", "https://a.example/x?a=1&b=2", "a.example/x?a=1&b=2"),
        ("https://a.example/?p=7&utm_source=f&fbclid=q", None, "a.example?p=7"),
        ("https://a.example/a%20title", "https://a.example/a%20title", "a.example/a%20title"),
        ("https://u:p@a.example/x", "https://a.example/x", "a.example/x"),
        ("ftp://a.example/x", "", ""),
        ("", "", ""),
    ],
)
def test_an_address_is_freed_of_what_is_not_its_own(
    told: str, address: str | None, id_: str
) -> None:
    assert canonical(told) == id_
    if address is not None:
        assert cleaned(told) == address


@pytest.mark.parametrize(
    ("title", "written"),
    [
        ("Soup ; cold , again  and again  ", "Soup; cold, again and again"),
        ("Why ? Here ' s why !", "Why? Here's why!"),
        ('He said " never again " , twice', 'He said "never again", twice'),
        ("Up 5 % to $ 1 , 200 . 50 ( a record )", "Up 5% to $1,200.50 (a record)"),
        ("In 2024 , 300 left at 5 : 30", "In 2024, 300 left at 5:30"),
        ("L ' ordre des choses", "L'ordre des choses"),
        ("Acme : the .NET years - part 2", "Acme: the .NET years - part 2"),
        ("", ""),
    ],
)
def test_a_title_is_as_a_person_would_have_written_it(title: str, written: str) -> None:
    assert untokenised(title) == written


def test_french_keeps_the_blanks_that_are_its_own() -> None:
    assert untokenised("Acme : pourquoi ? Froid , encore", "French") == (
        "Acme : pourquoi ? Froid, encore"
    )


@given(st.text(max_size=80))
def test_a_title_that_was_written_stays_written(title: str) -> None:
    once = untokenised(title)

    assert once.split() == once.split(" ") or once == ""
    assert sorted(once.replace(" ", "")) == sorted("".join(title.split()))


def test_languages_are_known_by_their_english_names() -> None:
    assert (LANGUAGES["english"], LANGUAGES["norwegiannynorsk"]) == ("en", "nn")
    assert all(re.fullmatch(r"[a-z]{2,3}", tag) for tag in LANGUAGES.values())


@pytest.mark.parametrize(
    ("options", "says"),
    [({"query": "ab"}, "at least 3"), ({}, "query"), ({"query": "acme", "api": "g"}, "valid URL")],
)
def test_options_that_cannot_work_are_refused(options: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Gdelt.model_validate(options)
