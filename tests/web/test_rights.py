"""Who may open which address: every role, every route, own brands and others', cell by cell."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from aiohttp import ClientSession, DummyCookieJar, web

from listener.desk import noting, taking
from listener.domain.alarm import RISE, Alarm, AlarmNotice, Sort
from listener.domain.crisis import Bulletin, Crisis, CrisisCase, How, Told
from listener.domain.notice import News, Notice
from listener.domain.reply import Reply
from listener.domain.rights import RIGHTS, Act, may
from listener.domain.span import Of
from listener.domain.staff import Role, Staff
from listener.domain.subscription import Letter, Subscription
from listener.domain.theme import Theme
from listener.web.entrance import Entrance
from listener.web.guard import BRAND_OF, NUMBERED, Door, Guard, Route
from listener.web.site import Site
from tests.given import COMPLAINTS, INBOX, free_port, heard, judged, said
from tests.web.visiting import Browser, Street, hired, street
from tests.world import World

ALL = {"agent", "lead", "manager", "admin"}
WORKERS = {"agent", "lead", "admin"}
LEADS = {"lead", "admin"}
ADMIN = {"admin"}
READERS = {"lead", "manager", "admin"}  # of brands
ANYBODY = {"nobody", *ALL}

# Written down once more, by hand, and not taken from the table of rights: a route that is new, or
# whose right changes, fails here until somebody has thought about it.
EXPECTED: Mapping[str, set[str]] = {
    "GET /health": ANYBODY,
    "GET /metrics": ANYBODY,
    "POST /hooks/{source}": ANYBODY,
    "POST /slack/acts": ANYBODY,
    "POST /slack/commands": ANYBODY,
    "POST /slack/events": ANYBODY,
    "POST /csp": ANYBODY,
    "GET /static/{file}": ANYBODY,
    "GET /login": ANYBODY,
    "POST /login": ANYBODY,
    "POST /logout": ANYBODY,
    "GET /link/{link}": ANYBODY,
    "POST /link/{link}": ANYBODY,
    "GET /heard/{heard}": ANYBODY,
    "POST /heard/{heard}": ANYBODY,
    "GET /": ALL,
    "GET /queue": ALL,
    "GET /cases/{case}": ALL,
    "GET /live": ALL,
    "GET /status": ALL,
    "GET /mentions": ALL,
    "GET /export": READERS,
    "GET /flags": ALL,
    "POST /brands/{brand}/roll-back": ADMIN,
    "GET /alarms": ALL,
    "GET /themes": ALL,
    "GET /themes/{theme}": ALL,
    "POST /themes/{theme}/rename": WORKERS,
    "POST /themes/{theme}/mute": WORKERS,
    "POST /themes/{theme}/merge": WORKERS,
    "POST /themes/{theme}/split": WORKERS,
    "GET /themes/{theme}/tell": WORKERS,
    "POST /themes/{theme}/tell": WORKERS,
    "POST /themes/{theme}/own": LEADS,
    "POST /themes/{theme}/link": LEADS,
    "GET /crises": ALL,
    "POST /crises": READERS,
    "GET /crises/{crisis}": ALL,
    "POST /crises/{crisis}/update": READERS,
    "POST /crises/{crisis}/lead": READERS,
    "POST /crises/{crisis}/text": READERS,
    "POST /crises/{crisis}/approve": READERS,
    "POST /crises/{crisis}/end": READERS,
    "POST /crises/{crisis}/bring": WORKERS,
    "POST /crises/{crisis}/leave": WORKERS,
    "GET /crises/{crisis}/tell": WORKERS,
    "POST /crises/{crisis}/tell": WORKERS,
    "GET /crises/{crisis}/report": READERS,
    "GET /crises/{crisis}/cases.csv": READERS,
    "POST /alarms/{alarm}/acknowledge": ALL,
    "POST /alarms/{alarm}/snooze": WORKERS,
    "GET /digest": READERS,
    "GET /digest.csv": READERS,
    "POST /digest": READERS,
    "GET /deadlines": ALL,
    "GET /notices": READERS,
    "POST /notices/{notice}/again": READERS,
    "POST /calls/{call}/again": READERS,
    "POST /letters/{letter}/again": READERS,
    "POST /bulletins/{bulletin}/again": READERS,
    "GET /breaches": READERS,
    "GET /breaches.csv": READERS,
    "POST /views": ALL,
    "POST /views/{view}/forget": ALL,
    "POST /views/{view}/move": ALL,
    "GET /wordings": LEADS,
    "POST /wordings": LEADS,
    "POST /wordings/forget": LEADS,
    "GET /me": ALL,
    "POST /me": ALL,
    "POST /me/quiet": ALL,
    "POST /me/away": ALL,
    "POST /me/back": ALL,
    "POST /me/password": ALL,
    "POST /me/sign-out": ALL,
    "GET /slack/join/{link}": ALL,
    "POST /slack/join/{link}": ALL,
    "POST /cases/{case}/take": WORKERS,
    "POST /cases/{case}/over": WORKERS,
    "POST /cases/{case}/release": WORKERS,
    "POST /cases/{case}/touch": WORKERS,
    "POST /cases/{case}/snooze": WORKERS,
    "POST /cases/{case}/wake": WORKERS,
    "POST /cases/{case}/note": WORKERS,
    "POST /cases/{case}/tag": WORKERS,
    "POST /cases/{case}/untag": WORKERS,
    "POST /cases/{case}/assign": WORKERS,
    "POST /cases/{case}/close": WORKERS,
    "POST /cases/{case}/correct": WORKERS,
    "POST /cases/{case}/reopen": WORKERS,
    "POST /cases/{case}/reply": WORKERS,
    "POST /cases/{case}/draft": WORKERS,
    "POST /replies/{reply}/withdraw": WORKERS,
    "POST /replies/{reply}/again": WORKERS,
    "POST /replies/{reply}/there": WORKERS,
    "POST /cases/{case}/acknowledge": ALL,
    "POST /cases/{case}/here": ALL,
    "POST /cases/next": WORKERS,
    "POST /cases/bulk": WORKERS,
    "POST /events/{event}/undo": WORKERS,
    "POST /mentions/{mention}/missed": WORKERS,
    "GET /staff": ADMIN,
    "POST /staff": ADMIN,
    "POST /staff/{staff}/change": ADMIN,
    "POST /staff/{staff}/link": ADMIN,
    "POST /staff/{staff}/sign-out": ADMIN,
    "POST /staff/{staff}/leave": ADMIN,
}
CANARY = "The zebra on the roof of your shop ate my nuts and nobody apologised to me."


@dataclass(frozen=True)
class Things:
    """One of each thing that belongs to a brand, by what paths call it."""

    own: Mapping[str, int]
    foreign: Mapping[str, int]


async def two_brands(world: World) -> Things:
    """A case of Acme's and one of Bolt's, each with an event, a mention and a reply."""
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    await hired(world, "Root", Role.ADMIN)
    await heard(world, said(COMPLAINTS[0], published=world.now, author="ada"))
    await heard(world, said(CANARY, published=world.now, author="zoe"))
    await judged(world)
    things = []
    for case in sorted(await world.cases(), key=lambda case: case.brand_id):
        await taking.take(world.store, case.key, "Root")
        await noting.note(world.store, case.key, "Root", f"Seen: {case.key}.")
        event = [one for one in await world.events() if one.case_id == case.key][-1]
        [mention] = [one for one in await world.mentions() if one.brand_id == case.brand_id]
        async with world.store.transaction() as session:
            reply = Reply(
                case_id=case.key,
                mention_id=mention.key,
                staff_id=1,
                publish_key=f"key {case.key}",
                text="We are sorry.",
                made_at=world.now,
                next_at=world.now,
            )
            session.add(reply)
            alarm = Alarm(
                brand_id=case.brand_id,
                about=RISE,
                sort=Sort.COMPLAINTS,
                since=world.now,
                raised_at=world.now,
                mentions=[mention.key],
            )
            session.add(alarm)
            notice = Notice(
                channel="mail",
                staff_id=1,
                news=News.CHANGED,
                case_id=case.key,
                event_id=event.key,
                next_at=world.now,
            )
            session.add(notice)
            theme = Theme(
                brand_id=case.brand_id,
                name="Cold",
                quote_id=mention.key,
                began_at=world.now,
                last_at=world.now,
            )
            session.add(theme)
            crisis = Crisis(
                brand_id=case.brand_id,
                name="Cold",
                lead_id=1,
                declared_by=1,
                declared_at=world.now,
                update_due_at=world.now,
            )
            session.add(crisis)
            wish = Subscription(staff_id=1, brand_id=case.brand_id, of=Of.DAY)
            session.add(wish)
            await session.flush()
            call = AlarmNotice(alarm_id=alarm.key, channel="mail", staff_id=1, next_at=world.now)
            letter = Letter(subscription_id=wish.key, first=world.now.date(), next_at=world.now)
            bulletin = Bulletin(
                crisis_id=crisis.key,
                told=Told.DECLARED,
                whom="@1",
                channel="mail",
                staff_id=1,
                at=world.now,
                next_at=world.now,
            )
            session.add_all([call, letter, bulletin])
            await session.flush()
            session.add(
                CrisisCase(crisis_id=crisis.key, case_id=case.key, how=How.HAND, since=world.now)
            )
        things.append(
            {
                "case": case.key,
                "event": event.key,
                "mention": mention.key,
                "reply": reply.key,
                "brand": case.brand_id,
                "alarm": alarm.key,
                "notice": notice.key,
                "theme": theme.key,
                "crisis": crisis.key,
                "call": call.key,
                "letter": letter.key,
                "bulletin": bulletin.key,
            }
        )
    return Things(*things)


async def somebody(world: World, role: Role, things: Things) -> Staff:
    """A person of this role who looks after the first brand; an admin looks after all."""
    brands = None if role is Role.ADMIN else [things.own["brand"]]
    return await hired(world, role.value.title(), role, brands=brands)


@asynccontextmanager
async def only_the_guard(world: World, routes: list[Route]) -> AsyncIterator[Street]:
    """The same addresses behind the same guard, but whoever gets in is told so and no more."""

    async def reached(request: web.Request) -> web.Response:
        del request
        return web.Response(status=299)

    service, port = await world.service(), free_port()
    site = Site(
        Guard(world.store, Entrance()),
        [replace(route, handler=reached) for route in routes],
        ending=lambda: None,
    )
    origin = f"http://127.0.0.1:{port}"
    async with (
        site.open("127.0.0.1", port),
        ClientSession(origin, cookie_jar=DummyCookieJar()) as session,
    ):
        yield Street(session, origin, service, world)


async def all_routes(world: World) -> list[Route]:
    """Every route of the real site, once."""
    service = await world.service()
    return list(dict.fromkeys(service.site.guard.routes.values()))


def address(route: Route, things: Mapping[str, int]) -> str:
    """A route's path with real numbers in it."""
    path = route.path
    for kind, number in things.items():
        path = path.replace(f"{{{kind}}}", str(number))
    for kind in NUMBERED:
        path = path.replace(f"{{{kind}}}", "1")
    return path.replace("{", "").replace("}", "")


