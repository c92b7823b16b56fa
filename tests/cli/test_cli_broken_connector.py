"""A connector that cannot be loaded, of ours or of somebody else's, stops only its own sources."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import connectors
from tests.command_line import CommandLine
from tests.given import KEY

WELL = "from connectors.webhook import Webhook\n\n\nclass Flaky(Webhook):\n    pass\n"
BROKEN = "raise RuntimeError('a canary')\n"
PLAN = f"""
[[brand]]
name = "Acme"
query = "acme"

[[source]]
name = "Inbox"
connector = "webhook"
[source.options]
secret = "{KEY}"
"""
FLAKY = PLAN.split("\n\n")[1].replace("Inbox", "Flaky").replace("webhook", "flaky")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a connector called flaky lives; it is forgotten at the end."""
    folder = tmp_path / "more"
    folder.mkdir()
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(folder)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield folder / "flaky.py"
    forget()


def forget() -> None:
    """As a new process would find it."""
    sys.modules.pop("connectors.flaky", None)


def test_everything_else_goes_on(listener: CommandLine, module: Path) -> None:
    module.write_text(BROKEN)
    listener.applied(PLAN)

    said = listener("run", "--once", "--json")

    assert (said.code, said.rows[0]["sources"]["Inbox"]["error"]) == (0, None)
    assert listener("check").code == 0


def test_a_plan_that_names_it_is_refused_in_a_sentence(listener: CommandLine, module: Path) -> None:
    module.write_text(BROKEN)

    said = listener("apply", listener.plan(PLAN + FLAKY))

    assert said.code == 1
    assert said.err == '[[source]] "Flaky": the connector flaky cannot be loaded (RuntimeError).\n'


def test_a_source_whose_connector_broke_says_so_and_others_are_read(
    listener: CommandLine, module: Path
) -> None:
    module.write_text(WELL)
    listener.applied(PLAN + FLAKY)
    module.write_text(BROKEN)
    forget()

    said = listener("run", "--once", "--json")
    sources = said.rows[0]["sources"]
    assert said.code == 0
    assert sources["Inbox"]["error"] is None
    assert sources["Flaky"]["error"] == "The connector flaky cannot be loaded (RuntimeError)."

    checked = listener("check")
    assert checked.code == 1
    assert (
        "PROBLEM  source Flaky: The connector flaky cannot be loaded (RuntimeError)." in checked.out
    )
    assert "canary" not in said.out + said.err + checked.out + checked.err


def test_a_connector_that_was_taken_away_is_named(listener: CommandLine, module: Path) -> None:
    module.write_text(WELL)
    listener.applied(PLAN + FLAKY)
    module.unlink()
    forget()

    [source] = [row for row in listener("check", "--json").rows if row["what"] == "source Flaky"]

    assert source["says"].startswith('There is no connector "flaky".')
