"""Refuses XML that was made to harm its reader, before any parser with opinions sees it."""

import re
from io import BytesIO
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_external_ges

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.expatreader import DefusedExpatParser  # type: ignore[import-untyped]
from typing_extensions import override

from connectors.kit.errors import Unreadable

_FIRST_ELEMENT = re.compile(rb"<\w")
_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)
_ROOT_CLOSED = re.compile(rb"</\s*(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
_ROOT_EMPTY = re.compile(rb"<(?:[\w.-]+:)?(?:rss|feed|rdf)\b[^<>]*/>\s*\Z", re.IGNORECASE)


def inspect(body: bytes, where: str) -> None:
    """Unreadable when the body declares entities, or stops in the middle.

    Entities are how a kilobyte becomes a gigabyte and how a feed reads our files; no feed
    needs its own. A document type is let through (old RSS names one) and never fetched.
    XML that is merely ill-formed passes: people's feeds are.
    """
    narrow = body.replace(b"\x00", b"")  # UTF-16 and UTF-32 read like ASCII
    if _declares_entities(body, narrow):
        raise Unreadable(
            f"{where} declares XML entities of its own, which can be an attack: it is not read. "
            "Ask its publisher for a feed without <!ENTITY>."
        )
    if not (_ROOT_CLOSED.search(narrow) or _ROOT_EMPTY.search(narrow)) and b"<" in narrow[:64]:
        raise Unreadable(f"{where} is no whole feed: its end is missing.")


def _declares_entities(body: bytes, narrow: bytes) -> bool:
    # Twice: expat knows XML, and the pattern holds where expat gives up (ill-formed, odd
    # encodings) but feedparser's lenient reader goes on. That one, too, reads declarations
    # only before the first element.
    first = _FIRST_ELEMENT.search(narrow)
    if _ENTITY.search(narrow, 0, first.start() if first else len(narrow)):
        return True
    parser = DefusedExpatParser(forbid_entities=True, forbid_external=False)
    parser.setFeature(feature_external_ges, False)
    parser.setContentHandler(_Body())
    try:
        parser.parse(BytesIO(body))
    except DefusedXmlException:
        return True
    except (_BodyBegins, SAXException, ValueError, LookupError):
        pass  # ill-formed, or in an encoding that expat does not know
    return False


class _BodyBegins(Exception):
    """The first element: what could be declared has been."""


class _Body(ContentHandler):
    @override
    def startElement(self, name: str, attrs: object) -> None:
        raise _BodyBegins
