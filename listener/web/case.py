"""One case on a page: the customer's words, why they are here, and what can be done."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from markupsafe import Markup

from listener.domain.mention import Mention
from listener.domain.triage import stars as in_words
from listener.web import pages
from models.lexicon import heaviest

PIECE = re.compile(r"\s+|\w+|[^\w\s]")
SNOOZES = (
    ("1h", "1 hour"),
    ("4h", "4 hours"),
    ("tomorrow", "Until tomorrow 9:00"),
    ("3d", "3 days"),
    ("7d", "A week"),
)


def lead(mention: Mention, source: str) -> dict[str, Any]:
    """A mention as the page shows it."""
    reaches = [one for one in (mention.reach, mention.author_reach) if one is not None]
    return {
        "id": mention.key,
        "source": source,
        "author": mention.author_name or mention.author_handle,
        "handle": mention.author_handle,
        "stars": mention.stars,
        "url": link(mention.url),
        "published_at": mention.published_at,
        "reach": max(reaches, default=None),
        "language": mention.language,
        "branch": mention.branch,
        "deleted_at": mention.deleted_at,
        "purged_at": mention.purged_at,
        "edited": mention.revisions > 1,
        "title": mention.title,
        "text": mention.text,
        "words": marked(mention.text),
        "truncated": mention.truncated,
        "attachments": [
            {"url": url, "kind": one.get("kind", "link"), "says": one.get("alt", "")}
            for one in mention.attachments
            if (url := link(one.get("url", "")))
        ],
        "parent": None,
    }


def marked(text: str) -> Markup:
    """A text with the clause marked that complains most."""
    place = heaviest(text)
    return pages.marked(text, [place] if place else [])


def link(address: str) -> str:
    """An address that may be followed: web pages only, never a script."""
    return address if address.startswith(("https://", "http://")) else ""


@dataclass(frozen=True, slots=True)
class Difference:
    """How one revision became the next."""

    at: datetime
    stars: str
    pieces: Sequence[tuple[str, str]]


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """What was taken out (-), put in (+) and kept (=), word by word."""
    old, new = PIECE.findall(before)[:4000], PIECE.findall(after)[:4000]
    pieces: list[tuple[str, str]] = []
    for op, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            pieces.append(("=", "".join(old[a:b])))
            continue
        if b > a:
            pieces.append(("-", "".join(old[a:b])))
        if d > c:
            pieces.append(("+", "".join(new[c:d])))
    return pieces


def changed_stars(before: float | None, after: float | None) -> str:
    """That an author changed the stars, in words."""
    if before == after:
        return ""
    return f"{in_words(before).lower()} became {in_words(after).lower()}"


def not_found(request: web.Request, number: str) -> web.Response:
    """There is no such case, or none that this person may see."""
    return pages.render(
        request,
        "error.html",
        status=404,
        heading="There is no such case",
        sentence=f"Case {number} does not exist, or belongs to a brand that is not yours.",
    )
