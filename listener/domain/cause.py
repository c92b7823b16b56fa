"""Causes: what several complaints say alike, named by the words that set them apart."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from math import log, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from listener.domain.likeness import is_repost, plain_words, runs, unaddressed
from listener.domain.words import words

MOST: Final = 6  # causes that are told
FEWEST: Final = 2  # people who say it; one is a case, not a cause
SETS_APART: Final = 2.0  # times as often among complaints as elsewhere
LONGEST_QUOTE: Final = 280
QUOTED: Final = 3  # people who are quoted where one theme is told at length
NAMELESS: Final = "alike in meaning, no shared word"
COMMON: Final = 0.5  # of those who share a theme say the word that names it, where there is one
NEARLY: Final = 0.6  # of a word's complaints say it in the same pair: the pair names it better

# The small words of the languages we mostly meet: they name no cause.
SMALL_WORDS: Final = (
    "a an the and or but if of to in on at by for with from as is are was were be been am it "
    "its this that these those i you he she we they me my your his her our their them us not no "
    "nor so do does did have has had will would can could should just now then than too very "
    "there here when what which who how why all any some more most only also again after before "
    "about into out up down over still even ever never one two get got go went off s t re ve ll "
    "d m don didn doesn isn wasn won can't der die das und oder aber ein eine einen einem einer "
    "ist sind war ich sie wir ihr mir mich mein meine nicht kein keine auf aus bei mit nach von "
    "vor zu zum zur im den dem des es er auch noch nur schon wie wer wenn dass le la les un une "
    "du de et ou mais est sont je tu il elle nous vous ils mon ma mes ne pas plus que qui ce "
    "cette dans sur pour par avec sans el los las una unos y o pero son yo se lo su sus mi al "
    "del por para con sin como ya muy gli uno e sono non che di da per os um uma em na dos nao "
    "every because while him man mal jetzt immer wieder hier da doch eben ganz sehr mehr nun war "
    "fois bien tout tous toute très alors encore toujours peu été fait vez todo todos ahora siempre "
    "bien poco fue sido più tutto tutti sempre ancora volta muito já tudo sempre foi wel weer altijd "
    "com het een en maar ik niet geen van op te met voor bij dat dit aan naar ook nog dan "
)
SMALL: Final = frozenset(SMALL_WORDS.split())
CODED: Final = 1  # the bit that tells the number of a code
Keys = NDArray[np.uint64]  # the numbers of terms


@dataclass(frozen=True, slots=True)
class Said:
    """One complaint, as far as causes look at it. `by` is the same for the same author."""

    mention_id: int
    text: str
    by: str
    case_id: int | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What several people complain about alike: the words for it, who says it, the clearest."""

    words: tuple[str, ...]
    mentions: tuple[int, ...]
    people: int
    quote: Said
    theme: int | None = None  # its number, where it is one
    owner: str | None = None  # who sees to that theme
    link: str | None = None  # and where it is put right

    @property
    def name(self) -> str:
        """The words that set it apart."""
        return ", ".join(self.words)

    @property
    def seen_to(self) -> str:
        """Who sees to it and where, behind how many people say it; nothing where nobody does."""
        if self.owner is None and self.link is None:
            return ""
        at = f" at {self.link}" if self.link else ""
        return f", {self.owner or 'nobody'} sees to it{at}"


@dataclass(frozen=True, slots=True)
class Terms(Sequence[frozenset[str]]):
    """The terms of each complaint, cut whenever they are asked for.

    Thousands of complaints have so many that all of them, kept for a second, would leave the
    memory of a service in pieces.
    """

    said: Sequence[Said]
    passed: Collection[str]

    @override
    def __len__(self) -> int:
        return len(self.said)

    @override
    def __getitem__(self, place: Any) -> Any:
        return terms(self.said[place].text, self.passed)


class Tally:
    """How many texts have a term."""

    def __init__(self, texts: Iterable[str], passed: Collection[str]) -> None:
        found = [keys(text, passed) for text in texts]
        self.texts = len(found)
        every = np.concatenate([np.zeros(0, np.uint64), *found])
        self.keys, self.counts = np.unique(every, return_counts=True)

    def __getitem__(self, term: str) -> int:
        return int(self.of(np.array([key(term)], np.uint64))[0])

    def of(self, numbers: Keys) -> NDArray[np.int64]:
        """How many texts have each of the terms with these numbers."""
        return looked_up(self.keys, self.counts, numbers)


class Weights:
    """How much terms set apart what has them, by their numbers; other terms nothing."""

    def __init__(self, numbers: Keys, weights: NDArray[np.float64]) -> None:
        order = np.argsort(numbers)
        self.keys, self.weights = numbers[order], weights[order]

    def of(self, numbers: Keys) -> NDArray[np.float64]:
        """What each of the terms with these numbers weighs."""
        return looked_up(self.keys, self.weights, numbers)


