"""A digest as Slack shows it: the answer first, then its parts, within Slack's limits.

Pure. What strangers wrote, and whatever stands beside it, is `plain_text`, where Slack obeys
nothing; ways to cases and to the page are buttons.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from listener.channels import digests
from listener.channels.cards import Block, button, context, escaped, marked, plain, section
from listener.domain.digest import Digest, Risk, shortened

ROOM: Final = 2_800  # characters of a paragraph, with some left for what Slack counts double
LINE: Final = 400
BLOCKS: Final = 48
NAMED: Final = 8  # cases that have a button


def message(digest: Digest, *, url: str, number: str) -> dict[str, Any]:
    """The whole message, by whose metadata it is found again; `url` is where our pages are."""
    told = {"event_type": "listener_digest", "event_payload": {"key": number}}
    return {"text": spoken(digest), "blocks": blocks(digest, url), "metadata": told}


def spoken(digest: Digest) -> str:
    """The answer, for notifications and screen readers."""
    return f"{escaped(digest.brand)}: {escaped(digest.answer, 500)}"


def blocks(digest: Digest, url: str) -> list[Block]:
    """The answer, every part under its heading, and the ways on."""
    made = [
        section(marked(f"*{spoken(digest)}*")),
        context(marked(escaped(digest.stretch.name, 200))),
    ]
    for heading, lines in parts(digest):
        made += [section(marked(f"*{heading}*")), *paragraphs(lines)]
    if len(made) > BLOCKS:  # not with what we write today; a message that is refused says nothing
        made = [*made[: BLOCKS - 1], context(plain("There is more on the page."))]
    return [*made, *ways(digest, url)]


def parts(digest: Digest) -> Iterator[tuple[str, list[str]]]:
    """What stands under which heading; nothing is said of what is empty."""
    causes = [
        f"{one.name}: {one.people} people{one.seen_to}, as in “{shortened(one.quote.text, 240)}”"
        for one in digest.causes
    ]
    praise = [f"“{shortened(one.words)}” {one.author}" for one in digest.praise]
    for heading, lines in (
        ("What changed", digests.changes(digest)),
        ("Open risks", list(digests.risks(digest, ""))),
        ("Why people complain", causes or digests.why(digest)),
        ("What was put right", digests.right(digest)),
        ("The team", digests.team(digest)),
        ("How far this can be trusted", digests.trust(digest)),
        ("Worth sharing", praise),
    ):
        if lines:
            yield heading, lines


def paragraphs(lines: Sequence[str]) -> Iterator[Block]:
    """Lines as a list, in as many paragraphs as Slack needs."""
    held: list[str] = []
    for line in lines:
        one = "• " + shortened(line, LINE)
        if held and size("\n".join([*held, one])) > ROOM:
            yield section(plain("\n".join(held)))
            held = []
        held.append(one)
    if held:
        yield section(plain("\n".join(held)))


def size(text: str) -> int:
    """How long Slack takes a text to be: it counts as JavaScript does."""
    return len(text.encode("utf-16-le")) // 2


def ways(digest: Digest, url: str) -> list[Block]:
    """To the page, and to the cases that are in danger."""
    whole = button("digest", "The whole digest", "digest") | {
        "url": digests.address(digest, url),
        "style": "primary",
    }
    cases: dict[int, Risk] = {one.case_id: one for one in (*digest.overdue, *digest.spreading)}
    named = [
        button(f"case {number}", f"Case {number}", str(number)) | {"url": f"{url}/cases/{number}"}
        for number in list(cases)[:NAMED]
    ]
    return [{"type": "actions", "elements": [whole, *named]}]
