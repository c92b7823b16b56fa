"""The web server: which addresses there are, and how it starts and stops."""

import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from listener.store.session import DatabaseTrouble, Store
from listener.web import health, hooks, pages

LARGEST = 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PortTaken(Exception):
    """The address to listen on cannot be had; the message says what to do."""


class Site:
    """The addresses of this listener."""

    def __init__(self, store: Store, doors: hooks.Doors) -> None:
        self._site = web.Application(
            client_max_size=LARGEST, middlewares=[in_plain_words, with_headers]
        )
        self._site.router.add_get("/", pages.Front(store).show)
        self._site.router.add_get("/health", health.Health(store).show)
        self._site.router.add_get("/metrics", health.Metrics(store).show)
        self._site.router.add_post("/hooks/{source}", doors.receive)

    @asynccontextmanager
    async def open(self, host: str, port: int) -> AsyncIterator[None]:
        """Listen on an address until the block ends; PortTaken when it cannot be had."""
        runner = web.AppRunner(self._site, access_log=None, shutdown_timeout=2)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise PortTaken(sentence(error, host, port)) from error
            yield
        finally:
            await runner.cleanup()


def sentence(error: OSError, host: str, port: int) -> str:
    """Why an address cannot be had, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program. Stop that one, or set "
            f"LISTENER_HTTP to a free address, for example {host}:{port + 1}."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"This user may not listen on port {port}. Set LISTENER_HTTP to a port above 1023, "
            f"for example {host}:8080."
        )
    return f"{host}:{port} cannot be listened on ({error.strerror}). Check LISTENER_HTTP."


@web.middleware
async def in_plain_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody sees a traceback: what goes wrong is said in a sentence."""
    try:
        return await handler(request)
    except DatabaseTrouble:
        return web.json_response(
            {"error": "The database cannot be reached at the moment; please try again soon."},
            status=503,
            headers={"Retry-After": "10"},
        )


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Headers that keep a browser from doing anything we did not ask for."""
    response = await handler(request)
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'self'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
