"""The page behind a mail's link, where one says that one has heard of a case or an alarm."""

from dataclasses import dataclass

from aiohttp import web

from listener.desk import heard
from listener.domain.alarm import AlarmNotice, sentence
from listener.domain.record import NotAllowed
from listener.domain.secret import Seal
from listener.store import alarms
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
        return await self.answered(request, act=False)

    async def hear(self, request: web.Request) -> web.Response:
        """POST /heard/…."""
        return await self.answered(request, act=True)

    async def answered(self, request: web.Request, *, act: bool) -> web.Response:
        """The page, after saying so where that was asked for."""
        link = request.match_info["heard"]
        try:
            asked = await heard.asked(self.store, self.seal, link)
            said = await heard.hear(self.store, self.seal, link) if act else ""
        except NotAllowed as refusal:
            return errors.answer(request, 404, str(refusal), "This link is used up")
        notice, says = asked.notice, ""
        if isinstance(notice, AlarmNotice):
            title, number = f"Alarm {notice.alarm_id}", f"/alarms#alarm-{notice.alarm_id}"
            async with self.store.reading() as session:
                shown = await alarms.shown(
                    session, brands=asked.person.walls, numbers=[notice.alarm_id]
                )
            says = "".join(
                f"{one.brand}: {sentence(one.alarm, one.source, one.theme)}" for one in shown
            )
        else:
            title, number = f"Case {notice.case_id}", f"/cases/{notice.case_id}"
        return pages.render(
            request,
            "heard.html",
            title=title,
            address=number,
            thing=title.split()[0].lower(),
            says=says,
            called=asked.person.name,
            said=said,
        )
