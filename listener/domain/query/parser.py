"""How a query's text becomes a tree, or a sentence that says why it cannot."""

from collections.abc import Iterator

from connectors.kit.contract import Kind
from listener.domain.folding import fold, in_word, is_mark, is_picture
from listener.domain.query.domains import has_known_ending, readable, registered
from listener.domain.query.lexer import Compared, Mark, QueryError, Sign, Token, Written, tokens
from listener.domain.query.tree import (
    And,
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
)

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_TERMS", "QueryError", "parse"]

MAX_LENGTH = 10_000  # characters
MAX_TERMS = 500  # words, phrases, handles, tags, domains and filters
MAX_PHRASE = 30  # words between one pair of quotation marks
MAX_DEPTH = 64  # parentheses and NOTs inside one another; keeps recursion shallow

_NEVER_CLOSED = "this parenthesis is never closed: add a closing one after it."
_CLOSES_NOTHING = "this parenthesis closes nothing: take it away, or open one before it."


def parse(text: str) -> Query:
    """Read a query; QueryError says where and what to do.

    NOT binds tighter than NEAR, NEAR than AND, AND than OR; words side by side are joined
    by AND. A query that would match every post is refused.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"a query has at most {MAX_LENGTH:,} characters, this one has {len(text):,}: shorten it.",
            MAX_LENGTH,
            text,
        )
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: Iterator[Token] = tokens(text)
        self._token: Token = next(self._tokens)
        self._last: Token = self._token
        self._depth = 0
        self._terms = 0
        self._places: dict[int, int] = {}  # where a part of the tree begins, by its id

    def query(self) -> Query:
        if self._at(Sign.END):
            raise self._error(
                'write what to look for: a word, a "phrase", an @handle, a #tag or a domain.', 0
            )
        whole = self._any()
        if self._at(Sign.CLOSE):
            raise self._error(_CLOSES_NOTHING)
        self._refuse_everything(whole)
        return whole

    # The grammar, from the loosest operator to the tightest.

    def _any(self) -> Query:
        start = self._token.position
        parts = [self._all()]
        while self._at(Sign.OR):
            self._step()
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else self._placed(Or(tuple(parts)), start)

    def _all(self) -> Query:
        start = self._token.position
        parts = [self._close()]
        while not self._at(Sign.OR, Sign.CLOSE, Sign.END):
            if self._at(Sign.AND):
                self._step()
            parts.append(self._close())
        return parts[0] if len(parts) == 1 else self._placed(And(tuple(parts)), start)

    def _close(self) -> Query:
        start = self._token.position
        left = self._one()
        mark = self._token
        if not (isinstance(mark, Mark) and mark.sign is Sign.NEAR):
            return left
        self._step()
        right = self._one()
        if self._at(Sign.NEAR):
            raise self._error(
                "NEAR joins two places only: write a NEAR/5 b AND b NEAR/5 c for three."
            )
        for side in (left, right):
            if not _has_places(side):
                raise self._error(
                    f"NEAR/{mark.words} needs words, phrases, @handles or #tags on both sides, or"
                    " some of these joined by OR in parentheses.",
                    self._places[id(side)],
                )
        return self._placed(Near(left, right, mark.words), start)

    def _one(self) -> Query:
        token = self._token
        match token:
            case Written():
                self._count()
                self._step()
                return self._placed(self._leaf(token), token.position)
            case Compared():
                self._count()
                self._step()
                return self._placed(self._stars(token), token.position)
            case Mark(Sign.NOT | Sign.MINUS):
                self._deeper()
                self._step()
                part = self._one()
                self._depth -= 1
                return self._placed(Not(part), token.position)
            case Mark(Sign.OPEN):
                return self._parentheses()
            case Mark():
                raise self._missing(token)

    def _parentheses(self) -> Query:
        opened = self._token.position
        self._deeper()
        self._step()
        if self._at(Sign.CLOSE):
            raise self._error(
                "there is nothing between these parentheses: fill them or take them away.", opened
            )
        inside = self._any()
        if not self._at(Sign.CLOSE):
            raise self._error(_NEVER_CLOSED, opened)
        self._step()
        self._depth -= 1
        self._places[id(inside)] = opened
        return inside

    # Moving on, and what stops us.

    def _at(self, *signs: Sign) -> bool:
        return isinstance(self._token, Mark) and self._token.sign in signs

    def _step(self) -> None:
        self._last = self._token
        self._token = next(self._tokens)

    def _placed(self, part: Query, position: int) -> Query:
        self._places[id(part)] = position
        return part

    def _count(self) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise self._error(
                f"a query has at most {MAX_TERMS} terms and this is one more: take some away."
            )

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(
                f"parentheses and NOTs go at most {MAX_DEPTH} deep: write the query flatter."
            )

    def _missing(self, found: Mark) -> QueryError:
        """Why no operator can stand here, nor the end."""
        if found.sign is Sign.CLOSE and self._depth == 0:
            return self._error(_CLOSES_NOTHING)
        last = self._last
        if found.sign in (Sign.END, Sign.CLOSE) and isinstance(last, Mark):
            if last.sign is Sign.OPEN:
                return self._error(_NEVER_CLOSED, last.position)
            name = last.sign.value
            return self._error(
                f"something is missing after {name}: add it, or take {name} away.", last.position
            )
        name = found.sign.value
        return self._error(f"something is missing before {name}: add it, or take {name} away.")

    def _error(self, message: str, position: int | None = None) -> QueryError:
        return QueryError(
            message, self._token.position if position is None else position, self._text
        )

    # What one word says.

    def _leaf(self, token: Written) -> Query:
        if token.field:
            return self._filter(token)
        if token.quoted:
            if len(token.text.split()) > MAX_PHRASE:
                raise self._error(
                    f"a phrase has at most {MAX_PHRASE} words: quote fewer of them.", token.position
                )
            return Phrase(self._findable(token, token.text))
        if token.text.startswith("@"):
            return Handle(self._handle(token))
        if token.text.startswith("#"):
            return Tag(self._tag(token))
        if token.text[-1] in ",;":
            raise self._error(
                f"write OR instead of {token.text[-1]} for any of the words, or a space for all.",
                token.position + len(token.text) - 1,
            )
        if token.text[0] == "*" or token.text[-1] == "*":
            raise self._error(
                "there are no wildcards: write each form of the word, joined by OR.",
                token.position + (0 if token.text[0] == "*" else len(token.text) - 1),
            )
        if _is_host(token.text) and has_known_ending(token.text):
            return self._domain(token)
        return Term(self._findable(token, token.text))

    def _findable(self, token: Written, text: str) -> str:
        if not any(in_word(sign) or is_picture(sign) for sign in fold(text)):
            raise self._error(
                "there is no letter, digit or emoji to look for here: add one, or take this away.",
                token.position,
            )
        return text

    def _handle(self, token: Written) -> str:
        name, at, host = token.text[1:].partition("@")
        parts = (name, host) if at else (name,)
        if not all(
            part
            and all(in_word(sign) or is_mark(sign) or sign in ".-" for sign in part)
            and part[0] not in ".-"
            and part[-1] not in ".-"
            for part in map(fold, parts)
        ):
            raise self._error(
                "a handle is written @acme or @acme@example.social, with letters, digits, _, - and"
                " dots only.",
                token.position,
            )
        return token.text[1:]

    def _tag(self, token: Written) -> str:
        name = fold(token.text[1:])
        if not name or not all(in_word(sign) or is_mark(sign) for sign in name):
            raise self._error(
                "a tag is written #acme, with letters, digits and _ only.", token.position
            )
        return token.text[1:]

    def _domain(self, token: Written) -> Domain:
        name = readable(token.text)
        found = registered(name)
        if name in found and _is_host(name):
            return Domain(name)
        if not found:
            raise self._error(
                "this is no domain that somebody can register: write it with its ending, as in"
                " domain:acme.com.",
                token.position,
            )
        instead = f"links are compared by their registered domain: write {min(found, key=len)}"
        if not token.field:
            instead += f', or "{token.text}" in quotes to look for the words'
        raise self._error(f"{instead}.", token.position)

    def _filter(self, token: Written) -> Query:
        field, value = token.field, token.text.strip()
        if field in ("http", "https"):
            raise self._error(
                "write domain:acme.com for links to a site, or put the address in quotes.",
                token.position,
            )
        if field == "rating":
            raise self._error("compare stars, as in rating<=2.", token.position)
        if field not in (*Field, "domain", "site"):
            raise self._error(
                f"there is no filter {field}: use lang, source, author, kind, rating or domain, or"
                " put the words in quotes.",
                token.position,
            )
        if not value:
            raise self._error(f"write the value directly after {field}:", token.position)
        if field in ("domain", "site"):
            return self._domain(Written(token.position, value, field=field))
        return Filter(Field(field), self._value(Field(field), value, token.position))

    def _value(self, field: Field, value: str, position: int) -> str:
        if field is Field.KIND:
            if value.lower() not in [*Kind]:
                *others, last = Kind
                raise self._error(
                    f"there is no such kind of post: choose {', '.join(others)} or {last}.",
                    position,
                )
            return value.lower()
        if field is Field.LANGUAGE:
            code, *rest = value.replace("_", "-").lower().split("-")
            if not (
                len(code) in (2, 3)
                and code.isascii()
                and code.isalpha()
                and all(part.isascii() and part.isalnum() and len(part) <= 8 for part in rest)
            ):
                raise self._error(
                    "write a language by its code, as in lang:en or lang:pt-BR.", position
                )
            return "-".join((code, *rest))
        return value

    def _stars(self, token: Compared) -> Stars:
        if token.field != "rating":
            raise self._error(
                f"there is no number called {token.field}: compare rating, as in rating<=2, or put"
                " the words in quotes.",
                token.position,
            )
        number = token.number
        whole, point, rest = number.partition(".")
        if not (
            number.isascii()
            and whole in ("1", "2", "3", "4", "5")
            and (rest.isdecimal() and len(rest) <= 2 if point else True)
            and float(number) <= 5
        ):
            raise self._error("stars go from 1 to 5, as in rating<=2.", token.position)
        return Stars(token.comparison, float(number))

    def _refuse_everything(self, part: Query) -> None:
        """A brand is a name: without one, every post on earth would be a mention."""
        if names_something(part):
            return
        match part:
            case Or(parts):
                for one in parts:
                    self._refuse_everything(one)
            case _:
                raise self._error(
                    "this alone would match nearly every post: add a word, phrase, @handle, #tag or"
                    " domain that must be there.",
                    self._places[id(part)],
                )


def names_something(part: Query) -> bool:
    """Whether a post must contain something of this part to match it."""
    match part:
        case Not() | Filter() | Stars():
            return False
        case And(parts):
            return any(names_something(one) for one in parts)
        case Or(parts):
            return all(names_something(one) for one in parts)
        case _:
            return True


def _has_places(part: Query) -> bool:
    match part:
        case Or(parts):
            return all(_has_places(one) for one in parts)
        case _:
            return isinstance(part, Term | Phrase | Handle | Tag)


def _is_host(word: str) -> bool:
    return (
        "." in word.strip(".")
        and not word.startswith("-")
        and all(sign.isalnum() or sign in ".-" or is_mark(sign) for sign in word)
    )
