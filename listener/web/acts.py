"""What people do to cases from the pages: every act is a form that is sent."""

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from yarl import URL

from listener.desk import (
    acknowledging,
    assigning,
    closing,
    correcting,
    noting,
    presence,
    snoozing,
    tagging,
    taking,
    undoing,
)
from listener.desk.acting import Done
from listener.desk.bulk import Bulk, Deed, bulk
from listener.domain.case import Outcome
from listener.domain.correction import Better
from listener.domain.deadline import Policies
from listener.domain.record import NotAllowed
from listener.store.queue import Filters
from listener.store.session import Store, now
from listener.web import errors, pages

NOBODYS: Final = "No case waits that nobody has."
LATER: Final = "4h"  # what snoozing means when nothing is said


@dataclass(frozen=True)
class Acts:
    """One handler an act. Scripts are answered in JSON, people are sent back where they were."""

    store: Store
    policies: Policies

    async def take(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/take: it is mine."""
        return await done(request, await taking.take(self.store, case(request), me(request)))

    async def over(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/over: it is mine, whoever has it; note."""
        note = await field(request, "note")
        act = taking.take(self.store, case(request), me(request), over=True, note=note)
        return await done(request, await act)

    async def next(self, request: web.Request) -> web.Response:
        """POST /cases/next: the most urgent case that nobody has; brand, place, language, tag."""
        filters = Filters(
            brand=await field(request, "brand") or None,
            place=await field(request, "place") or None,
            language=await field(request, "language") or None,
        )
        made = await taking.take_next(
            self.store, me(request), filters=filters, tag=await field(request, "tag") or None
        )
        if made is not None:
            return await done(request, made, shown=True)
        if errors.reads_pages(request):
            return await back(request, "/queue")
        return pages.said(200, NOBODYS, case=None, event=None, undo=None)

    async def acknowledge(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/acknowledge: I have seen it, and see to it."""
        act = acknowledging.acknowledge(self.store, case(request), me(request))
        return await done(request, await act)

    async def release(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/release: back to the queue."""
        return await done(request, await taking.release(self.store, case(request), me(request)))

    async def touch(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/touch: I am still at it."""
        held = await taking.touch(self.store, case(request), me(request))
        until = held.held_until and held.held_until.isoformat()
        if errors.reads_pages(request):
            return await back(request, f"/cases/{held.key}")
        return pages.said(200, "", held_until=until)

    async def here(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/here: I look at it, or write on it (writing=yes)."""
        writing = bool(await field(request, "writing"))
        await presence.here(self.store, case(request), me(request), writing=writing)
        return pages.said(200, "")

    async def snooze(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/snooze: for=1h, 4h, tomorrow, 3d, a moment, author or spreads; until.

        With spreads, people= more who must say the same.
        """
        deed = await self.snoozing(request)
        return await done(request, await deed(self.store, case(request), me(request)))

    async def wake(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/wake: back into the queues."""
        return await done(request, await snoozing.wake(self.store, case(request), me(request)))

    async def note(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/note: text."""
        text = await field(request, "text")
        return await done(request, await noting.note(self.store, case(request), me(request), text))

    async def tag(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/tag: tag."""
        word = await field(request, "tag")
        return await done(request, await tagging.tag(self.store, case(request), me(request), word))

    async def untag(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/untag: tag."""
        word = await field(request, "tag")
        act = tagging.untag(self.store, case(request), me(request), word)
        return await done(request, await act)

    async def assign(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/assign: to (nobody's when empty), note."""
        deed = await self.assigning(request)
        return await done(request, await deed(self.store, case(request), me(request)))

    async def close(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/close: outcome."""
        outcome = outcome_of(await field(request, "outcome"))
        act = closing.close(self.store, case(request), me(request), outcome)
        return await done(request, await act)

    async def correct(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/correct: better = complaint, not negative, not us, spam."""
        word = await field(request, "better")
        if word not in set(Better):
            raise NotAllowed(f"{word!r} corrects nothing; say one of: {', '.join(Better)}.")
        act = closing.correct(self.store, case(request), me(request), Better(word), self.policies)
        return await done(request, await act)

    async def reopen(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/reopen."""
        act = closing.reopen(self.store, case(request), me(request), self.policies)
        return await done(request, await act)

    async def missed(self, request: web.Request) -> web.Response:
        """POST /mentions/{mention}/missed: the model let a complaint pass."""
        number = int(request.match_info["mention"])
        made = await correcting.missed(self.store, number, me(request), self.policies)
        return await done(request, made, shown=True)

    async def undo(self, request: web.Request) -> web.Response:
        """POST /events/{event}/undo: take it back, for all cases if it was done to many."""
        number = int(request.match_info["event"])
        return await done(request, await undoing.undo(self.store, number, me(request)))

    async def bulk(self, request: web.Request) -> web.Response:
        """POST /cases/bulk: ids, and act, with the fields of that act.

        An act is take, release, wake, snooze, tag, untag, assign, or an outcome.
        """
        form = await request.post()
        words = [pages.number(str(one)) for one in form.getall("ids", [])]
        numbers = [one for one in words if one is not None]
        deed = await self.deed(request, await field(request, "act"))
        return await several(request, await bulk(self.store, numbers, deed, me(request)))

    async def deed(self, request: web.Request, act: str) -> Deed:
        """What is to be done to each of many cases."""
        plain: dict[str, Deed] = {
            "take": taking.take,
            "release": taking.release,
            "wake": snoozing.wake,
        }
        if act in plain:
            return plain[act]
        if act == "snooze":
            return await self.snoozing(request)
        if act == "assign":
            return await self.assigning(request)
        if act in ("tag", "untag"):
            word = await field(request, "tag")
            change = tagging.tag if act == "tag" else tagging.untag
            return lambda store, number, staff: change(store, number, staff, word)
        outcome = outcome_of(act)
        return lambda store, number, staff: closing.close(store, number, staff, outcome)

    async def snoozing(self, request: web.Request) -> Deed:
        """Until when the form wants cases to sleep."""
        words = await field(request, "for") or await field(request, "until") or LATER
        if words == snoozing.AUTHOR:
            return lambda store, number, staff: snoozing.snooze(
                store, number, staff, on_answer=True
            )
        if words == snoozing.SPREADS:
            said = await field(request, "people")
            people = pages.number(said) or 0 if said else snoozing.PEOPLE
            return lambda store, number, staff: snoozing.until_spread(store, number, staff, people)
        zone = pages.person(request).zone or await field(request, "zone")
        async with self.store.reading() as session:
            until = snoozing.moment_of(words, await now(session), zone)
        return lambda store, number, staff: snoozing.snooze(store, number, staff, until)

    async def assigning(self, request: web.Request) -> Deed:
        """Whose the form wants cases to be."""
        to, note = await field(request, "to"), await field(request, "note")
        if not to:
            return lambda store, number, staff: assigning.unassign(store, number, staff, note=note)
        return lambda store, number, staff: assigning.assign(store, number, staff, to, note=note)


async def done(request: web.Request, made: Done, *, shown: bool = False) -> web.Response:
    """What was done, to a script; a person is sent back, or, `shown`, to the case."""
    if errors.reads_pages(request):
        page = f"/cases/{made.case.key}"
        return see(page) if shown else await back(request, page)
    return pages.said(
        200,
        made.said,
        event=made.event,
        undo=None if made.final else made.event,
        about=made.case.key,
        **({"case": made.case.key} if shown else {}),
    )


async def several(request: web.Request, made: Bulk) -> web.Response:
    """What was done to many."""
    if not made.done:
        raise NotAllowed(made.said)
    if errors.reads_pages(request):
        return await back(request, "/queue")
    return pages.said(
        200,
        made.said,
        event=max(made.events, default=None),
        undo=max(made.events, default=None),
        done=list(made.done),
        refused={str(number): why for number, why in made.refused.items()},
    )


def see(path: str) -> web.Response:
    """To another page of ours."""
    return web.Response(status=303, headers={hdrs.LOCATION: path})


async def back(request: web.Request, otherwise: str) -> web.Response:
    """To where somebody came from, as the form or the browser says it; only within our site."""
    said = await field(request, "back")
    if said.startswith("/") and not said.startswith(("//", "/\\")):
        return see(str(URL(said)))
    return see(errors.cause(request) or otherwise)


async def field(request: web.Request, name: str) -> str:
    """One field of the form; nothing where it has none."""
    value = (await request.post()).get(name, "")
    return value.strip() if isinstance(value, str) else ""


def outcome_of(words: str) -> Outcome:
    """An outcome by its words."""
    if words not in set(Outcome):
        raise NotAllowed(f"{words!r} closes nothing; say one of: {', '.join(Outcome)}.")
    return Outcome(words)


def case(request: web.Request) -> int:
    """The number of the case; the guard has seen that there is one."""
    return int(request.match_info["case"])


def me(request: web.Request) -> str:
    """Who acts."""
    return pages.person(request).name
