"""The page for agents and the sheet of keys say the same."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEMPLATES = ROOT / "listener" / "web" / "templates"
TOLD_OTHERWISE = {"u", "z", "j", "k", "m"}  # not written in a template


def test_every_key_of_the_desk_is_told() -> None:
    page = (ROOT / "docs" / "desk.md").read_text()
    told = set(re.findall(r"^\| (.*?) \|", page.partition("## Keys")[2], re.MULTILINE))
    keys = {key for cell in told for key in re.findall(r"`(.)`", cell)}
    templates = "".join(path.read_text() for path in TEMPLATES.glob("*.html"))

    pressed = set(re.findall(r'data-key="(.)"', templates))

    assert pressed - {str(number) for number in range(10)} <= keys
    assert keys - TOLD_OTHERWISE - {"/", "?"} <= pressed | {str(number) for number in range(10)}