def looked_up(known: Keys, values: NDArray[Any], numbers: Keys) -> NDArray[Any]:
    """The value of each number; `known` is sorted, and what is not there has none."""
    if not len(known):
        return np.zeros(len(numbers), values.dtype)
    places = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return np.where(known[places] == numbers, values[places], 0)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said, as far as it is cut into terms: complaints, and posts that complain of nothing."""

    said: Sequence[Said]
    terms: Terms  # of each complaint
    among: Tally  # how many complaints have a term
    elsewhere: Tally  # how many other posts have it

    def tally(self, group: Collection[int]) -> Tally:
        """How many complaints of a group have a term."""
        return Tally((self.said[place].text for place in group), self.terms.passed)

    def spelled(self, group: Collection[int], numbers: Keys) -> dict[int, str]:
        """The terms of a group that have these numbers, by number."""
        wanted = set(numbers.tolist())
        found: dict[int, str] = {}
        for place in group:
            if len(found) == len(wanted):
                break
            found |= {number: term for term in self.terms[place] if (number := key(term)) in wanted}
        return found


def cut(
    complaints: Sequence[Said], others: Iterable[str], *, known: Collection[str] = ()
) -> Spoken:
    """Cut everything into its terms; `known` are the brand's own words, which name nothing."""
    passed = passed_over(known)
    among = Tally((one.text for one in complaints), passed)
    return Spoken(complaints, Terms(complaints, passed), among, Tally(others, passed))


def passed_over(known: Collection[str]) -> frozenset[str]:
    """The words that tell nothing: small ones, and the brand's own."""
    return SMALL.union(word for one in known for word in words(one))


def causes(
    complaints: Sequence[Said],
    others: Sequence[str],
    *,
    known: Collection[str] = (),
    themes: Mapping[int, tuple[int, str]] | None = None,
) -> list[Cause]:
    """The causes that most people share, the most shared first.

    `others` are posts that complain of nothing: what is said there as often sets nothing apart.
    `known` are the brand's own words, which every post has. `themes` are the numbers and names
    of what was found before, by mention: they go first, under their names, and words are looked
    for in what is left. A complaint counts for the first cause that it fits; a cause needs two
    people.
    """
    heard = cut(complaints, others, known=known)
    spoken, elsewhere = list(heard.terms), heard.elsewhere
    found = known_before(heard, themes or {})
    told = {mention_id for one in found for mention_id in one.mentions}
    left = {number for number, one in enumerate(complaints) if one.mention_id not in told}
    while len(found) < MOST:
        of = defaultdict(set)
        for number in left:
            for term in spoken[number]:
                of[term].add(number)
        weights = {
            term: weight
            for term, numbers in of.items()
            if len({complaints[n].by for n in numbers}) >= FEWEST
            and (weight := lift(len(numbers), len(complaints), elsewhere[term], len(others)))
            > log(SETS_APART)
        }
        if not weights:
            break
        best = max(weights, key=lambda term: (len(of[term]) * weights[term], len(term), term))
        pairs = [
            term
            for term in weights
            if " " in term and best in term.split() and len(of[term]) >= NEARLY * len(of[best])
        ]
        name = max(pairs, key=lambda term: (len(of[term]), term)) if pairs else best
        group = of[best]
        numbers = np.fromiter(map(key, weights), np.uint64, len(weights))
        weighs = Weights(numbers, np.fromiter(weights.values(), np.float64, len(weights)))
        found.append(cause(name, group, heard, heard.tally(group), weighs))
        left -= group
    return sorted(found, key=lambda one: (-one.people, one.words))


def known_before(heard: Spoken, themes: Mapping[int, tuple[int, str]]) -> list[Cause]:
    """The themes that two people or more spoke of here, those of most people first."""
    groups: dict[tuple[int, str], list[int]] = defaultdict(list)
    for place, one in enumerate(heard.said):
        if one.mention_id in themes:
            groups[themes[one.mention_id]].append(place)
    counted = [
        (len({heard.said[place].by for place in places}), name, number, places)
        for (number, name), places in groups.items()
    ]
    most = sorted(one for one in counted if one[0] >= FEWEST)
    most.sort(key=lambda one: (-one[0], one[1]))
    return [
        Cause(
            words=(name,),
            mentions=tuple(sorted(heard.said[place].mention_id for place in places)),
            people=people,
            quote=named(heard, places)[1],
            theme=number,
        )
        for people, name, number, places in most[:MOST]
    ]


def named(heard: Spoken, group: Sequence[int]) -> tuple[str, Said]:
    """The name of what some complaints share, beside all else, and the clearest of them.

    `group` are their places. Up to three words, by how many say them and how much that sets them
    apart (the log-odds). Reckoned with the numbers of terms, as a thousand complaints have many.
    """
    mine = heard.tally(group)
    others = len(heard.said) - len(group) + heard.elsewhere.texts
    besides = heard.among.of(mine.keys) - mine.counts + heard.elsewhere.of(mine.keys)
    weighs = np.fromiter(
        (
            lift(count, len(group), other, others)
            for count, other in zip(mine.counts.tolist(), besides.tolist(), strict=True)
        ),
        np.float64,
        len(mine.keys),
    )
    apart = weighs > 0
    if not apart.any():
        return NAMELESS, heard.said[own(heard.said, group)[0]]
    # What a few of them say by chance names nothing that they share.
    common = apart & (mine.counts >= COMMON * len(group))
    worth = np.where(common if common.any() else apart, mine.counts * weighs, 0)
    best = heard.spelled(group, mine.keys[worth == worth.max()])
    made = cause(
        max(best.values(), key=lambda term: (len(term), term)),
        group,
        heard,
        mine,
        Weights(mine.keys[apart], weighs[apart]),
    )
    return made.name, made.quote


