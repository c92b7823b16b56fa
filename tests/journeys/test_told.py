"""Kill -9 after each step of a delivery: people see one card a case, and miss nothing.

Slack shows one card a case; a webhook and a mail come again at most once for every crash, under
the id that they had.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlmodel import col

from listener.desk import taking
from listener.domain.card import Pace
from listener.domain.notice import Notice
from tests.given import INBOX, KEY, complained
from tests.journeys.complaints import Crowd
from tests.journeys.process import KILLED, PATIENCE, Fate, Ground, forked
from tests.mail_server import PASSWORD, USER, PostOffice, post_office
from tests.slack_double import Workspace
from tests.world import World

LEASE = timedelta(seconds=1)  # what the dead had taken is free soon
LOOK = 0.05


@dataclass
class Desk:
    """Somebody's own program, to which webhooks are sent."""

    ids: list[str] = field(default_factory=list)
    traps: list[str] = field(default_factory=list)  # what the next delivery meets
    url: str = ""
    host: str = ""

    async def receive(self, request: web.Request) -> web.Response:
        """One delivery."""
        await request.read()
        trap = self.traps.pop(0) if self.traps else ""
        if trap == "busy":
            return web.Response(status=429)
        self.ids.append(request.headers["webhook-id"])
        if trap == "cut after":
            assert request.transport is not None
            request.transport.close()
        return web.Response()


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """The program, until the block ends."""
    here = Desk()
    app = web.Application()
    app.router.add_post("/desk", here.receive)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    here.url, here.host = f"http://127.0.0.1:{server.port}/desk", f"127.0.0.1:{server.port}"
    try:
        yield here
    finally:
        await server.close()


@dataclass
class Scene:
    """A brand that is told of in three ways, and a program that dies while it tells."""

    world: World
    ground: Ground
    slack: Workspace
    office: PostOffice
    desk: Desk
    cases: int = 0
    kills: int = 0
    cut: int = 0  # webhooks that arrived, of which we did not hear

    async def something_happens(self) -> None:
        """A new case is opened, and the one before is taken."""
        self.world.now = datetime.now(UTC)
        self.cases += 1
        words = " ".join(f"fish w{self.cases}x{one}" for one in range(12))
        await complained(self.world, words, author=f"a{self.cases}")
        if self.cases > 1:
            await taking.take(self.world.store, self.cases - 1, "Ana")

    def something_is_wrong(self) -> None:
        """Slack, the mail server and the webhook's address refuse and cut, in turn."""
        match self.cases % 6:
            case 1:
                self.slack.trap("chat.postMessage", "429")
            case 2:
                self.slack.trap("chat.postMessage", "cut after")
            case 3:
                self.desk.traps.append("busy")
            case 4:
                self.slack.trap("chat.update", "cut before")
            case 5:
                self.desk.traps.append("cut after")
                self.cut += 1
            case _:
                pass  # nothing is wrong this time

    async def tells(self, fate: Fate) -> bool:
        """Tell what there is to tell; True when the program lived."""
        await self.time_has_come()
        async with forked(self.ground, "run", "--once", fate=fate) as program:
            code = await program.ended()
        assert code in {KILLED, 0}, program.said
        self.kills += code == KILLED
        return code == 0

    async def time_has_come(self) -> None:
        """Whatever failed may be tried again now, as after a wait."""
        async with self.world.store.transaction() as session:
            waits = sa.update(Notice).where(col(Notice.sent_at).is_(None))
            await session.exec(waits.values(next_at=datetime.now(UTC) - LEASE))
            await session.exec(
                sa.update(Pace).values(
                    not_before=sa.case(  # Slack asked for seconds; what a worker holds stays held
                        (
                            col(Pace.not_before) > datetime.now(UTC) + 2 * LEASE,
                            datetime.now(UTC) + LEASE,
                        ),
                        else_=col(Pace.not_before),
                    )
                )
            )

    async def runs_out(self) -> Sequence[Notice]:
        """Let programs live until everything is told."""
        until = time.monotonic() + 2 * PATIENCE
        while True:
            await self.tells(Fate(lease=LEASE))
            notices = await self.world.notices()
            if all(one.sent_at for one in notices):
                return notices
            assert time.monotonic() < until, [one.failure for one in notices if not one.sent_at]

    async def told_once(self) -> None:
        """One card a case; everything else under ids of its own, again only after a crash."""
        notices = await self.runs_out()
        shown = [one.metadata["event_payload"]["key"] for one in self.slack.cards]
        assert sorted(shown, key=int) == [str(one + 1) for one in range(self.cases)]
        assert all("Taken by Ana" in card.shown for card in self.slack.cards[:-1])
        known = {f"notice_{one.id}" for one in notices if one.channel == "program"}
        assert set(self.desk.ids) == known
        assert again(self.desk.ids) <= self.kills + self.cut
        letters = [mail["Message-ID"] for mail in self.office.mails]
        assert len(set(letters)) == len([one for one in notices if one.channel == "letters"])
        assert again(letters) <= self.kills


def again(ids: Sequence[str]) -> int:
    """How often something came that had come before."""
    return sum(number - 1 for number in Counter(ids).values())


@asynccontextmanager
async def scene(database: str, folder: Path) -> AsyncIterator[Scene]:
    """Everything in place, and nothing said yet."""
    async with (
        Workspace(lambda: datetime.now(UTC)) as slack,
        post_office(folder) as office,
        desk() as program,
        World(database, folder, now=datetime.now(UTC)) as world,
    ):
        await world.set_up(
            sources=[INBOX],
            channels=[
                slack.options,
                {"name": "program", "url": program.url, "secret": KEY},
                {"name": "letters", "kind": "mail", "to": ["ana@example.org"]},
            ],
        )
        await world.hire("Ana")
        more = {
            "LISTENER_SMTP": f"smtps://{USER}:{quote(PASSWORD)}@localhost:{office.port}",
            "LISTENER_MAIL_FROM": "listener@example.org",
            "SSL_CERT_FILE": str(office.certificate),
        }
        ground = Ground(folder, database, [slack.host, program.host], more=more)
        yield Scene(world, ground, slack, office, program)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_after_each_step_of_a_delivery_it_tells_everything(
    database: str, tmp_path: Path
) -> None:
    async with scene(database, tmp_path) as here:
        for step in count():
            await here.something_happens()
            if await here.tells(Fate(lease=LEASE, dies_after=step)):
                break
            here.something_is_wrong()
            if here.kills % 4 == 0:  # so many cases that wait would be one card
                await here.runs_out()

        await here.told_once()

    assert here.kills >= 12


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_complaint_is_a_card_in_slack_at_once(sqlite_url: str, tmp_path: Path) -> None:
    async with scene(sqlite_url, tmp_path) as here, Crowd(7) as town:
        options = {"api": town.url, "tag": "acme"}
        source = {"name": "Town", "connector": "mastodon", "every": "1s", "options": options}
        await here.world.set_up(sources=[INBOX, source])
        allow = [*here.ground.allow, town.host_port]
        ground = Ground(tmp_path, sqlite_url, allow, more=here.ground.more)
        async with forked(ground, "run") as program:
            await program.until_said("Listens to")
            town.speak()
            began = time.monotonic()
            while not here.slack.cards:
                assert program.code() is None, program.said
                assert time.monotonic() - began < 4 * PATIENCE, program.said
                await asyncio.sleep(LOOK)
            print(f"from the post to its card: {time.monotonic() - began:.1f} s")  # noqa: T201
            program.stop()
            assert await program.ended() == 0

    [card] = here.slack.cards
    assert "fish" in card.shown
