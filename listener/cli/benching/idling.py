"""How much memory the service takes while nothing happens."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE = 60.0
SETTLE = 3.0


def idle_mb() -> float | None:
    """Resident megabytes of a fresh service with its model loaded; None where /proc is missing."""
    if not Path("/proc/self/status").exists():
        return None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "LISTENER_DATA": folder,
            "LISTENER_HTTP": f"127.0.0.1:{port}",
            "DATABASE_URL": "",
        }
        service = subprocess.Popen(
            [sys.executable, "-m", "listener", "run"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", service)
            time.sleep(SETTLE)
            return resident(service.pid)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(PATIENCE)


def wait_for(url: str, service: subprocess.Popen[bytes]) -> None:
    """Wait until the service answers."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with urlopen(url, timeout=2):  # noqa: S310  (our own loopback address)
                return
        except URLError:
            if service.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the service did not start") from None
            time.sleep(0.1)


def resident(pid: int) -> float:
    """Resident memory of a process, in megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("no VmRSS")
