"""What Slack shows beside cards: the reply in a modal, lists of cases, the home tab. All pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from listener.channels.cards import (
    Block,
    button,
    context,
    escaped,
    marked,
    moment,
    plain,
    section,
)

REPLY, TEXT = "reply", "text"
LISTED: Final = 10
TYPED: Final = 3_000  # what a field of Slack's takes
HELP: Final = (
    "*What /listener can do*\n"
    "`/listener` or `/listener mine`: your cases\n"
    "`/listener next`: take the most urgent case that nobody has\n"
    "`/listener take 7`: take case 7\n"
    "`/listener snooze 7 4h`: let case 7 sleep (90m, 4h, 3d, tomorrow, author, spreads)\n"
    "`/listener search cold coffee`: cases in which somebody says so\n"
    "`/listener join`: say once who you are"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A case in a list."""

    case_id: int
    brand: str
    place: str
    quote: str
    urgent: bool
    owner: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What somebody is shown who writes a reply; `rule` says why they post it by hand."""

    case_id: int
    quote: str
    draft: str
    most: int | None  # in the place's own unit
    unit: str
    by_hand: bool
    rule: str
    memory: str  # comes back with what they wrote


def modal(writing: Writing, home: str) -> dict[str, Any]:
    """The window in which a reply is written."""
    most = min(writing.most or TYPED, TYPED)
    limit = "" if writing.most is None else f"At most {writing.most:,} {writing.unit} there."
    if writing.most is None or writing.most > TYPED:
        limit += (
            f" Slack's field takes {TYPED:,} characters; longer replies are written on the page."
        )
    blocks = [section(plain(writing.quote or "Its words are gone.", 1_500))]
    if writing.by_hand:
        sentence = f"We cannot send there: {writing.rule} Post it by hand, then say so here."
        blocks.append(context(plain(sentence)))
        link = button("open", "Open the case", str(writing.case_id))
        link |= {"url": f"{home}/cases/{writing.case_id}"}
        blocks.append({"type": "actions", "elements": [link]})
    field: dict[str, Any] = {
        "type": "plain_text_input",
        "action_id": TEXT,
        "multiline": True,
        "max_length": most,
    }
    if writing.draft:
        field["initial_value"] = writing.draft[:most]
    blocks.append(
        {"type": "input", "block_id": REPLY, "label": plain("Your reply"), "element": field}
    )
    if limit:
        blocks.append(context(plain(limit.strip())))
    return {
        "type": "modal",
        "callback_id": REPLY,
        "private_metadata": writing.memory,
        "title": plain(f"Reply, case {writing.case_id}", 24),
        "submit": plain("I have posted it" if writing.by_hand else "Send", 24),
        "close": plain("Cancel", 24),
        "blocks": blocks,
    }


def listed(heading: str, lines: Sequence[Line], home: str) -> list[Block]:
    """Cases in a list, each with the way to it."""
    blocks = [section(marked(f"*{heading}*"))]
    for line in lines[:LISTED]:
        urgent = ":rotating_light: " if line.urgent else ""
        owner = f" · {escaped(line.owner)}" if line.owner else ""
        due = "" if line.due_at is None else f" · answer by {moment(line.due_at)}"
        head = (
            f"{urgent}<{home}/cases/{line.case_id}|Case {line.case_id}> · "
            f"{escaped(line.brand)} on {escaped(line.place)}{owner}{due}"
        )
        blocks.append(section(marked(head)))
        if line.quote:
            blocks.append(context(plain(line.quote, 200)))
    if len(lines) > LISTED:
        blocks.append(context(marked(f"and more: <{home}/queue|the whole queue>")))
    return blocks


def tab(name: str, lines: Sequence[Line], waiting: int, home: str) -> dict[str, Any]:
    """Somebody's home tab: what is theirs, and how much waits."""
    heading = f"{escaped(name)}, your cases" if lines else f"{escaped(name)}, no case is yours"
    blocks = listed(heading, lines, home)
    said = "1 case waits" if waiting == 1 else f"{waiting:,} cases wait"
    blocks.append(context(plain(f"{said} that nobody has.")))
    link = button("queue", "Open the queue", "queue") | {"url": f"{home}/queue"}
    following = button("next", "Take the next one", "next") | {"style": "primary"}
    blocks.append({"type": "actions", "elements": [following, link]})
    return {"type": "home", "blocks": blocks}


def stranger(link: str) -> list[Block]:
    """To somebody whom we do not know yet."""
    return [
        section(plain("Listener does not know yet who you are.")),
        section(marked(f"<{link}|Say it once>: sign in there. The link is good for 15 minutes.")),
    ]
