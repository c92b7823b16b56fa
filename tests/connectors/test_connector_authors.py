"""What the guide for connector authors shows is a connector that passes the suite."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from connectors.kit.web import Limits

GUIDE = (Path(__file__).parents[2] / "docs" / "connector-authors.md").read_text()
CONNECTOR, TEST = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


def _module(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102 - it is our own page
    return module


_module("connectors.pebble", CONNECTOR)
TestPebble = _module("test_pebble", TEST).TestPebble


@pytest.mark.parametrize("source", [CONNECTOR, TEST])
def test_the_examples_are_short_enough_to_be_read(source: str) -> None:
    assert len([line for line in source.splitlines() if line.strip()]) <= 80


def test_the_guide_names_the_limits_that_hold() -> None:
    limits = Limits()

    assert f"{limits.json // 1_000_000} MB of JSON" in GUIDE
    assert f"{limits.anything // 1_000_000} MB of anything" in GUIDE
    assert f"{limits.total.seconds} seconds" in GUIDE
    assert limits.redirects == 3