def spoken(route: Route) -> str:
    """A route as the table above names it."""
    return f"{route.method} {route.path}"


async def test_every_route_has_a_row_here_and_every_row_a_route(world: World) -> None:
    assert {spoken(route) for route in await all_routes(world)} == EXPECTED.keys()


@pytest.mark.parametrize("who", ["nobody", *Role])
async def test_everybody_comes_in_where_they_may_and_nowhere_else(world: World, who: str) -> None:
    things = await two_brands(world)
    routes = await all_routes(world)
    wrong = []
    async with only_the_guard(world, routes) as place:
        browser = place.browser()
        if who != "nobody":
            await somebody(world, Role(who), things)
            browser = await place.signed_in(who.title())
            assert browser.csrf, "somebody who is signed in has a token"
        for route, brand, numbers in cells(routes, things):
            if who == "nobody":
                browser = place.browser()
            wanted = expected(route, who, brand)
            seen = await asked(browser, route, address(route, numbers))
            if seen != wanted:
                wrong.append(f"{who} {spoken(route)} {brand}: {seen} and not {wanted}")

    assert not wrong


def cells(routes: list[Route], things: Things) -> Iterator[tuple[Route, str, Mapping[str, int]]]:
    """Every route, with things of one's own brand and of another, and with none that exist."""
    for route in routes:
        yield route, "own", things.own
        if any(f"{{{kind}}}" in route.path for kind in BRAND_OF):
            yield route, "foreign", things.foreign
            yield route, "missing", dict.fromkeys(things.own, 999_999_999)


