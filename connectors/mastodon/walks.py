"""How a timeline is walked so that nothing is missed: down once, then upward from a mark."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from pydantic import AwareDatetime, BaseModel, ValidationError

from connectors.kit.contract import Known, Span, Unread
from connectors.mastodon.shapes import Status, split

LIMIT = "40"  # the most that Mastodon gives at once
PLACES = frozenset({"max_id", "limit", "offset", "page", "cursor"})  # words of a Link header


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a timeline or of our notifications: a status, or why it is none."""

    id: str
    at: datetime | None
    status: Status | None = None
    unread: Unread | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one request showed, and the query of the next older sheet, empty at the end."""

    lines: tuple[Line, ...]
    older: str = ""

    @property
    def rising(self) -> list[Line]:
        """The lines from the lowest id to the highest."""
        return sorted(self.lines, key=lambda line: height(line.id))


class Descent(BaseModel, frozen=True):
    """A walk from the newest line down to `floor` that is not finished."""

    page: str  # the query of the sheet to read next
    top: AwareDatetime  # when the walk began
    low: AwareDatetime  # everything between here and the top has been read
    floor: AwareDatetime
    after: str = ""  # the highest id with nothing young below it, so far


class Mark(BaseModel, frozen=True):
    """Where a source stands: what its cursor says."""

    climbs: bool  # ids grow with time, so the next lines are those above `after`
    me: str = ""  # the id of our own account, where a token told it
    after: str = ""
    read: AwareDatetime | None = None  # everything published until then has been read
    descent: Descent | None = None

    @property
    def cursor(self) -> str:
        """The mark as text."""
        return self.model_dump_json(exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class Step:
    """One sheet on the way, the mark that follows it, and the time it proves to be read."""

    lines: tuple[Line, ...]
    mark: Mark
    span: Span | None


Read = Callable[[Mapping[str, str]], Awaitable[Sheet]]


def mark_of(cursor: str | None) -> Mark | None:
    """The mark that a cursor holds; None to begin anew, also when its words are not ours."""
    if cursor is None:
        return None
    try:
        return Mark.model_validate_json(cursor)
    except ValidationError:  # from another time: reading again loses nothing
        return None


def older(link: str, lines: Sequence[Line]) -> str:
    """The query of the next older sheet.

    Only the words of the Link header are taken: an address on another host would be given
    our token. Without a header the lowest id will do.
    """
    if link:
        words = parse_qsl(split(link).query, keep_blank_values=True)
        return urlencode([(name, value) for name, value in words if name in PLACES])
    if not lines or not all(line.id.isdecimal() for line in lines):
        return ""
    lowest = min((line.id for line in lines), key=height)
    return urlencode({"max_id": lowest, "limit": LIMIT})


async def walk(read: Read, mark: Mark, known: Known, lag: timedelta) -> AsyncGenerator[Step, None]:
    """Read what was published since the mark, sheet by sheet.

    A new source reads from the newest line down to `known.since`. From then on a server whose
    ids grow with time is climbed; any other is walked down to what was read before.
    """
    if mark.descent or not mark.climbs or mark.read is None:
        async with aclosing(descend(read, mark, known, lag)) as steps:
            async for step in steps:
                yield step
                mark = step.mark
    if mark.climbs:
        async with aclosing(climb(read, mark, known, lag)) as steps:
            async for step in steps:
                yield step


async def descend(
    read: Read, mark: Mark, known: Known, lag: timedelta
) -> AsyncGenerator[Step, None]:
    """Go from the newest line down until a whole sheet is older than the floor.

    A walk that was cut goes on where it stopped, then a new one looks for what came above it.
    """
    resumed = mark.descent is not None
    descent: Descent | None = mark.descent or _from_the_top(mark, known, lag)
    while descent is not None:
        sheet = await read(query(descent.page))
        after = _above_all_young(sheet, descent, known.now - lag)
        low, finished = _read_down_to(sheet, descent)
        span = Span(low, descent.low)
        if finished:
            end = {"descent": None, "read": descent.top, "after": after or "0"}
            mark, descent = mark.model_copy(update=end), None
        else:
            down = {"page": sheet.older, "low": low, "after": after}
            descent = descent.model_copy(update=down)
            mark = mark.model_copy(update={"descent": descent})
        yield Step(sheet.lines, mark, span)
    if resumed and not mark.climbs:
        async with aclosing(descend(read, mark, known, lag)) as steps:
            async for step in steps:
                yield step


async def climb(read: Read, mark: Mark, known: Known, lag: timedelta) -> AsyncGenerator[Step, None]:
    """Go up from the mark, always to the page right above, until nothing is above.

    The mark follows only over lines older than the lag: what is young is read again next
    time, because posts of other servers arrive late and take their place by their own time.
    """
    at = mark.after
    start = reached = mark.read or known.since
    below_all_young = True
    while True:
        sheet = await read({"min_id": at, "limit": LIMIT})
        lines = [line for line in sheet.rising if not line.id or height(line.id) > height(at)]
        if not any(line.id for line in lines):
            break
        at, after = lines[-1].id, mark.after
        for line in lines:
            if line.at is None or line.at > known.now:
                continue
            reached = max(reached, line.at)
            below_all_young = below_all_young and line.at < known.now - lag
            after = line.id if below_all_young else after
        mark = mark.model_copy(update={"after": after, "read": reached})
        yield Step(tuple(lines), mark, Span(start, reached))
        start = reached
    now = max(known.now, start)
    yield Step((), mark.model_copy(update={"read": now}), Span(start, now))


def height(local: str) -> tuple[int, str]:
    """Ids are numbers of any width, written as text: compared by length, then by text."""
    digits = local.lstrip("0")
    return len(digits), digits


def query(text: str) -> dict[str, str]:
    """The words of a query string."""
    return dict(parse_qsl(text, keep_blank_values=True))


def _from_the_top(mark: Mark, known: Known, lag: timedelta) -> Descent:
    floor = known.since if mark.read is None else mark.read - lag
    top = max(known.now, floor)
    return Descent(page=f"limit={LIMIT}", top=top, low=top, floor=floor)


def _read_down_to(sheet: Sheet, descent: Descent) -> tuple[datetime, bool]:
    """Down to where everything has been read with this sheet, and whether that is the end.

    One old line proves nothing, because times of other servers jump: it takes a whole sheet
    older than the floor. A server that gives the same sheet again has no older one.
    """
    times = [line.at for line in sheet.lines if line.at]
    bottom = not sheet.lines or sheet.older in {"", descent.page}
    if bottom or (times and max(times) < descent.floor):
        return descent.floor, True
    return min([*(max(time, descent.floor) for time in times), descent.low]), False


def _above_all_young(sheet: Sheet, descent: Descent, young: datetime) -> str:
    """The highest id that has no line younger than `young` below it, as far as we came."""
    after = descent.after
    for line in reversed(sheet.rising):
        if line.at is not None and line.at >= young:
            after = ""
        elif not after:
            after = line.id
    return after
