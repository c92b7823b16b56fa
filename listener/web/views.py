"""Views on the pages: filters kept under a name, moved, and let go."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from listener.domain.record import NotAllowed
from listener.store import views
from listener.store.session import Store
from listener.web import errors, pages
from listener.web.acts import field, see

NONE = "You have no such view."


@dataclass(frozen=True)
class Views:
    """Everybody's own."""

    store: Store

    async def keep(self, request: web.Request) -> web.Response:
        """POST /views: name, query."""
        query = urlencode(parse_qsl((await field(request, "query")).lstrip("?")))
        try:
            async with self.store.transaction() as session:
                view = await views.keep(
                    session, pages.person(request).key, await field(request, "name"), query
                )
        except NotAllowed as refusal:
            return errors.answer(request, 409, str(refusal))
        if pages.wants_json(request):
            return pages.said(200, f"Kept as {view.name}.")
        return see(f"/queue?{view.query}")

    async def let_go(self, request: web.Request) -> web.Response:
        """POST /views/{view}/forget."""
        async with self.store.transaction() as session:
            view = await views.let_go(
                session, pages.person(request).key, int(request.match_info["view"])
            )
        return self.changed(request, view is not None)

    async def move(self, request: web.Request) -> web.Response:
        """POST /views/{view}/move: by, -1 for up and 1 for down."""
        places = -1 if await field(request, "by") == "-1" else 1
        async with self.store.transaction() as session:
            view = await views.move(
                session, pages.person(request).key, int(request.match_info["view"]), places
            )
        return self.changed(request, view is not None)

    def changed(self, request: web.Request, there: bool) -> web.Response:
        """What to say when a view was changed, or was not there."""
        if not there:
            return errors.answer(request, 404, NONE)
        return pages.said(200, "Done.") if pages.wants_json(request) else see("/queue")
