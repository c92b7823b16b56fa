"""The one list of addresses: each with the right that it asks for and who answers."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import hdrs, web

from listener.desk.replies import Rules
from listener.domain.deadline import Policies
from listener.domain.rights import Act
from listener.store.session import Store
from listener.web import files
from listener.web.account import AccountPage
from listener.web.acts import Acts
from listener.web.case import CasePage
from listener.web.csp import Reports
from listener.web.entrance import Entrance
from listener.web.flags import FlagsPage
from listener.web.guard import Door, Route
from listener.web.health import Health, Metrics
from listener.web.hooks import Doors
from listener.web.live import Live
from listener.web.login import HOME, LoginPage
from listener.web.mentions import MentionsPage
from listener.web.queue import QueuePage
from listener.web.replies import Replying
from listener.web.site import REPORTS
from listener.web.staff import StaffPage
from listener.web.status import StatusPage
from listener.web.views import Views
from listener.web.wordings import WordingsPage


@dataclass(frozen=True)
class Rooms:
    """What the pages stand on."""

    store: Store
    doors: Doors
    entrance: Entrance
    live: Live
    rules: Rules
    policies: Policies
    undo: timedelta  # how long a reply waits, so that it can be taken back


def every(rooms: Rooms) -> tuple[Route, ...]:
    """All addresses of this listener."""
    return (*for_machines(rooms), *to_come_in(rooms), *pages(rooms), *acts(rooms))


def for_machines(rooms: Rooms) -> tuple[Route, ...]:
    """Where programs ask and deliver."""
    reports = Reports()
    return (
        Route("GET", "/health", "health", Door.MACHINES, Health(rooms.store).show),
        Route("GET", "/metrics", "metrics", Door.MACHINES, Metrics(rooms.store, reports).show),
        Route("POST", "/hooks/{source}", "hook", Door.MACHINES, rooms.doors.receive),
        Route("POST", REPORTS, "csp", Door.MACHINES, reports.take),
        Route("GET", "/static/{file}", "static", Door.MACHINES, files.show),
    )


def to_come_in(rooms: Rooms) -> tuple[Route, ...]:
    """Where people sign in and out."""
    page = LoginPage(rooms.store, rooms.entrance)
    return (
        Route("GET", "/login", "login", Door.PUBLIC, page.show),
        Route("POST", "/login", "sign in", Door.PUBLIC, page.sign_in),
        Route("POST", "/logout", "sign out", Door.PUBLIC, page.sign_out),
        Route("GET", "/link/{link}", "link", Door.PUBLIC, page.show_link),
        Route("POST", "/link/{link}", "use link", Door.PUBLIC, page.use_link),
    )


def pages(rooms: Rooms) -> tuple[Route, ...]:
    """What people see and do."""
    case = CasePage(rooms.store, rooms.rules)
    queue = QueuePage(rooms.store, case)
    views = Views(rooms.store)
    worded = WordingsPage(rooms.store)
    me, staff = AccountPage(rooms.store, rooms.entrance), StaffPage(rooms.store, rooms.entrance)
    return (
        Route("GET", "/", "home", Act.KEEP_ACCOUNT, home),
        Route("GET", "/queue", "queue", Act.READ_CASES, queue.show),
        Route("GET", "/cases/{case}", "case", Act.READ_CASES, case.show),
        Route("GET", "/live", "live", Act.READ_CASES, rooms.live.show, by_hand=False),
        Route("GET", "/mentions", "mentions", Act.READ_CASES, MentionsPage(rooms.store).show),
        Route("GET", "/flags", "flags", Act.READ_CASES, FlagsPage(rooms.store).show),
        Route("POST", "/views", "keep view", Act.READ_CASES, views.keep),
        Route("POST", "/views/{view}/forget", "forget view", Act.READ_CASES, views.let_go),
        Route("POST", "/views/{view}/move", "move view", Act.READ_CASES, views.move),
        Route("GET", "/status", "status", Act.READ_SOURCES, StatusPage(rooms.store).show),
        Route("GET", "/wordings", "wordings", Act.WRITE_WORDINGS, worded.show),
        Route("POST", "/wordings", "keep wording", Act.WRITE_WORDINGS, worded.keep),
        Route("POST", "/wordings/forget", "forget wording", Act.WRITE_WORDINGS, worded.forget),
        Route("GET", "/me", "me", Act.KEEP_ACCOUNT, me.show),
        Route("POST", "/me", "keep me", Act.KEEP_ACCOUNT, me.keep),
        Route("POST", "/me/password", "my password", Act.KEEP_ACCOUNT, me.change_password),
        Route("POST", "/me/sign-out", "sign me out", Act.KEEP_ACCOUNT, me.sign_out),
        Route("GET", "/staff", "people", Act.MANAGE_STAFF, staff.show),
        Route("POST", "/staff", "add person", Act.MANAGE_STAFF, staff.add),
        Route("POST", "/staff/{staff}/change", "change person", Act.MANAGE_STAFF, staff.change),
        Route("POST", "/staff/{staff}/link", "link for person", Act.MANAGE_STAFF, staff.link),
        Route(
            "POST", "/staff/{staff}/sign-out", "sign person out", Act.MANAGE_STAFF, staff.sign_out
        ),
        Route("POST", "/staff/{staff}/leave", "person leaves", Act.MANAGE_STAFF, staff.leave),
    )


def acts(rooms: Rooms) -> tuple[Route, ...]:
    """What people do to cases."""
    acts = Acts(rooms.store, rooms.policies)
    replying = Replying(rooms.store, rooms.rules, rooms.undo)
    on_a_case = {
        "take": acts.take,
        "over": acts.over,
        "release": acts.release,
        "touch": acts.touch,
        "snooze": acts.snooze,
        "wake": acts.wake,
        "note": acts.note,
        "tag": acts.tag,
        "untag": acts.untag,
        "assign": acts.assign,
        "close": acts.close,
        "correct": acts.correct,
        "reply": replying.reply,
        "draft": replying.draft,
        "reopen": acts.reopen,
    }
    of_a_reply = {
        "withdraw": replying.withdraw,
        "again": replying.again,
        "there": replying.there,
    }
    return (
        # Assigning is also giving a case to oneself; to give it to others asks for more, and
        # desk/assigning looks.
        *(
            Route("POST", f"/cases/{{case}}/{name}", name, Act.WORK_CASES, handler)
            for name, handler in on_a_case.items()
        ),
        # A page says this by itself, also when nobody is there.
        Route("POST", "/cases/{case}/here", "here", Act.READ_CASES, acts.here, by_hand=False),
        Route("POST", "/cases/next", "next", Act.WORK_CASES, acts.next),
        Route("POST", "/cases/bulk", "bulk", Act.WORK_CASES, acts.bulk),
        Route("POST", "/events/{event}/undo", "undo", Act.WORK_CASES, acts.undo),
        *(
            Route("POST", f"/replies/{{reply}}/{name}", name, Act.WORK_CASES, handler)
            for name, handler in of_a_reply.items()
        ),
        Route("POST", "/mentions/{mention}/missed", "missed", Act.WORK_CASES, acts.missed),
    )


async def home(request: web.Request) -> web.Response:
    """GET /: to the queue."""
    del request
    return web.Response(status=303, headers={hdrs.LOCATION: HOME})
