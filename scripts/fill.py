"""Fills a database with invented brands, people, mentions and cases, to see how it does when full.

Nothing of it was written by anybody: the posts are put together from phrases of our own. A
database that holds anything else is refused and left alone.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlmodel import col

sys.path.insert(0, str(Path(__file__).parents[1]))

from connectors.kit.contract import Kind, Precision
from listener.config import read
from listener.domain.brand import Brand
from listener.domain.case import Case, Outcome, Status
from listener.domain.deadline import Policies, Sort, due
from listener.domain.embedding import STORED, Embedding
from listener.domain.event import Event, What
from listener.domain.mention import Mention, Sighting
from listener.domain.password import kept
from listener.domain.source import Source
from listener.domain.staff import Role, Staff
from listener.domain.tag import CaseTag
from listener.domain.triage import Circumstances, assess
from listener.stages.index import Index
from listener.store import schema
from listener.store.session import AsyncSession, Store, bulk
from models import onnx, shelf
from models.verdict import Feeling, Verdict

BRANDS: Final = ("Quillow", "Pendrith", "Osmere", "Tallowby")
PEOPLE: Final = tuple(f"Agent {number:02}" for number in range(1, 21))
PASSWORD: Final = "made up for measuring only"  # noqa: S105  (it opens nothing but invented things)
# Connector, kind of post, whether it has stars, its part of all posts in hundredths.
PLACES: Final = (
    ("bluesky", "Bluesky, made up", Kind.POST, False, 35),
    ("mastodon", "Mastodon, made up", Kind.POST, False, 20),
    ("appstore", "App Store, made up", Kind.REVIEW, True, 20),
    ("reddit", "Reddit, made up", Kind.COMMENT, False, 15),
    ("feeds", "News, made up", Kind.ARTICLE, False, 5),
    ("hackernews", "Hacker News, made up", Kind.COMMENT, False, 5),
)
CHUNK: Final = 2000
WIDTH: Final = 384  # of an embedding
MEANINGS: Final = 200  # that are spoken of, each by posts that lie near each other
OPEN: Final = 5000  # cases, of 100,000 mentions
CLOSED: Final = 3000
TAGS: Final = ("late", "refund", "app", "staff", "price", "broken", "allergy")

# {b} is the brand, {n} a number, {p} one of the places and things below.
SAD: Final = {
    "en": (
        "Day {n} of waiting for my {b} order and nobody picks up the telephone.",
        "{b} charged me twice for the {p} and says it will look into it in {n} days.",
        "The {p} from {b} broke after {n} days. Never again.",
        "Stood {n} minutes at the {b} counter with the {p} while staff chatted.",
        "{b}, your app forgets my {p} every time I open it, that makes {n} times now.",
        "Found a shard of glass in the {p} from {b}, order number {n}.",
        "My {b} refund for the {p} was promised {n} weeks ago. Still nothing.",
        "The {b} driver left my {p} in the rain at number {n} and drove off.",
    ),
    "de": (
        "Seit {n} Tagen warte ich auf meine Bestellung bei {b}, keiner hebt ab.",
        "{b} hat mir den {p} doppelt abgebucht, und nach {n} Mails keine Antwort.",
        "Der {p} von {b} war nach {n} Tagen kaputt. Nie wieder.",
    ),
    "es": (
        "Llevo {n} días esperando mi pedido de {b} y nadie contesta.",
        "{b} me ha cobrado dos veces el {p}, pedido {n}.",
    ),
    "fr": (
        "Cela fait {n} jours que j'attends {b}, personne ne répond.",
        "Le {p} de {b} est tombé en panne après {n} jours.",
    ),
}
GLAD: Final = {
    "en": (
        "Lovely {p} from {b} this morning, {n} out of ten.",
        "{b} opens a new shop with {n} tables and a {p} corner.",
        "Has anybody tried the {p} at {b}? Asking for {n} friends.",
        "Thanks {b}, the {p} came within {n} minutes!",
        "Queue of {n} people at {b} already, that {p} must be good.",
    ),
    "de": (
        "Der {p} bei {b} schmeckt wunderbar, schon zum {n}. Mal.",
        "{b} macht {n} neue Läden auf, mit {p}.",
    ),
    "es": ("Qué rico el {p} de {b}, le doy un {n}.",),
    "fr": ("Le {p} chez {b} est parfait, {n} sur dix.",),
}
THINGS: Final = (
    "coffee",
    "bread",
    "kettle",
    "umbrella",
    "lamp",
    "parcel",
    "sandwich",
    "blender",
    "voucher",
    "scarf",
    "ticket",
    "jacket",
    "tea",
    "charger",
    "breakfast",
    "chair",
    "mattress",
    "bicycle",
    "basket",
    "soup",
)
ENDS: Final = (
    "And the manager only shrugged.",
    "I told three neighbours about it.",
    "It was raining, too.",
    "My sister had the very same.",
    "The receipt is in front of me.",
    "We come every Thursday.",
    "The lights were off in the back.",
    "They know my name by now.",
    "I have photographs.",
)


def main(arguments: Sequence[str]) -> int:
    """Fill as told; 1 when it was refused."""
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("mentions", nargs="?", type=int, default=100_000)
    settings = read(os.environ)
    settings.prepare()
    filling = Filling(Store(settings.database), told.parse_args(arguments).mentions)
    refusal = asyncio.run(filling.run())
    if refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
    return 1 if refusal else 0


class Filling:
    """Makes everything up, the same way every time."""

    def __init__(self, store: Store, count: int) -> None:
        self.store = store
        self.count = count
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.chance = random.Random(20)
        self.open = max(1, OPEN * count // 100_000)
        self.closed = CLOSED * count // 100_000
        self.cases: list[dict[str, Any]] = []
        self.tags: list[dict[str, Any]] = []
        self.places = np.random.default_rng(20)
        self.meanings = self.places.normal(size=(MEANINGS, WIDTH))
        card = onnx.carded(shelf.WEIGHTS / shelf.DEFAULT)
        self.reader = f"{card.name} {card.version}"  # so that one can search by meaning

    async def run(self) -> str | None:
        """Fill; say why not when it is refused."""
        began = time.monotonic()
        try:
            await schema.ensure(self.store)
            async with self.store.reading() as session:
                refusal = await why_not(session)
            if refusal:
                return refusal
            await self.people()
            await self.say()
            await self.keep_cases()
            self.told("finding words", began)
            index = Index(self.store, batch=CHUNK)
            while await index.step():
                pass
            await self.look_around()
        finally:
            await self.store.close()
        self.told(f"{self.count:,} mentions, {len(self.cases):,} cases: done", began)
        return None

    def told(self, what: str, began: float) -> None:
        """Say how far it is."""
        print(f"{time.monotonic() - began:5.0f} s  {what}")  # noqa: T201

    async def people(self) -> None:
        """Brands, sources that nobody reads, and agents who all have the same password."""
        word = kept(PASSWORD)
        async with self.store.transaction() as session:
            for name in BRANDS:
                session.add(Brand(name=name, query=name, changed_at=self.now))
            for connector, name, *_ in PLACES:
                session.add(
                    Source(
                        name=name, connector=connector, since=self.now, active=False,
                        changed_at=self.now,
                    )
                )  # fmt: skip
            for name in PEOPLE:
                session.add(Staff(name=name, role=Role.AGENT, password=word))

    async def say(self) -> None:
        """All mentions, oldest first; the latest complaints are what the open cases are about."""
        sad = self.open + self.closed
        every = max(2, self.count // (sad + sad // 4))
        for start in range(0, self.count, CHUNK):
            rows = [
                self.mention(number, sad=number % every == 0)
                for number in range(start + 1, min(start + CHUNK, self.count) + 1)
            ]
            sightings = [
                {"mention_id": row["id"], "source_id": row["source_id"], "seen_at": row["seen_at"]}
                for row in rows
            ]
            async with self.store.transaction() as session:
                new = [row.pop("new") for row in rows]
                cases = [case for case in new if case is not None]
                if cases:
                    await bulk(session, sa.insert(Case), cases)
                await bulk(session, sa.insert(Mention), rows)
                await bulk(session, sa.insert(Sighting), sightings)
                await bulk(session, sa.insert(Embedding), self.embeddings(rows))

    def embeddings(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Where the words of these lie, all of them to one side as a real model's do."""
        which = self.places.integers(MEANINGS, size=len(rows))
        lie: NDArray[Any] = 2 + self.meanings[which] + self.places.normal(size=(len(rows), WIDTH))
        lie /= np.linalg.norm(lie, axis=1, keepdims=True)
        return [
            {
                "mention_id": row["id"],
                "model": self.reader,
                "vector": vector.astype(STORED).tobytes(),
                "brand_id": row["brand_id"],
                "kept_at": row["judged_at"],
            }
            for row, vector in zip(rows, lie, strict=True)
        ]

    def mention(self, number: int, *, sad: bool) -> dict[str, Any]:
        """One post, judged, with its case if it is a complaint."""
        chance = self.chance
        place = chance.choices(range(len(PLACES)), [part for *_, part in PLACES])[0]
        connector, _, kind, starred, _ = PLACES[place]
        brand = chance.choices(range(len(BRANDS)), (60, 25, 10, 5))[0]
        language = chance.choices(("en", "de", "es", "fr"), (70, 15, 8, 7))[0]
        said = chance.choice((SAD if sad else GLAD)[language]).format(
            b=BRANDS[brand], n=chance.randrange(2, 60), p=chance.choice(THINGS)
        )
        text = " ".join([said, *chance.sample(ENDS, chance.choice((0, 1, 1, 2, 6)))])
        stars = chance.choice((1.0, 1.0, 2.0) if sad else (4.0, 5.0, 5.0)) if starred else None
        author = f"person{chance.randrange(self.count // 3 + 1)}"
        reach = int(10 ** chance.uniform(0, 5)) if kind is not Kind.REVIEW else None
        age = timedelta(days=60) * ((self.count - number) / self.count) ** 2
        seen = self.now - age - timedelta(seconds=chance.randrange(60))
        complaint = chance.uniform(0.6, 0.99) if sad else chance.uniform(0.0, 0.3)
        unsure = not sad and chance.random() < 0.004
        verdict = Verdict(
            complaint=complaint,
            feeling=Feeling.NEGATIVE if sad else Feeling.POSITIVE,
            confidence=chance.uniform(0.5, 1.0),
            unsure=unsure,
            model="made up",
        )
        finding = assess(verdict, Circumstances(text=text, stars=stars, kind=kind, reach=reach))
        at = text.find(BRANDS[brand])
        case_id, new = self.case(brand + 1, kind, seen, finding) if sad or unsure else (None, None)
        return {
            "id": number,
            "new": new,
            "brand_id": brand + 1,
            "connector": connector,
            "post_id": f"made-up-{number}",
            "source_id": place + 1,
            "url": f"https://place.example/{author}/{number}",
            "kind": kind,
            "title": f"About {BRANDS[brand]}" if kind in (Kind.REVIEW, Kind.ARTICLE) else None,
            "text": text,
            "author_id": author,
            "author_name": author.title(),
            "author_handle": author,
            "author_reach": reach,
            "rating": stars,
            "rating_lowest": stars and 1.0,
            "rating_highest": stars and 5.0,
            "language": language,
            "published_at": seen - timedelta(minutes=chance.randrange(1, 9)),
            "precision": Precision.SECOND,
            "seen_at": seen,
            "links": [],
            "attachments": [],
            "marks": [["text", at, at + len(BRANDS[brand])]],
            "truncated": False,
            "ours": False,
            "late": False,
            "revision": f"{number:x}",
            "revisions": 1,
            "rechecks": 0,
            "absences": 0,
            "waits": False,
            "judged_at": seen,
            "complaint": finding.complaint,
            "feeling": verdict.feeling,
            "confidence": verdict.confidence,
            "model": verdict.model,
            "flagged": finding.flagged,
            "unsure": finding.unsure,
            "urgent": finding.urgent,
            "conflict": finding.conflict,
            "reasons": list(finding.reasons),
            "case_id": case_id,
        }

    def case(
        self, brand_id: int, kind: Kind, seen: datetime, finding: Any
    ) -> tuple[int, dict[str, Any] | None]:
        """A new case, or sometimes one of the last ones again."""
        chance = self.chance
        if self.cases and chance.random() < 0.2:
            again = chance.choice(self.cases[-20:])
            if again["brand_id"] == brand_id:
                again["mentions"] += 1
                return again["id"], None
        number = len(self.cases) + 1
        made = Case(
            brand_id=brand_id,
            kind=kind,
            urgent=finding.urgent,
            unsure=finding.unsure,
            priority=finding.priority,
            reasons=list(finding.reasons),
            opened_at=seen,
            waiting_since=seen,
            due_at=due(Sort(kind, finding.urgent, finding.unsure), Policies(), seen),
        )
        row = made.model_dump() | {"id": number}
        self.cases.append(row)
        if chance.random() < 0.3:
            self.tags.append({"case_id": number, "tag": chance.choice(TAGS)})
        return number, row

    async def keep_cases(self) -> None:
        """The first cases have been closed, the others stand in every state."""
        chance = self.chance
        changes, events = [], []
        closed = max(0, len(self.cases) - self.open)
        for row in self.cases:
            ends = row["id"] <= closed
            status = Status.CLOSED if ends else chance.choices(
                (Status.OPEN, Status.OWNED, Status.ANSWERED), (60, 25, 15)
            )[0]  # fmt: skip
            owner = None if status is Status.OPEN else chance.randrange(1, len(PEOPLE) + 1)
            # What is open was opened lately, so that some of it is late and most of it is not.
            opened = row["opened_at"] if ends else self.now - timedelta(
                minutes=chance.choice((5, 30, 60, 120, 180, 230, 300, 1200)) + chance.random() * 9
            )  # fmt: skip
            sort = Sort(row["kind"], row["urgent"], row["unsure"])
            closed_at = opened + timedelta(hours=2) if ends else None
            if closed_at is not None and chance.random() < 0.03:
                closed_at = self.now - timedelta(minutes=chance.randrange(300))
            changes.append(
                {
                    "number": row["id"],
                    "new_status": status,
                    "new_owner": owner,
                    "new_opened": opened,
                    "new_due": due(sort, Policies(), opened),
                    "new_snoozed": self.now + timedelta(hours=4)
                    if status in (Status.OPEN, Status.OWNED) and chance.random() < 0.05
                    else None,
                    "new_closed": closed_at,
                    "new_outcome": chance.choices(
                        tuple(Outcome), (50, 10, 20, 5, 10, 5)
                    )[0]
                    if ends
                    else None,
                    "new_mentions": row["mentions"],
                }
            )  # fmt: skip
            events.append({"case_id": row["id"], "what": What.OPENED, "at": opened, "details": {}})
        async with self.store.transaction() as session:
            table = Case.__table__  # type: ignore[attr-defined]
            await bulk(
                session,
                sa.update(table)
                .where(table.c.id == sa.bindparam("number"))
                .values(
                    status=sa.bindparam("new_status"),
                    owner_id=sa.bindparam("new_owner"),
                    opened_at=sa.bindparam("new_opened"),
                    waiting_since=sa.bindparam("new_opened"),
                    due_at=sa.bindparam("new_due"),
                    snoozed_until=sa.bindparam("new_snoozed"),
                    closed_at=sa.bindparam("new_closed"),
                    outcome=sa.bindparam("new_outcome"),
                    mentions=sa.bindparam("new_mentions"),
                ),
                changes,
            )
            await bulk(session, sa.insert(Event), events)
            if self.tags:
                await bulk(session, sa.insert(CaseTag), self.tags)

    async def look_around(self) -> None:
        """Let the database see how much there is now, and which numbers are taken."""
        async with self.store.transaction() as session:
            if not self.store.is_sqlite:
                for table in ("mentions", "cases"):
                    await bulk(
                        session,
                        sa.text(
                            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "
                            f"(SELECT max(id) FROM {table}))"
                        ),
                    )
            await bulk(session, sa.text("ANALYZE"))


async def why_not(session: AsyncSession) -> str | None:
    """Why a database may not be filled; None when it may."""
    for table, names in ((Brand, BRANDS), (Staff, PEOPLE), (Source, [one[1] for one in PLACES])):
        found = await bulk(session, sa.select(col(table.name)))
        others = [name for name in found.scalars() if name not in names]
        if others:
            return (
                f"This database has something that was not made up ({others[0]}), so it is left "
                "alone. Name an empty one with LISTENER_DATA or DATABASE_URL."
            )
    standing = (await bulk(session, sa.select(sa.func.count()).select_from(Mention))).scalar_one()
    if standing:
        return f"This database has been filled already: {standing:,} mentions."
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
