"""The pages of crises: declared, led from one page, told about, and ended."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from aiohttp import web

from listener.desk import declaring, gathering, holding
from listener.desk.announcing import Told
from listener.desk.declaring import Wish
from listener.desk.replies import Rules
from listener.domain.alarm import sentence
from listener.domain.crisis import EVERY, OTHERWISE
from listener.domain.digest import shortened
from listener.domain.record import NotAllowed
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.domain.wording import VARIABLES
from listener.store import alarms, brands, bulletins, crises, people, themes
from listener.store.session import AsyncSession, Store, now
from listener.web import pages
from listener.web.acts import back, field, see

MOST: Final = 50  # crises on the page
LINES: Final = 100  # of a crisis's history; its report has them all


@dataclass(frozen=True)
class CrisesPage:
    """GET /crises and /crises/{crisis}, and what people do with one."""

    store: Store
    rules: Rules
    window: timedelta

    async def show(self, request: web.Request) -> web.Response:
        """Show those that are open and those that are over, and the form to declare one."""
        person = pages.person(request)
        async with self.store.reading() as session:
            moment = await now(session)
            found = await crises.shown(session, brands=person.walls, ended=True, limit=MOST)
            form = await declarable(session, request, person) if may(person, Act.DECLARE) else None
        return pages.render(
            request,
            "crises.html",
            open_ones=[one for one in found if one.crisis.ended_at is None],
            over=[one for one in found if one.crisis.ended_at is not None],
            more=len(found) == MOST,
            form=form,
            now=moment,
        )

    async def declare(self, request: web.Request) -> web.Response:
        """POST /crises: name, brand or alarm= or theme=, words, lead, every."""
        alarm, theme = await field(request, "alarm"), await field(request, "theme")
        wish = Wish(
            name=await field(request, "name"),
            brand=await field(request, "brand"),
            alarm=numbered(alarm, "alarm"),
            theme=numbered(theme, "theme"),
            words=await field(request, "words"),
            lead=await field(request, "lead"),
            every=pages.number(await field(request, "every") or str(OTHERWISE)) or 0,
        )
        made = await declaring.declare(self.store, wish, pages.person(request).name)
        if pages.wants_json(request):
            return pages.said(200, made.said, crisis=made.number)
        return see(f"/crises/{made.number}")

    async def one(self, request: web.Request) -> web.Response:
        """Show one crisis: how it stands, what is to be done, what was said, what became of it."""
        person, chosen = pages.person(request), number(request)
        async with self.store.reading() as session:
            moment = await now(session)
            found = await crises.shown(session, brands=person.walls, numbers=[chosen], ended=True)
            if not found:  # it was there when the guard looked
                raise web.HTTPNotFound
            crisis = found[0].crisis
            context: dict[str, Any] = {
                "story": (await crises.story(session, chosen))[::-1],
                "texts": await crises.texts(session, chosen),
                "troubles": await bulletins.troubles(session, chosen),
                "updates": (await crises.updates(session, chosen))[::-1],
                "declared_by": await people.name(session, crisis.declared_by),
                "ended_by": crisis.ended_by and await people.name(session, crisis.ended_by),
                "alarm": await alarm_of(session, crisis.alarm_id),
                "theme": crisis.theme_id and await themes.one(session, crisis.theme_id, lock=False),
                "leads": await leads(session, crisis.brand_id),
            }
        going_on = crisis.ended_at is None
        return pages.render(
            request,
            "crisis.html",
            one=found[0],
            crisis=crisis,
            now=moment,
            lines=LINES,
            may_declare=may(person, Act.DECLARE) and going_on,
            may_work=may(person, Act.WORK_CASES) and going_on,
            may_report=may(person, Act.READ_BRANDS),
            places=[f"{{{one}}}" for one in VARIABLES],
            **context,
        )

    async def update(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/update: text."""
        text = await field(request, "text")
        return await done(request, await declaring.update(self.store, *which(request), text))

    async def lead(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/lead: to=somebody."""
        to = await field(request, "to")
        return await done(request, await declaring.lead(self.store, *which(request), to))

    async def word(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/text: text, and language= (all without)."""
        text, language = await field(request, "text"), await field(request, "language")
        act = declaring.word(self.store, *which(request), text, language)
        return await done(request, await act)

    async def approve(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/approve: language=, and text= as it was read."""
        text, language = await field(request, "text"), await field(request, "language")
        act = declaring.approve(self.store, *which(request), language, text)
        return await done(request, await act)

    async def end(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/end."""
        return await done(request, await declaring.end(self.store, *which(request)))

    async def bring(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/bring: case=."""
        case = await case_of(request)
        return await done(request, await gathering.bring(self.store, *which(request), case))

    async def leave(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/leave: case=."""
        case = await case_of(request)
        return await done(request, await gathering.leave(self.store, *which(request), case))

    async def whom(self, request: web.Request) -> web.Response:
        """GET /crises/{crisis}/tell: everybody who waits, and what they would be told."""
        return await self.people(request)

    async def tell(self, request: web.Request) -> web.Response:
        """POST /crises/{crisis}/tell: to each case= as seen-CASE= saw it, by the texts= read."""
        form = await request.post()
        numbers = [pages.number(str(one)) for one in form.getall("case", [])]
        chosen = {one: await field(request, f"seen-{one}") for one in numbers if one is not None}
        told = await holding.tell(
            self.store,
            self.rules,
            *which(request),
            chosen,
            await field(request, "texts"),
            window=self.window,
            title=pages.place,
        )
        if pages.wants_json(request):
            went = [one.case_id for one in told if one.done]
            refused = {str(one.case_id): one.said for one in told if not one.done}
            return pages.said(200, f"{len(went)} are told.", done=went, refused=refused)
        return await self.people(request, told)

    async def people(self, request: web.Request, told: list[Told] | None = None) -> web.Response:
        """The people, and what came of it when it was sent."""
        found, left, mark = await holding.whom(
            self.store, self.rules, *which(request), title=pages.place
        )
        async with self.store.reading() as session:
            crisis = await crises.one(session, number(request), lock=False)
            texts = await crises.approved(session, number(request))
        return pages.render(
            request,
            "hold.html",
            crisis=crisis,
            texts=sorted(texts.items()),
            mark=mark,
            people=found,
            left=left,
            told=[one for one in told or () if one.done],
            refused=[one for one in told or () if not one.done],
            sent=told is not None,
            seconds=int(self.window.total_seconds()),
            shortened=shortened,
        )


async def declarable(session: AsyncSession, request: web.Request, person: Staff) -> dict[str, Any]:
    """What the form to declare a crisis begins with: of an alarm or a theme, if one is named."""
    alarm, theme = (pages.number(pages.asked(request, one)) for one in ("alarm", "theme"))
    of_alarm = None if alarm is None else await alarm_of(session, alarm)
    of_theme = None if theme is None else await themes.one(session, theme, lock=False)
    if of_alarm is not None and not person.sees(of_alarm["brand_id"]):
        of_alarm = None
    if of_theme is not None and (of_theme.merged_into or not person.sees(of_theme.brand_id)):
        of_theme = None
    every = [one for one in await brands.every(session) if person.sees(one.key)]
    brand = of_alarm["brand_id"] if of_alarm else of_theme.brand_id if of_theme else None
    return {
        "alarm": of_alarm,
        "theme": of_theme,
        "name": of_theme.name if of_theme else "",
        "brand": next((one.name for one in every if one.key == brand), None),
        "brands": [one.name for one in every],
        "leads": [
            one.name
            for one in await people.every(session)
            if any(may(one, Act.DECLARE, its.key) for its in every if brand in (None, its.key))
        ],
        "every": EVERY,
        "otherwise": OTHERWISE,
    }


async def alarm_of(session: AsyncSession, number: int | None) -> dict[str, Any] | None:
    """An alarm in words."""
    found = await alarms.shown(session, brands=None, numbers=[number]) if number else []
    for one in found:
        return {
            "id": one.alarm.key,
            "brand_id": one.alarm.brand_id,
            "sentence": sentence(one.alarm, one.source, one.theme),
        }
    return None


async def leads(session: AsyncSession, brand_id: int) -> list[str]:
    """Who could lead a crisis of this brand."""
    return [one.name for one in await people.every(session) if may(one, Act.DECLARE, brand_id)]


async def done(request: web.Request, said: str) -> web.Response:
    """What was done, to a script; a person is sent back."""
    if pages.wants_json(request):
        return pages.said(200, said)
    return await back(request, f"/crises/{number(request)}")


async def case_of(request: web.Request) -> int:
    """The case that a form names."""
    words = (await field(request, "case")).lstrip("#")
    found = pages.number(words)
    if found is None:
        raise NotAllowed("Name a case by its number, as in 17.")
    return found


def numbered(words: str, kind: str) -> int | None:
    """The number that a form names, if it does."""
    if not words:
        return None
    found = pages.number(words)
    if found is None:
        raise NotAllowed(f"{words!r} is no {kind}’s number.")
    return found


def which(request: web.Request) -> tuple[int, str]:
    """Which crisis is meant, and who acts."""
    return number(request), pages.person(request).name


def number(request: web.Request) -> int:
    """The number of the crisis; the guard has seen that there is one."""
    return int(request.match_info["crisis"])
