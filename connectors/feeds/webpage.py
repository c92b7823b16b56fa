"""Recognises a web page where a feed should be, and finds the feed that the page names."""

import re
from collections.abc import Iterator
from html import unescape

from connectors.kit.contract import Answer
from connectors.kit.text import absolute

_HTML = re.compile(
    rb"\s*(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_LINK = re.compile(r"<link\b[^<>]{1,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""\b(rel|type|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_FEEDS = {"application/rss+xml", "application/atom+xml", "application/feed+json"}


def is_one(answer: Answer) -> bool:
    """Whether this is HTML."""
    return bool(_HTML.match(answer.body.removeprefix(b"\xef\xbb\xbf")[:10_000]))


def instead(answer: Answer, host: str) -> str:
    """The sentence for somebody who gave a page's address; it names the page's own feed."""
    why = f"{host} answered a web page, not a feed."
    if feed := next(advertised(answer), None):
        return f"{why} The page says that its feed is at {feed}: use that address."
    return f"{why} Look for the address of its feed (RSS, Atom or JSON Feed) and use that."


def advertised(answer: Answer) -> Iterator[str]:
    """The feeds that the page names, in its order."""
    page = answer.body[:500_000].decode("utf-8", "replace")
    for tag in _LINK.finditer(page):
        told = {
            name.lower(): unescape(double or single or bare)
            for name, double, single, bare in _ATTRIBUTE.findall(tag[0])
        }
        alternate = "alternate" in told.get("rel", "").lower().split()
        if alternate and told.get("type", "").strip().lower() in _FEEDS:
            address = absolute(told.get("href", ""), answer.url)
            if address:
                yield address
