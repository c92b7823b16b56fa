"""An alarm as a mail: its sentence in the subject, and the end of it in the same thread."""

from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

import css_inline

from listener.channels.contract import Warned
from listener.channels.letter import Envelope, environment, link, moment, quoted, still
from listener.channels.prints import illustrate, of_rise
from listener.channels.terminal import printable

SUBJECT: Final = 120


def letter(warned: Warned, envelope: Envelope) -> EmailMessage:
    """The mail: the same id at every try; that it is over is an answer to that it rings."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = envelope.sender, envelope.to
    mail["Subject"] = subject(warned)
    mail["Date"] = warned.at
    mail["Message-ID"] = f"<{warned.id}@{envelope.domain}>"
    thread = f"<alarm_thread_{warned.alarm_id}@{envelope.domain}>"
    mail["In-Reply-To"], mail["References"] = thread, thread
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if not warned.over:
        mail["Importance"] = "high"
    shown = words(warned, envelope)
    mail.set_content(plain(shown))
    drawn = [of_rise(warned.chart)] if warned.chart and not warned.over else []
    pictures = [(one, f"{one.name}.{warned.id}@{envelope.domain}") for one in drawn]
    made = environment().get_template("alarm.html").render(shown, pictures=pictures)
    page = css_inline.inline(made, keep_style_tags=False, load_remote_stylesheets=False)
    illustrate(mail, page, pictures)
    return mail


def subject(warned: Warned) -> str:
    """What it is about in one line."""
    said = printable(f"{'Over' if warned.over else 'Alarm'}: {warned.brand}: {warned.sentence}")
    return said if len(said) <= SUBJECT else said[: SUBJECT - 1].rstrip() + "…"


def words(warned: Warned, envelope: Envelope) -> dict[str, Any]:
    """What the letter says, whichever way it is read."""
    at = moment(warned.at, envelope.zone)
    who = printable(warned.who)
    return {
        "subject": subject(warned),
        "over": warned.over,
        "brand": still(printable(warned.brand)),
        "sentence": still(printable(warned.sentence)),
        "stands": f"Over since {at}." if warned.over else f"Raised {at}.",
        "who": f"{who} sees to it." if who else "",
        "why": "" if warned.over else printable(warned.why),
        "heard": "" if warned.over or warned.who else envelope.heard or "",
        "quotes": []
        if warned.over
        else [(still(quoted(said)), link(url)) for said, url in warned.quotes if said.strip()],
        "theme": f"{envelope.site}/themes/{warned.theme_id}" if warned.theme_id else "",
        "address": f"{envelope.site}/alarms#alarm-{warned.alarm_id}",
    }


def plain(shown: dict[str, Any]) -> str:
    """The letter for those who read text."""
    way = "Say that you see to it, or put it off"
    if shown["over"] or shown["heard"]:
        way = "All of it"
    parts = [
        shown["why"],
        f"{shown['brand']}: {shown['sentence']}",
        " ".join(part for part in (shown["stands"], shown["who"]) if part),
        *(
            "\n".join(f"> {line}" for line in said.splitlines()) + (f"\n{url}" if url else "")
            for said, url in shown["quotes"]
        ),
        f"The theme: {shown['theme']}" if shown["theme"] else "",
        f"Say that you see to it: {shown['heard']}" if shown["heard"] else "",
        f"{way}: {shown['address']}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
