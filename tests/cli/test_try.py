"""Trying a query before anything is set up."""

from datetime import UTC, datetime, timedelta

from connectors.hackernews import HackerNews
from connectors.kit.web import Network
from listener.cli.trying import ask, count, judge, open_places, searches
from listener.domain.query import parse
from models.lexicon import Lexicon
from tests.connectors.place import Fault
from tests.connectors.test_hackernews import Orange


def test_only_places_that_need_no_key_are_tried() -> None:
    names = [name for name, _ in open_places()]

    assert "hackernews" in names
    assert "mastodon" not in names  # it wants to know which server
    assert "sample" not in names


def test_a_place_is_searched_for_what_names_the_brand_and_not_for_what_rules_it_out() -> None:
    query = parse('(acme OR "acme coffee" OR @acme OR #AcmeDay) NOT tools lang:en')

    assert list(searches(query)) == ["acme", '"acme coffee"', "AcmeDay"]


async def test_what_names_the_brand_is_judged_and_counted_and_the_rest_only_read() -> None:
    async with Orange() as place, Network("tests", allow={place.host_port}) as network:
        place.now = datetime.now(UTC) - timedelta(hours=1)
        place.insert(12)

        tried = await ask(
            network,
            "hackernews",
            lambda _: HackerNews(query='"acme coffee"', api=place.url),
            parse("fish NOT n3n"),
            days=3,
        )
        judged = judge(Lexicon(), [tried], "fish")

    assert tried.error is None
    assert tried.read == 12
    assert len(judged) == 11
    row = count(tried, judged)
    assert (row["read"], row["named"]) == (12, 11)
    assert row["flagged"] + row["unsure"] > 0


async def test_a_place_that_fails_says_so_and_spoils_nothing() -> None:
    async with Orange() as place, Network("tests", allow={place.host_port}) as network:
        place.fail(Fault.BROKEN, times=99)

        tried = await ask(
            network,
            "hackernews",
            lambda _: HackerNews(query='"acme coffee"', api=place.url),
            parse("fish"),
            days=3,
        )

    assert tried.error is not None
    assert "500" in tried.error
    assert tried.posts == {}
