"""Our own style sheet, scripts and pictures, kept by browsers for as long as they are the same."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Final

from aiohttp import hdrs, web

from listener.web import pages

TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class File:
    """One of them, as it is sent."""

    content: bytes
    kind: str
    version: str


@cache
def every() -> dict[str, File]:
    """All files of ours by name, read once."""
    return {
        path.name: File(content := path.read_bytes(), TYPES[path.suffix], version(content))
        for path in pages.STATIC.iterdir()
        if path.suffix in TYPES
    }


def version(content: bytes) -> str:
    """What changes when a file does."""
    return sha256(content).hexdigest()[:12]


async def show(request: web.Request) -> web.Response:
    """GET /static/NAME: for good under the address of its version, else to be asked for again."""
    found = every().get(request.match_info["file"])
    if found is None:
        raise web.HTTPNotFound
    exact = request.query_string == found.version
    headers = {
        hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable" if exact else "no-cache",
        hdrs.ETAG: f'"{found.version}"',
    }
    if any(tag.value in (found.version, "*") for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(
        body=found.content, content_type=found.kind, charset="utf-8", headers=headers
    )
