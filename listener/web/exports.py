"""Export: every mention, case or event of one's brands as a file, as long as it may be."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from listener.domain import table
from listener.domain.brand import Brand
from listener.store import brands, exports
from listener.store.exports import COLUMNS, Exported, Wanted
from listener.store.session import Store
from listener.web import pages
from listener.web.mentions import day, next_day

KINDS: Final = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
MARK: Final = "\ufeff"  # so that spreadsheets know that it is UTF-8


@dataclass(frozen=True)
class ExportPage:
    """GET /export: a file of what was asked for, sent while it is read."""

    store: Store

    async def show(self, request: web.Request) -> web.StreamResponse:
        """All rows of the person's own brands, or of one of them, within a span of days."""
        what, kind = pages.asked(request, "what"), pages.asked(request, "as") or "csv"
        if what not in list(Exported) or kind not in KINDS:
            raise web.HTTPNotFound
        wanted = Wanted(
            Exported(what),
            await self.brands_of(request),
            since=day(pages.asked(request, "since")),
            until=next_day(pages.asked(request, "until")),
        )
        answer = web.StreamResponse(
            headers={
                hdrs.CONTENT_TYPE: f"{KINDS[kind]}; charset=utf-8",
                hdrs.CONTENT_DISPOSITION: f'attachment; filename="{what}.{kind}"',
            }
        )
        await answer.prepare(request)
        async for part in written(self.store, wanted, kind):
            await answer.write(part)
        await answer.write_eof()
        return answer

    async def brands_of(self, request: web.Request) -> Sequence[int] | None:
        """The numbers of the brands that are asked for and may be seen; None is all."""
        person, name = pages.person(request), pages.asked(request, "brand")
        if not name:
            return None if person.walls is None else list(person.walls)
        async with self.store.reading() as session:
            brand: Brand | None = await brands.named(session, name)
        if brand is None or not person.sees(brand.key):
            raise web.HTTPNotFound
        return [brand.key]


async def written(store: Store, wanted: Wanted, kind: str) -> AsyncIterator[bytes]:
    """The file, a portion at a time: a table under its names, or a line of JSON a row."""
    columns = COLUMNS[wanted.what]
    if kind == "csv":
        yield (MARK + table.line(columns)).encode()
    async for rows in exports.portions(store, wanted):
        if kind == "csv":
            yield table.lines([row[name] for name in columns] for row in rows).encode()
        else:
            yield b"".join(json_line(row) for row in rows)


def json_line(row: dict[str, Any]) -> bytes:
    """A row for machines."""
    return orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
