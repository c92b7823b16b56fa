"""Fan-out: plain words to Teams, Discord, Telegram, SMS and whatever else Apprise can reach."""

import asyncio
import logging
import socket
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from connectors.kit.web.guard import host_port, public
from listener.channels.contract import Announced, Channel, Telling, Undelivered, Warned
from listener.channels.terminal import alarm_lines, crisis_lines, lines

if TYPE_CHECKING:  # it takes most of a second to load, which every command would pay for
    from apprise import NotifyBase

LONGEST: Final = 1_000  # letters of a message: an SMS service pays for each
# Apprise's own words repeat addresses, in which there are keys, and what a service answered.
for name in ("apprise", "apprise.plugins"):
    logging.getLogger(name).setLevel(logging.CRITICAL + 1)

# Strangers' words must not ping anybody, nor become a tag of the service that they reach.
_HARMLESS: Final = str.maketrans({"@": "@\u2060", "<": "‹", ">": "›"})


class Unusable(Undelivered):
    """Its address has to be written anew."""

    lasting = True


@dataclass(frozen=True)
class Fanout(Channel):
    """One address of Apprise's, told in plain words; a service has no id by which it knows a repeat.

    `allow` are the private host:port pairs that may be reached, as for webhooks.
    """

    url: str = field(repr=False)  # holds the service's key
    home: str
    allow: Collection[str] = ()

    @property
    def service(self) -> str:
        """The name of the service; Unusable when the address is none."""
        return str(self.opened().service_name)

    def opened(self) -> "NotifyBase":
        """The service, ready to be told."""
        from apprise import Apprise, NotifyBase

        found = Apprise.instantiate(self.url, suppress_exceptions=True)
        if not isinstance(found, NotifyBase):
            raise Unusable(
                "Apprise cannot read this address. Write it as its list of services does, as in "
                "discord://webhook_id/webhook_token."
            )
        return found

    @override
    async def send(self, telling: Telling) -> None:
        said = "\n".join(line.plain for line in lines(telling))
        where = f"{self.home.rstrip('/')}/cases/{telling.case_id}"
        await self.tell(f"{telling.brand}: case {telling.case_id}", said, where)

    async def ring(self, warned: Warned) -> None:
        """An alarm, or that it is over."""
        said = "\n".join(line.plain for line in alarm_lines(warned))
        await self.tell(f"{warned.brand}: alarm", said, f"{self.home.rstrip('/')}/alarms")

    async def announce(self, announced: Announced) -> None:
        """How a crisis goes on."""
        said = "\n".join(line.plain for line in crisis_lines(announced))
        where = f"{self.home.rstrip('/')}/crises/{announced.crisis_id}"
        await self.tell(f"{announced.brand}: crisis", said, where)

    async def tell(self, title: str, said: str, where: str) -> None:
        """Say it, harmless, with the way to our own page."""
        body = f"{harmless(said)[:LONGEST]}\n{where}"
        await asyncio.to_thread(self.hand_over, harmless(title), body)

    def hand_over(self, title: str, body: str) -> None:
        """Hand it to the service, which may take a while."""
        from apprise import NotifyFormat, NotifyType

        service = self.opened()
        self.keep_out(service)
        if not service.notify(
            body=body, title=title, notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT
        ):
            raise Undelivered(
                f"{service.service_name} did not take it: it cannot be reached, or does not know "
                "the key in the address."
            )

    def keep_out(self, service: "NotifyBase") -> None:
        """Refuse an address that leads into a private network, unless it is allowed."""
        host = str(getattr(service, "host", None) or "")
        port = int(getattr(service, "port", None) or (443 if service.secure else 80))
        if not host or host_port(host, port) in self.allow:
            return
        try:
            found = socket.getaddrinfo(host, port, proto=socket.IPPROTO_TCP)
        except (OSError, UnicodeError):
            return  # no name of a machine: what stands there is an id of the service's
        if not all(public(ip_address(str(one[4][0]))) for one in found):
            raise Unusable(
                f"{host} is in a private network. If it is yours, name it in "
                f"LISTENER_ALLOW_HOSTS: {host_port(host, port)}."
            )


def harmless(words: str) -> str:
    """Words in which nothing pings, links or marks up."""
    return words.translate(_HARMLESS)