def expected(route: Route, who: str, brand: str) -> int:
    """What the guard must answer, by the table above."""
    if who not in EXPECTED[spoken(route)]:
        return 303 if who == "nobody" else 403
    if brand == "missing" or (brand == "foreign" and who != "admin"):
        return 404
    if who == "nobody" and route.act is Door.PUBLIC and route.method == "POST":
        return 403  # a browser that was never given a token; see test_csrf
    return 299


async def asked(browser: Browser, route: Route, path: str) -> int:
    """What a browser is answered."""
    seen = await (browser.get(path) if route.method == "GET" else browser.post(path))
    return seen.status


def test_a_path_that_names_something_nobody_could_guard_is_no_route() -> None:
    async def handler(request: web.Request) -> web.Response:
        raise NotImplementedError(request)

    with pytest.raises(ValueError, match=r"/pigeons/\{pigeon\}: whose is pigeon\?"):
        Route("GET", "/pigeons/{pigeon}", "pigeon", Act.READ_CASES, handler)


async def test_what_is_no_number_is_not_there(world: World) -> None:
    await hired(world, "Root", Role.ADMIN)
    async with street(world) as place:
        admin = await place.signed_in("Root")
        for words in ("x", "-1", "²", "1.5", "9" * 30, "%00"):
            for path in ("/cases/{}", "/views/{}/forget", "/staff/{}/leave", "/replies/{}/again"):
                ask = admin.get if path == "/cases/{}" else admin.post
                assert (await ask(path.format(words))).status == 404, (path, words)


