"""Promise R8: no place is asked more often than it allows, and each is left alone when it asks."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.contract import Pace
from connectors.kit.errors import TryLater
from connectors.kit.web import Limits, Network
from connectors.kit.web.waits import LONGEST, asked_to_wait
from tests.connectors.kit.door import CONTACT, FREE, door, hello, site

NOW = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)
PATIENT = Limits(patience=timedelta(seconds=30))


class StrictPlace:
    """Counts as strictly as a place can: any window of `per` holds at most `requests`."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.arrivals: list[float] = []
        self.broken = 0
        self.inside = 0
        self.most_inside = 0

    async def answer(self, request: web.Request) -> web.Response:
        now = monotonic()
        recent = [at for at in self.arrivals if at > now - self.pace.per.total_seconds()]
        self.arrivals.append(now)
        if len(recent) >= self.pace.requests:
            self.broken += 1
            return web.Response(status=429)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await asyncio.sleep(0.002 * (len(self.arrivals) % 3))
        self.inside -= 1
        return await hello(request)


async def test_a_thousand_tasks_of_one_key_never_exceed_the_pace() -> None:
    place = StrictPlace(Pace(requests=250, per=timedelta(milliseconds=300), at_once=20))
    async with site(place.answer) as strict, door(strict, pace=place.pace, limits=PATIENT) as web_:
        answers = await asyncio.gather(*(web_.fetch(strict.url) for _ in range(1_000)))

    assert {answer.status for answer in answers} == {200}
    assert len(place.arrivals) == 1_000
    assert place.broken == 0
    assert 1 < place.most_inside <= place.pace.at_once


async def test_everybody_who_names_the_key_shares_its_pace() -> None:
    place = StrictPlace(Pace(requests=20, per=timedelta(milliseconds=200), at_once=5))
    async with (
        site(place.answer) as strict,
        Network(CONTACT, allow={strict.host_port}, limits=PATIENT) as network,
    ):
        webs = [network.web(place.pace, "one credential") for _ in range(10)]
        await asyncio.gather(*(web_.fetch(strict.url) for web_ in webs * 10))

    assert len(place.arrivals) == 100
    assert place.broken == 0


async def test_a_redirect_is_a_request_too() -> None:
    place = StrictPlace(Pace(requests=4, per=timedelta(milliseconds=200), at_once=4))

    async def lead(request: web.Request) -> web.Response:
        answer = await place.answer(request)
        if answer.status == 200 and request.path != "/end":
            return web.Response(status=302, headers={"Location": "/end"})
        return answer

    async with site(lead) as strict, door(strict, pace=place.pace, limits=PATIENT) as web_:
        await asyncio.gather(*(web_.fetch(strict.url) for _ in range(10)))

    assert len(place.arrivals) == 20
    assert place.broken == 0


async def test_whoever_would_wait_too_long_is_told_when_to_come_back() -> None:
    pace = Pace(requests=2, per=timedelta(minutes=1))
    async with site(hello) as place, door(place, pace=pace) as web_:
        await web_.fetch(place.url)
        await web_.fetch(place.url)
        begun = monotonic()
        with pytest.raises(TryLater) as later:
            await web_.fetch(place.url)

        assert monotonic() - begun < 30  # not the minute
        assert later.value.wait is not None
        assert timedelta(seconds=50) < later.value.wait <= timedelta(minutes=1)
        assert len(place.asked) == 2


async def test_first_come_first_served() -> None:
    pace = Pace(requests=5, per=timedelta(milliseconds=100), at_once=1)
    async with site(hello) as place, door(place, pace=pace, limits=PATIENT) as web_:
        await asyncio.gather(*(web_.fetch(place.url, params={"n": str(n)}) for n in range(20)))

        assert [request.query["n"] for request in place.asked] == [str(n) for n in range(20)]


async def test_a_cancelled_request_gives_its_place_away() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(0.4)
        return web.Response()

    pace = Pace(requests=100, per=timedelta(seconds=1), at_once=1)
    async with site(hang) as place, door(place, pace=pace) as web_:
        tasks = [asyncio.create_task(web_.fetch(place.url)) for _ in range(10)]
        await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

        assert (await web_.fetch(place.url)).status == 200


