"""Turns what a place answered into declared shapes, or into the error that says what to do."""

import re
from datetime import timedelta
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable

T = TypeVar("T")

RAW = 64_000  # how much of an unreadable answer a dead letter keeps
BOM = b"\xef\xbb\xbf"
NAMED = re.compile(r"[\w$@.:+-]{1,60}")

_adapters: dict[object, TypeAdapter[Any]] = {}


def read(shape: type[T], body: bytes, place: str) -> T:
    """Read a JSON body as `shape`. The reason names the field, never what stood in it."""
    found: object = None
    if stripped := body.removeprefix(BOM).strip():
        try:
            found = orjson.loads(stripped)
        except orjson.JSONDecodeError:
            raise Unreadable(
                f"{place} answered something that is not JSON.", raw=raw(body)
            ) from None
    try:
        return _adapter(shape).validate_python(found)
    except ValidationError as error:
        why = f"{place} answered {_reason(error, empty=not stripped)}."
        raise Unreadable(why, raw=raw(body)) from None


def refusal(status: int, place: str, *, wait: timedelta | None, body: bytes) -> ConnectorError:
    """What a status outside 2xx means for us; `wait` when the place asked us to stay away."""
    match status:
        case 429:
            return TryLater(f"{place} says we ask too often (429).", wait=wait)
        case 403 if wait:  # GitHub, and others after it, say too often this way
            return TryLater(f"{place} says we ask too often (403).", wait=wait)
        case 401 | 403:
            return AccessDenied(
                f"{place} refuses us ({status}): renew the key, or give it the right to read this."
            )
        case 404 | 410:
            return Gone(f"{place} does not exist there ({status}).")
        case 408 | 425:
            return TryLater(f"{place} could not answer now ({status}).", wait=wait)
        case _ if status >= 500:
            return TryLater(f"{place} is out of order ({status}).", wait=wait)
        case _:
            return Unreadable(f"{place} did not understand our request ({status}).", raw=raw(body))


def raw(body: bytes) -> str:
    """The beginning of an answer as text, for a dead letter."""
    return body[:RAW].decode("utf-8", errors="replace")


def _adapter(shape: type[T]) -> TypeAdapter[T]:
    if shape not in _adapters:
        _adapters[shape] = TypeAdapter(shape)
    return _adapters[shape]


def _reason(error: ValidationError, *, empty: bool) -> str:
    if empty:
        return "nothing at all"
    first, *others = error.errors(include_url=False, include_context=False, include_input=False)
    # A key of the place's own making could be anybody's words: only plain names are repeated.
    where = ".".join(str(part) if NAMED.fullmatch(str(part)) else "…" for part in first["loc"])
    more = f" and {len(others)} more" if others else ""
    return f"in a shape we do not know: {where or 'the whole'} ({first['type']}){more}"
