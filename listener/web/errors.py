"""What goes wrong, said in a sentence: as a page to people, as JSON to scripts."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import ClientConnectionResetError, hdrs, web
from yarl import URL

from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.store.session import DatabaseTrouble
from listener.web import pages

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WORDS: Final = {
    400: ("That could not be read", "The address or the form is not as we know it."),
    401: ("You are not signed in", "Sign in first."),
    403: ("This is not yours to do", "Your role does not include this; an admin can change it."),
    404: ("There is nothing here", "No page has this address, or what it showed is gone."),
    405: ("There is nothing here", "This address cannot be used this way."),
    409: ("That cannot be done now", "Something changed meanwhile. Look again."),
    413: ("That is too much", "At most 1 MiB can be sent at once."),
    500: ("Something went wrong here", "Something went wrong here; our own log says what."),
    503: (
        "The database is away",
        "The database cannot be reached at the moment; please try again soon.",
    ),
}


def answer(
    request: web.Request, status: int, sentence: str = "", heading: str = ""
) -> web.Response:
    """A refusal or a fault, in the form that who asks can read."""
    known, usual = WORDS.get(status, (f"Error {status}", "This cannot be done."))
    sentence = sentence or usual
    if not reads_pages(request):
        return web.json_response({"error": sentence}, status=status)
    back = cause(request)
    return pages.render(
        request,
        "error.html",
        status=status,
        heading=heading or known,
        sentence=sentence,
        back=back or "/",
        back_word="Back" if back else "To the first page",
    )


def reads_pages(request: web.Request) -> bool:
    """Whether a person's browser asks for a page."""
    accept = request.headers.get(hdrs.ACCEPT, "")
    return "text/html" in accept and "application/json" not in accept


def cause(request: web.Request) -> str | None:
    """The page of ours from which somebody came, unless it is the one that fails."""
    came_from = request.headers.get(hdrs.REFERER)
    if came_from is None or request.method in (hdrs.METH_GET, hdrs.METH_HEAD):
        return None
    try:
        address = URL(came_from)
    except ValueError:
        return None
    return address.path_qs if address.authority == request.host else None


@web.middleware
async def in_plain_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Nobody sees a traceback: what goes wrong is said in a sentence."""
    try:
        return await handler(request)
    except NotThere as refusal:
        return answer(request, 404, str(refusal))
    except NoRight as refusal:
        return answer(request, 403, str(refusal))
    except NotAllowed as refusal:
        return answer(request, 409, str(refusal))
    except DatabaseTrouble:
        response = answer(request, 503)
        response.headers[hdrs.RETRY_AFTER] = "10"
        return response
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        own_words = refusal.text if refusal.text and not refusal.text[:3].isdigit() else ""
        response = answer(request, refusal.status, own_words)
        if hdrs.ALLOW in refusal.headers:
            response.headers[hdrs.ALLOW] = refusal.headers[hdrs.ALLOW]
        return response
    except ClientConnectionResetError:
        return web.Response()  # whoever asked has left, as every page does: nobody reads this
    except Exception as error:  # noqa: BLE001  (its message may quote a post, so it is not shown)
        log.error("page fails", path=request.path, why=type(error).__name__)
        return answer(request, 500)
