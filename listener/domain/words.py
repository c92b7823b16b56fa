"""The words of a text as they are looked for: levelled, without accents, in every script."""

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Final
from unicodedata import category, normalize

from listener.domain.folding import fold, is_mark, is_unspaced

LONGEST: Final = 20_000  # characters of a text that can be found
LONGEST_WORD: Final = 64
MOST_ASKED: Final = 16  # words of a search
LONGEST_SEARCH: Final = 400
SHORTEST_BEGINNING: Final = 2  # a search for all words with the same first letter helps nobody

_PLAIN = re.compile(r"[a-z0-9]+")
_ACCENT = re.compile("[\u0300-\u036f]+")
_QUOTED = re.compile(r'"([^"]*)("|$)|([^\s"]+)')
_QUOTES = str.maketrans(dict.fromkeys("“”„«»", '"'))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side; with `begins`, the last may go on."""

    words: tuple[str, ...]
    begins: bool = False


def words(text: str) -> list[str]:
    """Every word of a text, in order. Scripts without spaces are taken sign by sign."""
    folded = fold(text[:LONGEST])
    if folded.isascii():
        return [word[:LONGEST_WORD] for word in _PLAIN.findall(folded)]
    plain = normalize("NFC", _ACCENT.sub("", normalize("NFD", folded)))
    found: list[str] = []
    for in_word, signs in groupby(plain, _is_part):
        if in_word:
            word = "".join(signs)
            found += [word] if word.isascii() else pieces(word)
    return [word[:LONGEST_WORD] for word in found]


def _is_part(sign: str) -> bool:
    return sign.isalnum() or category(sign)[0] in "LMN"


def pieces(word: str) -> list[str]:
    """A word as it is, or its signs, each with its marks, where its script puts no spaces."""
    found: list[str] = []
    joins = False
    for sign in word:
        alone = is_unspaced(sign)
        if found and (is_mark(sign) or (joins and not alone)):
            found[-1] += sign
        else:
            found.append(sign)
        joins = not alone if not is_mark(sign) else joins
    return found


def asked(search: str) -> list[Phrase]:
    """What somebody types into a search box: words, "phrases", and a last word not yet ended.

    There is nothing that it could not be: whatever is no word is passed over.
    """
    typed = search[:LONGEST_SEARCH].translate(_QUOTES)
    phrases: list[Phrase] = []
    left = MOST_ASKED
    for found in _QUOTED.finditer(typed):
        said = tuple(words(found[1] if found[1] is not None else found[3])[:left])
        if said:
            last = found[3] is not None and found.end() == len(typed)
            phrases.append(Phrase(said, last and len(said[-1]) >= SHORTEST_BEGINNING))
            left -= len(said)
    return phrases
