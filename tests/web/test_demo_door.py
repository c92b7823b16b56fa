"""The demo lets one in without a password; nothing of that exists anywhere else."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.config import BadSettings, Settings, read
from listener.domain.staff import Staff
from listener.web.entrance import HANDED_ON, Entrance, local_name
from tests.web.visiting import PAGE, hired, street
from tests.world import World


async def test_in_the_demo_one_is_signed_in_as_its_agent(world: World) -> None:
    await hired(world, "Ana")
    async with street(world, demo=True) as place:
        browser = place.browser()

        page = await browser.get("/me")

        assert page.status == 200
        assert "You are here as agent." in page.text
        assert "This is the demo" in page.text
        assert 'type="password"' not in page.text
        assert (await browser.get("/staff")).status == 403
        seen = await browser.post("/me", {"name": "Zoe", "zone": ""})
        assert seen.status == 409  # its agent is found by name
        assert (await browser.post("/me/password", {"old": "", "new": "x" * 20})).status == 409
        assert [one.name for one in await world.all_of(Staff)] == ["Ana"]


async def test_a_demo_too_does_nothing_that_another_site_asks_for(world: World) -> None:
    await hired(world, "Ana")
    async with street(world, demo=True) as place:
        browser = place.browser()
        await browser.get("/me")
        for headers in ({}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}):
            seen = await browser.ask(
                "POST",
                "/me/sign-out",
                headers={"Accept": PAGE} | headers,
                data={"csrf": browser.csrf},
            )
            assert seen.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        *({name: "127.0.0.1"} for name in HANDED_ON),
        {"Host": "desk.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:8080"},
    ],
    ids=str,
)
async def test_whoever_comes_through_a_proxy_or_under_another_name_stays_outside(
    world: World, headers: dict[str, str]
) -> None:
    await hired(world, "Ana")
    async with street(world, demo=True) as place:
        seen = await place.browser(**headers).get("/me")

        assert seen.status == 303
        assert seen.headers["Location"].startswith("/login")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "localhost:8080", "[::1]:8080"])
def test_these_names_mean_this_machine(host: str) -> None:
    assert local_name(host)


@pytest.mark.parametrize("host", ["", "a.localhost", "127.0.0.1@evil.example", "[::", "0x7f.1"])
def test_these_may_not(host: str) -> None:
    assert not local_name(host)


async def test_a_real_listener_lets_nobody_in_because_they_are_near(world: World) -> None:
    await hired(world, "Ana")
    async with street(world) as place:
        for host in ("127.0.0.1", "localhost", "localhost:8080"):
            seen = await place.browser(Host=host).get("/me")
            assert seen.status == 303


async def test_in_a_demo_whose_agent_left_nobody_is_signed_in(world: World) -> None:
    await hired(world, "Ana", active=False)
    async with street(world, demo=True) as place:
        assert (await place.browser().get("/me")).status == 303


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "LISTENER_DEMO",
                "DEMO",
                "demo",
                "LISTENER_URL",
                "LISTENER_HTTP",
                "LISTENER_PLAIN_HTTP",
            ]
        ),
        st.sampled_from(["yes", "1", "true", "demo", "http://127.0.0.1:8080", "127.0.0.1:8080"]),
    )
)
def test_nothing_in_the_environment_makes_a_listener_a_demo(environment: dict[str, str]) -> None:
    try:
        settings = read(environment | {"LISTENER_DATA": "data"})
    except BadSettings:
        return

    assert settings.demo is False
    assert settings.entrance().demo is None


def test_only_what_works_on_the_demos_own_data_is_a_demo() -> None:
    real = Settings(data=Path("data"), database="postgresql://somewhere/real")

    demo = real.for_demo()

    assert real.entrance().demo is None
    assert Entrance().demo is None
    assert demo.entrance().demo == "Ana"
    assert demo.database == "sqlite:///data/demo/listener.db"
    assert {one.name for one in fields(Settings) if "demo" in one.name} == {"demo"}
