"""Several lists of a place read as one source: one cursor, and only what all of them prove."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError

from connectors.kit.contract import Page, Span

MOST_STRETCHES = 20  # there are as many as gaps; the newest count

Walk = Callable[[str | None], AsyncIterator[Page]]


async def together(walks: Mapping[str, Walk], cursor: str | None) -> AsyncIterator[Page]:
    """Walk one list after the other.

    A page of one list proves nothing alone. So the pages of the last list claim, and only what
    the lists before it have been read of as well: that is kept in the cursor with each list's
    own cursor, because a cut may part the walks.
    """
    way = _remembered(cursor)
    *before, last = walks
    for name, walk in walks.items():
        pages: Any = walk(way.cursors.get(name))  # an async generator, as the contract has it
        async with aclosing(pages) as turned:
            async for page in turned:
                claims = None
                if name == last:
                    claims = _common(page.span, [way.read.get(each, ()) for each in before])
                way = way.after(name, page)
                yield replace(page, cursor=way.model_dump_json(), span=claims)


class _Stretch(BaseModel, frozen=True):
    """A span as a cursor keeps it."""

    start: AwareDatetime
    end: AwareDatetime


class _Way(BaseModel, frozen=True):
    """How far each list has been read."""

    cursors: Mapping[str, str | None] = {}
    read: Mapping[str, tuple[_Stretch, ...]] = {}

    def after(self, name: str, page: Page) -> "_Way":
        """The same with one more page of one list."""
        read = list(self.read.get(name, ()))
        if page.span:
            read.append(_Stretch(start=page.span.start, end=page.span.end))
        kept = tuple(_merged(read)[-MOST_STRETCHES:])
        return _Way(cursors={**self.cursors, name: page.cursor}, read={**self.read, name: kept})


def _remembered(cursor: str | None) -> _Way:
    """A cursor that is not ours begins anew: reading twice is safe, failing for ever is not."""
    try:
        return _Way.model_validate_json(cursor or "{}")
    except ValidationError:
        return _Way()


def _merged(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """The same time in as few stretches as can be, oldest first."""
    merged: list[_Stretch] = []
    for each in sorted(stretches, key=lambda stretch: stretch.start):
        if merged and each.start <= merged[-1].end:
            end = max(merged[-1].end, each.end)
            merged[-1] = _Stretch(start=merged[-1].start, end=end)
        else:
            merged.append(each)
    return merged


def _common(span: Span | None, others: Sequence[Sequence[_Stretch]]) -> Span | None:
    """The longest part of the span that lies within a stretch of every other list."""
    for stretches in others:
        if span is None:
            return None
        parts = [
            Span(start, end)
            for each in stretches
            if (start := max(span.start, each.start)) <= (end := min(span.end, each.end))
        ]
        span = max(parts, key=_length, default=None)
    return span


def _length(span: Span) -> timedelta:
    return span.end - span.start
