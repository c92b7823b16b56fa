"""Signing in: what is kept, what is told, how often one may try, and how it ends."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from structlog.testing import capture_logs

from listener.desk import signing_in, staffing
from listener.domain import password
from listener.domain.login import IDLE, LONGEST, Attempt, Login
from listener.domain.record import NotAllowed
from listener.domain.staff import Role, Staff
from listener.stages.sweep import Sweep
from listener.store.sweeping import Keeping
from tests.web.visiting import Browser, hired, street
from tests.world import World

GOOD = "five fish swim in a pan"
BETTER = "six fish jump out of it"
STORED = password.kept(GOOD)
WRONG = "Name and password do not fit together."


async def ana(world: World, **more: Any) -> Staff:
    """Somebody with a password."""
    return await hired(world, "Ana", password=STORED, **more)


async def person(world: World, name: str = "Ana") -> Staff:
    """Somebody as the database knows them."""
    [found] = [one for one in await world.all_of(Staff) if one.name == name]
    assert isinstance(found, Staff)
    return found


async def is_in(browser: Browser) -> bool:
    """Whether this browser is still let in."""
    return (await browser.get("/me")).status == 200


async def test_whoever_knows_the_password_comes_in_and_back_to_where_they_wanted(
    world: World,
) -> None:
    await ana(world)
    async with street(world) as place:
        browser = place.browser()
        sent_away = await browser.get("/status?x=1")
        assert (sent_away.status, sent_away.headers["Location"]) == (
            303,
            "/login?next=/status?x%3D1",
        )

        seen = await browser.sign_in("ana", GOOD, sent_away.headers["Location"])

        assert (seen.status, seen.headers["Location"]) == (303, "/status?x=1")
        assert "You are here as agent." in (await browser.get("/me")).text
        again = await browser.get("/login")
        assert (again.status, again.headers["Location"]) == (303, "/queue")


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0a"],
)
async def test_nobody_is_sent_to_another_site(world: World, elsewhere: str) -> None:
    await ana(world)
    async with street(world) as place:
        browser = place.browser()
        seen = await browser.sign_in("Ana", GOOD, f"/login?next={elsewhere}")

        assert (seen.status, seen.headers["Location"]) == (303, "/queue")


async def test_scripts_are_told_to_sign_in_and_not_led_away(world: World) -> None:
    async with street(world) as place:
        browser = place.browser()
        for headers in (
            {"Accept": "application/json"},
            {"Accept": "text/event-stream"},
            {"Accept": "*/*", "Sec-Fetch-Mode": "cors"},
        ):
            seen = await browser.get("/queue", **headers)
            assert (seen.status, seen.text) == (401, '{"error": "Sign in first."}')


async def test_a_listener_that_nobody_can_enter_says_which_command_lets_one_in(
    world: World,
) -> None:
    await hired(world, "Ana")  # without a password
    async with street(world) as place:
        page = (await place.browser().get("/login")).text

        assert "<code>listener staff add NAME --role admin</code>" in page
        assert 'type="password"' not in page


async def test_only_a_hash_of_the_password_and_of_the_cookie_is_kept(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        browser = place.browser()
        await browser.sign_in("Ana", GOOD)

        [login] = await world.all_of(Login)
        [cookie] = browser.cookies.values()
        kept = repr([login.model_dump(), (await person(world)).model_dump()])
        assert cookie not in kept
        assert GOOD not in kept
        assert (await person(world)).password == STORED
        assert STORED not in repr(await person(world))
        assert STORED.startswith("$argon2id$")


async def test_a_hash_of_old_make_is_made_anew(world: World) -> None:
    weak = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    await hired(world, "Ana", password=weak)
    async with street(world) as place:
        await place.browser().sign_in("Ana", GOOD)

        fresh = (await person(world)).password
        assert fresh is not None
        assert fresh != weak
        assert password.fits(GOOD, fresh) == (True, None)


async def test_the_cookie_changes_with_every_sign_in_so_none_can_be_planted(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        planted = "A" * 43
        browser = place.browser()
        browser.cookies["listener"] = planted

        await browser.sign_in("Ana", GOOD)

        assert browser.cookies["listener"] != planted
        thief = place.browser()
        thief.cookies["listener"] = planted
        assert not await is_in(thief)
        first = browser.cookies["listener"]
        await browser.get("/me")
        await browser.post("/logout")
        await browser.sign_in("Ana", GOOD)
        assert browser.cookies["listener"] != first
        thief.cookies["listener"] = first
        assert not await is_in(thief)


async def test_signing_out_ends_it_on_the_server_too(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        browser = place.browser()
        await browser.sign_in("Ana", GOOD)
        kept = dict(browser.cookies)
        await browser.get("/me")

        seen = await browser.post("/logout")

        assert (seen.status, seen.headers["Location"]) == (303, "/login")
        assert not await is_in(browser)
        browser.cookies = kept
        assert not await is_in(browser)


async def test_a_login_ends_when_nobody_is_there_and_after_a_week_in_any_case(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        idle, busy = place.browser(), place.browser()
        await idle.sign_in("Ana", GOOD)
        await busy.sign_in("Ana", GOOD)
        began = world.now

        while world.now < began + LONGEST - IDLE:
            world.now += IDLE - timedelta(minutes=1)
            assert await is_in(busy)
        assert not await is_in(idle)

        world.now = began + LONGEST - timedelta(seconds=1)
        assert await is_in(busy)
        world.now = began + LONGEST
        assert not await is_in(busy)


async def test_a_page_that_only_listens_keeps_nobody_signed_in(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        browser = place.browser()
        await browser.sign_in("Ana", GOOD)
        routes = place.service.site.guard.routes
        for key, route in list(routes.items()):
            if route.name == "status":
                routes[key] = replace(route, by_hand=False)

        world.now += IDLE - timedelta(minutes=1)
        assert (await browser.get("/status")).status == 200
        world.now += timedelta(minutes=1)
        assert not await is_in(browser)


# --- guessing


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("Zoe", {}),
        ("Ana", {}),
        ("Ben", {"password": None}),
        ("Cem", {"active": False, "password": STORED}),
    ],
    ids=["no such name", "another password", "no password yet", "left"],
)
async def test_a_stranger_learns_nothing_of_names_from_words_or_work(
    world: World, name: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana(world)
    if more:
        await hired(world, name, **more)
    work: list[str] = []
    real = password._hashing.verify_and_update

    def counted(words: str, stored: str) -> tuple[bool, str | None]:
        work.append(stored.rpartition("$")[0].rpartition("$")[0])  # its parameters
        return real(words, stored)

    monkeypatch.setattr(password._hashing, "verify_and_update", counted)
    with capture_logs() as logged:
        async with street(world) as place:
            seen = await place.browser().sign_in(name, "not this one, by no means")

    assert seen.status == 403
    assert WRONG in seen.text
    assert (
        re.sub('value="(?:[0-9a-f]{64}|\\w+)"|content="[0-9a-f]{64}"', "", seen.text).count(name)
        == 0
    )
    assert work == [STORED.rpartition("$")[0].rpartition("$")[0]]  # the same for all
    assert {one["event"] for one in logged} <= {"sign-in failed"}
    assert name not in str(logged)


def test_the_hash_that_nobody_has_costs_as_much_as_any() -> None:
    assert password.NOBODY.split("$")[1:4] == STORED.split("$")[1:4]
    assert password.fits("anything", None) == (False, None)
    assert password.fits("anything", "no hash at all") == (False, None)


async def test_who_must_wait_is_told_how_long_and_may_try_again_then(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        browser = place.browser()
        for _ in range(5):
            assert (await browser.sign_in("Ana", "not this one")).status == 403

        refused = await browser.sign_in("Ana", GOOD)
        assert refused.status == 429
        assert "Too many attempts failed. Try again in 30 seconds." in refused.text
        assert 0 < int(refused.headers["Retry-After"]) <= 31
        world.now += timedelta(seconds=30)
        assert (await browser.sign_in("Ana", GOOD)).status == 303


# --- links


async def invited(world: World, name: str = "Ana", role: Role = Role.AGENT) -> str:
    """The path of a link for somebody new."""
    return f"/link/{(await staffing.add(world.store, name, role=role)).link}"


async def test_a_link_lets_one_choose_a_password_once(world: World) -> None:
    link = await invited(world)
    async with street(world) as place:
        browser, late = place.browser(), place.browser()
        page = await browser.get(link)
        assert "Welcome, Ana" in page.text
        await late.get(link)

        seen = await browser.post(link, {"password": GOOD})
        assert (seen.status, seen.headers["Location"]) == (303, "/queue")
        assert await is_in(browser)

        again = await late.post(link, {"password": BETTER})
        assert again.status == 404
        assert "This link was used already" in again.text
        assert not await is_in(late)
        assert (await late.sign_in("Ana", BETTER)).status == 403
        assert (await late.sign_in("Ana", GOOD)).status == 303


async def test_a_link_is_good_for_an_hour(world: World) -> None:
    link = await invited(world)
    async with street(world) as place:
        world.now += timedelta(minutes=59, seconds=59)
        assert (await place.browser().get(link)).status == 200
        world.now += timedelta(seconds=1)
        assert (await place.browser().get(link)).status == 404
        assert (await place.browser().get("/link/nothing")).status == 404


async def test_a_new_link_takes_the_place_of_the_last(world: World) -> None:
    first = await invited(world)
    second = f"/link/{(await staffing.new_link(world.store, 'Ana')).link}"
    async with street(world) as place:
        assert (await place.browser().get(first)).status == 404
        assert (await place.browser().get(second)).status == 200


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("eleven char", "A password needs at least 12 characters"),
        ("            ", "among the first that are tried"),
        ("abababababababab", "among the first that are tried"),
        ("Ana listener Ana", "among the first that are tried"),
        ("Password1234", "among the first that are tried"),
        ("x" * 1001, "A password may have 1000 characters."),
    ],
)
async def test_a_password_that_is_soon_guessed_is_refused(
    world: World, words: str, why: str
) -> None:
    link = await invited(world)
    async with street(world) as place:
        browser = place.browser()
        await browser.get(link)

        seen = await browser.post(link, {"password": words})

        assert seen.status == 400
        assert why in seen.text
        assert (await person(world)).password is None
        assert (await browser.post(link, {"password": GOOD})).status == 303


def test_the_same_letters_from_another_keyboard_are_the_same_password() -> None:
    assert password.fits(
        "cafe\u0301 au lait, ｐｌｅａｓｅ", password.kept("caf\u00e9 au lait, please")
    )[0]


# --- one's own account


async def test_a_new_password_ends_all_other_logins_and_renews_this_one(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        here, there = place.browser(), place.browser()
        await here.sign_in("Ana", GOOD)
        await there.sign_in("Ana", GOOD)
        before = dict(here.cookies)
        await here.get("/me")

        wrong = await here.post("/me/password", {"old": "not this one", "new": BETTER})
        assert (wrong.status, "The old password is another one." in wrong.text) == (400, True)
        short = await here.post("/me/password", {"old": GOOD, "new": "short"})
        assert short.status == 400
        done = await here.post("/me/password", {"old": GOOD, "new": BETTER})
        assert (done.status, done.headers["Location"]) == (303, "/me?said=password")

        assert await is_in(here)
        assert here.cookies != before
        assert not await is_in(there)
        here.cookies = before
        assert not await is_in(here)
        assert (await there.sign_in("Ana", GOOD)).status == 403
        assert (await there.sign_in("Ana", BETTER)).status == 303


async def test_old_passwords_cannot_be_guessed_on_the_account_page_either(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        browser = await place.signed_in("Ana")
        async with world.store.transaction() as session:
            [login] = await world.all_of(Login)
            (await session.get_one(Login, login.id)).address = "198.51.100.1"  # from elsewhere
        seen = [
            (await browser.post("/me/password", {"old": f"guess {n}", "new": BETTER})).status
            for n in range(7)
        ]

        assert seen == [400] * 5 + [429] * 2


async def test_one_can_sign_out_everywhere_else(world: World) -> None:
    await ana(world)
    async with street(world) as place:
        here, there = place.browser(), place.browser()
        await here.sign_in("Ana", GOOD)
        await there.sign_in("Ana", GOOD)
        page = (await here.get("/me")).text
        assert page.count("127.0.0.1") == 2

        await here.post("/me/sign-out")

        assert await is_in(here)
        assert not await is_in(there)


async def test_name_and_zone_are_ones_own_to_change(world: World) -> None:
    await ana(world)
    await hired(world, "Ben")
    async with street(world) as place:
        browser = await place.signed_in("Ana")
        for form, why in (
            ({"name": "ben", "zone": ""}, "Somebody else is called"),
            ({"name": " ", "zone": ""}, "A person needs a name."),
            ({"name": "A\u202ena", "zone": ""}, "nothing that cannot be seen"),
            ({"name": "Ana", "zone": "Mars/Olympus"}, "is no time zone we know"),
            ({"name": "Ana", "zone": "/etc/passwd"}, "is no time zone we know"),
        ):
            seen = await browser.post("/me", form)
            assert seen.status == 400, form
            assert why in seen.text

        assert (await browser.post("/me", {"name": "ANA", "zone": "Europe/Berlin"})).status == 303
        found = await person(world, "ANA")
        assert (found.id, found.zone) == (1, "Europe/Berlin")


async def test_the_broom_forgets_logins_and_failures_that_are_long_over(world: World) -> None:
    await ana(world)
    with pytest.raises(NotAllowed):
        await signing_in.sign_in(world.store, "Ana", "not this one", address="203.0.113.7")
    await signing_in.sign_in(world.store, "Ana", GOOD, address="203.0.113.8")
    broom = Sweep(world.store, Keeping())

    await broom.step()
    assert len(await world.all_of(Login)) == 1
    assert len(await world.all_of(Attempt)) == 3
    world.now += timedelta(hours=2)
    await broom.step()
    assert await world.all_of(Attempt) == []
    world.now += timedelta(days=30)
    await broom.step()
    assert await world.all_of(Login) == []
