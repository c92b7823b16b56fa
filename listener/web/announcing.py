"""The page from which a theme's people are told together that it is put right."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from listener.desk import announcing
from listener.desk.replies import Rules
from listener.domain.digest import shortened
from listener.domain.wording import VARIABLES
from listener.store import themes
from listener.store.session import Store
from listener.web import pages
from listener.web.acts import field
from listener.web.themes import number, which


@dataclass(frozen=True)
class AnnouncingPage:
    """GET /themes/{theme}/tell: write one text, look at each of the people, approve them."""

    store: Store
    rules: Rules
    window: timedelta

    async def show(self, request: web.Request) -> web.Response:
        """Show whom it concerns, before anything is written."""
        return await self.page(request, "")

    async def tell(self, request: web.Request) -> web.Response:
        """POST /themes/{theme}/tell: text; act=look, or send to each case= as seen-CASE= saw it."""
        text = await field(request, "text")
        if await field(request, "act") != "send":
            return await self.page(request, text)
        form = await request.post()
        numbers = [pages.number(str(one)) for one in form.getall("case", [])]
        chosen = {one: await field(request, f"seen-{one}") for one in numbers if one is not None}
        told = await announcing.tell(
            self.store,
            self.rules,
            *which(request),
            text,
            chosen,
            window=self.window,
            title=pages.place,
        )
        if pages.wants_json(request):
            done = [one.case_id for one in told if one.done]
            refused = {str(one.case_id): one.said for one in told if not one.done}
            return pages.said(200, f"{len(done)} are told.", done=done, refused=refused)
        return await self.page(request, text, told)

    async def page(
        self, request: web.Request, text: str, told: list[announcing.Told] | None = None
    ) -> web.Response:
        """The text, the people, and what came of it when it was sent."""
        found, left = await announcing.whom(
            self.store, self.rules, *which(request), text, title=pages.place
        )
        async with self.store.reading() as session:
            theme = await themes.one(session, number(request), lock=False)
        return pages.render(
            request,
            "tell.html",
            theme=theme,
            text=text,
            people=found,
            left=left,
            told=[one for one in told or () if one.done],
            refused=[one for one in told or () if not one.done],
            sent=told is not None,
            seconds=int(self.window.total_seconds()),
            places=[f"{{{one}}}" for one in VARIABLES],
            shortened=shortened,
        )
