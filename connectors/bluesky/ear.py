"""What is made of a stream: the posts with our words, each once, and how far it was heard."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from unicodedata import normalize

from connectors.bluesky.frames import Event, Mark, microseconds
from connectors.bluesky.shapes import author
from connectors.kit.contract import Author, Page, Post, Span

# So many posts of one stream are remembered: relays repeat themselves, and an account that
# leaves takes its posts with it without naming them.
REMEMBERED = 20_000
# So often a page says how far the stream was heard, also when nothing of ours was in it.
PULSE = timedelta(seconds=5)


class Ear:
    """Turns events into pages, as long as one stream lasts.

    `since` is the mark that the stream was asked to go on from; without words everything is
    ours.
    """

    def __init__(self, words: Sequence[str], *, since: Mark | None, ours: Author | None) -> None:
        self.last = since
        self._words = [_folded(word) for word in words]
        self._ours = ours
        self._told = since.at if since else None  # up to here pages have said it was heard
        self._resumed = since.at if since else None
        self._passed: OrderedDict[str, str] = OrderedDict()
        self._sifted = 0  # posts that nobody wanted since a page last said so
        self._due = 0  # microseconds since 1970: what is streamed from here on is heard whole

    def let_by(self, at: int) -> bool:
        """Count a post, streamed at so many microseconds, that nobody wants.

        False when it is time to say how far the stream was heard: then it is to be heard whole.
        """
        if at >= self._due:
            return False
        self._sifted += 1
        return True

    def hear(self, event: Event) -> Page | None:
        """The page that an event makes; None when there is nothing to say yet."""
        self.last = event.mark
        posts, gone, span = self._posts(event), self._gone(event), self._span(event)
        self._due = microseconds(self._told + PULSE) if self._told and not self._resumed else 0
        self._sifted += event.sifted
        if not (posts or gone or event.unreadable or span):
            return None
        sifted, self._sifted = self._sifted, 0
        return Page(
            posts=tuple(posts),
            gone=gone,
            unreadable=event.unreadable,
            cursor=event.mark.cursor,
            span=span,
            sifted=sifted,
        )

    def _posts(self, event: Event) -> list[Post]:
        posts = []
        for one in event.written:
            if self._passed.get(one.uri) == one.revision:
                continue
            ours = self._ours if self._ours and self._ours.id == event.did else None
            post = one.record.as_post(one.uri, ours or author(event.did), event.mark.at)
            if self._wanted(post):
                self._passed[one.uri] = one.revision
                posts.append(post)
        while len(self._passed) > REMEMBERED:
            self._passed.popitem(last=False)
        return posts

    def _wanted(self, post: Post) -> bool:
        """Whether one of the words stands in it. A coarse sieve: the listener looks closely."""
        if not self._words:
            return True
        alts = (attachment.alt for attachment in post.attachments)
        text = _folded("\n".join((post.text, *post.links, *alts)))
        return any(word in text for word in self._words)

    def _gone(self, event: Event) -> tuple[str, ...]:
        gone = list(event.gone)
        if event.left:
            mine = f"at://{event.did}/"
            gone += [uri for uri in self._passed if uri.startswith(mine)]
        for uri in gone:
            self._passed.pop(uri, None)
        return tuple(gone)

    def _span(self, event: Event) -> Span | None:
        """The stretch that was heard without a gap since a page last said so."""
        at = event.mark.at
        if event.gap:
            self._told = None
            return None
        if self._told is None or self._missed(at):
            self._told = at
            return None
        if at - self._told < PULSE:
            return None
        span, self._told = Span(self._told, at), at
        return span

    def _missed(self, at: datetime) -> bool:
        """Whether a stream that was to be resumed begins later than where we stopped.

        Jetstream goes on at the oldest it still has and does not say so.
        """
        resumed, self._resumed = self._resumed, None
        goes_back = self.last is not None and self.last.stream == "jetstream"
        return goes_back and resumed is not None and at > resumed


def _folded(text: str) -> str:
    return normalize("NFKC", text).casefold()
