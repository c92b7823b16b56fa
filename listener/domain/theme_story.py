"""What became of a theme, in sentences that a colleague reads."""

from collections.abc import Mapping
from typing import Final

from listener.domain.theme import Became, ThemeEvent

# Where nobody is known, the words say it of the theme itself.
_PLAIN: Final[Mapping[Became, str]] = {
    Became.BEGAN: "It began",
    Became.SPLIT: "It began as a part of another theme",
    Became.MERGED: "It became a part of another theme",
    Became.ENDED: "It ended: nobody had said it for four weeks",
    Became.AGAIN: "It was said again, and goes on",
    Became.RENAMED: "{who} gave it a name",
    Became.MUTED: "{who} quieted it",
    Became.UNMUTED: "{who} put it among the others again",
    Became.GREW: "It grew",
    Became.OWNED: "{who} said that nobody sees to it",
    Became.LINKED: "{who} took its link away",
}


def sentence(
    event: ThemeEvent, number: int, staff: Mapping[int, str], names: Mapping[int, str]
) -> str:
    """A line of the history of theme `number`, without a stop.

    `staff` and `names` are what people and other themes are called, by their numbers.
    """
    who = "" if event.staff_id is None else staff.get(event.staff_id, "Somebody")
    if event.theme_id != number:
        return of_another(event, who, called(event.theme_id, names))
    other = "" if event.other is None else called(event.other, names)
    match event.what:
        case Became.BEGAN if event.words:
            return f"It began: {event.words} people said it"
        case Became.GREW if event.words:
            return f"It grew to {event.words} people"
        case Became.RENAMED if event.words:
            return f"{who} called it {event.words}"
        case Became.SPLIT if other:
            return f"{who} put it apart from {other}" if who else f"It began as a part of {other}"
        case Became.MERGED if other:
            return f"{who} made it a part of {other}" if who else f"It became a part of {other}"
        case Became.OWNED if event.other is not None:
            owner = staff.get(event.other, "somebody")
            return f"{who} sees to it" if owner == who else f"{who} gave it to {owner}"
        case Became.LINKED if event.words:
            return f"{who} linked it to {event.words}"
        case _:
            return _PLAIN[event.what].format(who=who or "Somebody")


def of_another(event: ThemeEvent, who: str, other: str) -> str:
    """What happened to another theme, and concerns this one."""
    if event.what is Became.MERGED:
        return f"{who} made {other} a part of it" if who else f"It took in {other}"
    return f"{who} put {other} apart from it" if who else f"A part of it went on as {other}"


def called(number: int, names: Mapping[int, str]) -> str:
    """A theme by its number and its name."""
    return f"theme {number} ({names[number]})" if number in names else f"theme {number}"
