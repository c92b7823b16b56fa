"""A real mail server on this machine, with TLS, a login, and a drawer for what it was sent."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from listener.channels.mail import MailServer, Safety

USER, PASSWORD = "listener", "correct horse: battery"


@dataclass
class PostOffice:
    """Takes mail from whoever signs in over TLS."""

    port: int = 0
    certificate: Path = Path()
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: str | None = None  # what it answers instead of taking a mail
    unknown: set[str] = field(default_factory=set)  # whose mailbox is not here

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Somebody a mail is for."""
        del server, session, options
        if address in self.unknown:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """A whole mail has come."""
        del server
        assert session.authenticated
        if self.refuses is not None:
            return self.refuses
        mail = message_from_bytes(bytes(envelope.original_content or b""), policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"

    def server(self, **more: Any) -> MailServer:
        """How the listener is told of it."""
        told: dict[str, Any] = {
            "host": "localhost",
            "port": self.port,
            "sender": Address("Listener", "listener", "example.org"),
            "user": USER,
            "password": PASSWORD,
            "safety": Safety.TLS,
        }
        return MailServer(**told | more)


@asynccontextmanager
async def post_office(folder: Path, *, starttls: bool = False) -> AsyncIterator[PostOffice]:
    """A mail server, open until the block ends."""
    office = PostOffice(certificate=folder / "certificate.pem")
    key = folder / "key.pem"
    make_certificate(office.certificate, key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(office.certificate, key)

    def known(server: Any, session: Any, envelope: Any, how: str, who: Any) -> AuthResult:
        del server, session, envelope, how
        assert isinstance(who, LoginPassword)
        good = who.login == USER.encode() and who.password == PASSWORD.encode()
        return AuthResult(success=good, handled=False)

    def talk() -> SMTP:
        with warnings.catch_warnings():  # it does not know that the line is private already
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                office,
                hostname="office.example",
                tls_context=context if starttls else None,
                require_starttls=starttls,
                auth_required=True,
                auth_require_tls=starttls,
                authenticator=known,
            )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(talk, "127.0.0.1", 0, ssl=None if starttls else context)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()


def make_certificate(certificate: Path, key: Path) -> None:
    """A certificate for this machine, good for an hour, and its key."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    moment = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(hours=1))
        .not_valid_after(moment + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
