"""Everything of one's own brands comes out as a file, whole and harmless, and nothing of others."""

import csv
import io
from datetime import timedelta

import orjson

from listener.domain.staff import Role
from listener.store import exports
from tests.given import COMPLAINTS, INBOX, heard, judged, said
from tests.web.visiting import hired, street
from tests.world import World

FORMULA = '=HYPERLINK("http://evil.example","fish")'


async def test_a_table_has_every_mention_and_no_formula(world: World) -> None:
    await world.set_up(sources=[INBOX])
    await hired(world, "Mia", Role.MANAGER)
    await heard(
        world,
        said(FORMULA, published=world.now, author="=ada"),
        said(f"\t{FORMULA}", published=world.now),
        said("The fish, „cold“;\nand grey", published=world.now),
    )
    await judged(world)

    async with street(world) as place:
        browser = await place.signed_in("Mia")
        seen = await browser.get("/export?what=mentions")
        linked = await browser.get("/mentions")

    assert seen.status == 200
    assert seen.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert seen.headers["Content-Disposition"] == 'attachment; filename="mentions.csv"'
    rows = list(csv.DictReader(io.StringIO(seen.text.removeprefix("\ufeff"), newline="")))
    assert [row["text"] for row in rows] == [
        "'" + FORMULA,
        f"'\t{FORMULA}",
        "The fish, „cold“;\nand grey",
    ]
    assert rows[0]["author_name"].startswith("'=")
    assert [row["brand"] for row in rows] == ["Acme"] * 3
    assert rows[0]["case"] == "1"
    assert 'href="/export?what=mentions&amp;as=csv&amp;"' in linked.text


async def test_lines_of_json_have_cases_and_their_history(world: World) -> None:
    await world.set_up(sources=[INBOX])
    await hired(world, "Mia", Role.MANAGER)
    await heard(world, *(said(text, published=world.now) for text in COMPLAINTS))
    await judged(world)

    async with street(world) as place:
        browser = await place.signed_in("Mia")
        cases = await browser.get("/export?what=cases&as=jsonl")
        events = await browser.get("/export?what=events&as=jsonl")

    found = [orjson.loads(line) for line in cases.text.splitlines()]
    assert [row["id"] for row in found] == [1, 2, 3, 4, 5]
    assert found[0]["status"] == "open"
    assert found[0]["opened_at"] == "2026-11-02T12:00:00Z"
    assert {row["case"] for row in map(orjson.loads, events.text.splitlines())} == {1, 2, 3, 4, 5}


async def test_another_brand_and_other_days_stay_where_they_are(world: World) -> None:
    await world.set_up(
        brands=[{"name": "Acme", "query": "fish"}, {"name": "Bolt", "query": "nuts"}],
        sources=[INBOX],
    )
    await hired(world, "Mia", Role.MANAGER, brands=[1])
    await heard(
        world,
        said("The fish of today", id="1", published=world.now),
        said("The fish of a week ago", id="2", published=world.now - timedelta(days=7)),
        said("The nuts of today", id="3", published=world.now),
    )
    await judged(world)

    async with street(world) as place:
        browser = await place.signed_in("Mia")
        everything = await browser.get("/export?what=mentions&as=jsonl")
        today = await browser.get(
            "/export?what=mentions&as=jsonl&since=2026-11-02&until=2026-11-02"
        )
        before = await browser.get("/export?what=mentions&as=jsonl&brand=Acme&until=2026-11-01")
        foreign = await browser.get("/export?what=mentions&brand=Bolt")
        nonsense = [
            (await browser.get(f"/export?{words}")).status
            for words in ("", "what=staff", "what=mentions&as=exe")
        ]

    def texts(words: str) -> list[str]:
        return [orjson.loads(line)["text"] for line in words.splitlines()]

    assert texts(everything.text) == ["The fish of today", "The fish of a week ago"]
    assert texts(today.text) == ["The fish of today"]
    assert texts(before.text) == ["The fish of a week ago"]
    assert foreign.status == 404
    assert "nuts" not in foreign.text
    assert nonsense == [404, 404, 404]


async def test_what_its_author_deleted_comes_out_without_words_or_name(world: World) -> None:
    await world.set_up(sources=[INBOX])
    await hired(world, "Mia", Role.MANAGER)
    await heard(world, said("My fish was cold", id="1", published=world.now, author="ada"))
    await judged(world)
    await heard(world, gone=["1"])

    async with street(world) as place:
        seen = await (await place.signed_in("Mia")).get("/export?what=mentions&as=jsonl")

    [row] = map(orjson.loads, seen.text.splitlines())
    assert row["deleted_at"] is not None
    assert "cold" not in seen.text
    assert "ada" not in seen.text.lower()


async def test_more_than_one_portion_comes_whole_and_in_order(world: World) -> None:
    await world.set_up(sources=[INBOX])
    count = exports.PORTION * 2 + 1
    await heard(world, *(said(f"fish {number}", published=world.now) for number in range(count)))

    wanted = exports.Wanted(exports.Exported.MENTIONS)
    found = [row["id"] async for rows in exports.portions(world.store, wanted) for row in rows]

    assert len(found) == count
    assert found == sorted(set(found))
