"""Grouping: which complaints of a brand say the same, by the words and the meaning they share."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from listener.domain.cause import CODED, Said, keys, passed_over
from listener.domain.embedding import TINY, Matrix, seen
from listener.domain.theme import FEWEST


class Ways(NamedTuple):
    """How much words and meaning count, and what is near."""

    by_words: float
    near: float


# Chosen on the demonstration and our own posts, looked at on sets that are not ours:
# docs/themes.md. `by_words` is the weight of shared words, the rest is that of meaning; `near` is
# how alike the complaints of one group are at least, on average.
PLAIN: Final = Ways(by_words=0.7, near=0.12)
THROUGH_A_LENS: Final = Ways(by_words=0.5, near=0.12)  # meaning is to be trusted more
CODE: Final = 3.0  # FRESH20 or BA2490 name a cause; weighs so many times as much as a word
AT_LEAST: Final = 0.5  # the weight of a word that everybody says
AT_ONCE: Final = 1_000  # terms that are compared together
ROWS: Final = 256  # texts that are compared with all others together
GONE: Final = -9.0  # less alike than anything can be
TOGETHER: Final = 2.0  # more alike than anything can be
APART: Final = -1e6  # also on average with thousands who are alike
NOWHERE: Final[Mapping[int, int]] = MappingProxyType({})


def grouped(
    said: Sequence[Said],
    meanings: Matrix | None,
    *,
    lens: Matrix | None = None,
    known: Collection[str] = (),
    standing: Mapping[int, int] = NOWHERE,
    by_hand: Collection[int] = (),
) -> list[list[int]]:
    """Places in `said` that belong together, the largest group first; each of `FEWEST` people.

    `meanings` are embeddings, a row for each; a row of noughts where there is none; `lens` is
    what they are looked at through, where their model has one. `known` are
    the brand's own words. `standing` is the theme that a mention is of, `by_hand` are themes
    that people made: what is of one stays together, apart from all other themes, however few
    say it; what is of none yet goes where its words are. The order in which complaints are
    given changes nothing.
    """
    if not said or (len(said) < FEWEST and not by_hand):
        return []
    order = sorted(range(len(said)), key=lambda place: said[place].mention_id)
    alike = sharing([said[place].text for place in order], known)
    ways = PLAIN if lens is None else THROUGH_A_LENS
    if meanings is not None and meanings.size:
        alike *= ways.by_words
        add_products(alike, centred(meanings[order], lens), weight=1 - ways.by_words)
    of = [standing.get(one.mention_id, 0) for one in said]
    heed(alike, [of[place] for place in order], by_hand)
    groups: dict[int, list[int]] = {}
    for place, label in zip(order, joined(alike, ways.near), strict=True):
        groups.setdefault(label, []).append(place)
    many = [
        group
        for group in groups.values()
        if len({said[place].by for place in group}) >= FEWEST
        or any(of[place] in by_hand for place in group)
    ]
    return sorted(many, key=lambda group: (-len(group), said[group[0]].mention_id))


def heed(alike: Matrix, of: Sequence[int], by_hand: Collection[int]) -> None:
    """Put people's word above the words: what they put together is alike, and unlike the rest.

    `of` is the theme that each row is of, 0 for none.
    """
    themes = np.asarray(of)
    for theme in by_hand:
        mine = themes == theme
        others = (themes != 0) & ~mine
        alike[np.ix_(mine, mine)] = TOGETHER
        alike[np.ix_(mine, others)] = APART
        alike[np.ix_(others, mine)] = APART


def sharing(texts: Sequence[str], known: Collection[str]) -> Matrix:
    """How alike texts are by the words they share, 0 to 1: the cosines between all of them.

    A rare word weighs more, and one that only one text has none. Reckoned some terms at a time,
    and with numbers for terms: two thousand texts have so many that all at once, or all their
    words, would fill the memory.
    """
    passed = passed_over(known)
    numbers = [keys(text, passed) for text in texts]
    every, term, counts = np.unique(
        np.concatenate(numbers), return_inverse=True, return_counts=True
    )
    weights = np.log((1 + len(texts)) / (1 + counts)) + AT_LEAST
    weights[every & np.uint64(CODED) != 0] *= CODE
    by_several = counts[term] > 1
    text = np.repeat(np.arange(len(texts)), [len(one) for one in numbers])[by_several]
    term = term[by_several]
    shared = np.flatnonzero(counts > 1)
    alike = np.zeros((len(texts), len(texts)), dtype=np.float32)
    for start in range(0, len(shared), AT_ONCE):
        several = shared[start : start + AT_ONCE]
        here = (term >= several[0]) & (term <= several[-1])
        rows = np.zeros((len(texts), len(several)), dtype=np.float32)
        rows[text[here], np.searchsorted(several, term[here])] = weights[term[here]]
        add_products(alike, rows)
    lengths = np.sqrt(np.maximum(alike.diagonal(), TINY))
    alike /= lengths
    alike /= lengths[:, None]
    return alike


def add_products(sums: Matrix, rows: Matrix, weight: float = 1.0) -> None:
    """Add the products of all rows with each other, without a second table of that size.

    The half below the diagonal is a copy of that above, to the last digit.
    """
    for start in range(0, len(rows), ROWS):
        end = start + ROWS
        sums[start:end, start:] += weight * (rows[start:end] @ rows[start:].T)
        within = sums[start:end, start:end]
        above = np.triu(within)
        within[:] = above + np.triu(above, 1).T
        sums[end:, start:end] = sums[start:end, end:].T


def centred(meanings: Matrix, lens: Matrix | None = None) -> Matrix:
    """Directions from the middle of what a brand hears, which all its complaints share."""
    there = np.any(meanings, axis=1)
    rows = seen(meanings, lens)
    if there.any():
        rows = np.where(there[:, None], rows - rows[there].mean(axis=0), 0).astype(np.float32)
    return seen(rows)


def joined(alike: Matrix, near: float) -> list[int]:
    """A label for each row: groups whose members are on average at least so near to each other.

    Average linkage by chains of nearest neighbours: time grows with the square of the rows. It
    reckons in `alike`, which says nothing of use afterwards.
    """
    left = alike
    np.fill_diagonal(left, GONE)
    label, size = np.arange(len(left)), np.ones(len(left))
    alive = np.ones(len(left), dtype=bool)
    chain: list[int] = []
    while alive.any():
        if not chain:
            chain.append(int(np.flatnonzero(alive)[0]))
        last = chain[-1]
        next_ = int(left[last].argmax())
        if left[last, next_] < near:  # nothing that is left can come nearer by joining others
            retired(left, alive, chain.pop())
        elif len(chain) > 1 and left[last, chain[-2]] >= left[last, next_]:
            keeps, goes = chain[-2], last
            del chain[-2:]
            both = size[keeps] + size[goes]
            mean = (size[keeps] * left[keeps] + size[goes] * left[goes]) / both
            size[keeps] = both
            label[label == goes] = keeps
            retired(left, alive, goes)
            mean[~alive] = mean[keeps] = GONE
            left[keeps], left[:, keeps] = mean, mean
        else:
            chain.append(next_)
    return [int(one) for one in label]


def retired(left: Matrix, alive: NDArray[np.bool_], one: int) -> None:
    """Take a row out of the search."""
    alive[one] = False
    left[one], left[:, one] = GONE, GONE
