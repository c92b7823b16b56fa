"""What is there: a look at a source, verdicts on lines of text, mentions, coverage."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.table import Table

from connectors.kit.contract import Kind, Page, Tries
from listener.app import inference
from listener.channels.terminal import printable, short
from listener.cli import facts, ground, meaning
from listener.cli.ground import Json, Refused, act, err, in_sentences, out, parts, print_json
from listener.config import Settings
from listener.domain.mention import Mention
from listener.domain.source import SINCE
from listener.domain.triage import Circumstances, assess
from listener.stages.poll import preview
from listener.store import coverage as ledger
from listener.store import mentions as shelf_of_mentions
from listener.store import sources
from listener.store.brands import Matchbook
from listener.store.mentions import Filters
from listener.store.search import Search
from models import shelf
from models.classifier import Classifier
from models.remote import Post
from models.verdict import Question

Result = TypeVar("Result")

LOOK = 50
TOGETHER = 512  # lines that are judged at once


def poll(
    source: Annotated[str, typer.Argument(help="The source's name.")],
    *,
    preview_only: Annotated[
        bool, typer.Option("--preview", help="Read the newest posts and keep nothing.")
    ] = False,
    most: Annotated[int, typer.Option(help="How many posts to look at.")] = LOOK,
    as_json: Json = False,
) -> None:
    """Look at what a source would bring, and which of it names a brand."""
    if not preview_only:
        err.print(
            "`listener poll NAME --preview` looks without keeping; `listener run --once` keeps."
        )
        raise typer.Exit(2)

    async def work() -> tuple[list[dict[str, Any]], list[Page], bool]:
        async with parts() as ready:
            async with ready.store.reading() as session:
                found = await sources.named(session, source)
            if found is None:
                raise Refused(f"There is no source called {source!r}. `listener check` lists them.")
            now = datetime.now(UTC)
            connector = ready.connect(found)
            if isinstance(connector, Tries):
                err.print("It is sent its posts. Give the body of a delivery on standard input.")
                pages, more = [connector.dry_run(sys.stdin.buffer.read(), received=now)], False
            else:
                pages, more = await preview(
                    found, ready.reach, since=now - SINCE, now=now, most=most
                )
            matchbook = Matchbook(ready.store)
            await matchbook.refresh()
            rows = []
            for page in pages:
                named, _ = matchbook.sort(found, connector, page.posts)
                wanted = {one.post.id for one in named}
                rows += [
                    {
                        "id": post.id,
                        "published_at": post.published,
                        "author": post.author.name or post.author.handle,
                        "text": post.text,
                        "url": post.url,
                        "names_a_brand": post.id in wanted,
                    }
                    for post in page.posts
                ]
            return rows[:most], pages, more

    rows, pages, more = act(work)
    if as_json:
        for row in rows:
            print_json(row)
        return
    for row in rows:
        mark = "*" if row["names_a_brand"] else " "
        out.print(
            f"{mark} {row['published_at']:%Y-%m-%d %H:%M}  {printable(row['author'])}: {short(row['text'])}",
            markup=False,
        )
    for unread in (unread for page in pages for unread in page.unreadable):
        out.print(f"! cannot be read: {unread.reason}", markup=False)
    unreadable = sum(len(page.unreadable) for page in pages)
    wanted = sum(row["names_a_brand"] for row in rows)
    out.print(
        f"{len(rows)} posts{', and there are more' if more else ''}; {wanted} name a brand (*); "
        f"{unreadable} could not be read. Nothing was kept."
    )


def judge(
    *,
    model: Annotated[str | None, typer.Option(help="The model to ask.")] = None,
    as_json: Json = False,
) -> None:
    """Judge posts from standard input, one a line: plain text, or JSON with text and brand."""
    settings = ground.settings()
    if model is not None:  # what is declared of the configured model says nothing of this one
        settings = replace(settings, model=model, labels=None, languages=None)
    facts.set_up(quiet=True)
    with in_sentences():
        with_model(settings, lambda classifier: judge_input(classifier, as_json=as_json))


def with_model(settings: Settings, work: Callable[[Classifier], Result]) -> Result:
    """What comes of some work with the model that the settings name, wherever it lives."""
    if shelf.address(settings.model) is None:
        return work(open_model(settings, None))
    return asyncio.run(with_model_elsewhere(settings, work))


async def with_model_elsewhere(settings: Settings, work: Callable[[Classifier], Result]) -> Result:
    """The same, with a model that lives on a server."""
    async with inference(settings) as post:
        classifier = await asyncio.to_thread(open_model, settings, post)
        return await asyncio.to_thread(work, classifier)


def open_model(settings: Settings, post: Post | None) -> Classifier:
    """The model that the settings name."""
    return shelf.open(
        settings.model, post=post, mapping=settings.labels, languages=settings.languages
    )


def judge_input(classifier: Classifier, *, as_json: bool) -> None:
    """Judge standard input, some lines at a time."""
    if isinstance(sys.stdin, TextIOWrapper):  # whatever comes in, a line is a line
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="replace")
    lines: list[str] = []
    number = 0
    for line in sys.stdin:
        number += 1
        if line.strip():
            lines.append(line)
        if len(lines) == TOGETHER:
            show_verdicts(lines, classifier, as_json=as_json)
            lines = []
    if lines:
        show_verdicts(lines, classifier, as_json=as_json)
    if number == 0:
        err.print("Nothing came in. Give posts on standard input, one a line.")


def show_verdicts(lines: list[str], classifier: Classifier, *, as_json: bool) -> None:
    """Judge some lines and print what comes of each, in order."""
    questions = [question(line) for line in lines]
    for asked, verdict in zip(questions, classifier.judge(questions), strict=True):
        finding = assess(
            verdict, Circumstances(text=asked.text, stars=asked.stars, kind=Kind(asked.kind))
        )
        if as_json:
            print_json(
                {
                    "text": asked.text,
                    "flagged": finding.flagged,
                    "complaint": round(finding.complaint, 4),
                    "feeling": verdict.feeling,
                    "confidence": round(verdict.confidence, 4),
                    "unsure": finding.unsure,
                    "urgent": finding.urgent,
                    "model": verdict.model,
                }
            )
        else:
            word = (
                "unsure   " if finding.unsure else "COMPLAINT" if finding.flagged else "fine     "
            )
            out.print(
                f"{word} {finding.complaint:4.0%}  {short(asked.text)}",
                markup=False,
                highlight=False,
            )


def question(line: str) -> Question:
    """A line of input as what the classifier is asked; a line that is not JSON is the text."""
    line = line.rstrip("\r\n")
    if not line.lstrip().startswith("{"):
        return Question(text=line)
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return Question(text=line)
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        return Question(text=line)
    rating = found.get("rating")
    kind = str(found.get("kind") or "post")
    return Question(
        text=found["text"],
        brand=str(found.get("brand") or ""),
        stars=float(rating)
        if isinstance(rating, int | float) and not isinstance(rating, bool)
        else None,
        kind=kind if kind in set(Kind) else "post",
        language=str(found.get("lang") or "") or None,
        connector=str(found.get("connector") or ""),
        answers=str(found.get("answers") or "") or None,
    )


def mentions(
    *,
    brand: Annotated[str | None, typer.Option(help="Only of this brand.")] = None,
    source: Annotated[str | None, typer.Option(help="Only seen by this source.")] = None,
    flagged: Annotated[
        bool | None, typer.Option(help="Only those flagged as complaints, or only the others.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="Only the newest, or nearest, so many.", min=1)
    ] = None,
    said: Annotated[
        str | None, typer.Option("--meaning", help="Nearest in meaning to these words, 90 days.")
    ] = None,
    like: Annotated[
        int | None, typer.Option(help="Nearest in meaning to the mention of this number.", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """List mentions in the order they were first seen, or by meaning, the nearest first."""
    if said is not None and like is not None:
        raise typer.BadParameter("Say one of --meaning and --like.")
    if said is not None or like is not None:
        wanted = Search(words=said or "", brand=brand, source=source, flagged=flagged)
        meaning.near(wanted, like=like, limit=limit, as_json=as_json)
        return

    async def work() -> tuple[list[tuple[Mention, str]], dict[int, list[str]]]:
        async with parts() as ready, ready.store.reading() as session:
            found = await shelf_of_mentions.found(
                session, Filters(brand=brand, source=source, flagged=flagged, limit=limit)
            )
            names = await shelf_of_mentions.sightings(session, [one.key for one, _ in found])
            return list(found), dict(names)

    found, names = act(work)
    if as_json:
        for mention, its_brand in found:
            print_json(mention_words(mention, its_brand, names.get(mention.key, [])))
        return
    for mention, its_brand in found:
        word = (
            "waiting  "
            if mention.flagged is None
            else "unsure   "
            if mention.unsure
            else "COMPLAINT"
            if mention.flagged
            else "fine     "
        )
        out.print(
            f"{mention.key:>5} {word} {mention.published_at:%Y-%m-%d %H:%M}  {its_brand} on "
            f"{mention.connector}: {short(mention.words) or '(its author deleted it)'}",
            markup=False,
            highlight=False,
        )
    out.print(f"{len(found):,} mentions.", highlight=False)


def mention_words(mention: Mention, brand: str, names: list[str]) -> dict[str, Any]:
    """A mention for machines."""
    return {
        "id": mention.id,
        "brand": brand,
        "connector": mention.connector,
        "source": names[0] if names else None,
        "sources": names,
        "post_id": mention.post_id,
        "url": mention.url,
        "kind": mention.kind,
        "author": mention.author_name or mention.author_handle,
        "text": mention.words,
        "rating": mention.rating,
        "language": mention.language,
        "published_at": mention.published_at,
        "seen_at": mention.seen_at,
        "revisions": mention.revisions,
        "deleted": mention.deleted_at is not None,
        "flagged": mention.flagged,
        "complaint": mention.complaint,
        "feeling": mention.feeling,
        "unsure": mention.unsure,
        "urgent": mention.urgent,
        "case": mention.case_id,
    }


def coverage(
    source: Annotated[str | None, typer.Argument(help="Only this source.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show for every source what span of time has provably been read, and every gap."""

    async def work() -> list[dict[str, Any]]:
        async with parts() as ready, ready.store.reading() as session:
            rows = []
            how = await sources.readings(session)
            for one in await sources.every(session):
                if source is not None and one.name != source:
                    continue
                reading = how.get(one.key)
                rows.append(
                    {
                        "source": one.name,
                        "since": one.since,
                        "read": [
                            {"from": span.start, "to": span.end}
                            for span in await ledger.spans_of(session, one)
                        ],
                        "gaps": [
                            {"from": span.start, "to": span.end}
                            for span in await ledger.gaps_of(session, one)
                        ],
                        "failing_since": reading and reading.failing_since,
                        "error": reading and reading.failure,
                    }
                )
            return rows

    rows = act(work)
    if source is not None and not rows:
        err.print(f"There is no source called {source!r}.", markup=False)
        raise typer.Exit(1)
    if as_json:
        for row in rows:
            print_json(row)
        return
    table = Table(box=None, pad_edge=False)
    for column in ("source", "read from", "to", "gaps"):
        table.add_column(column)
    for row in rows:
        spans, holes = row["read"], row["gaps"]
        table.add_row(
            row["source"],
            f"{spans[0]['from']:%Y-%m-%d %H:%M}" if spans else "not read yet",
            f"{spans[-1]['to']:%Y-%m-%d %H:%M}" if spans else "",
            "\n".join(
                f"{hole['from']:%Y-%m-%d %H:%M} to {hole['to']:%Y-%m-%d %H:%M}" for hole in holes
            )
            or ("none" if spans else ""),
        )
    out.print(table)
    out.print("All times are UTC.")
