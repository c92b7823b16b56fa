"""Turns what a feed lists into posts."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urldefrag, urlsplit

from connectors.feeds.memory import canonical, guid_id
from connectors.feeds.reading import Feed, Piece
from connectors.kit.contract import Kind, Post, Precision
from connectors.kit.text import not_after

_COMMENT = re.compile(r"(?:li-)?(?:comment|isso|disqus_comment|cmt|c)[-_]?\d+", re.IGNORECASE)
_CUT = ("…", "...", "[…]", "[...]", "[&#8230;]")


@dataclass(frozen=True, slots=True)
class Border:
    """Where pieces become posts: what they need to know of their feed."""

    address: str
    feed: Feed
    ids: Collection[str]  # all that the feed lists
    now: datetime

    def as_post(self, piece: Piece, id_: str) -> Post:
        """The piece as a post."""
        published, precision = self._published(piece)
        updated = not_after(piece.updated, self.now) if piece.updated else None
        answers = guid_id(piece.reply_to, self.address) if piece.reply_to else None
        kind = self._kind(piece, answers)
        return Post(
            id=id_,
            url=piece.link or self.feed.link or self.address,
            kind=kind,
            title=piece.title or None,
            text=piece.text.text,
            author=piece.author,
            published=published,
            precision=precision,
            edited=updated if updated and updated > published else None,
            language=piece.language,
            in_reply_to=answers,
            thread=None if kind is Kind.ARTICLE else self._thread(piece),
            links=piece.text.links,
            attachments=piece.attachments,
            truncated=piece.text.truncated or piece.text.text.endswith(_CUT),
        )

    def _published(self, piece: Piece) -> tuple[datetime, Precision]:
        if piece.published is None:
            return self.now, Precision.SEEN
        precision = Precision.DAY if piece.day_only else Precision.SECOND
        return not_after(piece.published, self.now), precision

    def _kind(self, piece: Piece, answers: str | None) -> Kind:
        if answers in self.ids or _is_comment(piece.reply_to_link):
            return Kind.REPLY
        if answers or _is_comment(piece.link):
            return Kind.COMMENT
        return Kind.ARTICLE

    def _thread(self, piece: Piece) -> str | None:
        """The page that is being commented on."""
        return canonical(urldefrag(piece.reply_to_link or piece.link).url) or None


def _is_comment(link: str) -> bool:
    return bool(_COMMENT.fullmatch(urlsplit(link).fragment))
