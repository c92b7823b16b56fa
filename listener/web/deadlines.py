"""The page of what is promised to customers, in order, and of when the teams are at work."""

from dataclasses import dataclass, field

from aiohttp import web

from listener.desk.promising import promises
from listener.domain.deadline import Policies
from listener.domain.hours import said
from listener.store.session import Store, now
from listener.web import pages


@dataclass(frozen=True)
class DeadlinesPage:
    """GET /deadlines: for everybody who works cases; of other brands nothing is told."""

    store: Store
    policies: Policies = field(default_factory=Policies)

    async def show(self, request: web.Request) -> web.Response:
        """What is in force at this moment."""
        person = pages.person(request)
        async with self.store.reading() as session:
            found = await promises(
                session,
                now=await now(session),
                walls=person.walls,
                otherwise=self.policies,
            )
        return pages.render(
            request, "deadlines.html", policies=found.policies, teams=found.shifts, said=said
        )
