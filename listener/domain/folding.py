"""How text is levelled before words are compared: case, width, and the many ways to type a sign."""

import re
from string import ascii_letters, digits
from unicodedata import category, combining, normalize

# What people type for the same sign, and signs that nobody sees. One to one or to nothing, before
# NFKC, which would otherwise write Acme™ as the one word "acmetm".
_SAME = {
    **dict.fromkeys("\u2018\u2019\u201b\u02bc\u00b4", "'"),  # curly and other apostrophes
    **dict.fromkeys(
        "\u2010\u2011\u2012\u2013\u2212\u207b\u208b\ufe32", "-"
    ),  # hyphens, the en dash, the minus
    **dict.fromkeys("\u00ae\u2120\u2122", " "),  # (R), SM and TM are not part of a name
    "\u0149": "'n",
    "\uff9e": "\u3099",  # half-width voiced marks, as NFKC would have them
    "\uff9f": "\u309a",
    # As NFKC has them, but it takes tens of microseconds over a text with a single one of these,
    # and next to none over a text with none.
    **{chr(wide): chr(wide - 0xFEE0) for wide in range(0xFF01, 0xFF5F)},
    "\u3000": " ",
    "\u00a0": " ",
    "\u2026": "...",
}
_UNSEEN = (
    "\u00ad\u034f"  # soft hyphen, grapheme joiner
    "\u180b-\u180d\u180f\ufe00-\ufe0f"  # variation selectors
)
# Signs this high stand apart, where they are hardly ever looked for: `re` goes through a class
# with one of them range by range, and looks all others up in a table.
_HIGH = re.compile("[\U000e0100-\U000e01ef]")  # more variation selectors
_HIGH_BEGINS = b"\xf3\xa0"  # in UTF-8
_BROKEN = "\ud800-\udfff"  # half a character, from bad JSON: cannot be handed to the automaton
_LEVELLED = re.compile(f"[{''.join(_SAME)}{_UNSEEN}{_BROKEN}]")
_HALF = re.compile(f"[{_BROKEN}]")
# Sorting a long run of marks takes normalize() seconds, so nobody may send us one: what no
# language piles up is cut, as Unicode's stream-safe text format does.
_MOST_MARKS = 30
_SIGN = r"[^\x00-\x7f\w\s]"
_CROWD = re.compile(rf"{_SIGN}{_SIGN}{{{_MOST_MARKS},}}")  # twice: three times as fast
_DOTTED = re.compile("i\u0307+")
_BEYOND = re.compile(r"[^\x00-\x7f]")

# Scripts that are written without spaces, or (Hangul) glue particles to a name.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff"  # Myanmar
    "\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\uaa80-\uaadf"  # Khmer, Tai
    "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"  # Han signs
    "\u3040-\u30ff\u31f0-\u31ff\U0001b000-\U0001b16f"  # Hiragana, Katakana
    "\u3100-\u312f\u31a0-\u31bf\ua000-\ua4cf"  # Bopomofo, Yi
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"  # Han
)
_JOINER = "\u200d"  # makes one emoji, or one word, of what stands on both sides of it
_SKINS = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_WORD = re.compile(r"\w")
_LETTERS = frozenset(ascii_letters + digits + "_")  # of ASCII: a look-up instead of a search


def fold(text: str) -> str:
    """The text as it is compared: NFKC, no case, one apostrophe, one hyphen, one i.

    Folding works stretch by stretch (see `origins`), so positions can be traced back.
    """
    if text.isascii():
        return text.lower()
    plain = _plain(text, 0)
    return text[:plain].lower() + _folded(text[plain:])


def _plain(text: str, start: int) -> int:
    """Where the stretch of ASCII that begins at `start` ends, as far as each sign stays alone.

    The last one before another sign may melt with it. Many a text is all ASCII but for an emoji
    at its end, and what goes through here does not go through the rest.
    """
    beyond = _BEYOND.search(text, start)
    return len(text) if beyond is None else max(start, beyond.start() - 1)


