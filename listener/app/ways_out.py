"""The channels that notices leave by, opened as they are set up now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from listener.app import slack
from listener.app.parts import Parts
from listener.channels.contract import Channel, Undelivered
from listener.channels.fanout import Fanout
from listener.channels.mail import WANTED, Mail
from listener.channels.terminal import Terminal
from listener.channels.webhook import OutgoingWebhook
from listener.desk import heard
from listener.domain.alarm import AlarmNotice
from listener.domain.crisis import Bulletin
from listener.domain.notice import SLACK, TERMINAL, Notice
from listener.domain.notice import Channel as Row
from listener.store import notices, people


@dataclass
class Channels:
    """Opens channels by name, as they are set up now."""

    parts: Parts

    async def named(self, name: str) -> Channel | None:
        """The channel of this name."""
        if name == TERMINAL:
            return Terminal(self.parts.console)
        async with self.parts.store.reading() as session:
            channel = await notices.channel(session, name)
        if channel is None or not channel.active:
            return None
        return self.opened(channel)

    async def of(self, notice: Notice | AlarmNotice) -> Channel | None:
        """The channel that a notice goes by: a named one, or the way to one person."""
        if notice.staff_id is None:
            return await self.named(notice.channel)
        return await self.person(notice.channel, notice.staff_id, why=notice.why or "")

    async def telling(self, bulletin: Bulletin) -> Channel | None:
        """The channel that a bulletin goes by: a named one, or the way to one person."""
        if bulletin.staff_id is None:
            return await self.named(bulletin.channel)
        return await self.person(bulletin.channel, bulletin.staff_id)

    async def person(self, way: str, staff_id: int, *, why: str = "") -> Channel | None:
        """The way to one person; None where there is none any more."""
        if way == SLACK:
            return await slack.person(self.parts, staff_id, why)
        async with self.parts.store.reading() as session:
            person = await people.numbered(session, staff_id)
        if person is None or not person.active:
            return None
        match way:
            case "mail" if person.mail:
                return self.mail(
                    [person.mail],
                    zone=ZoneInfo(person.zone) if person.zone else UTC,
                    heard=partial(heard.address, self.parts.settings.url, self.parts.seal),
                )
            case "mail":
                raise Undelivered(f"{person.name} has no mail address here.")
            case other:
                raise Undelivered(f"This version reaches nobody by {other}.")

    def mail(
        self,
        to: Sequence[str],
        *,
        zone: tzinfo = UTC,
        heard: Callable[[str], str] | None = None,
    ) -> Mail:
        """Mail to these mailboxes, by the operator's server."""
        settings = self.parts.settings
        if settings.mail is None:
            raise Undelivered(f"No mail leaves this house yet. {WANTED}")
        house = self.parts.seal.mark("house")[:12]
        return Mail(settings.mail, to, settings.url, house, zone=zone, heard=heard)

    async def check(self, row: Row) -> tuple[bool, str]:
        """Whether a channel is ready, and what to do if it is not."""
        if row.kind == SLACK:
            return await slack.check(self.parts, row)
        opened = self.opened(row)
        if isinstance(opened, Fanout):
            return True, f"Apprise can read its address: it speaks by {opened.service}."
        return True, "Its address and secret can be read."

    def fanout(self, row: Row) -> Fanout:
        """A service that Apprise reaches, by its address with the key."""
        settings = self.parts.settings
        url = str(self.parts.reveal(row.options["url"], "url"))
        return Fanout(url, settings.url, self.parts.settings.allow_hosts)

    def opened(self, row: Row) -> Channel:
        """A channel as an admin has set it up, its secrets in the clear."""
        match row.kind:
            case "webhook":
                return OutgoingWebhook(
                    url=row.options["url"],
                    secret=self.parts.reveal(row.options["secret"], "secret"),
                    post=self.parts.network.send,
                )
            case "slack":
                return slack.slack(self.parts, row)
            case "mail":
                return self.mail(row.options["to"])
            case "apprise":
                return self.fanout(row)
            case _:
                raise Undelivered(f"This version cannot tell by {row.kind}.")
