"""How good the flags are, on a page: what people said of them, and what was learnt from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import web

from listener.desk import learning
from listener.domain.learnt import sentence
from listener.domain.precision import ENOUGH
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.store import cases, flags, learnt
from listener.store.flags import Goodness
from listener.store.learnt import Stands
from listener.store.session import AsyncSession, Store
from listener.web import acts, pages

FRESH: Final = timedelta(minutes=10)  # weeks are compared, and ten thousand verdicts are read
MOST: Final = 100
Walls = tuple[int, ...] | None


@dataclass(frozen=True)
class FlagsPage:
    """GET /flags."""

    store: Store
    drifts: dict[Walls, tuple[datetime, str]] = field(default_factory=dict)

    async def show(self, request: web.Request) -> web.Response:
        """Counts, and how far they can be trusted."""
        person = pages.person(request)
        async with pages.reading(request, self.store) as session:
            moment, walls = await pages.moment(request, session), person.walls
            found = await flags.goodness(session, brands=walls, now=moment, weeks=flags.WEEKS)
            drift = await self.drift(session, found, person, moment)
            stands = await learnt.standing(session, brands=walls)
            named = may(person, Act.ASSIGN)  # whom the gate does not believe is not for all to read
            names = await cases.staff_names(session) if named else {}
        return pages.render(
            request,
            "flags.html",
            everything=found.all,
            enough=ENOUGH,
            drift=drift,
            weeks=flags.WEEKS,
            by_place=[
                {"brand": brand, "place": connector, "flags": one}
                for (brand, connector), one in found.by_place.items()
            ],
            by_week=[{"monday": monday, "flags": one} for monday, one in found.by_week.items()],
            learnt=[told(one, person, names) for one in stands],
            may_roll_back=may(person, Act.CONFIGURE),
        )

    async def drift(
        self, session: AsyncSession, found: Goodness, person: Staff, moment: datetime
    ) -> str:
        """Whether the model drifts, as it was found some minutes ago at most."""
        walls = None if person.walls is None else tuple(sorted(person.walls))
        kept = self.drifts.get(walls)
        if kept is not None and abs(moment - kept[0]) < FRESH:
            return kept[1]
        if len(self.drifts) >= MOST:
            self.drifts.clear()
        said = await flags.drift(session, found, brands=person.walls, now=moment)
        self.drifts[walls] = (moment, said)
        return said

    async def roll_back(self, request: web.Request) -> web.Response:
        """POST /brands/{brand}/roll-back: seen=the number of the version that judges."""
        said = await learning.roll_back(
            self.store,
            int(request.match_info["brand"]),  # the guard has seen that there is one
            seen=pages.number(await acts.field(request, "seen")) or 0,
        )
        return (
            pages.said(200, said)
            if pages.wants_json(request)
            else await acts.back(request, "/flags")
        )


def told(stands: Stands, person: Staff, names: Mapping[int, str]) -> dict[str, Any]:
    """What one brand has taught, as the page shows it; no brand that somebody may not see."""
    other = stands.with_brand
    if other is not None and not person.sees(stands.under):
        other = "another brand"
    latest, judges = stands.latest, stands.in_force
    return {
        "brand": stands.brand,
        "with_brand": other,
        "joined": stands.joined if person.walls is None else (),
        "judges": judges,
        "says": "" if judges is None else sentence(judges, names),
        "latest": None if latest is judges else latest,
        "latest_says": "" if latest is None else sentence(latest, names),
    }
