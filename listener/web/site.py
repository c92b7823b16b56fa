"""The web server: how it starts and stops, and what every answer carries."""

import errno
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from listener.web import errors
from listener.web.entrance import GIVEN
from listener.web.guard import Guard, Route

LARGEST: Final = 1024 * 1024
REPORTS: Final = "/csp"
# Nothing that a customer wrote may run, nor make a browser fetch or send anything.
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        f"report-uri {REPORTS}",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Nobody else learns from where a link was followed. Not "no-referrer": with that a browser
    # sends our own forms with "Origin: null", as if they came from a stranger.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Frame-Options": "DENY",
}
YEAR: Final = 31_536_000  # seconds


class PortTaken(Exception):
    """The address to listen on cannot be had; the message says what to do."""


class Site:
    """The addresses of this listener, each behind the guard."""

    def __init__(
        self, guard: Guard, routes: Iterable[Route], *, ending: Callable[[], None]
    ) -> None:
        self.guard = guard
        self._entrance = guard.entrance
        self._site = web.Application(
            client_max_size=LARGEST, middlewares=[errors.in_plain_words, behind(guard)]
        )
        for route in routes:
            guard.add(self._site, route)
        self._site.on_response_prepare.append(self.finish)
        self._ending = ending
        self._site.on_shutdown.append(self.end)

    async def end(self, _: web.Application) -> None:
        """Let go of the pages that listen for changes."""
        self._ending()

    async def finish(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give every answer the headers that keep a browser from doing what we did not ask for."""
        for name, value in HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
        if self._entrance.secure:
            response.headers[hdrs.STRICT_TRANSPORT_SECURITY] = f"max-age={YEAR}"
        if GIVEN in request:
            self._entrance.give(response, request[GIVEN])

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


def behind(guard: Guard) -> Middleware:
    """The guard as what stands before every handler."""

    @web.middleware
    async def let_in(request: web.Request, handler: errors.Handler) -> web.StreamResponse:
        return await guard.let_in(request, handler)

    return let_in


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
