"""How a query's text falls into words and signs."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias
from unicodedata import east_asian_width

from typing_extensions import override

QUOTES = '"“”„'  # word processors put curly ones
MINUS = "-−–"
MAX_DISTANCE = 100  # words; further apart is no longer near
_ENDS = frozenset(f"(){QUOTES}")
_MARGIN = 30  # characters that a pointer shows on either side


class QueryError(ValueError):
    """A query cannot be understood: what is wrong, where, and what to do, in one sentence.

    `position` counts characters from 0; the sentence counts as people do, from 1.
    """

    def __init__(self, message: str, position: int, text: str = "") -> None:
        super().__init__(message, position, text)
        self.message = message
        self.position = position
        self.text = text

    @override
    def __str__(self) -> str:
        return f"At character {self.position + 1}: {self.message}"

    def pointer(self) -> str:
        """The line of the query with a caret under the character, for a fixed-width face."""
        start = self.text.rfind("\n", 0, self.position) + 1
        end = self.text.find("\n", self.position)
        start = max(start, self.position - _MARGIN)
        end = min(end if end >= 0 else len(self.text), self.position + _MARGIN)
        shown = self.text[start:end].replace("\t", " ")
        columns = sum(
            2 if east_asian_width(c) in "WF" else 1 for c in shown[: self.position - start]
        )
        return f"{shown}\n{' ' * columns}^"


class Sign(Enum):
    """What a query is written with, besides its words; the value is how to call it."""

    OPEN = "("
    CLOSE = ")"
    AND = "AND"
    OR = "OR"
    NOT = "NOT"
    MINUS = "the minus"
    NEAR = "NEAR"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Mark:
    """A sign in its place; `words` is the distance of a NEAR."""

    sign: Sign
    position: int
    words: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A word, or something in quotes, in its place; `field` is what stands before its colon."""

    position: int
    text: str
    quoted: bool = False
    field: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison such as `rating <= 2`, in its place."""

    position: int
    field: str
    comparison: Literal["<", "<=", "=", ">=", ">"]
    number: str


Token: TypeAlias = Mark | Written | Compared

_OPERATORS = {"AND": Sign.AND, "OR": Sign.OR, "NOT": Sign.NOT}
_FOREIGN = {"|": "OR", "||": "OR", "&": "AND", "&&": "AND", "+": "AND", "!": "NOT"}
_COMPARISONS: dict[str, Literal["<", "<=", "=", ">=", ">"]] = {
    "<": "<", "<=": "<=", "≤": "<=", "=": "=", ">=": ">=", "≥": ">=", ">": ">",
}  # fmt: skip


def tokens(text: str) -> Iterator[Token]:
    """Read the text from left to right, ending with the END mark."""
    at = 0
    while (at := _past_spaces(text, at)) < len(text):
        sign = text[at]
        if sign in "()":
            yield Mark(Sign.OPEN if sign == "(" else Sign.CLOSE, at)
            at += 1
        elif sign in QUOTES:
            inside, after = _quoted(text, at)
            yield Written(at, inside, quoted=True)
            at = after
        elif sign in MINUS:
            if at + 1 == len(text) or text[at + 1].isspace() or text[at + 1] == ")":
                raise QueryError(
                    "a minus stands directly before what it excludes, as in -jobs.", at, text
                )
            yield Mark(Sign.MINUS, at)
            at += 1
        else:
            token, at = _word(text, at)
            yield token
    yield Mark(Sign.END, len(text))


def _past_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _quoted(text: str, at: int) -> tuple[str, int]:
    end = at + 1
    while end < len(text) and text[end] not in QUOTES:
        end += 1
    if end == len(text):
        raise QueryError("this quotation mark is never closed: add another after it.", at, text)
    return text[at + 1 : end], end + 1


def _word(text: str, at: int) -> tuple[Token, int]:
    end = at
    while end < len(text) and not text[end].isspace() and text[end] not in _ENDS:
        end += 1
    word = text[at:end]
    if word in _OPERATORS:
        return Mark(_OPERATORS[word], at), end
    if word in _FOREIGN:
        raise QueryError(f"write {_FOREIGN[word]} instead of {word}.", at, text)
    if word.upper() in _OPERATORS:
        raise QueryError(
            f'write {word.upper()} in capitals, or "{word}" in quotes to look for the word.',
            at,
            text,
        )
    if word.upper() == "NEAR" or word.upper().startswith("NEAR/"):
        return _near(text, at, word), end
    return _field(text, at, word, end)


def _near(text: str, at: int, word: str) -> Mark:
    distance = word[5:]
    if not word.startswith("NEAR") and distance:
        raise QueryError(
            f'write {word.upper()} in capitals, or "{word}" in quotes to look for the word.',
            at,
            text,
        )
    if not (distance.isdecimal() and len(distance) <= 3 and int(distance) <= MAX_DISTANCE):
        raise QueryError(
            f"say how many words may stand between, from NEAR/0 to NEAR/{MAX_DISTANCE}.", at, text
        )
    return Mark(Sign.NEAR, at, words=int(distance))


def _field(text: str, at: int, word: str, end: int) -> tuple[Token, int]:
    """A word, or a name with a colon or a comparison after it, and what stands after that."""
    letters = 0
    while letters < len(word) and word[letters].isascii() and word[letters].isalpha():
        letters += 1
    name, after = word[:letters].lower(), word[letters:]
    if not name:
        return Written(at, word), end
    if after.startswith(":"):
        if len(after) == 1 and end < len(text) and text[end] in QUOTES:
            inside, end = _quoted(text, end)
            return Written(at, inside, quoted=True, field=name), end
        return Written(at, after[1:], field=name), end
    spaced = name == "rating" and not after
    sign_at = _past_spaces(text, end) if spaced else at + letters
    signs = sign_at
    while signs < len(text) and text[signs] in "<=>≤≥":
        signs += 1
    if signs == sign_at:
        return Written(at, word), end
    comparison = _COMPARISONS.get(text[sign_at:signs])
    if comparison is None:
        raise QueryError("compare with <, <=, =, >= or >.", sign_at, text)
    number_at = _past_spaces(text, signs) if name == "rating" else signs
    end = number_at
    while end < len(text) and not text[end].isspace() and text[end] not in _ENDS:
        end += 1
    return Compared(at, name, comparison, text[number_at:end]), end
