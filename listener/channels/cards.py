"""Slack cards: what a channel is told of a case, as the blocks that show it.

Pure: a Telling in, blocks out. Whatever somebody outside has written stands in `plain_text`
alone, where Slack obeys nothing: no mention, no link, no mark-up. Our own words are `mrkdwn`,
and the names in them (brands, sources, people) have `&`, `<` and `>` escaped, so that nobody
is pinged by what they are called.
https://docs.slack.dev/reference/block-kit/blocks
"""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from listener.channels.contract import Telling
from listener.domain.card import Folded
from listener.domain.case import Status
from listener.domain.event import What

Block = dict[str, Any]

MOST_BLOCKS: Final = 50
LONGEST: Final = 3_000  # characters of a text
QUOTE: Final = 1_500  # characters of a post: the rest is behind the button
NAME: Final = 120
LISTED: Final = 8  # cases that a summary names
# What may be chosen to sleep for; the words are those of desk/snoozing.
SNOOZES: Final = (
    ("1h", "1 hour"),
    ("4h", "4 hours"),
    ("tomorrow", "Until tomorrow, 9:00"),
    ("3d", "3 days"),
    ("author", "Until the author answers"),
)


def escaped(text: str, most: int = NAME) -> str:
    """A name for use inside `mrkdwn`: it can neither ping, nor link, nor end what surrounds it."""
    short = shortened(visible(" ".join(text.split())), most)
    # A mark-up sign between words would be obeyed; behind a zero-width joiner none is.
    for sign in "*_~`":
        short = short.replace(sign, f"{sign}\u2060")
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def visible(text: str) -> str:
    """Text without what cannot be seen: controls, overrides of direction, zero-width signs."""
    return "".join(
        letter
        for letter in text
        if letter in "\n\u200d" or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co"}
    )


def shortened(text: str, most: int) -> str:
    """The beginning of a text, with a sign that there is more."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def plain(text: str, most: int = LONGEST) -> Block:
    """A text that nothing in it can break out of; a space where there would be none."""
    return {"type": "plain_text", "text": shortened(visible(text), most) or " ", "emoji": False}


def marked(text: str) -> Block:
    """A text of our own; what is not ours in it has been escaped."""
    return {"type": "mrkdwn", "text": shortened(text, LONGEST), "verbatim": True}


def section(text: Block) -> Block:
    """A paragraph."""
    return {"type": "section", "text": text}


def context(*texts: Block) -> Block:
    """A line of small print."""
    return {"type": "context", "elements": list(texts)}


def moment(at: datetime) -> str:
    """A moment, which Slack shows in every reader's own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%d %b %H:%M} UTC>"


def card(telling: Telling, home: str) -> list[Block]:
    """A case as a card; `home` is the address of our own pages."""
    done = telling.status is Status.CLOSED
    blocks = [section(marked(headline(telling)))]
    if words := quote(telling):
        blocks.append(section(plain(words, QUOTE)))
    elif telling.gone:
        blocks.append(section(plain("Its author has deleted the post; its words are gone here.")))
    small = [plain(f"By {telling.author}", NAME)] if telling.author else []
    if telling.reasons:
        small.append(plain("Why: " + " ".join(telling.reasons), 600))
    if small:
        blocks.append(context(*small))
    blocks.append(context(marked(standing(telling))))
    blocks.append(buttons(telling, home, done=done))
    return blocks


def headline(telling: Telling) -> str:
    """The meaning in one line: how bad, about whom, where, how many stars, how far it reaches."""
    where = escaped(telling.source or telling.connector)
    parts = [f"Case {telling.case_id}", f"{escaped(telling.brand)} on {where}"]
    if telling.urgent:
        parts.insert(0, ":rotating_light: URGENT")
    if telling.stars is not None:
        filled = min(max(round(telling.stars), 0), 5)
        parts.append("★" * filled + "☆" * (5 - filled))
    if telling.reach:
        parts.append(f"reaches {telling.reach:,}")
    if telling.mentions > 1:
        parts.append(f"said {telling.mentions} times")
    line = " · ".join(parts)
    return f"~{line}~" if telling.status is Status.CLOSED else f"*{line}*"


def quote(telling: Telling) -> str:
    """The post's words, with what named the brand marked »so«."""
    words, made, end = telling.quote, "", 0
    for start, stop in telling.marks:
        if end <= start < stop <= len(words):
            made += f"{words[end:start]}»{words[start:stop]}«"
            end = stop
    made += words[end:]
    return visible(made).strip()


