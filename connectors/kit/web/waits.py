"""Reads, from the headers of an answer, until when a place wants to be left alone."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# A place may name an absurd time by mistake; after this long we ask again and are told again.
LONGEST = timedelta(hours=6)

REMAINING = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
RESET = ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset")
NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d*)?", re.ASCII)


def asked_to_wait(status: int, headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the place wants us to stay away; None when it does not say.

    Header names in lower case. A success whose allowance is used up counts as well, so that
    the next request is not the one too many.
    """
    if status >= 400 and (wait := _moment(headers.get("retry-after", ""), now)):
        return wait
    if status == 429 or used_up(headers):
        return _moment(_reset(headers), now)
    return None


def used_up(headers: Mapping[str, str]) -> bool:
    """Whether the place says that no request is left in this window."""
    left = next((headers[name] for name in REMAINING if name in headers), "")
    if not left:
        left = _structured(headers, "remaining", "r")
    # Reddit counts in fractions, so anything under one is nothing.
    return bool(NUMBER.fullmatch(left.strip())) and float(left) < 1


def _reset(headers: Mapping[str, str]) -> str:
    found = next((headers[name] for name in RESET if name in headers), "")
    return found or _structured(headers, "reset", "t")


def _structured(headers: Mapping[str, str], *names: str) -> str:
    """One field of the single RateLimit header, in both of its drafts."""
    for part in re.split(r"[;,]", headers.get("ratelimit", "")):
        name, _, number = part.strip().partition("=")
        if name in names:
            return number
    return ""


def _moment(text: str, now: datetime) -> timedelta | None:
    """Seconds, an epoch in seconds or milliseconds, an ISO time or an HTTP date, as a wait."""
    text = text.strip()
    if NUMBER.fullmatch(text):
        number = float(text)
        if number > 1e11:
            number /= 1000
        seconds = number - now.timestamp() if number > 1e9 else number
    else:
        moment = _date(text)
        seconds = (moment - now).total_seconds() if moment else 0
    if seconds <= 0 or math.isnan(seconds):
        return None
    return timedelta(seconds=min(seconds, LONGEST.total_seconds()))


def _date(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