# --- being told to wait


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


TWO_MINUTES = [
    {"Retry-After": "120"},
    {"Retry-After": "120.0"},
    {"Retry-After": " 120 "},
    {"Retry-After": "@http"},
    {"Retry-After": "@iso"},
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "@iso"},  # Mastodon
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "@isoz"},
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "@epoch"},  # GitHub
    {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "@millis"},
    {"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Reset": "120.0"},  # Reddit
    {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "@epoch"},  # X
    {"RateLimit-Remaining": "0", "RateLimit-Reset": "120"},
    {"RateLimit": "limit=100, remaining=0, reset=120"},
    {"RateLimit": '"default";r=0;t=120'},
]


def _filled(headers: Mapping[str, str], now: datetime) -> dict[str, str]:
    then = now + timedelta(seconds=120)
    forms = {
        "@http": _http_date(then),
        "@isoz": then.isoformat().replace("+00:00", "Z"),
        "@iso": then.isoformat(),
        "@epoch": f"{then.timestamp():.0f}",
        "@millis": f"{then.timestamp() * 1000:.0f}",
    }
    return {name: forms.get(value, value) for name, value in headers.items()}


@pytest.mark.parametrize("headers", TWO_MINUTES, ids=str)
async def test_a_429_closes_the_key_for_as_long_as_it_says(headers: dict[str, str]) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=429, headers=_filled(headers, datetime.now(UTC)))

    async with site(refuse) as place, door(place) as web_:
        for _ in range(3):
            with pytest.raises(TryLater) as later:
                await web_.fetch(place.url)
            assert later.value.wait is not None
            assert timedelta(seconds=110) < later.value.wait <= timedelta(seconds=121)

        assert len(place.asked) == 1
        assert web_.not_before is not None
        assert abs(web_.not_before - datetime.now(UTC) - timedelta(seconds=120)) < timedelta(
            seconds=5
        )


NONSENSE = ["", "0", "-5", "-0", "soon", "nan", "inf", "1e999", "٣", "Wed, 99 Foo", "1,5"]
NONSENSE += ["Mon, 01 Jan 2001 00:00:00 GMT", "2001-01-01", "0x10", "1 2", "--1", "9" * 400]