def _folded(text: str) -> str:
    raw = text.encode(errors="surrogatepass")
    if _HIGH_BEGINS in raw:
        text = _HIGH.sub("", text)
    text = _LEVELLED.sub(_level, text)
    if len(raw) - len(text) > _MOST_MARKS:  # else too few signs beyond ASCII for a crowd
        text = _CROWD.sub(_thin, text)
    folded = normalize("NFKC", text).casefold()
    # Turkish has two pairs of i; "İSTANBUL", "istanbul" and "ıstanbul" must all be found.
    if "\u0307" in folded:
        folded = _DOTTED.sub("i", folded)
    return normalize("NFKC", folded.replace("ı", "i"))


def _level(sign: re.Match[str]) -> str:
    return _SAME.get(sign[0]) or ("\ufffd" if _HALF.match(sign[0]) else "")


def _thin(crowd: re.Match[str]) -> str:
    kept = []
    marks = 0
    for sign in crowd[0]:
        marks = marks + 1 if combining(sign) else 0
        if marks <= _MOST_MARKS:
            kept.append(sign)
    return "".join(kept)


def origins(text: str) -> tuple[list[int], list[int]]:
    """For every character of `fold(text)`: where its source in `text` starts, and where it ends.

    Characters that fold together (a letter with its accents, the parts of a Hangul syllable)
    share one source.
    """
    starts: list[int] = []
    ends: list[int] = []
    start = 0
    while start < len(text):
        plain = _plain(text, start)
        starts += range(start, plain)
        ends += range(start + 1, plain + 1)
        if plain == len(text):
            break
        start = plain
        end = start + 1
        while end < len(text) and (_clings(text[end]) or _melts(text[start:end], text[end])):
            end += 1
        length = len(fold(text[start:end]))
        starts += [start] * length
        ends += [end] * length
        start = end
    return starts, ends


def _clings(sign: str) -> bool:
    return not sign.isascii() and (combining(normalize("NFKC", sign)[0]) != 0 or not fold(sign))


def _melts(before: str, sign: str) -> bool:
    return not sign.isascii() and fold(before + sign) != fold(before) + fold(sign)


def in_word(sign: str) -> bool:
    """Whether this character is a letter, a digit or the underscore."""
    return _WORD.match(sign) is not None


def is_mark(sign: str) -> bool:
    """Whether this character is an accent or vowel sign that belongs to the letter before it."""
    return not sign.isascii() and category(sign)[0] == "M"


def is_unspaced(sign: str) -> bool:
    """Whether this character is of a script that puts no spaces around a name."""
    return _UNSPACED.match(sign) is not None


def is_picture(sign: str) -> bool:
    """Whether this character is an emoji or another sign that stands for itself."""
    return not sign.isascii() and (category(sign) == "So" or sign in _SKINS)


def is_whole(folded: str, start: int, end: int) -> bool:
    """Whether this stretch of a folded text is not merely a part of a longer word."""
    if folded.isascii():  # the same, with no marks, pictures or scripts to think of
        return (start == 0 or folded[start - 1] not in _LETTERS) and (
            end == len(folded) or folded[end] not in _LETTERS
        )
    return _begins(folded, start) and _ends(folded, end)


def _begins(folded: str, start: int) -> bool:
    if start == 0:
        return True
    first = folded[start]
    if is_mark(first):
        return False
    before = _base(folded, start - 1)
    if before == _JOINER:
        return not (start > 1 and _joinable(_base(folded, start - 2)))
    return not in_word(before) or is_picture(first) or is_unspaced(first) or is_unspaced(before)


def _ends(folded: str, end: int) -> bool:
    if end == len(folded):
        return True
    after = folded[end]
    if after.isascii():  # nearly always
        if not in_word(after):
            return True
    elif is_mark(after):
        return False
    elif after == _JOINER or after in _SKINS:
        return not _is_joined(folded, end)
    elif not in_word(after):
        return True
    last = _base(folded, end - 1)
    return is_picture(last) or is_unspaced(last) or is_unspaced(after)


def _is_joined(folded: str, end: int) -> bool:
    """Whether a joiner, perhaps behind the colour of a skin, makes a longer emoji of this one."""
    while end < len(folded) and folded[end] in _SKINS:
        end += 1
    return folded[end : end + 1] == _JOINER and _joinable(folded[end + 1 : end + 2])


def _base(folded: str, position: int) -> str:
    """The character that the marks at `position` belong to; nothing where there is none."""
    while position >= 0 and is_mark(folded[position]):
        position -= 1
    return folded[position] if position >= 0 else ""


def _joinable(sign: str) -> bool:
    return in_word(sign) or is_picture(sign)
