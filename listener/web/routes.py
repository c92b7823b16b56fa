"""The one list of addresses: each with the right that it asks for and who answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import hdrs, web

from listener.desk.meaning import Meanings
from listener.desk.replies import Rules
from listener.domain.deadline import Policies
from listener.domain.rights import Act
from listener.domain.secret import Seal
from listener.store.session import Store
from listener.web import files
from listener.web.account import AccountPage
from listener.web.acts import Acts
from listener.web.aftermath import AftermathPage
from listener.web.alarms import AlarmsPage
from listener.web.announcing import AnnouncingPage
from listener.web.away import Away
from listener.web.breaches import BreachesPage
from listener.web.case import CasePage
from listener.web.crises import CrisesPage
from listener.web.csp import Reports
from listener.web.deadlines import DeadlinesPage
from listener.web.digests import DigestPage
from listener.web.entrance import Entrance
from listener.web.exports import ExportPage
from listener.web.flags import FlagsPage
from listener.web.guard import Door, Route
from listener.web.health import Health, Metrics
from listener.web.heard import HeardPage
from listener.web.hooks import Doors
from listener.web.live import Live
from listener.web.login import HOME, LoginPage
from listener.web.mentions import MentionsPage
from listener.web.notices import NoticesPage
from listener.web.queue import QueuePage
from listener.web.replies import Replying
from listener.web.site import REPORTS
from listener.web.slack import SlackDoor
from listener.web.staff import StaffPage
from listener.web.status import StatusPage
from listener.web.themes import ThemesPage
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
    seal: Seal  # marks links that leave the house
    undo: timedelta  # how long a reply waits, so that it can be taken back
    slack: SlackDoor
    meanings: Meanings
    mails: bool = False  # whether mail leaves this house
    nudge: Callable[[], None] = asyncio.Event().set  # what there is to send is sent at once


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
        Route("POST", "/slack/acts", "slack acts", Door.MACHINES, rooms.slack.acts),
        Route("POST", "/slack/commands", "slack commands", Door.MACHINES, rooms.slack.commands),
        Route("POST", "/slack/events", "slack events", Door.MACHINES, rooms.slack.events),
        Route("POST", REPORTS, "csp", Door.MACHINES, reports.take),
        Route("GET", "/static/{file}", "static", Door.MACHINES, files.show),
    )


def to_come_in(rooms: Rooms) -> tuple[Route, ...]:
    """Where people sign in and out."""
    page, heard = LoginPage(rooms.store, rooms.entrance), HeardPage(rooms.store, rooms.seal)
    return (
        Route("GET", "/login", "login", Door.PUBLIC, page.show),
        Route("POST", "/login", "sign in", Door.PUBLIC, page.sign_in),
        Route("POST", "/logout", "sign out", Door.PUBLIC, page.sign_out),
        Route("GET", "/link/{link}", "link", Door.PUBLIC, page.show_link),
        Route("POST", "/link/{link}", "use link", Door.PUBLIC, page.use_link),
        Route("GET", "/heard/{heard}", "heard", Door.PUBLIC, heard.show),
        Route("POST", "/heard/{heard}", "hear", Door.PUBLIC, heard.hear),
    )


def pages(rooms: Rooms) -> tuple[Route, ...]:
    """What people see and do."""
    case = CasePage(rooms.store, rooms.rules, rooms.policies)
    queue = QueuePage(rooms.store, case)
    views, alarms = Views(rooms.store), AlarmsPage(rooms.store)
    themes, judged = ThemesPage(rooms.store), FlagsPage(rooms.store)
    telling = AnnouncingPage(rooms.store, rooms.rules, rooms.undo)
    crises = CrisesPage(rooms.store, rooms.rules, rooms.undo)
    aftermath = AftermathPage(rooms.store)
    worded = WordingsPage(rooms.store)
    digests = DigestPage(rooms.store, rooms.mails)
    breaches = BreachesPage(rooms.store, rooms.policies)
    away, notices = Away(rooms.store), NoticesPage(rooms.store, rooms.nudge)
    mentions = MentionsPage(rooms.store, rooms.meanings)
    me, staff = AccountPage(rooms.store, rooms.entrance), StaffPage(rooms.store, rooms.entrance)
    return (
        Route("GET", "/", "home", Act.KEEP_ACCOUNT, home),
        Route("GET", "/queue", "queue", Act.READ_CASES, queue.show, shared=True),
        Route("GET", "/cases/{case}", "case", Act.READ_CASES, case.show, shared=True),
        Route("GET", "/live", "live", Act.READ_CASES, rooms.live.show, by_hand=False),
        Route("GET", "/mentions", "mentions", Act.READ_CASES, mentions.show),
        Route("GET", "/export", "export", Act.READ_BRANDS, ExportPage(rooms.store).show),
        Route("GET", "/alarms", "alarms", Act.READ_CASES, alarms.show),
        Route("GET", "/themes", "themes", Act.READ_CASES, themes.show),
        Route("GET", "/themes/{theme}", "theme", Act.READ_CASES, themes.one),
        Route("POST", "/themes/{theme}/rename", "rename theme", Act.WORK_CASES, themes.rename),
        Route("POST", "/themes/{theme}/mute", "mute theme", Act.WORK_CASES, themes.mute),
        Route("POST", "/themes/{theme}/merge", "merge theme", Act.WORK_CASES, themes.merge),
        Route("POST", "/themes/{theme}/split", "split theme", Act.WORK_CASES, themes.split),
        Route("GET", "/themes/{theme}/tell", "whom to tell", Act.WORK_CASES, telling.show),
        Route("POST", "/themes/{theme}/tell", "tell them", Act.WORK_CASES, telling.tell),
        Route("POST", "/themes/{theme}/own", "who sees to theme", Act.ASSIGN, themes.own),
        Route("POST", "/themes/{theme}/link", "link of theme", Act.ASSIGN, themes.lead),
        Route(
            "POST",
            "/alarms/{alarm}/acknowledge",
            "acknowledge alarm",
            Act.READ_CASES,
            alarms.acknowledge,
        ),
        Route("POST", "/alarms/{alarm}/snooze", "snooze alarm", Act.WORK_CASES, alarms.snooze),
        Route("GET", "/crises", "crises", Act.READ_CASES, crises.show),
        Route("POST", "/crises", "declare crisis", Act.DECLARE, crises.declare),
        Route("GET", "/crises/{crisis}", "crisis", Act.READ_CASES, crises.one),
        Route("POST", "/crises/{crisis}/update", "update crisis", Act.DECLARE, crises.update),
        Route("POST", "/crises/{crisis}/lead", "who leads crisis", Act.DECLARE, crises.lead),
        Route("POST", "/crises/{crisis}/text", "write holding reply", Act.DECLARE, crises.word),
        Route(
            "POST",
            "/crises/{crisis}/approve",
            "approve holding reply",
            Act.DECLARE,
            crises.approve,
        ),
        Route("POST", "/crises/{crisis}/end", "end crisis", Act.DECLARE, crises.end),
        Route("POST", "/crises/{crisis}/bring", "bring into crisis", Act.WORK_CASES, crises.bring),
        Route("POST", "/crises/{crisis}/leave", "leave crisis", Act.WORK_CASES, crises.leave),
        Route("GET", "/crises/{crisis}/tell", "whom to hold", Act.WORK_CASES, crises.whom),
        Route("POST", "/crises/{crisis}/tell", "hold them", Act.WORK_CASES, crises.tell),
        Route("GET", "/crises/{crisis}/report", "report", Act.READ_BRANDS, aftermath.show),
        Route("GET", "/crises/{crisis}/cases.csv", "its cases", Act.READ_BRANDS, aftermath.table),
        Route("GET", "/flags", "flags", Act.READ_CASES, judged.show, shared=True),
        Route("POST", "/brands/{brand}/roll-back", "roll back", Act.CONFIGURE, judged.roll_back),
        Route("GET", "/digest", "digest", Act.READ_BRANDS, digests.show),
        Route("POST", "/digest", "digest by mail", Act.READ_BRANDS, digests.subscribe),
        Route("GET", "/digest.csv", "digest table", Act.READ_BRANDS, digests.table),
        Route(
            "GET",
            "/deadlines",
            "deadlines",
            Act.READ_CASES,
            DeadlinesPage(rooms.store, rooms.policies).show,
        ),
        Route("GET", "/notices", "notices", Act.READ_BRANDS, notices.show),
        Route("POST", "/notices/{notice}/again", "send again", Act.READ_BRANDS, notices.again),
        Route("POST", "/calls/{call}/again", "call again", Act.READ_BRANDS, notices.call_again),
        Route(
            "POST",
            "/letters/{letter}/again",
            "send digest again",
            Act.READ_BRANDS,
            notices.mail_again,
        ),
        Route(
            "POST",
            "/bulletins/{bulletin}/again",
            "tell of crisis again",
            Act.READ_BRANDS,
            notices.tell_again,
        ),
        Route("GET", "/breaches", "breaches", Act.READ_BRANDS, breaches.show),
        Route("GET", "/breaches.csv", "breaches table", Act.READ_BRANDS, breaches.table),
        Route("POST", "/views", "keep view", Act.READ_CASES, views.keep),
        Route("POST", "/views/{view}/forget", "forget view", Act.READ_CASES, views.let_go),
        Route("POST", "/views/{view}/move", "move view", Act.READ_CASES, views.move),
        Route("GET", "/status", "status", Act.READ_SOURCES, StatusPage(rooms.store).show),
        Route("GET", "/wordings", "wordings", Act.WRITE_WORDINGS, worded.show),
        Route("POST", "/wordings", "keep wording", Act.WRITE_WORDINGS, worded.keep),
        Route("POST", "/wordings/forget", "forget wording", Act.WRITE_WORDINGS, worded.forget),
        Route("GET", "/me", "me", Act.KEEP_ACCOUNT, me.show),
        Route("POST", "/me", "keep me", Act.KEEP_ACCOUNT, me.keep),
        Route("POST", "/me/quiet", "my quiet hours", Act.KEEP_ACCOUNT, me.keep_quiet),
        Route("POST", "/me/away", "away", Act.KEEP_ACCOUNT, away.go),
        Route("POST", "/me/back", "back", Act.KEEP_ACCOUNT, away.back),
        Route("POST", "/me/password", "my password", Act.KEEP_ACCOUNT, me.change_password),
        Route("POST", "/me/sign-out", "sign me out", Act.KEEP_ACCOUNT, me.sign_out),
        Route("GET", "/slack/join/{link}", "ask in slack", Act.KEEP_ACCOUNT, rooms.slack.ask),
        Route("POST", "/slack/join/{link}", "join slack", Act.KEEP_ACCOUNT, rooms.slack.join),
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
        # Those who only read are called by the ladder too, so they may say that they heard.
        Route("POST", "/cases/{case}/acknowledge", "acknowledge", Act.READ_CASES, acts.acknowledge),
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
