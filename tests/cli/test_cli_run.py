"""`listener run`, as a program of its own: what it reads, what it says, how it ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.request import urlopen

import orjson
import pytest

from listener.app import service
from listener.stages.poll import Poll
from tests.command_line import CommandLine, Said
from tests.connectors.fediverse import TOKEN, Town
from tests.connectors.place import Fault
from tests.given import KEY, free_port

PLAN = """
[[brand]]
name = "Acme"
query = "fish"

[[source]]
name = "Town"
connector = "mastodon"
since = 2025-03-01
[source.options]
api = "{url}"
tag = "acme"
token = {token}
"""
DENIED = "renew the key, or give it the right to read this."


async def run(listener: CommandLine, *words: object) -> Said:
    """A command in a thread of its own, while places in this one answer it."""
    return await asyncio.to_thread(listener, *words)


async def apply(listener: CommandLine, text: str) -> None:
    await asyncio.to_thread(listener.applied, text)


async def once(listener: CommandLine) -> tuple[int, dict[str, dict[str, object]]]:
    """How one run ended, and what it says of its sources."""
    said = await run(listener, "run", "--once", "--json")
    [report] = said.rows
    return said.code, report["sources"]


def plan(town: Town, token: str = f'"{TOKEN}"') -> str:
    return PLAN.format(url=town.url, token=token)


@contextmanager
def running(listener: CommandLine, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The service, stopped by its own number at the end, however the test ends."""
    service = subprocess.Popen(
        [sys.executable, "-m", "listener", "run", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | listener.environment,
    )
    try:
        yield service
    finally:
        if service.poll() is None:
            service.kill()
        service.communicate(timeout=60)


def wait_for(url: str, service: subprocess.Popen[str]) -> bytes:
    """What an address answers, as soon as it does."""
    until = time.monotonic() + 30
    while True:
        assert service.poll() is None, service.communicate()
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310  (our own loopback)
                body: bytes = answer.read()
                return body
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_without_a_source_there_is_nothing_to_fail(listener: CommandLine) -> None:
    said = listener("run", "--once", "--json")

    assert said.code == 0
    [report] = said.rows
    assert report | {"seconds": 0} == {
        "sources": {},
        "mentions": 0,
        "judged": 0,
        "cases": 0,
        "notices": {"sent": 0, "failed": 0},
        "seconds": 0,
    }


async def test_a_run_reads_every_source_to_its_end(listener: CommandLine) -> None:
    async with Town() as town:
        town.insert(25)
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        await apply(listener, plan(town))

        code, sources = await once(listener)
        assert (code, sources) == (
            0,
            {"Town": {"read": 25, "mentions": 25, "gaps": 0, "error": None}},
        )

        said = await run(listener, "run", "--once")
        assert said.code == 0
        assert said.out.startswith("Town: ")


async def test_a_run_of_some_stages_leaves_the_rest_for_later(listener: CommandLine) -> None:
    async with Town() as town:
        town.insert(25)
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        await apply(listener, plan(town))

        def report(*only: str) -> tuple[int, object, object]:
            [told] = listener("run", "--once", "--json", *only).rows
            return told["sources"]["Town"]["mentions"], told["judged"], told["notices"]["sent"]

        assert await asyncio.to_thread(report, "--only", "poll") == (25, 0, 0)
        town.insert(5)
        assert await asyncio.to_thread(report, "--only", "judge") == (0, 25, 0)
        assert await asyncio.to_thread(report) == (5, 5, 0)


async def test_a_run_that_only_reads_does_not_wait_for_a_judge(
    listener: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "Poll", partial(Poll, backlog=10))
    async with Town() as town:
        town.insert(25)
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        await apply(listener, plan(town))

        said = await run(listener, "run", "--once", "--json", "--only", "poll")

    assert said.rows[0]["mentions"] == 25


async def test_when_every_source_fails_the_run_has_failed(listener: CommandLine) -> None:
    async with Town() as town:
        town.insert(3)
        town.fail(Fault.BROKEN, 100)
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        await apply(listener, plan(town))

        code, sources = await once(listener)

    assert code == 1
    assert str(sources["Town"]["error"]).endswith("is out of order (500).")


async def test_when_one_of_two_sources_is_read_the_run_has_not_failed(
    listener: CommandLine,
) -> None:
    async with Town() as town:
        town.fail(Fault.BROKEN, 100)
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        inbox = '[[source]]\nname = "Inbox"\nconnector = "webhook"\n'
        await apply(listener, plan(town) + f'{inbox}[source.options]\nsecret = "{KEY}"\n')

        code, sources = await once(listener)

    assert code == 0
    assert sources["Town"]["error"] is not None
    assert sources["Inbox"]["error"] is None


async def test_a_key_that_the_place_refuses_stops_the_source_until_a_person_acts(
    listener: CommandLine,
) -> None:
    async with Town() as town:
        town.members_only = True
        town.insert(3)
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        listener.environment["TOWN_TOKEN"] = "an old token"
        await apply(listener, plan(town, '{ env = "TOWN_TOKEN" }'))

        town.fail(Fault.DENIED, 100)
        code, sources = await once(listener)
        refused = str(sources["Town"]["error"])
        assert code == 1
        assert refused.endswith(f"refuses us (401): {DENIED}")
        assert "an old token" not in refused

        asked = len(town.asked)
        code, sources = await once(listener)
        assert (code, sources["Town"]["error"]) == (1, refused)
        assert len(town.asked) == asked  # nobody knocks at a door that is shut

        said = await run(listener, "check", "Town")
        assert said.code == 1
        assert said.out.startswith("PROBLEM  source Town: ")

        town.heal()
        listener.environment["TOWN_TOKEN"] = TOKEN
        assert (await run(listener, "check", "Town")).code == 0
        code, sources = await once(listener)
        assert (code, sources["Town"]["read"], sources["Town"]["error"]) == (0, 3, None)


async def test_applying_the_same_file_lets_a_stopped_source_go_on(listener: CommandLine) -> None:
    async with Town() as town:
        town.insert(3)
        town.fail(Fault.DENIED, 100)
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        await apply(listener, plan(town))
        assert (await once(listener))[0] == 1

        town.heal()
        await apply(listener, plan(town))

        assert (await once(listener))[0] == 0


async def test_a_secret_that_is_not_in_the_environment_is_said(listener: CommandLine) -> None:
    async with Town() as town:
        listener.environment["LISTENER_ALLOW_HOSTS"] = town.host_port
        await apply(listener, plan(town, '{ env = "TOWN_TOKEN" }'))

        code, sources = await once(listener)

    assert code == 1
    assert sources["Town"]["error"] == (
        "The secret `token` is kept in the environment variable TOWN_TOKEN, which is not set here."
    )


async def test_an_address_inside_the_house_is_refused_with_what_to_do(
    listener: CommandLine,
) -> None:
    async with Town() as town:
        await apply(listener, plan(town))

        code, sources = await once(listener)

    assert code == 1
    assert "LISTENER_ALLOW_HOSTS" in str(sources["Town"]["error"])
    assert town.asked == []


def test_json_of_a_service_that_never_ends_is_refused(listener: CommandLine) -> None:
    said = listener("run", "--json")

    assert said.code == 2
    assert said.err == "--json goes with --once; the running service writes readable lines.\n"


def test_a_port_that_is_taken_is_said(listener: CommandLine) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        listener.environment["LISTENER_HTTP"] = f"127.0.0.1:{port}"

        said = listener.alone("run")

    assert said.code == 1
    assert said.err == (
        f"Port {port} on 127.0.0.1 is taken by another program. Stop that one, or set "
        f"LISTENER_HTTP to a free address, for example 127.0.0.1:{port + 1}.\n"
    )


@pytest.mark.slow
def test_a_second_service_on_the_same_embedded_database_is_refused(
    listener: CommandLine,
) -> None:
    port = free_port()
    listener.environment["LISTENER_HTTP"] = f"127.0.0.1:{port}"
    with running(listener) as service:
        wait_for(f"http://127.0.0.1:{port}/health", service)
        refused = (
            f"Another Listener (process {service.pid}) already runs on "
            f"{listener.data}/listener.db. Stop it first; to run several, use PostgreSQL "
            "(DATABASE_URL).\n"
        )

        for words in (["run"], ["run", "--once"], ["run", "--only", "judge"]):
            said = listener(*words)
            assert (said.code, said.err) == (1, refused)

        assert listener("cases").code == 0  # looking is allowed


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_says_what_it_does_and_stops_in_order(
    listener: CommandLine, number: signal.Signals
) -> None:
    port = free_port()
    listener.environment["LISTENER_HTTP"] = f"127.0.0.1:{port}"
    with running(listener) as service:
        health = wait_for(f"http://127.0.0.1:{port}/health", service)
        service.send_signal(number)
        out, err = service.communicate(timeout=60)

    assert orjson.loads(health)["status"] == "ok"
    assert service.returncode == 0
    assert "There is nothing to listen to yet" in out
    assert f"The desk: http://127.0.0.1:{port}" in out
    assert "Nobody can sign in yet. Add yourself: listener staff add NAME --role admin" in out
    assert "Traceback" not in err
    assert err.splitlines()[-1].endswith("stopped")


@pytest.mark.slow
def test_what_is_applied_while_the_service_runs_is_taken_up(
    listener: CommandLine,
) -> None:
    port = free_port()
    listener.environment["LISTENER_HTTP"] = f"127.0.0.1:{port}"
    with running(listener) as service:
        wait_for(f"http://127.0.0.1:{port}/health", service)

        listener.applied(
            '[[brand]]\nname = "Acme"\nquery = "fish"\n[[source]]\nname = "Inbox"\n'
            f'connector = "webhook"\n[source.options]\nsecret = "{KEY}"\n'
        )

        until = time.monotonic() + 20
        while b"Inbox" not in wait_for(f"http://127.0.0.1:{port}/metrics", service):
            assert time.monotonic() < until
            time.sleep(0.2)
