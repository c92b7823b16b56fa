"""How good the flags are, on a page: by place and by week, from what people said of them."""

from dataclasses import dataclass

from aiohttp import web

from listener.domain.precision import ENOUGH
from listener.store import flags
from listener.store.session import Store, now
from listener.web import pages


@dataclass(frozen=True)
class FlagsPage:
    """GET /flags."""

    store: Store

    async def show(self, request: web.Request) -> web.Response:
        """Counts, and how far they can be trusted."""
        person = pages.person(request)
        async with self.store.reading() as session:
            found = await flags.goodness(
                session, brands=person.walls, now=await now(session), weeks=flags.WEEKS
            )
        return pages.render(
            request,
            "flags.html",
            everything=found.all,
            enough=ENOUGH,
            weeks=flags.WEEKS,
            by_place=[
                {"brand": brand, "place": connector, "flags": one}
                for (brand, connector), one in found.by_place.items()
            ],
            by_week=[{"monday": monday, "flags": one} for monday, one in found.by_week.items()],
        )
