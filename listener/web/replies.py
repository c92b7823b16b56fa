"""Answering from the pages: replies that are sent, taken back, sent again or confirmed."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from listener.desk import replies
from listener.desk.replies import Rules, Written
from listener.store.session import Store
from listener.web import errors, pages
from listener.web.acts import back, case, field, me


@dataclass(frozen=True)
class Replying:
    """One handler an act. Scripts are answered in JSON, people are sent back where they were."""

    store: Store
    rules: Rules
    window: timedelta

    async def reply(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/reply: text, seen; by=hand when it was posted there by hand; url."""
        number, text, seen = (
            case(request),
            await field(request, "text"),
            await field(request, "seen"),
        )
        if await field(request, "by") == "hand":
            url = await field(request, "url") or None
            made = await replies.by_hand(self.store, number, me(request), text, seen, url=url)
        else:
            made = await replies.send(
                self.store, self.rules, number, me(request), text, seen, window=self.window
            )
        return await done(request, made)

    async def draft(self, request: web.Request) -> web.Response:
        """POST /cases/{case}/draft: text; kept word for word."""
        words = (await request.post()).get("text", "")
        text = words if isinstance(words, str) else ""
        await replies.keep_draft(self.store, case(request), me(request), text)
        if errors.reads_pages(request):
            return await back(request, f"/cases/{case(request)}")
        return pages.said(200, "")

    async def withdraw(self, request: web.Request) -> web.Response:
        """POST /replies/{reply}/withdraw: not sent after all."""
        return await done(request, await replies.withdraw(self.store, number(request), me(request)))

    async def again(self, request: web.Request) -> web.Response:
        """POST /replies/{reply}/again: it does not stand there; send it."""
        return await done(request, await replies.again(self.store, number(request), me(request)))

    async def there(self, request: web.Request) -> web.Response:
        """POST /replies/{reply}/there: somebody has seen it there; url."""
        url = await field(request, "url") or None
        made = await replies.there(self.store, number(request), me(request), url=url)
        return await done(request, made)


async def done(request: web.Request, made: Written) -> web.Response:
    """What came of it, to a script or a person."""
    if errors.reads_pages(request):
        return await back(request, f"/cases/{made.reply.case_id}")
    return pages.said(200, made.said, event=made.event, undo=None, about=made.reply.case_id)


def number(request: web.Request) -> int:
    """The number of the reply; the guard has seen that there is one."""
    return int(request.match_info["reply"])
