"""The few words by which a brand's query is noticed at all."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from listener.domain.folding import fold, in_word, is_picture
from listener.domain.query import (
    And,
    Domain,
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
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A folded word, or the domain of a link, that is in every post that matches a query."""

    text: str
    is_domain: bool = False


def anchors(queries: Iterable[Query]) -> Iterator[frozenset[Anchor]]:
    """For each query the fewest and rarest things one of which every post that matches has.

    What many queries ask for ("support", "refund") says little about any of them, so it is
    chosen last. A query that names nothing has none.
    """
    queries = tuple(queries)
    shared = Counter(piece for query in queries for piece in _all_pieces(query))
    for query in queries:
        yield frozenset(_anchors(query, shared))


def _all_pieces(query: Query) -> set[str]:
    return {piece for words in words_of(query) for piece in pieces(words)}


def _anchors(query: Query, shared: Mapping[str, int]) -> list[Anchor]:
    match query:
        case Term() | Phrase() | Handle() | Tag():
            return _rarest([[Anchor(piece)] for piece in pieces(query)], shared)
        case Domain(name):
            return [Anchor(name, is_domain=True)]
        case Near(left, right):
            return _rarest([_anchors(left, shared), _anchors(right, shared)], shared)
        case And(parts):
            return _rarest([_anchors(part, shared) for part in parts], shared)
        case Or(parts):
            several = [_anchors(part, shared) for part in parts]
            return [anchor for some in several for anchor in some] if all(several) else []
        case Filter() | Stars() | Not():
            return []


def _rarest(choices: list[list[Anchor]], shared: Mapping[str, int]) -> list[Anchor]:
    def cost(choice: list[Anchor]) -> tuple[int, int, int]:
        return (
            max(shared.get(anchor.text, 1) for anchor in choice),
            -min(_length(anchor) for anchor in choice),
            len(choice),
        )

    return min(filter(None, choices), key=cost, default=[])


def _length(anchor: Anchor) -> int:
    # Bytes, because one Han character says as much as three letters. A domain is rare, but a
    # link must be taken apart to see it.
    return 6 if anchor.is_domain else len(anchor.text.encode())


def words_of(query: Query) -> Iterator[Words]:
    """All that is looked for in the text."""
    match query:
        case Term() | Phrase() | Handle() | Tag():
            yield query
        case And(parts) | Or(parts):
            for part in parts:
                yield from words_of(part)
        case Near(left, right):
            yield from words_of(left)
            yield from words_of(right)
        case Not(part):
            yield from words_of(part)
        case Domain() | Filter() | Stars():
            pass


def pieces(words: Words) -> tuple[str, ...]:
    """The folded stretches that must follow one another; spaces and punctuation between vary."""
    folded = fold(str(words) if isinstance(words, Handle | Tag) else words.text).split()
    pieces = (piece.rstrip(",;:.?") or piece for piece in folded)
    found = tuple(piece for piece in pieces if any(map(_says_something, piece)))
    return found or tuple(folded)


def _says_something(sign: str) -> bool:
    return in_word(sign) or is_picture(sign)
