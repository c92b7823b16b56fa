"""Guessing passwords is slow, from wherever and at however many processes, and shuts nobody out."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from listener.desk import signing_in
from listener.desk.signing_in import TooManyAttempts
from listener.domain import password
from listener.domain.login import LONGEST_WAIT, Attempt
from listener.domain.record import NotAllowed
from listener.domain.staff import Staff
from listener.store.session import Store
from tests.world import World

GOOD = "five fish swim in a pan"
STORED = password.kept(GOOD)
HOME = "198.51.100.1"


async def ana(world: World) -> None:
    """Somebody with a password."""
    async with world.store.transaction() as session:
        session.add(Staff(name="Ana", password=STORED))


async def tried(
    store: Store, name: str = "Ana", words: str = "not this one", *, address: str = HOME
) -> str:
    """What comes of an attempt."""
    try:
        await signing_in.sign_in(store, name, words, address=address)
    except TooManyAttempts as refusal:
        return str(refusal).removeprefix("Too many attempts failed. ")
    except NotAllowed:
        return "wrong"
    return "in"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes are not what is tested here, and there are many."""
    monkeypatch.setattr(
        password, "fits", lambda words, stored: (words == GOOD and bool(stored), None)
    )


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", ["Ana", "Zoe"])
async def test_guessing_at_one_account_is_slowed_from_all_addresses_together(
    world: World, name: str
) -> None:
    await ana(world)

    said = [await tried(world.store, name, address=f"203.0.113.{n}") for n in range(7)]

    assert said == ["wrong"] * 5 + ["Try again in 30 seconds."] * 2


@pytest.mark.usefixtures("quick")
async def test_each_wait_is_twice_the_last_up_to_a_quarter_of_an_hour(world: World) -> None:
    waits: list[str] = []
    for _ in range(16):
        while (said := await tried(world.store, address=f"203.0.113.{len(waits)}")) == "wrong":
            pass
        waits.append(said)
        async with world.store.reading():
            [account] = [one for one in await world.all_of(Attempt) if "account" in one.whose]
        assert account.wait(world.now) <= LONGEST_WAIT
        world.now += account.wait(world.now)

    assert waits[:7] == [
        "Try again in 30 seconds.",
        "Try again in 1 minute.",
        "Try again in 2 minutes.",
        "Try again in 4 minutes.",
        "Try again in 8 minutes.",
        "Try again in 15 minutes.",
        "Try again in 15 minutes.",
    ]


@pytest.mark.usefixtures("quick")
async def test_guessing_at_many_accounts_from_one_address_is_slowed_too(world: World) -> None:
    said = [await tried(world.store, f"Person {n}") for n in range(22)]

    assert said == ["wrong"] * 20 + ["Try again in 30 seconds."] * 2
    assert await tried(world.store, "Person 1", address="203.0.113.9") == "wrong"


@pytest.mark.usefixtures("quick")
async def test_one_subscriber_is_one_address_however_many_they_have(world: World) -> None:
    said = [await tried(world.store, f"P{n}", address=f"2001:db8::{n:x}") for n in range(22)]

    assert said[-2:] == ["Try again in 30 seconds."] * 2
    assert await tried(world.store, "P1", address="2001:db8:0:1::1") == "wrong"


@pytest.mark.usefixtures("quick")
async def test_who_fails_on_purpose_does_not_shut_out_the_owner(world: World) -> None:
    await ana(world)
    assert await tried(world.store, words=GOOD, address=HOME) == "in"

    for n in range(9):
        await tried(world.store, address=f"203.0.113.{n}")

    assert (
        await tried(world.store, words=GOOD, address="203.0.113.99") == "Try again in 30 seconds."
    )
    assert await tried(world.store, words=GOOD, address=HOME) == "in"


@pytest.mark.usefixtures("quick")
async def test_failures_are_forgotten_after_a_success_and_after_an_hour(world: World) -> None:
    await ana(world)
    for _ in range(4):
        await tried(world.store)
    assert await tried(world.store, words=GOOD) == "in"
    assert [await tried(world.store, address="203.0.113.1") for _ in range(5)] == ["wrong"] * 5

    world.now += timedelta(hours=1, seconds=1)
    assert [await tried(world.store, address="203.0.113.1") for _ in range(5)] == ["wrong"] * 5


@pytest.mark.usefixtures("quick")
async def test_twenty_guesses_at_the_same_moment_count_as_twenty_in_every_process(
    world: World,
) -> None:
    await ana(world)
    other = Store(world.settings.database, clock=lambda: world.now)
    try:
        said: Sequence[str] = await asyncio.gather(
            *(
                tried(store, address=f"203.0.113.{n}")
                for n in range(10)
                for store in (world.store, other)
            )
        )
    finally:
        await other.close()

    assert sorted(said) == ["Try again in 30 seconds."] * 15 + ["wrong"] * 5


@pytest.mark.usefixtures("quick")
async def test_a_password_that_somebody_types_as_their_name_is_not_kept(world: World) -> None:
    await tried(world.store, "five secret fish")

    assert "five secret fish" not in repr(await world.all_of(Attempt))


@pytest.mark.usefixtures("quick")
async def test_names_may_be_typed_large_or_small_where_that_is_clear(world: World) -> None:
    async with world.store.transaction() as session:
        for name in ("Ana", "Ben", "BEN"):
            session.add(Staff(name=name, password=STORED))

    assert await tried(world.store, "  ANA ", GOOD) == "in"
    assert await tried(world.store, "Ben", GOOD) == "in"
    assert await tried(world.store, "BEN", GOOD) == "in"
    assert await tried(world.store, "ben", GOOD) == "wrong"


async def test_a_password_that_changes_while_it_is_checked_lets_nobody_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ana(world)
    real = signing_in.hashed

    async def meanwhile(work: Callable[..., Any], *words: str | None) -> Any:
        done = await real(work, *words)
        async with world.store.transaction() as session:
            (await session.get_one(Staff, 1)).password = password.NOBODY
        return done

    monkeypatch.setattr(signing_in, "hashed", meanwhile)

    assert await tried(world.store, words=GOOD) == "wrong"
