"""Many rows go into a table in one statement, as they were given, and each once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.kit.contract import Kind
from listener.domain.mention import Mention
from listener.store.batch import MOST, Same, enter, handed, padded
from listener.store.session import bulk
from tests.given import named, settled
from tests.world import World

AT = datetime(2026, 11, 2, 12, 30, 15, 123456, tzinfo=UTC)
STRANGE = ["", 'it\'s "so"', "ß İ 👩‍👩‍👧 العربية", "\\u0041 \\ \t\n", "x" * 10_000]


def columns(count: int, *, first: int = 0) -> dict[str, Any]:
    numbers = range(first, first + count)
    return {
        "brand_id": Same(1),
        "source_id": Same(1),
        "connector": Same("webhook"),
        "post_id": [f"post {number}" for number in numbers],
        "url": Same("https://place.example/1"),
        "kind": Same(Kind.REVIEW),
        "text": [STRANGE[number % len(STRANGE)] for number in numbers],
        "author_id": Same(""),
        "author_name": Same("Zoë"),
        "author_handle": Same(""),
        "rating": [None if number % 2 else number / 4 for number in numbers],
        "published_at": [AT + timedelta(seconds=number) for number in numbers],
        "edited_at": [AT if number % 3 else None for number in numbers],
        "precision": Same("second"),
        "seen_at": Same(AT),
        "marks": [(("text", number, number + 1),) for number in numbers],
        "links": [[STRANGE[number % len(STRANGE)]] for number in numbers],
        "attachments": Same([]),
        "reasons": Same([]),
        "truncated": Same(False),
        "ours": Same(False),
        "late": [number % 2 == 0 for number in numbers],
        "waits": Same(True),
        "revision": Same("r"),
        "revisions": Same(1),
        "rechecks": Same(0),
        "absences": Same(0),
    }


async def entered(world: World, given: dict[str, Any]) -> list[str]:
    async with world.store.transaction() as session:
        rows = await enter(
            session,
            Mention,
            given,
            unique=("connector", "post_id", "brand_id"),
            returning=("id", "post_id"),
        )
    return [row.post_id for row in rows]


@pytest.mark.parametrize("count", [1, 2, 5, MOST, MOST + 3])
async def test_rows_come_out_as_they_went_in(world: World, count: int) -> None:
    await settled(world)
    await named(world, "Inbox")
    given = columns(count)

    said = await entered(world, given)

    assert said == given["post_id"]
    kept = await world.mentions()
    assert len(kept) == count
    for number, mention in enumerate(kept):
        for name, values in given.items():
            wanted = values.value if isinstance(values, Same) else values[number]
            wanted = [list(mark) for mark in wanted] if name == "marks" else wanted
            assert getattr(mention, name) == wanted, name
    assert all(mention.case_id is None and mention.waits for mention in kept)


async def test_what_is_there_already_stays_as_it_is_and_is_not_told_of(world: World) -> None:
    await settled(world)
    await entered(world, columns(3))

    said = await entered(world, columns(5, first=1) | {"text": Same("new words")})

    assert sorted(said) == ["post 3", "post 4", "post 5"]
    texts = {mention.post_id: mention.text for mention in await world.mentions()}
    assert texts["post 1"] == STRANGE[1]
    assert texts["post 4"] == "new words"


async def test_texts_are_handed_over_as_they_are_however_many(world: World) -> None:
    texts = {*STRANGE, *map(str, range(40_000))}
    async with world.store.reading() as session:
        question, value = handed(session, texts)
        found = {row[0] for row in await bulk(session, question, {"texts": value})}
        question, value = handed(session, [])
        none = (await bulk(session, question, {"texts": value})).all()

    assert found == texts
    assert none == []


@pytest.mark.parametrize("count", range(1, 20))
def test_sqlite_sees_few_lengths_and_nothing_but_the_last_row_again(count: int) -> None:
    rows = [(number,) for number in range(count)]

    longer = padded(rows)

    assert longer[:count] == rows
    assert set(longer[count:]) <= {rows[-1]}
    assert len(longer) in {1, 2, 4, 8, 16, 32}
