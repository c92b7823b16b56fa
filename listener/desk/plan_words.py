"""Words that a plan is written in: moments, stretches of time; and what is wrong with it."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

_SPAN = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SIZES = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
LONGEST = timedelta(days=36_500)


class BadPlan(Exception):
    """What is wrong with a plan, a sentence for each fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def span(words: Any) -> timedelta:
    """A stretch of time from words like 30s, 5m, 1h or 7d."""
    if isinstance(words, timedelta):
        return words
    found = _SPAN.fullmatch(words.strip()) if isinstance(words, str) else None
    if found is None:
        raise ValueError('a stretch of time looks like "30s", "5m", "1h" or "7d"')
    size = timedelta(**{_UNITS[found[2]]: 1})
    if int(found[1]) > LONGEST / size:
        raise ValueError("a stretch of time is a hundred years at most")
    return int(found[1]) * size


def moment_or_span(words: Any) -> datetime | timedelta:
    """A moment from a TOML date or time, or a stretch of time that ends now."""
    if isinstance(words, datetime):
        return words if words.tzinfo else words.replace(tzinfo=UTC)
    if isinstance(words, date):
        return datetime.combine(words, time(), UTC)
    if isinstance(words, str) and _SPAN.fullmatch(words.strip()) is None:
        raise ValueError('write a date like 2026-11-01 or a stretch of time like "7d"')
    return span(words)


def span_words(span: timedelta) -> str:
    """A stretch of time in the largest unit that says it exactly."""
    seconds = int(span.total_seconds())
    unit, size = next((unit, size) for unit, size in _SIZES if seconds % size == 0)
    return f"{seconds // size}{unit}"
