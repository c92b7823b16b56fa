"""Slack's card of an alarm: what rises, by how much, who sees to it, and in the end that it is over.

Pure, and as careful as the cards of cases: words of strangers stand in `plain_text` alone.
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
from listener.channels.contract import Warned
from listener.domain.crisis import OTHERWISE

QUOTE: Final = 300  # characters of a post
SEE_TO, PUT_OFF, DECLARE = "see to alarm", "put off alarm", "declare crisis"
FOR: Final = "4h"  # for how long the button puts it off


def card(warned: Warned, home: str) -> list[Block]:
    """An alarm, or that it is over; `home` is the address of our own pages."""
    says = f"{escaped(warned.brand)}: {escaped(warned.sentence, 500)}"
    if warned.over:
        head = f":white_check_mark: ~{says}~"
        stands = f"Over since {moment(warned.at)}"
    else:
        head = f":rotating_light: *{says}*"
        stands = f"Raised {moment(warned.at)}"
    if warned.who:
        stands += f" · {escaped(warned.who)} sees to it"
    blocks = [section(marked(head)), context(marked(stands))]
    if warned.why and not warned.over:
        blocks.insert(0, context(plain(warned.why)))
    if not warned.over:
        blocks += [section(plain(words, QUOTE)) for words, _ in warned.quotes if words.strip()]
    blocks.append(buttons(warned, home))
    return blocks


def buttons(warned: Warned, home: str) -> Block:
    """What can be done about it; of one that is over nothing but looking."""
    number = str(warned.alarm_id)
    looking = button("open", "Open", number) | {"url": f"{home}/alarms#alarm-{number}"}
    if warned.theme_id is not None:
        theme = button("theme", "The theme", number)
        ways = [looking, theme | {"url": f"{home}/themes/{warned.theme_id}"}]
    else:
        ways = [looking]
    if warned.over:
        return {"type": "actions", "elements": ways}
    seen = button(SEE_TO, "I see to it", number) | {"style": "primary"}
    later = button(PUT_OFF, "Put off for 4 hours", number)
    # Everybody who watches the brand hears of a crisis: Slack asks once more before it tells us.
    crisis = button(DECLARE, "Declare a crisis", number) | {
        "style": "danger",
        "confirm": {
            "title": plain("Declare a crisis?"),
            "text": plain(
                "What this alarm is about is answered first, all who watch the brand hear of it, "
                f"and you lead it, with an update every {OTHERWISE} minutes. Leads and managers "
                "may do so."
            ),
            "confirm": plain("Declare it"),
            "deny": plain("Not now"),
        },
    }
    return {"type": "actions", "elements": [*([] if warned.who else [seen]), later, crisis, *ways]}


def spoken(warned: Warned) -> str:
    """The alarm in one line, for notifications and screen readers; no word from outside in it."""
    says = f"{escaped(warned.brand)}: {escaped(warned.sentence, 500)}"
    return f"Over: {says}" if warned.over else f"ALARM: {says}"
