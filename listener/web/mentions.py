"""Search on a page: mentions found by words or by meaning, with a way to say that one was missed."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from listener.desk.meaning import Found, Meanings
from listener.domain.record import NotAllowed
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.store import search
from listener.store.rows import Lead
from listener.store.search import Search
from listener.store.session import AsyncSession, Store
from listener.web import pages
from listener.web.case import link
from listener.web.choosing import Choosing

ASKED: Final = (
    "words",
    "brand",
    "source",
    "language",
    "flagged",
    "since",
    "until",
    "case",
    "theme",
    "crisis",
    "by",
    "like",
)
MEANING: Final = "meaning"  # what `by` says; without it words are looked for
NO_FILTERS: Final = ("words", "by", "like")


@dataclass(frozen=True)
class MentionsPage:
    """GET /mentions: what is said, the latest first, or what lies nearest in meaning."""

    store: Store
    meanings: Meanings
    choosing: Choosing = field(default_factory=Choosing)

    async def show(self, request: web.Request) -> web.Response:
        """The mentions that the form asks for."""
        person = pages.person(request)
        asked = {name: pages.asked(request, name) for name in ASKED}
        after = pages.number(request.query.get("after", ""))
        by_meaning = asked["by"] == MEANING and bool(asked["words"] or asked["like"])
        async with self.store.reading() as session:
            moment = await pages.moment(request, session)
            choices = await self.choosing.choices(session, person.walls, moment)
            found = {} if by_meaning else await self.having(session, asked, person, after)
        if by_meaning:
            found = await self.near(asked, person, after)
        same = {name: value for name, value in asked.items() if value}
        further = found.pop("after")
        return pages.render(
            request,
            "mentions.html",
            asked=asked,
            by_meaning=asked["by"] == MEANING,
            filtered=sum(bool(asked[name]) for name in ASKED if name not in NO_FILTERS),
            choices=choices,
            more=None if further is None else urlencode(same | {"after": further}),
            elsewhere=[(name, urlencode(same | {"brand": name})) for name in choices.brands],
            far=search.FAR,
            here=request.query_string,
            may_act=may(person, Act.WORK_CASES),
            exported=exported(asked) if may(person, Act.READ_BRANDS) else None,
            **found,
        )

    async def having(
        self, session: AsyncSession, asked: dict[str, str], person: Staff, after: int | None
    ) -> dict[str, Any]:
        """The latest that have all the words."""
        found = await search.search(session, wanted(asked), brands=person.walls, after=after)
        return {
            "mentions": [shown(one) for one in found.mentions],
            "after": found.after,
            "near": None,
            "refusal": None,
        }

    async def near(self, asked: dict[str, str], person: Staff, after: int | None) -> dict[str, Any]:
        """Those that lie nearest in meaning, or the sentence that says what is missing."""
        like = asked["like"] and (pages.number(asked["like"]) or 0)
        try:
            found: Found = await self.meanings.find(
                wanted(asked),
                like=None if like == "" else int(like),
                within=person.walls,
                after=after or 0,
            )
        except NotAllowed as refusal:
            return {"mentions": [], "after": None, "near": None, "refusal": str(refusal)}
        return {
            "mentions": [shown(one.mention) | {"near": one.near} for one in found.mentions],
            "after": found.after,
            "near": found,
            "refusal": None,
        }


def exported(asked: dict[str, str]) -> str:
    """What of the form an export heeds."""
    return urlencode({name: asked[name] for name in ("brand", "since", "until") if asked[name]})


def wanted(asked: dict[str, str]) -> Search:
    """What the form asks for; what makes no sense is not asked."""
    return Search(
        words=asked["words"],
        brand=asked["brand"] or None,
        source=asked["source"] or None,
        language=asked["language"] or None,
        flagged={"yes": True, "no": False}.get(asked["flagged"]),
        since=day(asked["since"]),
        until=next_day(asked["until"]),
        case_id=pages.number(asked["case"]),
        theme_id=pages.number(asked["theme"]),
        crisis_id=pages.number(asked["crisis"]),
    )


def day(words: str) -> datetime | None:
    """The beginning of a day, by UTC; None when it is none."""
    try:
        found = date.fromisoformat(words)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if found.year < 9999 else None


def next_day(words: str) -> datetime | None:
    """The end of a day, by UTC; None when it is none."""
    found = day(words)
    return None if found is None else found + timedelta(days=1)


def shown(one: Lead) -> dict[str, Any]:
    """A mention as the template shows it."""
    return {
        "id": one.id,
        "source": one.source,
        "author": one.author,
        "stars": one.stars,
        "reach": one.reach,
        "language": one.language,
        "published_at": one.published_at,
        "title": one.title,
        "words": pages.marked(one.text, list(one.marks)),
        "cut": one.cut,
        "url": link(one.url),
        "case": one.case_id,
        "flagged": one.flagged,
        "complaint": one.complaint,
        "edited": one.edited,
        "ours": one.ours,
        "near": None,
    }
