"""Feeds end to end against a real blog's comments: isso's Atom feed, through the whole listener."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from aiohttp import ClientSession

from tests.world import World

BESIDE_US = str(Path(sys.executable).parent)
COMMAND = os.environ.get("LISTENER_ISSO") or shutil.which(
    "isso", path=os.pathsep.join([BESIDE_US, os.environ.get("PATH", "")])
)
PATIENCE = 30.0

pytestmark = [
    pytest.mark.realserver,
    pytest.mark.skipif(not COMMAND, reason="isso is not installed: make servers"),
]


@pytest.fixture
def blog(tmp_path: Path) -> Iterator[str]:
    """A running comment server; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = tmp_path / "isso.conf"
    settings.write_text(
        f"""
[general]
dbpath = {tmp_path / "comments.db"}
host = http://127.0.0.1:{port}/
[server]
listen = http://127.0.0.1:{port}
[guard]
enabled = false
[rss]
base = http://127.0.0.1:{port}
"""
    )
    assert COMMAND is not None
    with (tmp_path / "isso.log").open("wb") as log:
        server = subprocess.Popen([COMMAND, "-c", str(settings), "run"], stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/feed?uri=/bread", server)
        yield url
    finally:
        server.terminate()
        server.wait(PATIENCE)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers, whatever it answers."""
    until = time.monotonic() + PATIENCE
    while True:
        assert server.poll() is None, "isso ended before it answered"
        try:
            with urlopen(url, timeout=2):  # noqa: S310  (the fixture's own loopback address)
                return
        except URLError as error:
            if getattr(error, "code", None) is not None:
                return  # an answer, if no feed yet
            assert time.monotonic() < until, "isso does not answer"
            time.sleep(0.1)


async def comment(blog: str, text: str, *, parent: int | None = None) -> int:
    """Leave a comment under an article."""
    words = {"author": "Ada", "text": text, "parent": parent, "title": "Bread"}
    async with (
        ClientSession() as session,
        session.post(f"{blog}/new", params={"uri": "/bread"}, json=words) as answer,
    ):
        assert answer.status in (201, 202), await answer.text()
        return int((await answer.json())["id"])


async def test_comments_under_our_own_blog_become_cases_once(world: World, blog: str) -> None:
    world.now = datetime.now(UTC)
    first = await comment(blog, "Six days and still no bread. Nobody answers the phone either.")
    await comment(blog, "The same here, and my refund never came back to the card.", parent=first)
    await world.set_up(
        sources=[
            {
                "name": "Blog",
                "connector": "feeds",
                "about_us": True,
                "options": {"url": f"{blog}/feed?uri=/bread"},
            }
        ],
        allow=[blog.removeprefix("http://")],
    )

    await world.once()
    world.now += timedelta(minutes=5)
    await world.once()  # nothing new: isso says 304
    await comment(blog, "Your driver left three loaves in the rain behind my bins yesterday.")
    world.now += timedelta(minutes=5)
    await world.once()

    found = await world.mentions()
    assert {mention.text.split()[0] for mention in found} == {"Six", "The", "Your"}
    assert len(found) == 3
    assert len(await world.cases()) == 3
    assert [one.in_reply_to is not None for one in found].count(True) == 1
    assert not await world.dead_letters()
    [reading] = await world.readings()
    assert reading.failing_since is None
