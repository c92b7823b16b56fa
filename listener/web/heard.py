"""The page behind a mail's link, where one says that one has heard of a case."""

from dataclasses import dataclass

from aiohttp import web

from listener.desk import heard
from listener.domain.record import NotAllowed
from listener.domain.secret import Seal
from listener.store.session import Store
from listener.web import errors, pages


@dataclass(frozen=True)
class HeardPage:
    """Answers at /heard: whoever has the link is the one it was sent to, for this and no more.

    Opening it changes nothing: programs that look into mails follow every link, and a case that
    none but they have heard of would climb no further. The button is the one click.
    """

    store: Store
    seal: Seal

    async def show(self, request: web.Request) -> web.Response:
        """GET /heard/…."""
        try:
            asked = await heard.asked(self.store, self.seal, request.match_info["heard"])
        except NotAllowed as refusal:
            return errors.answer(request, 404, str(refusal), "This link is used up")
        return pages.render(
            request, "heard.html", case=asked.notice.case_id, called=asked.person.name, said=""
        )

    async def hear(self, request: web.Request) -> web.Response:
        """POST /heard/…."""
        try:
            asked = await heard.asked(self.store, self.seal, request.match_info["heard"])
            done = await heard.hear(self.store, self.seal, request.match_info["heard"])
        except NotAllowed as refusal:
            return errors.answer(request, 404, str(refusal), "This link is used up")
        return pages.render(
            request,
            "heard.html",
            case=asked.notice.case_id,
            called=asked.person.name,
            said=done.said,
        )
