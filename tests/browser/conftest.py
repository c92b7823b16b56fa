"""A real Chromium, and a listener that it looks at."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser.looking import CHROMIUM, FLAGS, Desk, opened
from tests.world import World


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The embedded database, unless a test asks for the other: the store is tested on both."""
    asked = getattr(request, "param", "sqlite")
    url: str = request.getfixturevalue("sqlite_url" if asked == "sqlite" else "postgres_url")
    return url


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium of this machine."""
    if CHROMIUM is None:
        pytest.skip(
            "there is no Chromium here: install Debian's `chromium`, or name one in CHROMIUM"
        )
    async with async_playwright() as play:
        running = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        await running.close()


@pytest.fixture
async def desk(world: World, browser: Browser) -> AsyncIterator[Desk]:
    """A listener with agents and no case yet, open in a browser."""
    async with opened(world, browser) as made:
        yield made
        assert made.faults == [], made.faults