def cause(name: str, group: Collection[int], heard: Spoken, mine: Tally, weights: Weights) -> Cause:
    """A cause from those who say it; `mine` are the terms of the group."""
    weighs = weights.of(mine.keys)
    by_many = (weighs > 0) & (mine.counts >= max(FEWEST, len(group) / 3))
    worth = dict(
        zip(mine.keys[by_many].tolist(), (mine.counts * weighs)[by_many].tolist(), strict=True)
    )
    spelled = heard.spelled(group, mine.keys[by_many])
    parts = set(name.split())
    chosen: list[str] = [name]
    for number in sorted(worth, key=lambda number: (-worth[number], spelled[number])):
        if len(chosen) < 3 and parts.isdisjoint(spelled[number].split()):
            chosen.append(spelled[number])
            parts.update(spelled[number].split())
    shared = (weighs > 0) & (mine.counts >= FEWEST)
    counted = Weights(mine.keys[shared], weighs[shared])

    def telling(place: int) -> tuple[float, int]:
        one = heard.said[place]
        said = keys(one.text, heard.terms.passed)
        long = max(1.0, len(one.text) / LONGEST_QUOTE)
        return counted.of(said).sum() / sqrt(len(said) + 5) / long**2, -one.mention_id

    return Cause(
        words=tuple(chosen),
        mentions=tuple(sorted(heard.said[place].mention_id for place in group)),
        people=len({heard.said[place].by for place in group}),
        quote=heard.said[max(own(heard.said, group), key=telling)],
    )


def own(complaints: Sequence[Said], group: Collection[int]) -> list[int]:
    """Those who say it in words of their own, the first first; all where all repeat another's."""
    found: list[int] = []
    told: set[int] = set()  # a thousand complaints have too many runs to keep their words
    for place in sorted(group, key=lambda place: complaints[place].mention_id):
        text = complaints[place].text
        said = {hash(run) for run in runs(text)}
        if not is_repost(text) and told.isdisjoint(said):
            found.append(place)
            told |= said
    return found or list(group)


def clearest(
    complaints: Sequence[Said], *, known: Collection[str] = (), most: int = QUOTED
) -> list[Said]:
    """Those that say best what all of these say, each by another author and in other words.

    Best is who says in few words much of what several say. Who passes on another's words is
    quoted only where nobody has words of their own.
    """
    spoken = list(Terms(complaints, passed_over(known)))
    counts = Counter(term for said in spoken for term in said)
    shared = {term: log(count) for term, count in counts.items() if count >= FEWEST}

    def telling(place: int) -> tuple[float, int]:
        said, text = spoken[place], complaints[place].text
        worth = sum(shared.get(term, 0.0) for term in said)
        long = max(1.0, len(text) / LONGEST_QUOTE)
        return -worth / sqrt(len(said) + 5) / long**2, complaints[place].mention_id

    found: list[Said] = []
    told: set[object] = set()
    for place in sorted(own(complaints, range(len(complaints))), key=telling):
        one = complaints[place]
        same = {one.by, tuple(plain_words(one.text))}
        if len(found) < most and one.text.strip() and told.isdisjoint(same):
            found.append(one)
            told |= same
    return found


def lift(count: int, of: int, elsewhere: int, others: int) -> float:
    """The logarithm of how many times as often something is said here as elsewhere."""
    return log((count + 0.5) / (of + 1)) - log((elsewhere + 0.5) / (others + 1))


def terms(text: str, passed: Collection[str]) -> frozenset[str]:
    """The words of a text, and the pairs that stand side by side; small words are in neither."""
    said = words(unaddressed(text))  # whom one writes to is no reason to complain
    kept = [
        word if word not in passed and len(word) > 1 and not word.isdigit() else None
        for word in said
    ]
    pairs = {f"{one} {two}" for one, two in pairwise(kept) if one and two}
    return frozenset({word for word in kept if word and len(word) > 2} | pairs)


def keys(text: str, passed: Collection[str]) -> Keys:
    """The numbers of the terms of a text."""
    return np.fromiter(map(key, terms(text, passed)), np.uint64)


def key(term: str) -> int:
    """A number for a term, the same in every process; odd for a code."""
    digest = int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "big")
    return digest | CODED if is_code(term) else digest & ~CODED


def is_code(term: str) -> bool:
    """Whether a word is a code, a flight or a model: letters and digits in one."""
    return " " not in term and any(sign.isdigit() for sign in term)
