"""No page of another site can do anything here in somebody's name."""

import re
from typing import Any

import pytest

from listener.domain import login, password
from listener.domain.login import Login
from listener.domain.staff import Role
from tests.web.visiting import PAGE, Browser, Seen, Street, hired, street
from tests.world import World

GOOD = "five fish swim in a pan"
EVIL = "https://evil.example"
REFUSED = "This did not come from one of our own pages, or the page is too old."
OURS = "ours"


async def sign_out_elsewhere(browser: Browser, headers: dict[str, str], csrf: str) -> Seen:
    """Something that changes something, sent with exactly these headers."""
    sent = {name: browser.origin if value == OURS else value for name, value in headers.items()}
    return await browser.ask(
        "POST", "/me/sign-out", headers={"Accept": PAGE} | sent, data={"csrf": csrf}
    )


async def two_logins(world: World, place: Street) -> Browser:
    """A browser of somebody who is signed in elsewhere too."""
    await hired(world, "Ana")
    await place.signed_in("Ana")
    return await place.signed_in("Ana")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
        {"Origin": OURS, "Sec-Fetch-Site": "cross-site"},
        {"Origin": OURS, "Sec-Fetch-Site": "same-site"},
        {"Origin": OURS, "Sec-Fetch-Site": "none"},
        {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "nonsense"},
        {"Origin": "http://[::bad"},
    ],
    ids=str,
)
async def test_what_does_not_come_from_our_own_pages_is_refused_even_with_a_token(
    world: World, headers: dict[str, str]
) -> None:
    async with street(world) as place:
        browser = await two_logins(world, place)

        seen = await sign_out_elsewhere(browser, headers, browser.csrf)

        assert seen.status == 403
        assert REFUSED in seen.text
        assert [one.ended_at for one in await world.all_of(Login)] == [None, None]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": OURS},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": OURS, "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://127.0.0.1:8080"},  # LISTENER_URL
    ],
    ids=str,
)
async def test_our_own_pages_are_heard_whichever_of_the_two_a_browser_sends(
    world: World, headers: dict[str, str]
) -> None:
    async with street(world) as place:
        browser = await two_logins(world, place)

        assert (await sign_out_elsewhere(browser, headers, browser.csrf)).status == 303
        assert sum(one.ended_at is None for one in await world.all_of(Login)) == 1


async def test_without_the_token_of_this_very_browser_nothing_is_changed(world: World) -> None:
    async with street(world) as place:
        browser = await two_logins(world, place)
        other = await place.signed_in("Ana")
        ours: dict[str, str] = {"Origin": OURS, "Sec-Fetch-Site": "same-origin"}

        for token in ("", "0" * 64, other.csrf, "é", login.csrf("")):
            seen = await sign_out_elsewhere(browser, ours, token)
            assert seen.status == 403, token

        nobody = place.browser()
        assert (await nobody.sign_in("Ana", GOOD)).status == 403  # wrong, but heard
        nobody.cookies.clear()
        assert REFUSED in (await nobody.post("/login", {"name": "Ana", "password": GOOD})).text


async def test_scripts_send_the_token_as_a_header_and_are_refused_in_json(world: World) -> None:
    async with street(world) as place:
        browser = await two_logins(world, place)
        asked = {"Origin": browser.origin, "Accept": "application/json"}

        without = await browser.ask("POST", "/me/sign-out", headers=asked)
        with_it = await browser.ask(
            "POST", "/me/sign-out", headers=asked | {"X-CSRF": browser.csrf}
        )

        assert (without.status, REFUSED in without.text) == (403, True)
        assert without.text.startswith('{"error": ')
        assert with_it.status == 303


async def test_no_page_that_only_shows_changes_anything(world: World) -> None:
    """A link or a picture of another site may make a browser GET whatever it likes."""
    await hired(world, "Root", Role.ADMIN)
    async with street(world) as place:
        browser = await place.signed_in("Root")
        routes = place.service.site.guard.routes.values()
        reading = {route.path for route in routes if route.method == "GET"}
        for path in {route.path for route in routes if route.method == "POST"} - reading:
            seen = await browser.get(
                path.replace("{staff}", "1"), **{"Sec-Fetch-Site": "cross-site"}
            )
            assert seen.status in (404, 405), path


@pytest.mark.parametrize(
    ("url", "cookie"),
    [
        (
            "https://desk.example",
            r"__Host-listener=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax; Secure",
        ),
        ("http://127.0.0.1:8080", r"listener=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax"),
    ],
)
async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(
    world: World, url: str, cookie: str
) -> None:
    await hired(world, "Ana", password=password.kept(GOOD))
    async with street(world, url=url) as place:
        browser = place.browser(Origin=url)
        first = await browser.get("/login")
        seen = await browser.sign_in("Ana", GOOD)

        assert seen.status == 303
        for answer in (first, seen):
            assert re.fullmatch(cookie, answer.headers["Set-Cookie"])
        strict = seen.headers.get("Strict-Transport-Security")
        assert (strict is not None) == url.startswith("https")


async def test_behind_https_the_plain_name_of_the_cookie_is_worth_nothing(world: World) -> None:
    await hired(world, "Ana", password=password.kept(GOOD))
    async with street(world, url="https://desk.example") as place:
        browser = await place.signed_in("Ana")
        assert (await browser.get("/me")).status == 200

        browser.cookies = {"listener": browser.cookies["__Host-listener"]}
        assert (await browser.get("/me")).status == 303


@pytest.mark.parametrize(
    ("settings", "headers", "welcome"),
    [
        ({}, {}, True),
        ({}, {"X-Forwarded-For": "203.0.113.7"}, False),
        ({}, {"X-Forwarded-For": "nonsense"}, False),
        ({}, {"X-Forwarded-For": "127.0.0.1, 203.0.113.7"}, False),
        ({}, {"X-Forwarded-For": "203.0.113.7, 127.0.0.1"}, False),
        ({}, {"X-Forwarded-For": "127.0.0.1"}, True),
        ({"plain_http": True}, {"X-Forwarded-For": "203.0.113.7"}, True),
        ({"url": "https://desk.example"}, {"X-Forwarded-For": "203.0.113.7"}, True),
    ],
    ids=str,
)
async def test_on_plain_http_only_this_machine_signs_in_unless_the_operator_says_otherwise(
    world: World, settings: dict[str, Any], headers: dict[str, str], welcome: bool
) -> None:
    await hired(world, "Ana", password=password.kept(GOOD))
    async with street(world, **settings) as place:
        browser = place.browser(**headers)
        page = await browser.get("/login")
        assert page.status == (200 if welcome else 403)
        assert ("speaks plain http" in page.text) is not welcome

        seen = await browser.sign_in("Ana", GOOD)
        assert seen.status == (303 if welcome else 403)

        # A cookie that was given here is worth nothing on an open line either.
        carried = await place.signed_in("Ana")
        assert ((await carried.get("/me", **headers)).status == 200) is welcome


async def test_reports_of_what_browsers_refused_are_counted_and_not_kept(world: World) -> None:
    async with street(world) as place:
        browser = place.browser()
        for _ in range(2):
            seen = await browser.ask(
                "POST",
                "/csp",
                headers={"Content-Type": "application/csp-report", "Origin": "null"},
                data=b'{"csp-report": {"blocked-uri": "https://canary.example"}}',
            )
            assert seen.status == 204

        metrics = (await browser.get("/metrics")).text
        assert "listener_csp_reports_total 2.0" in metrics
        assert "canary" not in metrics