def standing(telling: Telling) -> str:
    """How the case stands: whose it is, until when, and what became of it."""
    owner = f" by {escaped(telling.owner)}" if telling.owner else ""
    due = "" if telling.due_at is None else f" · answer by {moment(telling.due_at)}"
    if telling.snoozed_until is not None and telling.status is not Status.CLOSED:
        due = f" · sleeps until {moment(telling.snoozed_until)}"
    match telling.status:
        case Status.OPEN:
            return f"Waits for somebody to take it{due}"
        case Status.OWNED:
            since = "" if telling.taken_at is None else f" {moment(telling.taken_at)}"
            return f"Taken{owner}{since}{due}"
        case Status.ANSWERED:
            return f"Answered{owner}{lasted(telling, telling.answered_at)}"
        case Status.CLOSED:
            outcome = telling.outcome or "closed"
            return f"Closed: {outcome}{owner}{lasted(telling, telling.closed_at)}"


def lasted(telling: Telling, until: datetime | None) -> str:
    """When something was done, and how long after the case was opened."""
    if until is None:
        return ""
    if telling.opened_at is None:
        return f" · {moment(until)}"
    minutes = max(int((until - telling.opened_at).total_seconds() // 60), 0)
    hours, rest = divmod(minutes, 60)
    after = f"{minutes} min" if hours == 0 else f"{hours} h {rest} min"
    return f" · {moment(until)}, after {after}"


def buttons(telling: Telling, home: str, *, done: bool) -> Block:
    """What can be done about a case; about one that is done nothing but looking."""
    number = str(telling.case_id)
    looking = button("open", "Open", number) | {"url": f"{home}/cases/{number}"}
    if done:
        return {"type": "actions", "elements": [looking]}
    taken = telling.status is not Status.OPEN
    return {
        "type": "actions",
        "elements": [
            *([] if taken else [button("take", "Take", number) | {"style": "primary"}]),
            button("reply", "Reply", number),
            {
                "type": "static_select",
                "action_id": "snooze",
                "placeholder": plain("Snooze"),
                "options": [
                    {"text": plain(said), "value": f"{number} {words}"} for words, said in SNOOZES
                ],
            },
            button("not negative", "Not negative", number),
            button("not us", "Not us", number),
            looking,
        ],
    }


def button(action: str, text: str, value: str) -> Block:
    """One button; `action` comes back to us when it is pressed."""
    return {"type": "button", "action_id": action, "text": plain(text, 75), "value": value}


def spoken(telling: Telling) -> str:
    """The card in one line, for notifications and screen readers; no word from outside in it."""
    urgent = "URGENT: " if telling.urgent else ""
    where = escaped(telling.source or telling.connector)
    return f"{urgent}Case {telling.case_id}: a complaint about {escaped(telling.brand)} on {where}"


def aside(telling: Telling) -> str | None:
    """What the card's thread is told of a change; None where the card itself says enough."""
    match telling.what:
        case What.JOINED:
            return f"Said again: now {telling.mentions} times."
        case What.EDITED:
            return "Its author has changed the post."
        case What.DELETED:
            return "Its author has deleted the post; the quote was removed."
        case What.FOLLOWED:
            return "Its author has written again."
        case What.REOPENED:
            return "Open again: the customer is back, or somebody was not done."
        case What.ANSWERED:
            owner = f" by {escaped(telling.owner)}" if telling.owner else ""
            return f"Answered{owner}."
        case What.MISSED:
            return "A deadline was missed: somebody waits for us."
        case What.KEPT:
            return "No deadline was missed, by the hours of today."
        case _:
            return None


def risen(telling: Telling, home: str) -> list[Block]:
    """What is said aloud when a case becomes urgent that had been told of quietly."""
    link = button("open", "Open", str(telling.case_id)) | {"url": f"{home}/cases/{telling.case_id}"}
    return [
        section(marked(f":rotating_light: *Case {telling.case_id} is urgent now*")),
        context(marked(standing(telling))),
        {"type": "actions", "elements": [link]},
    ]


def summary(tellings: Sequence[Telling], shown: Folded, home: str) -> list[Block]:
    """A burst as one card: how many, the most pressing by name, and where all of them are."""
    named = sorted(tellings, key=lambda one: (not one.urgent, -one.priority, one.case_id))[:LISTED]
    blocks = [section(marked(f"*{counted(shown)}*"))]
    for one in named:
        blocks.append(context(marked(headline(one))))
        if words := quote(one):
            blocks.append(section(plain(words, 200)))
    if named and shown.total > len(named):
        blocks.append(context(plain(f"and {shown.total - len(named):,} more, all in the queue.")))
    link = button("queue", "Open the queue", "queue") | {"url": f"{home}/queue"}
    blocks.append({"type": "actions", "elements": [link]})
    return blocks


def counted(shown: Folded) -> str:
    """A burst in one line."""
    urgent = f" · {shown.urgent:,} urgent" if shown.urgent else ""
    waits = f"{shown.waiting:,} wait" if shown.waiting else "none waits"
    return f"{shown.total:,} new cases at once{urgent} · {waits} to be taken"
