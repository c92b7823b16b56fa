"""Tokens are good for one person, until their time, another password or a farewell."""

from datetime import timedelta

import pytest

from listener.desk import staffing, tokens
from listener.domain.record import NotAllowed
from listener.domain.secret import Seal
from tests.world import World

SEAL = Seal("a key for tests, long enough")


async def given(world: World) -> str:
    await world.hire("Ana", "Ben")
    token, until = await tokens.give(world.store, SEAL, "Ana")
    assert until == world.now + tokens.USUAL
    return token


async def test_a_token_says_whose_it_is(world: World) -> None:
    token = await given(world)

    assert (await tokens.holder(world.store, SEAL, f" {token}\n")).name == "Ana"


@pytest.mark.parametrize("ends", ["time", "password", "leaving"])
async def test_a_token_ends(world: World, ends: str) -> None:
    token = await given(world)

    if ends == "time":
        world.now += tokens.USUAL
    elif ends == "password":
        await staffing.give_password(world.store, "Ana", "a long one that is new")
    else:
        await staffing.leave(world.store, "Ana")

    with pytest.raises(NotAllowed, match="This token is not good"):
        await tokens.holder(world.store, SEAL, token)


async def test_nobody_makes_a_token_but_we(world: World) -> None:
    token = await given(world)
    kind, number, until, mark = token.split(".")
    other, _ = await tokens.give(world.store, Seal("another key for tests, too"), "Ana")

    for wrong in (
        "", "x", "....", "listener1", other, f"{kind}.2.{until}.{mark}",
        f"{kind}.{number}.{int(until) + 1}.{mark}", f"{kind}.{number}.{until}.", f"{token}0",
        f"{kind}.9999.{until}.{mark}", f"{kind}.-1.{until}.{mark}", f"{kind}.{number}.{'9' * 20}.{mark}",
        f"{kind}.²³.{until}.{mark}",
    ):  # fmt: skip
        with pytest.raises(NotAllowed, match="This token is not good"):
            await tokens.holder(world.store, SEAL, wrong)


async def test_a_token_is_not_for_ever(world: World) -> None:
    await world.hire("Ana")

    for length in (timedelta(0), tokens.LONGEST + timedelta(days=1)):
        with pytest.raises(NotAllowed, match="at most 366 days"):
            await tokens.give(world.store, SEAL, "Ana", length)
