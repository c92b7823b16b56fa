"""A crisis as mails in one thread: declared, how it goes on, what its lead is to write, ended."""

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

import css_inline

from listener.channels.contract import Announced
from listener.channels.letter import Envelope, environment, moment, still
from listener.channels.terminal import printable
from listener.domain.crisis import REMINDERS, Told

SUBJECT: Final = 120
SAID: Final = {
    Told.DECLARED: "declared",
    Told.LEADS: "you lead it",
    Told.DUE: "an update is due",
    Told.MISSED: "an update was missed",
    Told.UPDATE: "update",
    Told.ENDED: "over",
}


def letter(announced: Announced, envelope: Envelope) -> EmailMessage:
    """The mail: the same id at every try, in one thread with all others of its crisis."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = envelope.sender, envelope.to
    mail["Subject"] = subject(announced)
    mail["Date"] = announced.at
    mail["Message-ID"] = f"<{announced.id}@{envelope.domain}>"
    thread = f"<crisis_{announced.crisis_id}@{envelope.domain}>"
    mail["In-Reply-To"], mail["References"] = thread, thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if announced.told is not Told.ENDED:
        mail["Importance"] = "high"
    shown = words(announced, envelope)
    mail.set_content(said(shown))
    made = environment().get_template("crisis.html").render(shown)
    page = css_inline.inline(made, keep_style_tags=False, load_remote_stylesheets=False)
    mail.add_alternative(page, subtype="html")
    return mail


def subject(announced: Announced) -> str:
    """What it is about in one line."""
    line = f"Crisis: {announced.brand}: {announced.name}: {SAID[announced.told]}"
    line = printable(line)
    return line if len(line) <= SUBJECT else line[: SUBJECT - 1].rstrip() + "…"


def words(announced: Announced, envelope: Envelope) -> dict[str, Any]:
    """What the letter says, whichever way it is read."""
    writes = announced.told in REMINDERS
    cases = "1 case is" if announced.unclosed == 1 else f"{announced.unclosed} cases are"
    page = f"{envelope.site}/crises/{announced.crisis_id}"
    return {
        "subject": subject(announced),
        "brand": still(printable(announced.brand)),
        "sentence": still(printable(announced.sentence)),
        "text": still(whole(announced.text)),
        "stands": f"{moment(announced.at, envelope.zone)}. {cases} open. "
        f"{printable(announced.lead)} leads it.",
        "way": "Write the update" if writes else "Open the crisis",
        "address": f"{page}#update" if writes else page,
    }


def whole(text: str) -> str:
    """An update, all of it, without what could hide in it."""
    return "\n".join(printable(line).rstrip() for line in text.splitlines()).strip()


def said(shown: dict[str, Any]) -> str:
    """The letter for those who read text."""
    parts = [
        f"{shown['brand']}: {shown['sentence']}",
        shown["text"],
        shown["stands"],
        f"{shown['way']}: {shown['address']}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
