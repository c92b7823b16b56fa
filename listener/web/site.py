"""The web server: which addresses there are, and how it starts and stops."""

import errno
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from listener.store.session import DatabaseTrouble, Store
from listener.web import health, hooks, pages, status

log = structlog.get_logger(__name__)

LARGEST = 1024 * 1024
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PortTaken(Exception):
    """The address to listen on cannot be had; the message says what to do."""


class Site:
    """The addresses of this listener."""

    def __init__(self, store: Store, doors: hooks.Doors) -> None:
        self._site = web.Application(
            client_max_size=LARGEST, middlewares=[with_headers, in_plain_words]
        )
        self._site.router.add_static("/static/", pages.STATIC)
        self._site.router.add_get("/", status.StatusPage(store).show)
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
    host = f"[{host}]" if ":" in host else host
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
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001  (its message may quote a post, so it is not shown)
        log.error("page fails", path=request.path, why=type(error).__name__)
        return web.json_response(
            {"error": "Something went wrong here; our own log says what."}, status=500
        )


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Headers that keep a browser from doing anything we did not ask for."""
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        answer.headers.update(HEADERS)
        raise
    response.headers.update(HEADERS)
    return response
