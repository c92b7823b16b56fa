"""A stream is heard by the brands as they stand now, and what names none is counted only."""

import asyncio
from pathlib import Path

import orjson
from sqlmodel import select

from listener.domain.source import Reading, Way
from tests.connectors.skyline import Sky
from tests.world import World


def frame(number: int, text: str) -> bytes:
    return orjson.dumps(
        {
            "did": "did:plc:ada",
            "time_us": 1_762_000_000_000_000 + number * 1_000_000,
            "kind": "commit",
            "commit": {
                "operation": "create",
                "collection": "app.bsky.feed.post",
                "rkey": f"3k{number}",
                "cid": f"bafy{number}",
                "record": {"text": text},
            },
        }
    )


async def test_posts_that_name_no_brand_are_read_but_never_kept(
    database: str, tmp_path: Path
) -> None:
    async with World(database, tmp_path) as world, Sky() as sky:
        source = {
            "name": "Sky",
            "connector": "bluesky",
            "options": {"api": sky.url, "stream": "jetstream"},
        }
        await world.set_up(sources=[source], allow=[sky.host_port])
        said = ["tea", "bread", "cold fish", "tea", "no FISH today", *["tea"] * 6]
        sky.script = [frame(*one) for one in enumerate(said)]
        service = await world.service()

        await service.listen.step()
        await asyncio.gather(*service.listen.streams)

        assert sorted(one.text for one in await world.mentions()) == ["cold fish", "no FISH today"]
        async with world.store.reading() as session:
            reading = (await session.exec(select(Reading).where(Reading.way == Way.LISTEN))).one()
        assert reading.posts == len(said)
