"""Digests on their way to their readers: by the operator's mail server, or in Slack."""

import asyncio

from aiosmtplib.errors import SMTPException

from listener.app import slack
from listener.app.parts import Parts
from listener.channels import digests, prints
from listener.channels.contract import Undelivered
from listener.channels.mail import WANTED, mailbox
from listener.domain.digest import Digest
from listener.domain.notice import SLACK
from listener.domain.picture import Pictures
from listener.domain.staff import Staff


async def send(
    parts: Parts, person: Staff, number: str, digest: Digest, pictures: Pictures, way: str
) -> None:
    """Send a digest to one reader; Undelivered says in words why it could not be."""
    if way == SLACK:
        await slack.digest(parts, person, number, digest, pictures)
    else:
        await mail(parts, person, number, digest, pictures)


async def mail(
    parts: Parts, person: Staff, number: str, digest: Digest, pictures: Pictures
) -> None:
    """Mail a digest to one reader."""
    server = parts.settings.mail
    if server is None:
        raise Undelivered(f"No mail leaves this house yet. {WANTED}")
    if not person.mail:
        raise Undelivered(f"{person.name} has no mail address here.")
    letter = digests.message(
        digest,
        sender=server.sender,
        to=mailbox(person.mail),
        url=parts.settings.url,
        number=number,
        house=parts.seal.mark("house")[:12],
        pictures=await asyncio.to_thread(prints.of_digest, digest, pictures),
    )
    try:
        async with server.client() as client:
            await client.send_message(letter)
    except (SMTPException, OSError, ValueError) as error:
        raise Undelivered(server.trouble(error)) from None
