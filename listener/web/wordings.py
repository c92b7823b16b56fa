"""The page of wordings: what staff often say, kept by those who answer for how we speak."""

from dataclasses import dataclass

from aiohttp import web

from connectors.kit import catalog
from listener.desk import wording
from listener.desk.wording import Worded
from listener.domain.record import NotAllowed
from listener.domain.wording import VARIABLES
from listener.store import brands, wordings
from listener.store.session import Store
from listener.web import pages
from listener.web.acts import field, me, see

FIELDS = ("name", "text", "brand", "connector", "language", "tag")


@dataclass(frozen=True)
class WordingsPage:
    """GET and POST /wordings: all of them, and a form for one."""

    store: Store

    async def show(self, request: web.Request) -> web.Response:
        """The list, and the form: empty, or with the wording that `name` asks for."""
        return await self.page(request, asked=request.query.get("name", ""))

    async def keep(self, request: web.Request) -> web.Response:
        """Keep what the form says; what is wrong with it is said above it, nothing is lost."""
        written = {name: await field(request, name) for name in FIELDS}
        try:
            await wording.keep(self.store, Worded(**written), me(request))
        except NotAllowed as refusal:
            return await self.page(request, written=written, wrong=str(refusal))
        return see("/wordings")

    async def forget(self, request: web.Request) -> web.Response:
        """POST /wordings/forget: name."""
        await wording.forget(self.store, await field(request, "name"), me(request))
        return see("/wordings")

    async def page(
        self,
        request: web.Request,
        *,
        asked: str = "",
        written: dict[str, str] | None = None,
        wrong: str = "",
    ) -> web.Response:
        """The page, with the form as it stands."""
        person = pages.person(request)
        async with self.store.reading() as session:
            every = await wordings.every(session)
            names = {
                brand.key: brand.name
                for brand in await brands.every(session)
                if person.sees(brand.key)
            }
        kept = [one for one in every if one.brand_id is None or one.brand_id in names]
        shown = [
            {
                "name": one.name,
                "text": one.text,
                "brand": names.get(one.brand_id or 0, ""),
                "connector": one.connector or "",
                "language": one.language or "",
                "tag": one.tag or "",
            }
            for one in kept
        ]
        form = written or next((one for one in shown if one["name"] == asked), None)
        return pages.render(
            request,
            "wordings.html",
            status=422 if wrong else 200,
            wordings=shown,
            form=form or dict.fromkeys(FIELDS, ""),
            wrong=wrong,
            brands=sorted(names.values()),
            connectors=catalog.names(),
            variables=VARIABLES,
        )