async def test_an_address_that_came_in_past_the_list_is_denied(world: World) -> None:
    async with street(world) as place:
        await hired(world, "Root", Role.ADMIN)
        admin = await place.signed_in("Root")
        place.service.site.guard.routes.clear()

        assert (await admin.get("/staff")).status == 404


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("act", list(Act))
def test_every_right_is_in_the_table_and_ends_with_the_work_here(role: Role, act: Act) -> None:
    person = Staff(id=1, name="Ana", role=role, brands=[1])

    assert may(person, act) == (role in RIGHTS[act])
    assert may(person, act, 1) == (role in RIGHTS[act])
    assert may(person, act, 2) == (role is Role.ADMIN)
    person.active = False
    assert not may(person, act)


def test_what_is_in_no_table_is_denied() -> None:
    unheard_of = "fly"

    assert not may(Staff(id=1, name="Ana", role=Role.ADMIN), unheard_of)  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.MANAGER])
async def test_of_two_who_look_after_two_brands_neither_sees_a_word_of_the_other(
    world: World, role: Role
) -> None:
    things = await two_brands(world)
    await somebody(world, role, things)
    await hired(world, "Other", role, brands=[things.foreign["brand"]])
    routes = [route for route in await all_routes(world) if route.method == "GET"]
    async with street(world) as place:
        ana, other = await place.signed_in(role.value.title()), await place.signed_in("Other")
        # That their own is shown proves that the words would be found.
        assert "zebra" in (await other.get(f"/cases/{things.foreign['case']}")).text
        assert "zebra" in (await other.get("/queue?queue=all")).text
        for route in routes:
            if route.path == "/live":
                continue  # never ends; it tells numbers of cases only
            for query in queries(things.foreign):
                for numbers in (things.own, things.foreign):
                    seen = await ana.get(address(route, numbers) + query)
                    assert "zebra" not in seen.text, (spoken(route), query)
                    assert "zoe" not in seen.text.lower(), (spoken(route), query)
                    assert seen.status < 500, (spoken(route), query)


async def test_a_list_of_numbers_opens_no_case_of_another_brand(world: World) -> None:
    things = await two_brands(world)
    await somebody(world, Role.LEAD, things)
    before = [case.model_dump() for case in await world.cases() if case.brand_id == 2]
    async with street(world) as place:
        lead = await place.signed_in("Lead")
        for act, more in (
            ("take", {}),
            ("spam", {}),
            ("tag", {"tag": "mine"}),
            ("snooze", {"for": "1h"}),
            ("assign", {"to": "Lead"}),
        ):
            form = {"act": act, "ids": str(things.foreign["case"]), **more}
            seen = await lead.post("/cases/bulk", form, Accept="application/json")
            assert f"There is no case {things.foreign['case']}." in seen.text, act
        seen = await lead.post("/cases/next", Accept="application/json")
        assert "zebra" not in seen.text

    assert [case.model_dump() for case in await world.cases() if case.brand_id == 2] == before


def queries(foreign: Mapping[str, int]) -> list[str]:
    """What somebody could write behind an address to see more."""
    return [
        "",
        f"?case={foreign['case']}",
        f"?queue=all&case={foreign['case']}",
        f"?case={'9' * 30}",
        "?case=²",
        "?brand=Bolt&queue=all",
        "?words=roof&queue=all",
        f"?mention={foreign['mention']}&event={foreign['event']}&reply={foreign['reply']}",
    ]
