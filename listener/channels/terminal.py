"""The terminal: each case in a few lines that can be read at a glance."""

from dataclasses import dataclass

from rich.console import Console
from rich.text import Text
from typing_extensions import override

from listener.channels.contract import Announced, Channel, Telling, Warned
from listener.domain.notice import News

QUOTE = 160


@dataclass(frozen=True)
class Terminal(Channel):
    """Prints cases to a console. Post text is data: no markup in it is obeyed."""

    console: Console

    @override
    async def send(self, telling: Telling) -> None:
        for line in lines(telling):
            self.console.print(line, soft_wrap=True, highlight=False)

    async def ring(self, warned: Warned) -> None:
        """An alarm in a few lines, or that it is over in one."""
        for line in alarm_lines(warned):
            self.console.print(line, soft_wrap=True, highlight=False)

    async def announce(self, announced: Announced) -> None:
        """How a crisis goes on, in a few lines."""
        for line in crisis_lines(announced):
            self.console.print(line, soft_wrap=True, highlight=False)


def lines(telling: Telling) -> list[Text]:
    """A case as lines: what is new, whose words, why, until when."""
    if telling.news is not News.OPENED:
        return [Text(f"  case {telling.case_id} {change(telling)}", style="dim")]
    head = Text()
    if telling.urgent:
        head.append(" URGENT ", style="bold reverse")
        head.append(" ")
    head.append(f"Case {telling.case_id}", style="bold")
    head.append(f"  {telling.brand} on {telling.source or telling.connector}")
    if telling.stars is not None:
        filled = round(telling.stars)
        head.append("  " + "★" * filled + "☆" * (5 - filled))
    if telling.author:
        head.append(f"  {printable(telling.author)}")
    if telling.due_at is not None:
        same_day = telling.due_at.date() == telling.at.date()
        head.append(f"  answer by {telling.due_at:{'%H:%M' if same_day else '%a %H:%M'}} UTC")
    quoted = short(telling.quote)
    quote = [Text(f"  “{quoted}”")] if quoted else []  # stars alone, or deleted meanwhile
    why = Text("  " + " ".join(telling.reasons), style="dim")
    return [head, *quote, why]


def alarm_lines(warned: Warned) -> list[Text]:
    """An alarm as lines: what rises, by how much, whose words."""
    if warned.over:
        return [Text(f"  alarm {warned.alarm_id} is over: {warned.brand}", style="dim")]
    head = Text()
    head.append(" ALARM ", style="bold reverse")
    head.append(f" {warned.brand}", style="bold")
    head.append(f": {warned.sentence}")
    return [head, *(Text(f"  “{short(words)}”") for words, _ in warned.quotes if words)]


def crisis_lines(announced: Announced) -> list[Text]:
    """What is told of a crisis, as lines."""
    head = Text()
    head.append(" CRISIS ", style="bold reverse")
    head.append(f" {printable(announced.brand)}", style="bold")
    head.append(f": {printable(announced.sentence)}")
    said = announced.text.splitlines()
    return [head, *(Text(f"  {printable(line)}") for line in said if line.strip())]


def change(telling: Telling) -> str:
    """What happened to a case, in a few words."""
    by = f" by {telling.owner}" if telling.owner else ""
    return {
        "joined": f"said again, now in {telling.mentions} places",
        "taken": f"taken{by}",
        "taken over": f"taken over{by}",
        "released": "given back",
        "closed": f"closed: {telling.outcome}",
        "edited": "its author changed the post",
        "deleted": "its author deleted the post",
        "reopened": "reopened",
        "confirmed": "confirmed as a complaint",
        "assigned": f"given to {telling.owner}",
        "snoozed": "snoozed",
        "woken": "back from its sleep",
        "undone": "put back as it was a moment ago",
        "priority changed": f"judged again, priority {telling.priority}",
    }.get(telling.what.value, telling.what.value)


def short(text: str) -> str:
    """The first words of a post, on one line."""
    title, _, rest = text.partition("\n\n")
    if rest and title[-1:].isalnum():
        title += "."
    text = printable(" ".join(f"{title} {rest}".split()))
    return text if len(text) <= QUOTE else text[: QUOTE - 1].rstrip() + "…"


def printable(text: str) -> str:
    """Text without the control characters that could drive a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