@pytest.mark.parametrize("said", NONSENSE)
async def test_a_429_that_says_nothing_usable_closes_the_key_for_seconds(said: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": said})

    async with site(refuse) as place, door(place) as web_:
        with pytest.raises(TryLater) as first:
            await web_.fetch(place.url)
        assert first.value.wait is not None
        assert timedelta(seconds=5) <= first.value.wait <= timedelta(seconds=10)

        waits = [first.value.wait]
        for _ in range(12):
            web_.not_before = None  # the time has come
            with pytest.raises(TryLater) as again:
                await web_.fetch(place.url)
            assert again.value.wait is not None
            waits.append(again.value.wait)

    # Twice as long after each refusal, and a quarter of an hour at most.
    assert timedelta(minutes=7) < waits[-1] <= timedelta(minutes=15)
    assert waits[3] > waits[0]


@pytest.mark.parametrize("said", ["99999999", "999999999999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
async def test_a_huge_wait_is_cut_to_six_hours(said: str) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": said})

    async with site(refuse) as place, door(place) as web_:
        with pytest.raises(TryLater) as later:
            await web_.fetch(place.url)

    assert later.value.wait == LONGEST


@pytest.mark.parametrize("status", [503, 500, 408, 403])
async def test_retry_after_is_obeyed_with_other_refusals(status: int) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": "60"})

    async with site(refuse) as place, door(place) as web_:
        for _ in range(2):
            with pytest.raises(TryLater) as later:
                await web_.fetch(place.url)
            assert later.value.wait is not None
            assert later.value.wait > timedelta(seconds=50)

        assert len(place.asked) == 1


@pytest.mark.parametrize("headers", TWO_MINUTES[5:], ids=str)
async def test_a_success_that_was_the_last_one_closes_the_key(headers: dict[str, str]) -> None:
    async def allow(_: web.Request) -> web.Response:
        return web.json_response({}, headers=_filled(headers, datetime.now(UTC)))

    async with site(allow) as place, door(place) as web_:
        assert (await web_.fetch(place.url)).status == 200
        with pytest.raises(TryLater):
            await web_.fetch(place.url)

        assert len(place.asked) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "120"},
        {"X-RateLimit-Remaining": "0"},
        {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset": "120"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "-3"},
        {"Retry-After": "120"},
    ],
    ids=str,
)
async def test_a_success_with_requests_left_closes_nothing(headers: dict[str, str]) -> None:
    async def allow(_: web.Request) -> web.Response:
        return web.json_response({}, headers=headers)

    async with site(allow) as place, door(place) as web_:
        for _ in range(3):
            assert (await web_.fetch(place.url)).status == 200


async def test_a_short_wait_is_waited_out() -> None:
    async def allow(_: web.Request) -> web.Response:
        return web.json_response(
            {}, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0.3"}
        )

    async with site(allow) as place, door(place) as web_:
        begun = monotonic()
        await web_.fetch(place.url)
        await web_.fetch(place.url)

        assert 0.25 < monotonic() - begun < 30


async def test_tasks_already_in_line_do_not_run_into_a_closed_key() -> None:
    async def refuse(_: web.Request) -> web.Response:
        await asyncio.sleep(0.05)
        return web.Response(status=429, headers={"Retry-After": "60"})

    pace = Pace(requests=1_000, per=timedelta(seconds=1), at_once=2)
    async with site(refuse) as place, door(place, pace=pace) as web_:
        results = await asyncio.gather(
            *(web_.fetch(place.url) for _ in range(50)), return_exceptions=True
        )

        assert {type(result) for result in results} == {TryLater}
        assert len(place.asked) == 2


async def test_other_keys_are_not_closed() -> None:
    async def refuse_one(request: web.Request) -> web.Response:
        refused = request.headers.get("Authorization") == "first"
        return web.Response(status=429 if refused else 200, headers={"Retry-After": "60"})

    async with (
        site(refuse_one) as place,
        Network(CONTACT, allow={place.host_port}) as network,
    ):
        first, second = network.web(FREE, "first"), network.web(FREE, "second")
        with pytest.raises(TryLater):
            await first.fetch(place.url, headers={"Authorization": "first"})

        assert (await second.fetch(place.url)).status == 200
        assert network.not_before("first") is not None
        assert network.not_before("second") is None
        assert network.not_before("never used") is None


async def test_after_a_restart_a_key_is_still_closed() -> None:
    stored = datetime.now(UTC) + timedelta(minutes=10)
    async with site(hello) as place, Network(CONTACT, allow={place.host_port}) as network:
        web_ = network.web(FREE, "key", not_before=stored)
        with pytest.raises(TryLater):
            await web_.fetch(place.url)
        # What is stored late does not open what the place has closed for longer.
        again = network.web(FREE, "key", not_before=datetime.now(UTC) - timedelta(hours=1))

        assert again.not_before == stored
        assert place.asked == []


async def test_a_slow_place_does_not_keep_its_line_waiting() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(1.2)
        return web.Response()

    pace = Pace(requests=1_000, per=timedelta(seconds=1), at_once=1)
    limits = Limits(patience=timedelta(seconds=0.2))
    async with site(hang) as place, door(place, pace=pace, limits=limits) as web_:
        results = await asyncio.gather(
            *(web_.fetch(place.url) for _ in range(5)), return_exceptions=True
        )

    assert [isinstance(result, TryLater) for result in results] == [False, *[True] * 4]


@given(
    st.integers(100, 599),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit"]),
        st.text() | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str),
    ),
)
def test_no_header_can_confuse_us(status: int, headers: dict[str, str]) -> None:
    wait = asked_to_wait(status, headers, NOW)

    assert wait is None or timedelta(0) < wait <= LONGEST
