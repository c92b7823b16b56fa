"""All brands' queries asked of one post at once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, Implementation

from connectors.kit.contract import Post
from listener.domain.folding import fold, is_whole
from listener.domain.matching.anchors import anchors, pieces, words_of
from listener.domain.matching.reading import Reading, TextSpan, domains_of
from listener.domain.query import Query, registered

_MOST_QUICK = 200_000  # letters of anchors


@dataclass(frozen=True, slots=True)
class Match:
    """That a post names a brand, and the words that say so: in order, none overlapping.

    There are none when only a link names the brand.
    """

    brand: int
    spans: tuple[TextSpan, ...]


class Matcher:
    """All brands' queries, prepared once so that a post that names none costs almost nothing.

    Each query is found by its anchors: a few words one of which must be in every post that
    matches. One automaton looks for the anchors of all brands; only the queries of those it
    finds are evaluated.
    """

    def __init__(self, brands: Mapping[int, Query]) -> None:
        self._brands = tuple(brands.items())
        self._pieces = {
            words: pieces(words) for query in brands.values() for words in words_of(query)
        }
        by_word: defaultdict[str, list[int]] = defaultdict(list)
        by_domain: defaultdict[str, list[int]] = defaultdict(list)
        for number, found in enumerate(anchors(brands.values())):
            for anchor in found:
                (by_domain if anchor.is_domain else by_word)[anchor.text].append(number)
        self._by_anchor = tuple(by_word.values())
        self._by_domain = dict(by_domain)
        words = tuple(by_word)
        # The quicker automaton takes half a kilobyte for each letter: fine for 20,000 brands.
        quick = sum(map(len, words)) <= _MOST_QUICK
        self._automaton = AhoCorasick(
            words, implementation=Implementation.DFA if quick else Implementation.ContiguousNFA
        )

    def matches(
        self, posts: Iterable[Post], *, source: str = "", connector: str = ""
    ) -> list[tuple[Post, list[Match]]]:
        """The posts that name a brand, in order, each with its matches."""
        came_by = _came_by(source, connector)
        return [(post, found) for post in posts if (found := self._match(post, came_by))]

    def may_match(self, text: str, links: Iterable[str]) -> bool:
        """Whether a post of this title and text, linking to these addresses, may name a brand.

        Never no where `match` finds something: it asks for the same anchors.
        """
        if self._anchors(fold(text)):
            return True
        return bool(self._by_domain) and any(
            not self._by_domain.keys().isdisjoint(registered(link)) for link in links
        )

    def match(self, post: Post, *, source: str = "", connector: str = "") -> list[Match]:
        """The brands that a post names, in the order in which the brands were given.

        `source` is the name of the source that brought it, `connector` the one it came by.
        """
        return self._match(post, _came_by(source, connector))

    def _match(self, post: Post, came_by: frozenset[str]) -> list[Match]:
        text = fold(post.text)
        title = fold(post.title) if post.title else ""
        # A line break keeps the words of the title and of the text apart.
        candidates: set[int] = set()
        for anchor in self._anchors(f"{title}\n{text}" if title else text):
            candidates.update(self._by_anchor[anchor])
        if self._by_domain and (post.links or post.attachments):
            for domain in domains_of(post):
                candidates.update(self._by_domain.get(domain, ()))
        if not candidates:
            return []
        reading = Reading(post, came_by, self._pieces, (title, text))
        found = []
        for number in sorted(candidates):
            brand, query = self._brands[number]
            places = reading.find(query)
            if places is not None:
                found.append(Match(brand, reading.spans(places)))
        return found

    def _anchors(self, folded: str) -> list[int]:
        """The anchors that stand whole in a folded text."""
        found = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        return [anchor for anchor, start, end in found if is_whole(folded, start, end)]


def _came_by(source: str, connector: str) -> frozenset[str]:
    return frozenset((fold(source), fold(connector))) - {""}
