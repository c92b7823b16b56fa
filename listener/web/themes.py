"""The pages of themes: what several people complain about alike, and what is done with one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from listener.channels import charts
from listener.desk import theming
from listener.desk.snoozing import zone_of
from listener.domain.digest import shortened
from listener.domain.rights import Act, may
from listener.store import crises, people, portraits, themes
from listener.store.session import Store, now
from listener.web import pages
from listener.web.acts import back, field, see
from listener.web.case import link

MOST: Final = 100  # themes on the page
CASES: Final = 20  # links of one theme; the others are counted


@dataclass(frozen=True)
class ThemesPage:
    """GET /themes and /themes/{theme}, and what people do with one."""

    store: Store

    async def show(self, request: web.Request) -> web.Response:
        """Show the themes that are not over, those that most people share first."""
        person = pages.person(request)
        async with self.store.reading() as session:
            found = await themes.shown(session, brands=person.walls, limit=MOST)
        return pages.render(
            request,
            "themes.html",
            themes=found,
            more=len(found) == MOST,
            cases=CASES,
            may_work=may(person, Act.WORK_CASES),
            shortened=shortened,
            link=link,
        )

    async def one(self, request: web.Request) -> web.Response:
        """Show one theme: who says it since when, in what words, what is open, what became of it."""
        person, chosen = pages.person(request), number(request)
        zone = zone_of(person.zone)
        async with self.store.reading() as session:
            moment: datetime = await now(session)
            found = await portraits.read(session, chosen, now=moment, zone=zone.key)
            if found is None:  # it was there when the guard looked
                raise web.HTTPNotFound
            declared = [
                one.crisis
                for one in await crises.shown(session, brands=[found.theme.brand_id])
                if one.crisis.theme_id == chosen
            ]
            staff = [
                one.name
                for one in await people.every(session)
                if one.active and one.sees(found.theme.brand_id)
            ]
        settled = found.theme.merged_into is not None
        return pages.render(
            request,
            "theme.html",
            one=found,
            theme=found.theme,
            chart=charts.spread(found.days) if any(people for _, people in found.days) else None,
            zone=zone.key,
            staff=staff,
            may_work=may(person, Act.WORK_CASES) and not settled,
            may_assign=may(person, Act.ASSIGN) and not settled,
            crises=declared,
            may_declare=may(person, Act.DECLARE) and found.theme.ended_at is None,
            shortened=shortened,
            link=link,
            now=moment,
        )

    async def rename(self, request: web.Request) -> web.Response:
        """POST /themes/{theme}/rename: name=."""
        name = await field(request, "name")
        return await done(request, await theming.rename(self.store, *which(request), name))

    async def mute(self, request: web.Request) -> web.Response:
        """POST /themes/{theme}/mute: muted=yes, or no."""
        muted = await field(request, "muted") != "no"
        return await done(request, await theming.mute(self.store, *which(request), muted=muted))

    async def merge(self, request: web.Request) -> web.Response:
        """POST /themes/{theme}/merge: into=the number of another."""
        into = pages.number((await field(request, "into")).lstrip("#")) or 0
        return await done(request, await theming.merge(self.store, *which(request), into))

    async def own(self, request: web.Request) -> web.Response:
        """POST /themes/{theme}/own: to=somebody, or nobody."""
        to = await field(request, "to")
        return await done(request, await theming.own(self.store, *which(request), to))

    async def lead(self, request: web.Request) -> web.Response:
        """POST /themes/{theme}/link: link=where it is put right, or nothing."""
        address = await field(request, "link")
        return await done(request, await theming.link(self.store, *which(request), address))

    async def split(self, request: web.Request) -> web.Response:
        """POST /themes/{theme}/split: mention=, as often as one was chosen, and name=."""
        name, form = await field(request, "name"), await request.post()
        chosen = [pages.number(str(one)) for one in form.getall("mention", [])]
        numbers = [one for one in chosen if one is not None]
        made = await theming.split(self.store, *which(request), numbers, name)
        if pages.wants_json(request):
            return pages.said(200, made.said, theme=made.number)
        return see(f"/themes/{made.number}")


async def done(request: web.Request, said: str) -> web.Response:
    """What was done, to a script; a person is sent back."""
    return pages.said(200, said) if pages.wants_json(request) else await back(request, "/themes")


def which(request: web.Request) -> tuple[int, str]:
    """Which theme is meant, and who acts."""
    return number(request), pages.person(request).name


def number(request: web.Request) -> int:
    """The number of the theme; the guard has seen that there is one."""
    return int(request.match_info["theme"])
