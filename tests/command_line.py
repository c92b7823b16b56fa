"""The command line as tests use it: in this process for speed, or in one of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import structlog
from typer.testing import CliRunner

from listener.cli import ground
from listener.cli.main import program


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[Any]:
        """Standard output as JSON, one value a line."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@dataclass
class CommandLine:
    """Runs `listener …` in this process, or `alone` in a process of its own."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: object, given: str | None = None) -> Said:
        try:
            done = CliRunner().invoke(
                program, [str(word) for word in words], input=given, env=self.environment
            )
        finally:
            structlog.reset_defaults()
            ground.demo = False
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.exit_code, done.stdout, done.stderr)

    def alone(self, *words: object, given: bytes = b"", **more: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "listener", *(str(word) for word in words)],
            input=given,
            capture_output=True,
            env=os.environ | self.environment | more,
            timeout=60,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    def plan(self, text: str) -> Path:
        """A file to apply."""
        path = self.data.parent / "plan.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def applied(self, text: str) -> Said:
        """Apply a plan, which must go well."""
        said = self("apply", self.plan(text))
        assert said.code == 0, said.err
        return said


def clean(data: Path, **more: str) -> dict[str, str]:
    """An environment in which nothing is set but where data is kept, and a model that is quick."""
    names = [name for name in os.environ if name.startswith("LISTENER_") or name == "DATABASE_URL"]
    return (
        dict.fromkeys(names, "")
        | {"LISTENER_DATA": str(data), "LISTENER_MODEL": "lexicon", "COLUMNS": "200"}
        | more
    )
