"""The report on a crisis as a page, to be printed too, and its cases as a table."""

from dataclasses import dataclass

from aiohttp import hdrs, web

from listener.desk import reporting
from listener.domain import table
from listener.domain.digest import shortened
from listener.domain.hours import said
from listener.store.session import Store
from listener.web import pages
from listener.web.case import link


@dataclass(frozen=True)
class AftermathPage:
    """GET /crises/{crisis}/report and /crises/{crisis}/cases.csv."""

    store: Store

    async def show(self, request: web.Request) -> web.Response:
        """The report, until now or until it ended."""
        found = await reporting.report(self.store, *which(request), place=pages.place)
        return pages.render(
            request,
            "aftermath.html",
            found=found,
            crisis=found.crisis,
            said=said,
            shortened=shortened,
            link=link,
        )

    async def table(self, request: web.Request) -> web.Response:
        """Its cases for a spreadsheet."""
        found = await reporting.report(self.store, *which(request), place=pages.place)
        name = f"crisis-{found.crisis.key}-cases.csv"
        return web.Response(
            text=table.lines(reporting.rows(found)),
            content_type="text/csv",
            headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}"'},
        )


def which(request: web.Request) -> tuple[int, str]:
    """Which crisis is meant, and who asks."""
    return int(request.match_info["crisis"]), pages.person(request).name
