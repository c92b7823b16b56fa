"""What happens to cases, told to open pages the moment it does: server-sent events."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import orjson
import structlog
from aiohttp import web

from listener.domain.login import Login
from listener.domain.staff import Staff
from listener.store import cases, history, logins, presences
from listener.store.history import Change
from listener.store.presences import Mark
from listener.store.session import DatabaseTrouble, Store, now
from listener.web import pages
from listener.web.guard import signed_in

log = structlog.get_logger(__name__)

EVERY = 1.0  # seconds between two looks, for all pages together
MOST = 1000  # what one look brings
# Numbers are drawn before a transaction ends, so a lower one may appear after a higher one.
OVERLAP = 500
REMEMBERED = 5000
AWAY = 60.0  # seconds without a look after which we begin anew
BEAT = 15.0  # seconds after which a silent line says that it is there


@dataclass
class Live:
    """GET /live: one look at the database a second, however many pages are open."""

    store: Store
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _recent: deque[tuple[int, Change]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _seen: set[int] = field(default_factory=set)
    _newest: int | None = None
    _place: int = 0
    _at_cases: Sequence[tuple[int, int, Mark]] = ()
    _logins: set[int] = field(default_factory=set)
    _looked: float = 0.0
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Tell one page of changes until it leaves or we stop."""
        somebody = pages.person(request)
        after = request.headers.get("Last-Event-ID") or request.query.get("after", "0")
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await stream.prepare(request)
        await stream.write(b"retry: 2000\n\n")
        await self._look()
        place = self._start(pages.number(after) or 0)
        quiet, shown = 0.0, b""
        here, since = signed_in(request), asyncio.get_running_loop().time()
        while not self.ended.is_set() and self._is_in(here, since):
            heard, place = self._since(place)
            mine = sorted({one.case_id for one in heard if somebody.sees(one.brand_id)})
            if mine:
                newest = max(one.event_id for one in heard)
                await stream.write(told("cases", {"last": newest, "cases": mine}, newest))
                quiet = 0.0
            if (people := told("here", self._people(somebody))) != shown:
                await stream.write(people)
                shown = people
            if quiet >= BEAT:
                await stream.write(told("beat", {}))
                quiet = 0.0
            try:
                await asyncio.wait_for(self.ended.wait(), EVERY)
            except TimeoutError:
                quiet += EVERY
            await self._look()
        return stream

    def stop(self) -> None:
        """Let every open page go."""
        self.ended.set()

    def _is_in(self, here: Login | None, since: float) -> bool:
        """Whether a page that came then may still listen, as far as we have looked."""
        return here is None or self._looked <= since or here.key in self._logins

    def _people(self, somebody: Staff) -> dict[str, list[dict[str, object]]]:
        """Who else is at which case, as far as this person may know of the case."""
        found: dict[str, list[dict[str, object]]] = {}
        for case_id, brand_id, one in self._at_cases:
            if one.staff_id != somebody.id and somebody.sees(brand_id):
                found.setdefault(str(case_id), []).append(
                    {
                        "name": one.name,
                        "initials": pages.initials(one.name),
                        "writing": one.writing,
                    }
                )
        return found

    def _start(self, after: int) -> int:
        """Where a page goes on that has seen everything up to this event."""
        return next((place - 1 for place, one in self._recent if one.event_id > after), self._place)

    def _since(self, place: int) -> tuple[Sequence[Change], int]:
        """The changes after a place, and the place of the last of them."""
        return [one for number, one in self._recent if number > place], self._place

    async def _look(self) -> None:
        """Read what is new, at most once in a second for all."""
        async with self._looking:
            loop = asyncio.get_running_loop()
            since = loop.time() - self._looked
            if since < EVERY * 0.9:
                return
            if since > AWAY:  # no page was open: what happened meanwhile is on the page that asks
                self._newest = None
            try:
                await self._read()
            except DatabaseTrouble as trouble:
                log.warning("live page reads nothing", why=str(trouble))
            self._looked = loop.time()

    async def _read(self) -> None:
        async with self.store.reading() as session:
            if self._newest is None:
                self._newest = max(0, await history.last(session) - OVERLAP)
            low = max(0, self._newest - OVERLAP)
            for one in await history.changes(session, after=low, limit=MOST + OVERLAP):
                if one.event_id in self._seen:
                    continue
                self._seen.add(one.event_id)
                self._place += 1
                self._recent.append((self._place, one))
                self._newest = max(self._newest, one.event_id)
            marks = await presences.marks(session, now=await now(session))
            brands = await cases.brands_of(session, marks.keys())
            # Whoever is signed out, or has another role or other brands, is told no more.
            self._logins = {
                one.key for one in await logins.current(session, now=await now(session))
            }
        self._at_cases = [
            (case_id, brands[case_id], one)
            for case_id, at_it in sorted(marks.items())
            if case_id in brands
            for one in at_it
        ]
        if len(self._seen) > 2 * REMEMBERED:
            self._seen = {number for number in self._seen if number > self._newest - REMEMBERED}


def told(kind: str, facts: Mapping[str, object], number: int | None = None) -> bytes:
    """One event of a stream."""
    lines = [b"event: " + kind.encode(), b"data: " + orjson.dumps(facts)]
    if number is not None:
        lines.insert(0, b"id: %d" % number)
    return b"\n".join(lines) + b"\n\n"
