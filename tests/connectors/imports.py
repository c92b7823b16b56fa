"""Reads files as a listener does: page by page, keeping each with its cursor."""

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from connectors.files import Files
from connectors.kit.contract import Page, Post, Unread, Web

RECORDINGS = Path(__file__).parent / "recordings" / "files"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NO_WEB = cast(Web, None)  # nothing of this connector is on the network


@dataclass
class Kept:
    """What was kept of one file."""

    cursor: str | None = None
    posts: dict[str, Post] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    unreadable: list[Unread] = field(default_factory=list)
    since: datetime = NOW
    now: datetime = NOW

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self.posts.keys() & set(ids))

    def keep(self, page: Page) -> None:
        self.posts |= {post.id: post for post in page.posts}
        self.gone += page.gone
        self.unreadable += page.unreadable
        self.cursor = page.cursor

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts.values()]

    @property
    def reasons(self) -> list[str]:
        return [unread.reason for unread in self.unreadable]


async def read(source: Files, kept: Kept, *, stop_after: int | None = None) -> list[Page]:
    """One poll; cut off after so many pages, if at all."""
    pages: list[Page] = []
    stream = cast(AsyncGenerator[Page, None], source.pages(NO_WEB, kept.cursor, kept))
    async with aclosing(stream) as found:
        async for page in found:
            kept.keep(page)
            pages.append(page)
            if len(pages) == stop_after:
                break
    return pages


async def read_all(path: Path, **options: object) -> Kept:
    """A whole file, read once."""
    kept = Kept()
    await read(Files.model_validate({"path": path, **options}), kept)
    return kept


async def only(path: Path, **options: object) -> Post:
    """The one post of a file."""
    kept = await read_all(path, **options)
    assert kept.reasons == []
    [post] = kept.posts.values()
    return post


def written(path: Path, content: str | bytes, *, charset: str = "utf-8") -> Path:
    """A file that nobody has touched for a while."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode(charset))
    return aged(path)


def aged(path: Path) -> Path:
    """The same file, as if it had been written an hour ago."""
    before = path.stat().st_mtime - 3_600
    os.utime(path, (before, before))
    return path
