"""What a query is made of: frozen values that write themselves as the query they were read from."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Term:
    """A word; also found inside a #tag or an @handle."""

    text: str

    @override
    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another, with any spaces or punctuation between them."""

    text: str

    @override
    def __str__(self) -> str:
        return f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Handle:
    """An account that the text names, without its leading @."""

    name: str

    @override
    def __str__(self) -> str:
        return f"@{self.name}"


@dataclass(frozen=True, slots=True)
class Tag:
    """A hashtag in the text, without its leading #."""

    name: str

    @override
    def __str__(self) -> str:
        return f"#{self.name}"


@dataclass(frozen=True, slots=True)
class Domain:
    """The registered domain of a link in the post."""

    name: str

    @override
    def __str__(self) -> str:
        return self.name


class Field(StrEnum):
    """What a filter looks at."""

    LANGUAGE = "lang"
    SOURCE = "source"
    AUTHOR = "author"
    KIND = "kind"


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing about the post that must be so."""

    field: Field
    value: str

    @override
    def __str__(self) -> str:
        plain = not any(sign.isspace() or sign in '()"“”„' for sign in self.value)
        return f"{self.field}:{self.value}" if plain else f'{self.field}:"{self.value}"'


Comparison: TypeAlias = Literal["<", "<=", "=", ">=", ">"]


@dataclass(frozen=True, slots=True)
class Stars:
    """How the author rated, on one to five stars; a post without a rating does not pass."""

    comparison: Comparison
    stars: float

    @override
    def __str__(self) -> str:
        return f"rating{self.comparison}{str(self.stars).removesuffix('.0')}"


@dataclass(frozen=True, slots=True)
class Near:
    """Two places in the text, in either order, with at most so many words between them."""

    left: "Query"
    right: "Query"
    words: int

    @override
    def __str__(self) -> str:
        return f"{_inside(self.left, Near)} NEAR/{self.words} {_inside(self.right, Near)}"


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be so."""

    part: "Query"

    @override
    def __str__(self) -> str:
        return f"-{_inside(self.part, Not)}"


@dataclass(frozen=True, slots=True)
class And:
    """All of it, anywhere in the post."""

    parts: tuple["Query", ...]

    @override
    def __str__(self) -> str:
        return " ".join(_inside(part, And) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of it."""

    parts: tuple["Query", ...]

    @override
    def __str__(self) -> str:
        return " OR ".join(_inside(part, Or) for part in self.parts)


Words: TypeAlias = Term | Phrase | Handle | Tag
Query: TypeAlias = Words | Domain | Filter | Stars | Near | Not | And | Or

# How tightly each binds: NOT before NEAR before AND before OR.
_BINDS: dict[type, int] = {Or: 1, And: 2, Near: 3, Not: 4}


def _inside(part: Query, around: type) -> str:
    """The part as it stands inside another, in parentheses where it would fall apart."""
    tight = _BINDS.get(type(part), 5) > _BINDS[around] or (around is Not and isinstance(part, Not))
    return str(part) if tight else f"({part})"


def positive(query: Query) -> Iterator[Words]:
    """The words that a post is looked for by: all that stand under no NOT, in their order."""
    match query:
        case Term() | Phrase() | Handle() | Tag():
            yield query
        case Near(left=left, right=right):
            yield from positive(left)
            yield from positive(right)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from positive(part)
        case Not() | Domain() | Filter() | Stars():
            return
