"""Slack's message about a crisis: declared, how it goes on, what its lead is to write, ended.

Pure, and as careful as the cards of cases: an update stands in `plain_text` alone, so that a
customer's words that somebody pasted into it ping nobody.
"""

from typing import Final

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
from listener.channels.contract import Announced
from listener.domain.crisis import REMINDERS, Told

TEXT: Final = 2_000  # characters of an update; a block takes 3,000
SIGNS: Final = {
    Told.ENDED: ":white_check_mark:",
    Told.MISSED: ":warning:",
    Told.DUE: ":alarm_clock:",
}


def card(announced: Announced, home: str) -> list[Block]:
    """What is told of a crisis; `home` is the address of our own pages."""
    sign = SIGNS.get(announced.told, ":rotating_light:")
    head = f"{sign} *{escaped(announced.brand)}*: {escaped(announced.sentence, 600)}"
    cases = "1 open case" if announced.unclosed == 1 else f"{announced.unclosed} open cases"
    blocks = [section(marked(head))]
    if announced.text:
        blocks.append(section(plain(announced.text, TEXT)))
    blocks.append(
        context(marked(f"{moment(announced.at)} · {cases} · {escaped(announced.lead)} leads it"))
    )
    write = announced.told in REMINDERS
    number = str(announced.crisis_id)
    looking = button("open", "Write the update" if write else "Open", number)
    looking |= {"url": f"{home}/crises/{number}{'#update' if write else ''}"}
    blocks.append({"type": "actions", "elements": [looking]})
    return blocks


def spoken(announced: Announced) -> str:
    """The same in one line, for notifications and screen readers; no word from outside in it."""
    return f"CRISIS: {escaped(announced.brand)}: {escaped(announced.sentence, 600)}"
