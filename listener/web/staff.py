"""People, as an admin sees them: who works here, as what, and with which way in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from aiohttp import hdrs, web
from yarl import URL

from listener.desk import staffing
from listener.desk.staffing import Welcome
from listener.domain.login import LINK, Login
from listener.domain.record import NotAllowed, NotThere
from listener.domain.staff import Role, Staff
from listener.store import brands, logins, people
from listener.store.session import Store, now
from listener.web import pages
from listener.web.entrance import Entrance

Result = TypeVar("Result")

HERE = "/staff"
DONE = {
    "change": "has role and brands as you said.",
    "sign-out": "is signed out everywhere.",
    "leave": "works here no more; what they were working on is back in the queue.",
}
MEANS = {
    Role.AGENT: "works cases",
    Role.LEAD: "also gives cases to others, writes wordings, sets policies",
    Role.MANAGER: "reads cases and brands",
    Role.ADMIN: "configures everything, and sees all brands",
}


class Form(Protocol):
    """A form, of which we ask for what may be there several times."""

    def __contains__(self, name: object, /) -> bool: ...

    def getall(self, name: str, default: list[Any], /) -> list[Any]:
        """Everything of this name."""


@dataclass(frozen=True)
class StaffPage:
    """Answers at /staff."""

    store: Store
    entrance: Entrance

    async def show(self, request: web.Request) -> web.Response:
        """GET /staff."""
        words = DONE.get(request.query.get("done", ""))
        async with self.store.reading() as session:
            names = {str(one.key): one.name for one in await people.every(session)}
        name = names.get(request.query.get("to", ""))
        return await self.page(request, said=f"{name} {words}" if name and words else "")

    async def page(
        self,
        request: web.Request,
        *,
        status: int = 200,
        said: str = "",
        wrong: str = "",
        welcome: Welcome | None = None,
    ) -> web.Response:
        """The list, with what was done, what was wrong, or a link that is shown once."""
        async with self.store.reading() as session:
            moment = await now(session)
            everybody = await people.every(session)
            all_brands = await brands.every(session)
            current = await logins.current(session, now=moment)
        names = {brand.key: brand.name for brand in all_brands}
        return pages.render(
            request,
            "staff.html",
            status=status,
            said=said,
            wrong=wrong,
            welcome=welcome,
            link=f"{self.entrance.url}/link/{welcome.link}" if welcome else "",
            good_for=pages.span(LINK),
            people=[row(one, current, names, moment) for one in everybody if one.active],
            gone=[one for one in everybody if not one.active],
            brands=all_brands,
            roles=MEANS,
        )

    async def add(self, request: web.Request) -> web.Response:
        """POST /staff: somebody new, or somebody who is back."""
        form = await request.post()
        try:
            welcome = await staffing.add(
                self.store,
                str(form.get("name", "")),
                role=role(form),
                brands=chosen(form),
                by=pages.person(request).name,
            )
        except NotAllowed as refusal:
            return await self.page(request, status=409, wrong=str(refusal))
        return await self.page(request, welcome=welcome)

    async def link(self, request: web.Request) -> web.Response:
        """POST /staff/…/link: a new link, shown once."""

        async def deed(name: str, by: str) -> Welcome:
            return await staffing.new_link(self.store, name, by=by)

        done = await self.do(request, deed)
        return done if isinstance(done, web.Response) else await self.page(request, welcome=done)

    async def change(self, request: web.Request) -> web.Response:
        """POST /staff/…/change: role and brands."""
        form = await request.post()

        async def deed(name: str, by: str) -> Staff:
            return await staffing.change(
                self.store, name, role=role(form), brands=chosen(form), by=by
            )

        return seen("change", await self.do(request, deed))

    async def sign_out(self, request: web.Request) -> web.Response:
        """POST /staff/…/sign-out: everywhere."""

        async def deed(name: str, by: str) -> Staff:
            return await staffing.sign_out(self.store, name, by=by)

        return seen("sign-out", await self.do(request, deed))

    async def leave(self, request: web.Request) -> web.Response:
        """POST /staff/…/leave."""

        async def deed(name: str, by: str) -> Staff:
            person, _ = await staffing.leave(self.store, name, by=by)
            return person

        return seen("leave", await self.do(request, deed))

    async def do(
        self, request: web.Request, deed: Callable[[str, str], Awaitable[Result]]
    ) -> Result | web.Response:
        """Do something to the person of the address; a refusal is said above the list."""
        number = request.match_info["staff"]
        async with self.store.reading() as session:
            everybody = {str(one.key): one.name for one in await people.every(session)}
        if number not in everybody:
            raise NotThere("There is no such person.")
        try:
            return await deed(everybody[number], pages.person(request).name)
        except NotAllowed as refusal:
            return await self.page(request, status=409, wrong=str(refusal))


def seen(what: str, done: Staff | web.Response) -> web.Response:
    """Back to the list, which says what was done; or what was wrong instead."""
    if isinstance(done, web.Response):
        return done
    place = str(URL(HERE).with_query(done=what, to=done.key))
    return web.Response(status=303, headers={hdrs.LOCATION: place})


def row(
    person: Staff, current: Sequence[Login], names: Mapping[int, str], moment: datetime
) -> dict[str, Any]:
    """One person as the list shows them."""
    theirs = [one for one in current if one.staff_id == person.key]
    waits = person.link_until is not None and person.link_until > moment
    return {
        "id": person.key,
        "name": person.name,
        "role": person.role,
        "away": person.away_until if person.away(moment) else None,
        "brands": person.walls,
        "brand_names": None
        if person.walls is None
        else [names[key] for key in person.walls if key in names],
        "logins": len(theirs),
        "used_at": max((one.used_at for one in theirs), default=None),
        "password": person.password is not None,
        "link_until": person.link_until if waits else None,
    }


def role(form: Mapping[str, Any]) -> Role:
    """The role of a form."""
    try:
        return Role(str(form.get("role", "")))
    except ValueError:
        raise NotAllowed("Choose a role.") from None


def chosen(form: Form) -> list[int] | None:
    """The brands of a form; None where all are chosen, also those to come."""
    if "all" in form:
        return None
    words = [str(one) for one in form.getall("brand", [])]
    if not all(one.isascii() and one.isdigit() and len(one) < 10 for one in words):
        raise NotAllowed("There is no such brand.")
    return [int(one) for one in words]
