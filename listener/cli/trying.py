"""`listener try`: what a query would find and flag in the last days, without keeping anything."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from connectors.kit import catalog
from connectors.kit.contract import Connector, Post
from connectors.kit.errors import ConnectorError
from connectors.kit.web import Network
from listener import __version__
from listener.channels.terminal import printable, short
from listener.cli import ground
from listener.cli.ground import Json, Refused, act, err, out, print_json
from listener.domain.matching import Matcher
from listener.domain.query import (
    Handle,
    Phrase,
    Query,
    QueryError,
    Tag,
    Term,
    Words,
    parse,
    positive,
)
from listener.domain.triage import Circumstances, Finding, assess
from models import shelf
from models.classifier import Classifier
from models.verdict import Question

MOST = 200  # posts that are read of one place for one search
SEARCHES = 3  # of one query in one place
PATIENCE = timedelta(seconds=60)  # for one place


@dataclass
class Tried:
    """What one place brought."""

    connector: str
    title: str
    read: int = 0
    posts: dict[str, Post] = field(default_factory=dict)  # those that name the brand
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Knowing nothing yet."""

    since: datetime
    now: datetime

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        """None of them."""
        del ids
        return frozenset()


def attempt(
    query: Annotated[str, typer.Argument(help="A brand's query, as in a plan.")],
    *,
    days: Annotated[int, typer.Option(min=1, max=30, help="How far back to look.")] = 3,
    only: Annotated[
        list[str] | None, typer.Option(help="Ask only this place (repeat for more).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look what a query would find in places that need no key, and what would be flagged."""

    async def work() -> tuple[list[Tried], list[tuple[Tried, Post, Finding]]]:
        try:
            parsed = parse(query)
        except QueryError as error:
            raise Refused(f"{error}\n{error.pointer()}") from error
        settings = ground.settings()
        places = [one for one in open_places() if not only or one[0] in only]
        if not places:
            raise Refused(
                f"None of these can be tried without a key. These can: "
                f"{', '.join(name for name, _ in open_places())}."
            )
        async with Network(
            settings.contact,
            version=__version__,
            allow=settings.allow_hosts,
            proxy=settings.proxies,
        ) as network:
            tried = await asyncio.gather(
                *(ask(network, name, asking(kind), parsed, days) for name, kind in places)
            )
        classifier = await asyncio.to_thread(shelf.open, settings.model)
        return tried, await asyncio.to_thread(judge, classifier, tried, query)

    tried, judged = act(work)
    show(tried, judged, days, as_json=as_json)
    if all(one.error for one in tried):
        raise typer.Exit(1)


def open_places() -> list[tuple[str, type[Connector]]]:
    """The places that can be asked with nothing but a query."""
    found = []
    for name in catalog.names():
        kind = catalog.load(name)
        options = {option.name: option for option in catalog.describe(kind)}
        required = {option.name for option in options.values() if option.required}
        if "query" in options and required <= {"query"}:
            found.append((name, kind))
    return found


def asking(kind: type[Connector]) -> Callable[[str], Connector]:
    """What makes a connector of this kind from the words to search for."""
    return lambda words: kind.model_validate({"query": words})


async def ask(
    network: Network,
    name: str,
    connector: Callable[[str], Connector],
    query: Query,
    days: int,
) -> Tried:
    """Read one place for every way the query names the brand; keep what really names it."""
    tried = Tried(name, catalog.load(name).title)
    matcher = Matcher({1: query})
    now = datetime.now(UTC)
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            for words in searches(query):
                asked = connector(words)
                web = network.web(asked.pace, f"try {name}")
                walk = asked.pages(web, None, Nothing(now - timedelta(days=days), now))
                async with aclosing(walk) as pages:  # type: ignore[type-var]
                    async for page in pages:
                        tried.read += len(page.posts)
                        for post, _ in matcher.matches(page.posts, connector=name):
                            tried.posts.setdefault(post.id, post)
                        if tried.read >= MOST:
                            break
    except TimeoutError:
        tried.error = "It took longer than a minute; what had come is shown."
    except ConnectorError as error:
        tried.error = str(error)
    return tried


def searches(query: Query) -> Iterator[str]:
    """What to search a place for: the first few words or phrases that name the brand."""
    seen: set[str] = set()
    for leaf in positive(query):
        said = as_searched(leaf)
        if said.casefold() not in seen and len(seen) < SEARCHES:
            seen.add(said.casefold())
            yield said


def as_searched(leaf: Words) -> str:
    """One leaf of a query as a place's own search takes it."""
    match leaf:
        case Term(text=text) | Handle(name=text) | Tag(name=text):
            return text
        case Phrase(text=text):
            return f'"{text}"'


def judge(
    classifier: Classifier, tried: Sequence[Tried], brand: str
) -> list[tuple[Tried, Post, Finding]]:
    """What triage makes of every post that names the brand, most pressing first."""
    found = [(one, post) for one in tried for post in one.posts.values()]
    questions = [
        Question(
            text=words(post),
            brand=brand,
            stars=stars(post),
            kind=post.kind,
            language=post.language,
            connector=one.connector,
        )
        for one, post in found
    ]
    judged = [
        (
            one,
            post,
            assess(
                verdict,
                Circumstances(
                    text=words(post),
                    stars=stars(post),
                    kind=post.kind,
                    reach=post.reach or post.author.reach,
                ),
            ),
        )
        for (one, post), verdict in zip(found, classifier.judge(questions), strict=True)
    ]
    return sorted(judged, key=lambda row: -row[2].priority)


def stars(post: Post) -> float | None:
    """The rating on a scale of one to five."""
    return None if post.rating is None else post.rating.stars


def words(post: Post) -> str:
    """Title and text as one."""
    return f"{post.title}\n\n{post.text}" if post.title else post.text


def show(
    tried: Sequence[Tried],
    judged: Sequence[tuple[Tried, Post, Finding]],
    days: int,
    *,
    as_json: bool,
) -> None:
    """Print what would be flagged and why, then the counts by place."""
    wanted = [row for row in judged if row[2].needs_a_person]
    counts = [count(one, judged) for one in tried]
    if as_json:
        for one, post, finding in judged:
            print_json(
                {
                    "connector": one.connector,
                    "url": post.url,
                    "published_at": post.published,
                    "text": words(post),
                    "flagged": finding.flagged,
                    "unsure": finding.unsure,
                    "urgent": finding.urgent,
                    "complaint": round(finding.complaint, 4),
                    "reasons": finding.reasons,
                }
            )
        print_json({"places": counts})
        return
    for one, post, finding in wanted:
        mark = "URGENT  " if finding.urgent else "unsure  " if finding.unsure else "flagged "
        out.print(
            f"{mark} {one.title}  {post.published:%d %b %H:%M}  {printable(post.author.name)}\n"
            f"         “{short(words(post))}”\n         {' '.join(finding.reasons)}\n"
            f"         {printable(post.url)}",
            markup=False,
            highlight=False,
        )
    for row in counts:
        out.print(
            f"{row['place']}: {row['read']} posts read, {row['named']} name the brand, "
            f"{row['flagged']} would be flagged, {row['unsure']} shown as unsure",
            markup=False,
            highlight=False,
        )
        if row["error"]:
            err.print(f"{row['place']}: {row['error']}", markup=False)
    out.print(f"The last {days} days; nothing was kept.", highlight=False)


def count(one: Tried, judged: Sequence[tuple[Tried, Post, Finding]]) -> dict[str, Any]:
    """The counts of one place."""
    findings = [finding for place, _, finding in judged if place is one]
    return {
        "connector": one.connector,
        "place": one.title,
        "read": one.read,
        "named": len(one.posts),
        "flagged": sum(finding.flagged for finding in findings),
        "unsure": sum(finding.unsure for finding in findings),
        "error": one.error,
    }
