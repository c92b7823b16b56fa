"""How Bluesky's lists are read downwards: by time, so that nothing shifts under the reader.

A search hands out an offset as its cursor, which loses a post for every one that is deleted
meanwhile and ends long before the posts do. So the next page is asked for by `until`: the time
of the oldest post seen, which is asked for again because others may share it. Only where that
leads nowhere (a whole page of one time, or a server that does not know `until`) is the
server's own cursor followed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ValidationError

from connectors.bluesky.shapes import Torn, View
from connectors.kit.text import moment

TICK = timedelta(milliseconds=1)  # how exactly the lists tell time


class Spot(BaseModel, frozen=True):
    """Where a page of a list begins: what a token says."""

    until: AwareDatetime | None = None  # only what is older
    cursor: str = ""  # the server's own word, below `until`

    @property
    def token(self) -> str:
        """The spot as text."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def end(self) -> str:
        """`until` as the server reads it; empty without one."""
        return stamp(self.until) if self.until else ""


def spot_of(token: str | None) -> Spot:
    """The spot that a token holds; the top for none, and for one that is not ours."""
    try:
        return Spot.model_validate_json(token or "{}")
    except ValidationError:
        return Spot()


def below(spot: Spot, shown: Sequence[View | Torn], cursor: str) -> str | None:
    """The token of the page below in a search; None when this was the last."""
    if not cursor:
        return None
    times = [
        one.record.at(one.indexed) for one in shown if isinstance(one, View) and one.record.created
    ]
    if not times:
        return Spot(until=spot.until, cursor=cursor).token
    ignored = spot.until is not None and max(times) >= spot.until
    if ignored or _one_time(times):
        return Spot(until=None if ignored else spot.until, cursor=cursor).token
    if spot.cursor and spot.until is None:
        return Spot(cursor=cursor).token
    return Spot(until=_upwards(min(times)) + TICK).token


def below_notice(shown: Sequence[View | Torn], cursor: str) -> str | None:
    """The token of the page below in our notifications; None when this was the last.

    Their cursor is a time and leaves out what shares it, so it is moved up a tick.
    """
    at = moment(cursor) if cursor else None
    times = [one.indexed for one in shown if isinstance(one, View)]
    if at is not None and times and not _one_time(times):
        return Spot(cursor=stamp(at + TICK)).token
    return Spot(cursor=cursor).token if cursor else None


def stamp(at: datetime) -> str:
    """A time as Bluesky writes it."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def _upwards(at: datetime) -> datetime:
    """The first whole tick that is not before a time."""
    return at + timedelta(microseconds=-at.microsecond % 1000)


def _one_time(times: Sequence[datetime]) -> bool:
    return max(times) - min(times) < TICK
