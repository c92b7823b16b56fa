"""One case on a page: the customer's words, why they are here, and what can be done."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web
from markupsafe import Markup

from listener.desk import clocking
from listener.desk.replies import Box, Rules, composed, repeated
from listener.desk.snoozing import PEOPLE
from listener.domain.case import Status
from listener.domain.crisis import Crisis
from listener.domain.deadline import Policies
from listener.domain.digest import shortened
from listener.domain.mention import Mention
from listener.domain.reply import Reply, State
from listener.domain.staff import Staff
from listener.domain.triage import stars as in_words
from listener.domain.wording import Occasion, filled
from listener.store import (
    crises,
    dossier,
    history,
    mentions,
    people,
    replies,
    routing,
    themes,
    timeline,
    wordings,
)
from listener.store.authors import earlier
from listener.store.dossier import Dossier
from listener.store.likes import Likes
from listener.store.session import AsyncSession, Store
from listener.web import pages
from listener.web.hearing import Hearing
from models.lexicon import heaviest

PIECE = re.compile(r"\s+|\w+|[^\w\s]")
SNOOZES = (
    ("1h", "1 hour"),
    ("4h", "4 hours"),
    ("tomorrow", "Until tomorrow 9:00"),
    ("3d", "3 days"),
    ("7d", "A week"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """How one revision became the next."""

    at: datetime
    stars: str
    pieces: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class CasePage:
    """GET /cases/{id}: the case, and as a part of the queue what scripts put beside the list."""

    store: Store
    rules: Rules
    policies: Policies = field(default_factory=Policies)
    hearing: Hearing = field(default_factory=Hearing)
    alike: Likes = field(default_factory=Likes)

    async def show(self, request: web.Request) -> web.Response:
        """Show the page, or the part of it that a script asks for."""
        part = request.headers.get("X-Part") == "case"
        number = int(request.match_info["case"])
        about = await self.about(request, number, part=part)
        if about is None:  # it was there when the guard looked
            raise web.HTTPNotFound
        return pages.render(request, "_case.html" if part else "case.html", **about)

    async def about(
        self, request: web.Request, number: int, *, part: bool = True
    ) -> dict[str, Any] | None:
        """All that the page of a case shows; None when this person has no such case.

        A part stands in a page that knows the rest.
        """
        person = pages.person(request)
        async with pages.reading(request, self.store) as session:
            moment = await pages.moment(request, session)
            found = await dossier.read(session, number, now=moment)
            if found is None or not person.sees(found.case.brand_id):
                return None
            has, marks = found.has, found.has.tags
            staff = await people.known(session)
            context = {
                "case": standing(found, person, marks, moment),
                "chosen": number,
                "snoozes": SNOOZES,
                "spreads_by": PEOPLE,
                "people": [
                    one.name for one in staff if one.active and one.sees(found.case.brand_id)
                ],
                "story": [
                    {"at": line.at, "says": line.says, "words": line.note, "undone": line.undone}
                    for line in reversed(await timeline.of_case(session, number))
                ],
                "clocks": await clocking.standing(
                    session,
                    found.case,
                    brand=found.brand,
                    now=moment,
                    otherwise=self.policies,
                    climbed=has.called,
                ),
                "went": await self.went(session, number) if has.routed else (),
                "diffs": [
                    Difference(
                        one.at,
                        changed_stars(one.stars_before, one.stars_after),
                        difference(one.text_before, one.text_after),
                    )
                    for one in reversed(
                        await timeline.changes(session, number) if has.changed else ()
                    )
                ],
                "past": await past(session, found),
                "likes": await likes(session, found, self.alike, moment),
                "theme": await cause(session, found) if has.themed else None,
                "emergency": await belongs(session, found),
                **telling(found),
            }
            if not part:
                context |= {
                    "last": await history.last(session),
                    "health": await self.hearing.heard(session, moment),
                }
            outbox = await replies.of_case(session, number) if has.answered else ()
            context["outbox"] = [sent(reply, name) for reply, name in outbox]
            said = [reply for reply, _ in outbox]
            context["box"] = await self.box(
                session, found, said, marks, person, moment, context["emergency"]["its"]
            )
        return context

    async def went(self, session: AsyncSession, number: int) -> Sequence[str]:
        """Where the case went, and why; nothing where no rules are set up."""
        found = (await routing.latest(session, [number])).get(number)
        return [] if found is None else found.why

    async def box(
        self,
        session: AsyncSession,
        found: Dossier,
        said: Sequence[Reply],
        marks: Sequence[str],
        person: Staff,
        moment: datetime,
        its: Sequence[Crisis],
    ) -> dict[str, Any] | None:
        """The reply box; only who has the case sees it, so that nobody answers twice."""
        case = found.case
        if case.status is Status.CLOSED or case.owner_id != person.key:
            return None
        if case.held_by(moment) not in (None, person.key):
            return None
        about: Sequence[Mention] = [mention for mention, _ in found.mentions]
        if len(about) >= dossier.SHOWN:
            about = await mentions.of_case(session, case.key)
        box = await composed(session, self.rules, person, about, said)
        return None if box is None else await self.boxed(session, found, box, marks, person, its)

    async def boxed(
        self,
        session: AsyncSession,
        found: Dossier,
        box: Box,
        marks: Sequence[str],
        person: Staff,
        its: Sequence[Crisis],
    ) -> dict[str, Any]:
        """The reply box as the template shows it."""
        mention, rule = box.mention, box.rule
        occasion = Occasion(mention.brand_id, mention.connector, mention.language, frozenset(marks))
        fitting = await wordings.fitting(session, occasion)
        values = {
            "author": mention.author_name or mention.author_handle,
            "brand": found.brand,
            "place": pages.place(mention.connector),
            "agent": person.name,
            "case": str(found.case.key),
        }
        offered = [
            {"id": one.key, "name": one.name, "words": (words := filled(one.text, values)),
             "lately": bool(repeated(words, box.lately))}
            for one in fitting
        ]  # fmt: skip
        first = [
            {"id": f"crisis-{one.key}", "name": f"Holding reply: {one.name}",
             "words": filled(agreed, values), "lately": False}
            for one in its
            if (agreed := crises.fitting(
                await crises.approved(session, one.key), mention.language
            ))
        ]  # fmt: skip
        where = f"{box.source.name} ({values['place']})"
        return {
            "seen": box.seen,
            "draft": box.draft,
            "sends": rule.allowed,
            "rule": f"Sent to {where}; whoever may see the post there may see it."
            if rule.allowed
            else f"Reply by hand on {where}: {rule.reason} Copy your words, open the post, post "
            "them there, then say so here.",
            "button": "Send",
            "limit": rule.length,
            "unit": rule.unit,
            "holding": first,
            "wordings": [*first, *offered],
            "warning": repeated(box.draft, box.lately),
        }


def standing(
    found: Dossier, person: Staff, marks: Sequence[str], moment: datetime
) -> dict[str, Any]:
    """How a case stands, for whoever looks at it."""
    case = found.case
    holder = case.held_by(moment)
    asleep = case.snoozed_until if case.sleeps(moment) else None
    return {
        "id": case.key,
        "status": case.status.value,
        "unsure": case.unsure,
        "urgent": case.urgent,
        "mine": case.owner_id == person.key and holder in (None, person.key),
        "owner": found.owner,
        "holder": found.holder,
        "held_by_other": holder not in (None, person.key),
        "held_until": case.held_until if holder == person.key else None,
        "due_at": case.due_at,
        "unheard": case.unheard_since is not None,
        "waiting_since": case.waiting_since,
        "opened_at": case.opened_at,
        "snoozed_until": None if case.wakes_on_answer else asleep,
        "wakes_on_people": case.wakes_on_people,
        "snoozed": asleep is not None,
        "outcome": case.outcome,
        "tags": marks,
        "priority": case.priority,
        "mentions": case.mentions,
        "reopened": case.reopened,
    }


def telling(found: Dossier) -> dict[str, Any]:
    """What customers said, why it is here, and what they changed."""
    shown = [lead(mention, source) for mention, source in found.mentions]
    first = next((one for one in shown if not one["deleted_at"]), shown[0])
    mention = next(one for one, _ in found.mentions if one.key == first["id"])
    return {
        "lead": first | {"parent": found.parent},
        "others": [one for one in shown if one is not first],
        "more_mentions": found.case.mentions > len(shown),
        "why": {
            # Of all that say it, as the reasons are: one copy may be told more plainly than another.
            "complaint": max(
                (one.complaint for one, _ in found.mentions if one.complaint is not None),
                default=None,
            ),
            "reasons": found.case.reasons,
            "model": mention.judge,
        },
    }


STATES = {
    State.WAITING: "Waiting to be sent",
    State.SENDING: "Sending",
    State.POSTED: "Posted",
    State.FAILED: "Failed",
    State.UNCLEAR: "Unclear: please look whether it stands there",
    State.WITHDRAWN: "Taken back",
}


def sent(reply: Reply, staff: str) -> dict[str, Any]:
    """A reply as the case shows it, with what can be done about it."""
    address = f"/replies/{reply.key}"
    acts: Sequence[tuple[str, str, str | None]] = ()
    if reply.state is State.WAITING:
        acts = [("Take it back", f"{address}/withdraw", "z")]
    elif reply.state is State.FAILED:
        acts = [("Try again", f"{address}/again", None)]
    elif reply.state is State.UNCLEAR:
        acts = [
            ("It is there", f"{address}/there", None),
            ("Not there: send again", f"{address}/again", None),
        ]
    state = "Posted by hand" if reply.by_hand else STATES[reply.state]
    return {
        "state": state,
        "strong": reply.state in (State.FAILED, State.UNCLEAR, State.WAITING),
        "staff": staff,
        "at": reply.sent_at or reply.made_at,
        "until": reply.next_at if reply.state is State.WAITING else None,
        "trouble": reply.failure or "",
        "text": reply.text,
        "acts": acts,
        "url": link(reply.url or ""),
    }


async def past(session: AsyncSession, found: Dossier) -> list[dict[str, Any]]:
    """What the author of a case said before, and what we answered."""
    before = await earlier(session, found.mentions[0][0]) if found.mentions else []
    return [
        {
            "published_at": one.mention.published_at,
            "stars": one.mention.stars,
            "case": one.mention.case_id,
            "text": one.mention.text,
            "answer": one.answer,
        }
        for one in before
    ]


async def likes(
    session: AsyncSession, found: Dossier, alike: Likes, moment: datetime
) -> list[dict[str, Any]]:
    """Who said the like in the last day."""
    mention = found.mentions[0][0] if found.mentions else None
    if mention is None:
        return []
    return [
        {"published_at": one.published_at, "case": one.case_id, "text": one.text}
        for one in await alike.of_last_day(session, mention, now=moment)
    ]


async def cause(session: AsyncSession, found: Dossier) -> dict[str, Any] | None:
    """The theme that a case is of, and how somebody else says it."""
    theme = await themes.of_case(session, found.case.key)
    if theme is None:
        return None
    quote = (await themes.quotes(session, [theme])).get(theme.key)
    elsewhere = quote is not None and quote.case_id != found.case.key
    return {
        "key": theme.key,
        "name": theme.name,
        "people": theme.people,
        "link": theme.link,
        "owner": theme.owner_id and await people.name(session, theme.owner_id),
        "quote": shortened(quote.words, 160) if quote and elsewhere else "",
        "language": quote and quote.language,
    }


async def belongs(session: AsyncSession, found: Dossier) -> dict[str, Any]:
    """The open crises that a case is of, and those that it could be brought into."""
    brand = [found.case.brand_id]
    open_ones = [one.crisis for one in await crises.open_ones(session, brand)]
    its = {one.key for one in await crises.of_case(session, found.case.key)} if open_ones else set()
    return {
        "its": [one for one in open_ones if one.key in its],
        "others": [one for one in open_ones if one.key not in its],
    }


def lead(mention: Mention, source: str) -> dict[str, Any]:
    """A mention as the page shows it."""
    reaches = [one for one in (mention.reach, mention.author_reach) if one is not None]
    return {
        "id": mention.key,
        "source": source,
        "author": mention.author_name or mention.author_handle,
        "handle": mention.author_handle,
        "stars": mention.stars,
        "url": link(mention.url),
        "published_at": mention.published_at,
        "reach": max(reaches, default=None),
        "language": mention.language,
        "branch": mention.branch,
        "deleted_at": mention.deleted_at,
        "purged_at": mention.purged_at,
        "edited": mention.revisions > 1,
        "title": mention.title,
        "text": mention.text,
        "words": marked(mention.text),
        "truncated": mention.truncated,
        "attachments": [
            {"url": url, "kind": one.get("kind", "link"), "says": one.get("alt", "")}
            for one in mention.attachments
            if (url := link(one.get("url", "")))
        ],
        "parent": None,
    }


def marked(text: str) -> Markup:
    """A text with the clause marked that complains most."""
    place = heaviest(text)
    return pages.marked(text, [place] if place else [])


def link(address: str) -> str:
    """An address that may be followed: web pages only, never a script."""
    return address if address.startswith(("https://", "http://")) else ""


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """What was taken out (-), put in (+) and kept (=), word by word."""
    old, new = PIECE.findall(before)[:4000], PIECE.findall(after)[:4000]
    pieces: list[tuple[str, str]] = []
    for op, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            pieces.append(("=", "".join(old[a:b])))
            continue
        if b > a:
            pieces.append(("-", "".join(old[a:b])))
        if d > c:
            pieces.append(("+", "".join(new[c:d])))
    return pieces


def changed_stars(before: float | None, after: float | None) -> str:
    """That an author changed the stars, in words."""
    if before == after:
        return ""
    return f"{in_words(before).lower()} became {in_words(after).lower()}"
