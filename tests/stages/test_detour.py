"""When Slack does not take what is for one person, it goes to them by mail, once."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from listener.domain.notice import MAIL, SLACK, News, Notice
from listener.domain.staff import Staff
from listener.store import history, telling
from tests.given import INBOX, complained
from tests.mail_server import PostOffice, post_office
from tests.slack_double import Workspace
from tests.world import World

MINUTE = timedelta(minutes=1)
WHY = "Nobody had heard it after 15 min: the lead is called, Lea."


@pytest.fixture
async def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PostOffice]:
    """A mail server whose certificate we trust."""
    async with post_office(tmp_path) as office:
        monkeypatch.setenv("SSL_CERT_FILE", str(office.certificate))
        yield office


@pytest.fixture
async def slack(world: World, office: PostOffice) -> AsyncIterator[Workspace]:
    """A workspace, a mail server, and Lea, who is reached by both and has been called."""
    world.settings = replace(world.settings, mail=office.server())
    async with Workspace(lambda: world.now) as workspace:
        await world.set_up(sources=[INBOX], channels=[workspace.options], allow=[workspace.host])
        async with world.store.transaction() as session:
            session.add(Staff(name="Lea", slack="ULEA", mail="lea@example.org"))
        await complained(world)
        await stepped(world)
        await called(world)
        yield workspace


async def called(world: World) -> None:
    """Lea is called to the case."""
    async with world.store.transaction() as session:
        event = (await history.of(session, 1))[0]
        await telling.tell(session, 1, event, [1], world.now, urgent=True, why=WHY)


async def stepped(world: World) -> None:
    """The stage, once, in a service of its own."""
    await (await world.service()).notify.step()


async def hers(world: World) -> Notice:
    """The one notice for Lea."""
    [notice] = [one for one in await world.notices() if one.staff_id == 1]
    return notice


async def test_a_slack_that_is_down_for_minutes_is_gone_round(
    world: World, slack: Workspace, office: PostOffice
) -> None:
    began = world.now
    for _ in range(4):
        slack.trap("conversations.open", "service_unavailable")
        await stepped(world)
        world.now = max(world.now, (await hers(world)).next_at)
    await stepped(world)

    [mail] = office.mails
    assert mail["To"] == "lea@example.org"
    assert WHY in str(mail.get_body(("plain",)))
    assert world.now - began < 5 * MINUTE
    notice = await hers(world)
    assert (notice.channel, notice.sent_at) == (MAIL, world.now)
    assert "busy or broken" in str(notice.detour)


async def test_when_slack_is_back_it_is_not_told_again(
    world: World, slack: Workspace, office: PostOffice
) -> None:
    for _ in range(3):
        slack.trap("conversations.open", "fatal_error")
        await stepped(world)
        world.now += 3 * MINUTE
    slack.traps.clear()
    for _ in range(4):
        await stepped(world)
        world.now += 60 * MINUTE

    assert len(office.mails) == 1
    assert not slack.channels.get("DULEA")


@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "user_not_found"])
async def test_what_no_waiting_mends_is_gone_round_at_once(
    world: World, slack: Workspace, office: PostOffice, error: str
) -> None:
    slack.trap("conversations.open", error)

    await stepped(world)
    await stepped(world)

    assert len(office.mails) == 1
    assert (await hers(world)).sent_at == world.now


async def test_a_moment_of_trouble_is_waited_for(
    world: World, slack: Workspace, office: PostOffice
) -> None:
    slack.trap("conversations.open", "service_unavailable")
    await stepped(world)
    world.now += MINUTE
    await stepped(world)

    assert office.mails == []
    assert (await hers(world)).channel == SLACK
    assert len(slack.channels["DULEA"]) == 1


async def test_whoever_has_no_mail_address_waits_for_slack(
    world: World, slack: Workspace, office: PostOffice
) -> None:
    async with world.store.transaction() as session:
        (await session.get_one(Staff, 1)).mail = None
    slack.trap("conversations.open", "invalid_auth")
    await stepped(world)

    notice = await hers(world)
    assert (notice.channel, notice.sent_at, notice.failed_at) == (SLACK, None, None)
    assert "token" in str(notice.failure)
    assert office.mails == []


async def test_who_a_mail_is_refused_for_is_named_and_not_counted_as_told(
    world: World, slack: Workspace, office: PostOffice
) -> None:
    del slack
    office.unknown.add("gone@example.org")
    both = {"name": "letters", "kind": "mail", "to": ["ana@example.org", "gone@example.org"]}
    await world.set_up(channels=[both])
    async with world.store.transaction() as session:
        session.add(
            Notice(channel="letters", news=News.OPENED, case_id=1, event_id=1, next_at=world.now)
        )
    await stepped(world)

    [notice] = [one for one in await world.notices() if one.channel == "letters"]
    assert len(office.mails) == 1
    assert notice.partly
    assert "gone@example.org" in str(notice.failure)
    assert "ana@example.org" not in str(notice.failure)
