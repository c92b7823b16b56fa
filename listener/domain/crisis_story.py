"""What became of a crisis, and what is told of it, in sentences that a colleague reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from listener.domain.crisis import Crisis, CrisisEvent, Told, Turn

ALL_LANGUAGES: Final = "all languages"


@dataclass(frozen=True, slots=True)
class Names:
    """What people are called, by their numbers."""

    staff: Mapping[int, str]

    def of(self, number: int | None) -> str:
        """Somebody's name."""
        return "Somebody" if number is None else self.staff.get(number, "Somebody")


def sentence(event: CrisisEvent, names: Names) -> str:
    """A line of a crisis's history, without a stop."""
    who = names.of(event.staff_id)
    match event.what:
        case Turn.DECLARED:
            return f"{who} declared it"
        case Turn.LED:
            lead = names.of(event.other)
            return f"{lead} leads it" if lead == who else f"{who} asked {lead} to lead it"
        case Turn.GREW:
            cases = "1 case" if event.words == "1" else f"{event.words} cases"
            return f"{who} brought {cases} in" if event.staff_id else f"{cases} joined it"
        case Turn.LEFT:
            return f"{who} took case {event.other} out"
        case Turn.WORDED:
            return f"{who} wrote the holding reply for {language(event.words)}"
        case Turn.APPROVED:
            return f"{who} approved the holding reply for {language(event.words)}"
        case Turn.TOLD:
            people = "1 person" if event.words == "1" else f"{event.words} people"
            return f"{who} sent the holding reply to {people}"
        case Turn.UPDATED:
            return f"{who} wrote an update"
        case Turn.MISSED:
            due = clock(datetime.fromisoformat(event.words)) if event.words else "then"
            return f"No update was written that was due {due}"
        case Turn.ENDED:
            return f"{who} ended it"


def language(words: str | None) -> str:
    """For which language a text is."""
    return words or ALL_LANGUAGES


def clock(moment: datetime) -> str:
    """A moment as it stands in a sentence."""
    return f"{moment:%d %b %H:%M} UTC"


def bulletin(
    crisis: Crisis, told: Told, *, who: str, lead: str, at: datetime, unclosed: int = 0
) -> str:
    """What a bulletin says, in one sentence or two; an update's own words come after it."""
    match told:
        case Told.DECLARED:
            leads = "They lead it" if who == lead else f"{lead} leads it"
            return (
                f"{who} declared a crisis: {crisis.name}. {leads}; there is an update every "
                f"{crisis.every} minutes."
            )
        case Told.LEADS:
            return (
                f"{lead} leads the crisis {crisis.name} now. The next update is due "
                f"{clock(crisis.update_due_at)}."
            )
        case Told.DUE:
            return (
                f"{crisis.name}: an update is due now. Say what is known, what is done and what "
                "comes next."
            )
        case Told.MISSED:
            return (
                f"{crisis.name}: the update that was due {clock(at)} was not written. The next "
                f"is due {clock(crisis.update_due_at)}; write it sooner if you can."
            )
        case Told.UPDATE:
            return f"{crisis.name}: update by {who}."
        case Told.ENDED:
            still = f"{unclosed} of its cases are" if unclosed != 1 else "1 of its cases is"
            return f"{who} ended the crisis {crisis.name}. {still} not closed yet."
