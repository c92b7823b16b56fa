"""How one post is read with a brand's query in hand."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

from connectors.kit.contract import Post
from listener.domain.folding import fold, in_word, is_mark, is_unspaced, is_whole, origins
from listener.domain.matching.accounts import handles_of
from listener.domain.query import (
    And,
    Comparison,
    Domain,
    Field,
    Filter,
    Handle,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    Stars,
    Tag,
    Term,
    Words,
    registered,
)

# Signs between two words of a phrase; without a bound, thousands of emoji would take minutes.
_WIDEST_GAP = 64

FieldName: TypeAlias = Literal["title", "text"]


class TextSpan(NamedTuple):
    """Words of a post that made it match: `start` to `end` (exclusive), in its title or text."""

    field: FieldName
    start: int
    end: int


class Place(NamedTuple):
    """A stretch of the folded title (part 0) or text (part 1)."""

    part: int
    start: int
    end: int


class Reading:
    """One post while queries are asked of it; what they share is worked out once, when needed."""

    def __init__(
        self,
        post: Post,
        came_by: frozenset[str],
        pieces: Mapping[Words, tuple[str, ...]],
        folded: tuple[str, str],
    ) -> None:
        self._post = post
        self._came_by = came_by
        self._pieces = pieces
        self._folded = folded  # title and text
        self._found: dict[Words, list[Place]] = {}

    def find(self, query: Query) -> list[Place] | None:
        """Where the post says what the query asks for; None where it does not match."""
        match query:
            case Term() | Phrase() | Handle() | Tag():
                return self._places(query) or None
            case Domain(name):
                return [] if name in self.domains else None
            case Filter() | Stars():
                return [] if self._passes(query) else None
            case Near(left, right, words):
                return self._near(self.find(left), self.find(right), words) or None
            case Not(part):
                return [] if self.find(part) is None else None
            case And(parts):
                together: list[Place] = []
                for part in parts:
                    places = self.find(part)
                    if places is None:
                        return None
                    together += places
                return together
            case Or(parts):
                found = [places for part in parts if (places := self.find(part)) is not None]
                return [place for places in found for place in places] if found else None

    def spans(self, places: Iterable[Place]) -> tuple[TextSpan, ...]:
        """The places in the post as it was published, in order, overlapping ones joined."""
        spans: list[TextSpan] = []
        for place in sorted(set(places)):
            name: FieldName = "text" if place.part else "title"
            starts, ends = self._title_origins if place.part == 0 else self._text_origins
            start = starts[place.start] if starts else place.start
            end = ends[place.end - 1] if ends else place.end
            if spans and spans[-1].field == name and start < spans[-1].end:
                end = max(end, spans[-1].end)
                start = spans.pop().start
            spans.append(TextSpan(name, start, end))
        return tuple(spans)

    @cached_property
    def domains(self) -> frozenset[str]:
        return domains_of(self._post)

    @cached_property
    def _title_origins(self) -> tuple[Sequence[int], Sequence[int]]:
        return _moved(self._post.title or "")

    @cached_property
    def _text_origins(self) -> tuple[Sequence[int], Sequence[int]]:
        return _moved(self._post.text)

    @cached_property
    def _word_starts(self) -> tuple[list[int], list[int]]:
        title, text = self._folded
        return word_starts(title), word_starts(text)

    def _places(self, words: Words) -> list[Place]:
        found = self._found.get(words)
        if found is None:
            pieces = self._pieces[words]
            found = self._found[words] = [
                Place(part, start, end)
                for part, folded in enumerate(self._folded)
                if folded
                for start, end in _occurrences(words, pieces, folded)
            ]
        return found

    def _passes(self, wanted: Filter | Stars) -> bool:
        post = self._post
        if isinstance(wanted, Stars):
            return post.rating is not None and _compares(
                round(post.rating.stars, 2), wanted.comparison, wanted.stars
            )
        match wanted.field:
            case Field.LANGUAGE:
                language = (post.language or "").replace("_", "-").lower()
                return language == wanted.value or language.startswith(f"{wanted.value}-")
            case Field.SOURCE:
                return fold(wanted.value) in self._came_by
            case Field.AUTHOR:
                author = post.author
                wished = fold(wanted.value).removeprefix("@")
                return (
                    wished in (fold(author.name), *handles_of(author)) or wanted.value == author.id
                )
            case Field.KIND:
                return post.kind == wanted.value

    def _near(self, left: list[Place] | None, right: list[Place] | None, words: int) -> list[Place]:
        """The places of either side that have one of the other near, not overlapping."""
        if not left or not right:
            return []
        return [
            place
            for these, those in ((left, right), (right, left))
            for place in self._with_company(these, those, words)
        ]

    def _with_company(self, these: list[Place], those: list[Place], words: int) -> Iterator[Place]:
        # The nearest after and the nearest before are enough: two searches in sorted lists.
        by_start = sorted(those)
        by_end = sorted((place.part, place.end, place) for place in those)
        for place in these:
            after = bisect_left(by_start, Place(place.part, place.end, 0))
            if after < len(by_start) and self._between(place, by_start[after]) <= words:
                yield place
                continue
            before = bisect_left(by_end, (place.part, place.start + 1)) - 1
            if before >= 0 and self._between(by_end[before][2], place) <= words:
                yield place

    def _between(self, first: Place, second: Place) -> float:
        """How many words stand between two places; no number is enough across fields."""
        if first.part != second.part:
            return float("inf")
        starts = self._word_starts[first.part]
        return bisect_left(starts, second.start) - bisect_left(starts, first.end)


def domains_of(post: Post) -> frozenset[str]:
    """The registered domains that a post links to, by its text or by a card below it."""
    cards = (card.url for card in post.attachments if card.kind == "link")
    return frozenset[str]().union(*map(registered, (*post.links, *cards)))


def _moved(text: str) -> tuple[Sequence[int], Sequence[int]]:
    """`origins`, or nothing where folding moves nothing."""
    return ((), ()) if text.isascii() else origins(text)


def _occurrences(words: Words, pieces: tuple[str, ...], folded: str) -> Iterator[tuple[int, int]]:
    """Where the words stand in a folded text, none overlapping."""
    first, *others = pieces
    start = folded.find(first)
    while start >= 0:
        end = start + len(first)
        whole = _WHOLE[type(words)](folded, start, end)
        for piece in others if whole else ():
            follows = _following(folded, end, piece)
            if follows is None:
                whole = False
                break
            end = follows
        if whole:
            yield start, end
        start = folded.find(first, end if whole else start + 1)


def _following(folded: str, at: int, piece: str) -> int | None:
    """The end of the piece, where nothing but spaces and punctuation stand before it."""
    beyond = at
    while beyond < min(len(folded), at + _WIDEST_GAP) and not in_word(folded[beyond]):
        beyond += 1
    start = folded.find(piece, at, beyond + len(piece))
    while start >= 0:
        if is_whole(folded, start, start + len(piece)):
            return start + len(piece)
        start = folded.find(piece, start + 1, beyond + len(piece))
    return None


def _is_handle(folded: str, start: int, end: int) -> bool:
    """Whether an @handle begins and ends here: not in a mail address, nor in a longer name."""
    if not is_whole(folded, start, end):
        return False
    follows = folded[end : end + 2]
    return not (
        len(follows) == 2
        and follows[0] in ".-"
        and in_word(follows[1])
        and not is_unspaced(follows[1])
    )


def _is_tag(folded: str, start: int, end: int) -> bool:
    """Whether a #tag begins and ends here; a tag goes on in every script."""
    return is_whole(folded, start, end) and not (end < len(folded) and in_word(folded[end]))


_WHOLE = {Term: is_whole, Phrase: is_whole, Handle: _is_handle, Tag: _is_tag}


def word_starts(folded: str) -> list[int]:
    """Where the words of a folded text begin; each character of an unspaced script is a word."""
    starts: list[int] = []
    inside = False
    for position, sign in enumerate(folded):
        if in_word(sign):
            alone = is_unspaced(sign)
            if alone or not inside:
                starts.append(position)
            inside = not alone
        elif sign not in "'\u200d" and not is_mark(sign):  # it's one word, and so is Zoë
            inside = False
    return starts


def _compares(stars: float, comparison: Comparison, wanted: float) -> bool:
    match comparison:
        case "<":
            return stars < wanted
        case "<=":
            return stars <= wanted
        case "=":
            return stars == wanted
        case ">=":
            return stars >= wanted
        case ">":
            return stars > wanted
