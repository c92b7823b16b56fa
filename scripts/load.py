"""Lets twenty agents work a filled database at once, and says how long its pages took."""

import argparse
import asyncio
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))

from listener.config import read
from listener.desk import signing_in
from listener.domain import login
from listener.store import people
from listener.store.session import Store, now
from scripts.fill import PEOPLE
from tests.given import free_port

ROOT = Path(__file__).parents[1]
LOCUST = ROOT / ".venv" / "servers" / "bin" / "locust"
BOUND = 50.0  # milliseconds, of 95 in 100 pages


async def signed_in(database: str) -> list[dict[str, str]]:
    """A login for every agent, as a browser keeps it."""
    store = Store(database)
    made = []
    try:
        for name in PEOPLE:
            async with store.transaction() as session:
                person = await people.named(session, name)
                if person is None:
                    sys.exit("This database is not filled with invented mentions: make fill first.")
                done = await signing_in.begin(session, person, "127.0.0.1", await now(session))
            made.append({"cookie": f"listener={done.secret}", "csrf": login.csrf(done.secret)})
    finally:
        await store.close()
    return made


@contextmanager
def service(port: int) -> Iterator[str]:
    """The program itself, in a process of its own."""
    environment = os.environ | {"LISTENER_HTTP": f"127.0.0.1:{port}", "LISTENER_MODEL": "lexicon"}
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "listener", "run"]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            for _ in range(300):
                try:
                    with urlopen(f"{url}/health", timeout=5):  # noqa: S310  (our own loopback)
                        break
                except (URLError, OSError):
                    if running.poll() is not None:
                        sys.exit("The service ended before it began; run it by itself to see why.")
                    time.sleep(0.2)
            yield url
        finally:
            running.terminate()
            running.wait(20)


def first_page(url: str, login: dict[str, str]) -> float:
    """How long whoever comes first after a start waits for the queue, in milliseconds."""
    began = time.perf_counter()
    with urlopen(Request(f"{url}/queue", headers={"Cookie": login["cookie"]}), timeout=60) as page:  # noqa: S310
        page.read()
    return 1_000 * (time.perf_counter() - began)


def work(url: str, logins: list[dict[str, str]], seconds: int) -> list[dict[str, str]]:
    """Let them work for so long; one row of figures a kind of request."""
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "logins.json"
        said.write_text(json.dumps(logins))
        command = [
            str(LOCUST), "--locustfile", str(ROOT / "scripts" / "agents.py"), "--headless",
            "--users", str(len(logins)), "--spawn-rate", "5", "--run-time", f"{seconds}s",
            "--host", url, "--csv", str(Path(folder) / "out"), "--only-summary",
            "--loglevel", "ERROR",
        ]  # fmt: skip
        subprocess.run(
            command, env=os.environ | {"LOGINS": str(said)}, check=False, stdout=subprocess.DEVNULL
        )
        with (Path(folder) / "out_stats.csv").open() as file:
            return list(csv.DictReader(file))


def main() -> int:
    """Measure; 1 when something failed or was too slow."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--for", dest="seconds", type=int, default=60)
    seconds = asked.parse_args().seconds
    if not LOCUST.exists():
        sys.exit("Locust is not here yet: make servers.")
    logins = asyncio.run(signed_in(read(os.environ).database))
    with service(free_port()) as url:
        first = first_page(url, logins[0])
        rows = work(url, logins, seconds)
    bad = False
    sys.stdout.write(f"{'':34}{'asked':>8}{'failed':>8}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}\n")
    for row in rows:
        failed, p95 = int(row["Failure Count"]), float(row["95%"] or 0)
        slow = row["Type"] == "GET" and p95 > BOUND
        bad = bad or failed > 0 or slow
        sys.stdout.write(
            f"{row['Name'][:33]:34}{row['Request Count']:>8}{failed:>8}{row['50%']:>8}"
            f"{row['95%']:>8}{row['99%']:>8}{'  too slow' if slow else ''}\n"
        )
    sys.stdout.write(f"The first page after the start came within {first:.0f} ms.\n")
    sys.stdout.write(f"Load of the machine in the end: {os.getloadavg()[0]:.1f}.\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
