"""Without a public address Slack reaches us over a connection that we open ourselves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from listener.app import Service
from listener.domain.case import Status
from listener.domain.staff import Staff
from listener.store import people
from listener.store.session import DatabaseTrouble
from listener.web import slack as door
from tests.given import INBOX, complained
from tests.slack_double import APP_TOKEN, Workspace
from tests.world import World

TAKE = {
    "type": "block_actions",
    "user": {"id": "UANA"},
    "channel": {"id": "C01"},
    "actions": [{"action_id": "take", "value": "1"}],
}


@pytest.fixture
async def slack(world: World) -> AsyncIterator[Workspace]:
    """A workspace that cannot reach us; Ana has joined, one case waits."""
    async with Workspace(lambda: world.now) as workspace:
        options = {name: one for name, one in workspace.options.items() if name[:7] != "signing"}
        await world.set_up(
            sources=[INBOX], channels=[options | {"app_token": APP_TOKEN}], allow=[workspace.host]
        )
        async with world.store.transaction() as session:
            session.add(Staff(name="Ana", slack="UANA"))
        await complained(world)
        yield workspace


@pytest.fixture
async def service(
    world: World, slack: Workspace, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """The service, connected. Slack waits longer, for machines that are busy."""
    monkeypatch.setattr(door, "PATIENCE", 60.0)
    running = await world.service()
    await running.socket.step()
    await until(lambda: bool(slack.sockets))
    yield running
    await running.socket.stop()
    await until(lambda: not slack.sockets)


async def until(true: Callable[[], bool]) -> None:
    """Wait for a condition, with patience for a busy machine."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("service")
async def test_a_button_acts(world: World, slack: Workspace) -> None:
    answer = await slack.tell("interactive", TAKE)

    [case] = await world.cases()
    assert case.status is Status.OWNED
    assert "payload" not in answer


@pytest.mark.usefixtures("service")
async def test_a_command_is_answered(slack: Workspace) -> None:
    told = {"command": "/listener", "text": "next", "user_id": "UANA"}

    answer = await slack.tell("slash_commands", told)

    assert "is yours" in str(answer["payload"])


@pytest.mark.usefixtures("service")
async def test_the_home_tab_is_shown(slack: Workspace) -> None:
    event = {"type": "app_home_opened", "user": "UANA", "tab": "home"}

    await slack.tell("events_api", {"event": event})

    assert "UANA" in slack.homes


@pytest.mark.usefixtures("service")
async def test_nonsense_is_answered_and_harms_nothing(slack: Workspace) -> None:
    for kind in ("interactive", "slash_commands", "events_api", "something new"):
        await slack.tell(kind, {"type": 7})

    assert await slack.tell("interactive", TAKE)


@pytest.mark.usefixtures("service")
async def test_what_fails_is_said_and_left_unanswered(
    slack: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = DatabaseTrouble("The database cannot be reached.")

    with monkeypatch.context() as broken, capture_logs() as logged:
        broken.setattr(people, "in_slack", AsyncMock(side_effect=trouble))
        with pytest.raises(TimeoutError):
            await slack.tell("interactive", TAKE, within=0.5)

    said = [(line["event"], line["why"]) for line in logged if line["log_level"] == "error"]
    assert said == [("slack fails", "The database cannot be reached.")]
    assert await slack.tell("interactive", TAKE)


async def test_one_connection_is_enough(slack: Workspace, service: Service) -> None:
    await service.socket.step()
    await service.socket.step()

    assert len(slack.sockets) == 1


async def test_what_is_wrong_with_the_app_token_is_said_once(
    world: World, slack: Workspace
) -> None:
    running = await world.service()
    for _ in range(3):
        slack.trap("apps.connections.open", "invalid_auth")

    with capture_logs() as logged:
        for _ in range(3):
            await running.socket.step()
        await running.socket.step()
    await running.socket.stop()

    said = [line["event"] for line in logged if line["event"].startswith("socket")]
    assert said == ["socket mode fails", "socket mode works again"]


@pytest.mark.parametrize("how", ["cut", "asked"])
async def test_a_connection_that_ends_is_opened_again(
    world: World, slack: Workspace, service: Service, how: str
) -> None:
    [before] = slack.sockets
    if how == "asked":  # as Slack does every few hours
        await before.send_json({"type": "disconnect", "reason": "refresh_requested"})
    else:
        await before.close()

    async with asyncio.timeout(60):
        while not [one for one in slack.sockets if one is not before]:
            await service.socket.step()
            await asyncio.sleep(0.1)
    await until(lambda: before not in slack.sockets)
    await slack.tell("interactive", TAKE)

    [case] = await world.cases()
    assert case.status is Status.OWNED
