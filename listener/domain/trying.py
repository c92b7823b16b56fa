"""Trying: how often, and how much later each time, what has not arrived is sent again."""

from datetime import datetime, timedelta
from typing import Protocol

TRIES = 12  # with waits three times as long after each: a day and a half


class Trying(Protocol):
    """Whatever is kept until it has been told: a notice, a call, a letter, a bulletin."""

    tries: int
    next_at: datetime
    sent_at: datetime | None
    failed_at: datetime | None
    failure: str | None


def try_later(one: Trying, why: str, now: datetime, *, most: int = TRIES, longer: int = 3) -> None:
    """A try failed: later again, so many times longer after each, until it is given up."""
    one.tries += 1
    one.failure = why
    if one.tries >= most:
        one.failed_at = now
    else:
        one.next_at = now + min(timedelta(seconds=10 * longer**one.tries), timedelta(hours=6))


def try_anew(one: Trying, now: datetime) -> None:
    """Somebody wants it sent: it is tried now, as often as at first."""
    one.tries, one.next_at = 0, now
    one.sent_at = one.failed_at = one.failure = None
