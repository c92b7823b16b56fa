"""`listener check` says in words what Slack still lacks."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from yarl import URL

from listener.app import Channels, Parts
from listener.channels.slack_check import NEEDED
from listener.desk import plan
from listener.desk.outlets import PlannedSlack
from listener.domain.secret import Seal
from listener.store import notices
from tests.slack_double import APP_TOKEN, Workspace
from tests.world import World

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


@pytest.fixture
async def slack(world: World) -> AsyncIterator[Workspace]:
    """A workspace."""
    async with Workspace(lambda: world.now) as workspace:
        yield workspace


async def checked(world: World, slack: Workspace, **options: Any) -> tuple[bool, str]:
    """What the check says of a channel with these options."""
    wanted = {name: value for name, value in (slack.options | options).items() if value is not None}
    await world.set_up(channels=[wanted], allow=[slack.host])
    service = await world.service()
    parts = Parts(
        world.settings,
        world.store,
        Seal("a key for tests, long enough"),
        service.parts.network,
        Console(),
    )
    async with world.store.reading() as session:
        row = await notices.channel(session, "desk")
    assert row is not None
    return await Channels(parts).check(row)


async def test_a_channel_that_is_ready_is_well(world: World, slack: Workspace) -> None:
    assert await checked(world, slack) == (True, "Slack answers; the app is in C01 of Acme.")


@pytest.mark.parametrize("scope", ["chat:write", "channels:history", "channels:read", "im:write"])
async def test_a_scope_that_is_missing_is_named(world: World, slack: Workspace, scope: str) -> None:
    slack.scopes -= {scope}

    well, says = await checked(world, slack)

    assert not well
    assert scope in says
    assert "install the app again" in says


async def test_a_channel_that_the_app_is_not_in_is_named(world: World, slack: Workspace) -> None:
    slack.joined.clear()

    assert await checked(world, slack) == (
        False,
        "The app is not in the channel C01: write /invite @Listener there.",
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"token": "xoxb-another"}, "copy the Bot User OAuth Token again"),
        ({"channel": "C0999"}, "no channel C0999"),
        ({"signing_secret": "xoxb-not-a-signing-secret"}, "Signing Secret"),
        ({"signing_secret": None}, "Nobody can press a button"),
        ({"signing_secret": None, "app_token": "xoxb-1"}, "App-Level Tokens"),
    ],
)
async def test_what_was_copied_wrongly_is_said(
    world: World, slack: Workspace, options: dict[str, Any], says: str
) -> None:
    well, words = await checked(world, slack, **options)

    assert not well
    assert says in words
    assert all(str(value) not in words for name, value in options.items() if name != "channel")


async def test_an_app_token_is_enough_without_a_public_address(
    world: World, slack: Workspace
) -> None:
    well, _ = await checked(world, slack, signing_secret=None, app_token=APP_TOKEN)

    assert well


async def test_secrets_are_sealed_where_they_are_kept(world: World, slack: Workspace) -> None:
    await checked(world, slack, app_token=APP_TOKEN)

    async with world.store.reading() as session:
        row = await notices.channel(session, "desk")
    assert row is not None
    for name in ("token", "signing_secret", "app_token"):
        assert set(row.options[name]) == {"sealed"}


def test_the_manifest_asks_for_what_is_needed_and_leads_to_our_doors() -> None:
    manifest = json.loads((DOCS / "slack-manifest.json").read_text())

    assert NEEDED.keys() <= set(manifest["oauth_config"]["scopes"]["bot"])
    settings = manifest["settings"]
    [command] = manifest["features"]["slash_commands"]
    doors = {
        URL(address).path
        for address in (
            command["url"],
            settings["event_subscriptions"]["request_url"],
            settings["interactivity"]["request_url"],
        )
    }
    assert doors == {"/slack/acts", "/slack/commands", "/slack/events"}
    assert settings["event_subscriptions"]["bot_events"] == ["app_home_opened"]


def test_the_page_shows_a_channel_that_can_be_applied() -> None:
    [shown] = re.findall(r"```toml\n(.*?)```", (DOCS / "slack.md").read_text(), re.DOTALL)

    [channel] = plan.read(re.sub(r"^# ", "", shown, flags=re.MULTILINE)).channel

    assert isinstance(channel, PlannedSlack)
    assert channel.app_token == {"env": "SLACK_APP_TOKEN"}
