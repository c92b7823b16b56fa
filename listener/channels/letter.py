"""A letter: one notice as a mail, in plain words and as a small page, with nothing foreign alive."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined

from listener.channels.contract import Telling
from listener.channels.terminal import change, printable, short
from listener.domain.notice import News

QUOTE = 1200
SUBJECT = 70
# What makes a mail program find an address in words where nobody meant a link.
_JOINTS = re.compile(r"(?<=\w)([.:@])(?=[\w/])")
WORD_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, and what the letter's links begin with."""

    sender: Address
    to: Sequence[Address]
    site: str
    house: str  # tells this installation's letters from all others
    zone: tzinfo = UTC
    heard: str | None = None  # where one says that one has heard of the case

    @property
    def domain(self) -> str:
        """What the ids of its letters end with."""
        return f"{self.house}.{self.sender.domain}"


def letter(telling: Telling, envelope: Envelope) -> EmailMessage:
    """The mail: the same id at every try, in one thread with all others of its case."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = envelope.sender
    mail["To"] = envelope.to
    mail["Subject"] = subject(telling)
    mail["Date"] = telling.at
    mail["Message-ID"] = f"<{telling.id}@{envelope.domain}>"
    thread = f"<case_{telling.case_id}@{envelope.domain}>"
    mail["In-Reply-To"], mail["References"] = thread, thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if telling.urgent:
        mail["Importance"] = "high"
    shown = words(telling, envelope)
    mail.set_content(plain(shown))
    mail.add_alternative(page(shown), subtype="html")
    return mail


def subject(telling: Telling) -> str:
    """What it is about in one line; of one case always the same, so that programs thread it."""
    urgent = "Urgent: " if telling.urgent else ""
    again = "" if telling.news is News.OPENED or telling.why else "Re: "
    said = short(telling.quote)
    if len(said) > SUBJECT:
        said = said[: SUBJECT - 1].rstrip() + "…"
    quoted = f": “{said}”" if said else ""
    return f"{again}{urgent}{printable(telling.brand)}, case {telling.case_id}{quoted}"


def words(telling: Telling, envelope: Envelope) -> dict[str, Any]:
    """What the letter says, whichever way it is read."""
    place = printable(telling.source or telling.connector)
    happened = "" if telling.news is News.OPENED else change(telling)
    stars = None if telling.stars is None else max(0, min(5, round(telling.stars)))
    return {
        "subject": subject(telling),
        "case": telling.case_id,
        "urgent": telling.urgent,
        "why": telling.why,
        "happened": f"Case {telling.case_id}: {happened}." if happened else "",
        "head": still(" on ".join(part for part in (printable(telling.brand), place) if part)),
        "stars": "" if stars is None else "★" * stars + "☆" * (5 - stars),
        "author": still(printable(telling.author)),
        "quote": still(quoted(telling.quote)),
        "reasons": list(telling.reasons),
        "owner": printable(telling.owner or ""),
        "due": "" if telling.due_at is None else moment(telling.due_at, envelope.zone),
        "case_url": f"{envelope.site}/cases/{telling.case_id}",
        "heard_url": envelope.heard,
        "post_url": link(telling.url),
        "site": envelope.site,
    }


def plain(shown: dict[str, Any]) -> str:
    """The letter for those who read text."""
    author = f"{shown['stars']} {shown['author']}".strip()
    parts = [
        shown["why"],
        shown["happened"],
        ("URGENT  " if shown["urgent"] else "") + shown["head"] + (f"\n{author}" if author else ""),
        "\n".join(f"> {line}" for line in shown["quote"].splitlines()),
        " ".join(shown["reasons"]),
        f"Answer by {shown['due']}" if shown["due"] else "",
        f"It is with {shown['owner']}." if shown["owner"] else "",
        f"Open the case: {shown['case_url']}",
        f"Say that you see to it: {shown['heard_url']}" if shown["heard_url"] else "",
        f"The post itself: {shown['post_url']}" if shown["post_url"] else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def page(shown: dict[str, Any]) -> str:
    """The letter as a page, its style written into every element as mail programs want it."""
    made = environment().get_template("letter.html").render(shown)
    return css_inline.inline(made, keep_style_tags=False, load_remote_stylesheets=False)


@cache
def environment() -> Environment:
    """Where the page comes from; all text in it is escaped."""
    return Environment(
        loader=PackageLoader("listener", "channels"), autoescape=True, undefined=StrictUndefined
    )


def quoted(text: str) -> str:
    """What somebody wrote, line by line, without what could turn it around or hide in it."""
    lines = [printable(line).strip() for line in text.splitlines()]
    said = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return said if len(said) <= QUOTE else said[: QUOTE - 1].rstrip() + "…"


def still(text: str) -> str:
    """Text in which no mail program finds a link of its own; it looks the same."""
    return _JOINTS.sub(WORD_JOINER + r"\1" + WORD_JOINER, text)


def link(url: str) -> str:
    """An address that may be followed, or nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    good = parts.scheme in {"http", "https"} and parts.hostname and url.isprintable()
    return url if good and " " not in url else ""


def moment(when: datetime, zone: tzinfo) -> str:
    """A moment by somebody's own clock."""
    return f"{when.astimezone(zone):%a %d %b, %H:%M %Z}"
