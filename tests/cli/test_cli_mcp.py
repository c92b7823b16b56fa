"""`listener mcp`: a real client speaks with it over its standard input and output."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.command_line import CommandLine


@asynccontextmanager
async def speaking(line: CommandLine, *words: str, **more: str) -> AsyncIterator[Client]:
    """A client of the command as an assistant starts it."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "listener", "--demo", "mcp", *words],
        env=dict(os.environ) | line.environment | more,
    )
    async with Client(stdio_client(server)) as client:
        yield client


async def brands(client: Client) -> dict[str, object]:
    found = await client.call_tool("brands", {})
    answer: dict[str, object] = orjson.loads(found.content[0].text)  # type: ignore[union-attr]
    return answer


async def test_an_assistant_asks_in_the_name_of_somebody(demo: CommandLine) -> None:
    async with speaking(demo, "--as", "Ana") as client:
        assert (await brands(client))["you_ask_for"] == "Ana"

        found = await client.call_tool("themes", {"limit": 1})

        assert orjson.loads(found.content[0].text)["themes"][0]["brand"] == "Tarnby"  # type: ignore[union-attr]


async def test_an_assistant_asks_by_a_token(demo: CommandLine) -> None:
    given = await asyncio.to_thread(demo, "--demo", "staff", "token", "Ben")
    assert given.err.startswith("Good until ")

    async with speaking(demo, LISTENER_TOKEN=given.out.strip()) as client:
        assert (await brands(client))["you_ask_for"] == "Ben"


def test_who_cannot_be_served_is_told_so_in_a_sentence(
    demo: CommandLine, listener: CommandLine
) -> None:
    assert demo("--demo", "mcp").err == "Say who you are with --as: Ana, Ben.\n"
    assert "Nobody here is called 'Eve'." in demo("--demo", "mcp", "--as", "Eve").err
    wrong = demo.alone("--demo", "mcp", LISTENER_TOKEN="listener1.1.9999999999.abc")
    assert (wrong.code, wrong.out) == (1, "")
    assert wrong.err.startswith("This token is not good")
    assert listener("mcp", "--as", "Ana").err.startswith("There is no database at ")


def test_a_token_is_good_for_a_year_at_most(demo: CommandLine) -> None:
    assert demo("--demo", "staff", "token", "Ana", "--for", "400d").err == (
        "A token is good for at most 366 days.\n"
    )
    assert (
        "a stretch of time looks like" in demo("--demo", "staff", "token", "Ana", "--for", "x").err
    )
    assert "Nobody here is called 'Eve'." in demo("--demo", "staff", "token", "Eve").err
    [row] = demo("--demo", "staff", "token", "Ana", "--for", "30d", "--json").rows
    assert row["token"].startswith("listener1.")
