"""Mail: notices go out over the operator's own mail server, encrypted and signed in."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from enum import Enum
from ipaddress import ip_address
from typing import Final

import aiosmtplib
import structlog
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPTimeoutError,
)
from typing_extensions import override

from listener.channels import alarm_letter, crisis_letter
from listener.channels.contract import Announced, Channel, Telling, Undelivered, Warned
from listener.channels.letter import Envelope, letter

log = structlog.get_logger(__name__)

PATIENCE: Final = 20.0  # seconds; well within the lease of a notice
WANTED: Final = (
    "LISTENER_SMTP says which mail server to use, for example "
    "smtps://listener:password@mail.example.org:465."
)


class Safety(Enum):
    """How the line to a mail server is kept private."""

    TLS = "from the first byte"
    STARTTLS = "asked for before anything is said"
    NONE = "not at all: the server is this machine"


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's mail server, and in whose name it sends."""

    host: str
    port: int
    sender: Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    safety: Safety = Safety.TLS

    def client(self) -> aiosmtplib.SMTP:
        """A connection to it that is not open yet."""
        safe = self.safety is not Safety.NONE
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user,
            password=self.password,
            timeout=PATIENCE,
            use_tls=self.safety is Safety.TLS,
            start_tls=self.safety is Safety.STARTTLS,
            tls_context=ssl.create_default_context() if safe else None,
        )

    async def check(self) -> str:
        """Sign in and leave again; a sentence when that works, else Undelivered says what does not."""
        try:
            async with self.client() as client:
                await client.noop()
        except (SMTPException, OSError, ValueError) as error:
            raise Undelivered(self.trouble(error)) from None
        who = f" as {self.user}" if self.user else ""
        return f"{self.host} lets us in{who} and would send from {self.sender.addr_spec}."

    def trouble(self, error: Exception) -> str:
        """What is wrong, and what to do, in a sentence; never what the server made of our words."""
        place = f"The mail server {self.host}:{self.port}"
        causes = {type(one) for one in chain(error)}
        if ssl.SSLCertVerificationError in causes:
            return (
                f"{place} shows a certificate that is not trusted or not its own. Use the name "
                "that the certificate has, or make its issuer known (SSL_CERT_FILE)."
            )
        if any(issubclass(cause, ssl.SSLError) for cause in causes):
            return (
                f"{place} does not speak TLS as it is asked. Ports for smtps:// are mostly 465, "
                "for smtp:// with STARTTLS 587."
            )
        match error:
            case SMTPAuthenticationError():
                return (
                    f"{place} does not accept the user and password in LISTENER_SMTP. Some "
                    "providers want a password made for programs."
                )
            case SMTPNotSupported() if self.safety is Safety.STARTTLS:
                return f"{place} offers no STARTTLS, or no login. Use smtps:// if it has that."
            case SMTPNotSupported():
                return f"{place} offers no login, but LISTENER_SMTP has a user and password."
            case SMTPSenderRefused(code=code):
                return (
                    f"{place} refuses to send from {self.sender.addr_spec} ({code}). Put into "
                    "LISTENER_MAIL_FROM an address that this login may use."
                )
            case SMTPRecipientsRefused(recipients=refused):
                return f"{place} accepts none of the addresses ({codes(refused)})."
            case SMTPTimeoutError() | TimeoutError():
                return f"{place} does not answer in {PATIENCE:.0f} s."
            case SMTPResponseException(code=code):
                return f"{place} answered {code}."
            case SMTPConnectError() | OSError():
                return f"{place} cannot be reached. Is the name right, and the port open?"
            case _:
                return f"{place} broke off ({type(error).__name__})."


@dataclass(frozen=True)
class Mail(Channel):
    """Writes to one or more mailboxes.

    The mail is repeated only under the same Message-ID: a server or a mail program that has it
    already can tell.
    """

    server: MailServer
    to: Sequence[str]
    site: str
    house: str
    zone: tzinfo = UTC
    heard: Callable[[str], str] | None = None  # where to say so, by the notice's id

    @override
    async def send(self, telling: Telling) -> str | None:
        heard = None if self.heard is None else self.heard(telling.id)
        refused = await self.post(letter(telling, self.envelope(heard)))
        if not refused:
            return None
        log.warning("mail refused for some", case=telling.case_id, refused=len(refused))
        names = " and ".join(refused)
        return f"The mail server {self.server.host} does not take mail for {names}."

    async def ring(self, warned: Warned) -> None:
        """An alarm, or that it is over."""
        heard = None if self.heard is None else self.heard(warned.id)
        refused = await self.post(alarm_letter.letter(warned, self.envelope(heard)))
        if refused:
            log.warning("mail refused for some", alarm=warned.alarm_id, refused=len(refused))

    async def announce(self, announced: Announced) -> None:
        """How a crisis goes on."""
        refused = await self.post(crisis_letter.letter(announced, self.envelope()))
        if refused:
            log.warning("mail refused for some", crisis=announced.crisis_id, refused=len(refused))

    def envelope(self, heard: str | None = None) -> Envelope:
        """Who writes to whom."""
        return Envelope(
            sender=self.server.sender,
            to=[mailbox(address) for address in self.to],
            site=self.site,
            house=self.house,
            zone=self.zone,
            heard=heard,
        )

    async def post(self, mail: EmailMessage) -> Sequence[str]:
        """Hand a mail to the server; the addresses among its readers that it refuses."""
        try:
            async with self.server.client() as client:
                refused, _ = await client.send_message(mail)
        except (SMTPException, OSError, ValueError) as error:
            raise Undelivered(self.server.trouble(error)) from None
        return sorted(refused)


def mailbox(address: str) -> Address:
    """An address to write to; Undelivered when it is none."""
    try:
        found = Address(addr_spec=address)
    except (ValueError, IndexError, MessageError):
        found = Address()
    if not (found.username and found.domain and address.isascii() and address.isprintable()):
        raise Undelivered(f"{address!r} is no address that mail can be sent to.")
    return found


def chain(error: BaseException | None) -> list[BaseException]:
    """An error and what it came from."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def codes(refused: Sequence[SMTPRecipientRefused]) -> str:
    """The numbers with which a server refused recipients."""
    return ", ".join(sorted({str(one.code) for one in refused}))


def this_machine(host: str) -> bool:
    """Whether a host can only be this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
