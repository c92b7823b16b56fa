"""The page of places is made from the connectors themselves, so that it cannot promise too much."""

from pathlib import Path

import pytest

from connectors.kit import catalog
from connectors.kit.contract import Accepts, Connector, Listens, Rechecks, Replies

PAGE = Path(__file__).parents[2] / "docs" / "connectors.md"
HEAD = (
    "| Place | Connector | Reads | Streams | Sees edits | Sees deletions | Can answer | Tried against |",
    "|---|---|---|---|---|---|---|---|",
)

# How far each has been tried: somebody's real server, answers recorded from real servers, or
# only what the place documents.
REAL, RECORDED, DOCUMENTED = "real server", "recording", "documentation only"
TRIED = {
    "appstore": RECORDED,
    "bluesky": REAL,
    "discourse": RECORDED,
    "feeds": REAL,
    "files": "files of every make",
    "gdelt": RECORDED,
    "hackernews": DOCUMENTED,
    "lemmy": DOCUMENTED,
    "mastodon": REAL,
    "reddit": RECORDED,
    "sample": "itself",
    "stackexchange": DOCUMENTED,
    "steam": RECORDED,
    "webhook": DOCUMENTED,
}
# Edits that show when the same list is read again, without asking for each post.
EDITS_IN_LISTS = frozenset({"appstore", "feeds", "steam", "files", "webhook"})


def row(name: str, kind: type[Connector]) -> str:
    """What one connector can do, from what it implements."""
    again = issubclass(kind, Rechecks)
    pushed = issubclass(kind, Accepts)
    can = {
        "reads": name != "webhook",
        "streams": any(issubclass(one, Listens) for one in (kind, *kind.__subclasses__()))
        or pushed,
        "edits": again or pushed or name in EDITS_IN_LISTS,
        "deletions": again or pushed,
        "answers": issubclass(kind, Replies),
    }
    words = ["yes" if able else "–" for able in can.values()]
    return f"| {kind.title} | `{name}` | {' | '.join(words)} | {TRIED[name]} |"


def table() -> str:
    """The whole table."""
    return "\n".join([*HEAD, *(row(name, catalog.load(name)) for name in catalog.names())])


def test_the_page_says_of_every_connector_what_it_can_do() -> None:
    assert table() in PAGE.read_text(), f"docs/connectors.md should hold this table:\n{table()}"


@pytest.mark.parametrize("name", catalog.names())
def test_every_connector_is_said_to_be_tried_against_something(name: str) -> None:
    assert TRIED.get(name), f"say in TRIED what {name} was tried against"
