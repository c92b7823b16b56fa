"""Story: what happened to a case, in sentences that a colleague reads."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from listener.domain.event import Event, What

_BY_SOMEBODY = {
    What.CONFIRMED: "{who} confirmed that it is a complaint",
    What.TAKEN: "{who} took it",
    What.ACKNOWLEDGED: "{who} has seen it, and sees to it",
    What.WRITTEN: "{who} wrote a reply",
    What.WITHDRAWN: "{who} took the reply back",
    What.FAILED: "The reply of {who} failed",
    What.ANSWERED: "{who} answered",
    What.REOPENED: "{who} reopened it",
    What.CORRECTED: "{who} said that the model had missed it",
    What.NOTED: "{who} wrote a note",
    What.RESENT: "{who} sent a notice again",
    What.WOKEN: "{who} woke it",
}
_BY_ITSELF = {
    What.OPENED: "Opened",
    What.CONFIRMED: "Plainer words settled that it is a complaint",
    What.WITHDRAWN: "The reply was taken back",
    What.FAILED: "A reply failed, or nobody knows whether it stands there",
    What.ANSWERED: "Answered",
    What.REOPENED: "Reopened: its author is back",
    What.JOINED: "Said again in another place",
    What.EDITED: "Its author changed the post",
    What.DELETED: "Its author deleted the post",
    What.FOLLOWED: "Its author wrote again",
    What.PRIORITY: "Judged again",
    What.CLOSED: "Closed",
    What.RELEASED: "Back in the queue",
    What.ROUTED: "Looked for a team",
    What.ESCALATED: "Nobody had heard it",
}


def sentence(event: Event, names: Mapping[int, str]) -> str:
    """One event in words, without a stop; `names` are those of staff, by number."""
    who = names.get(event.staff_id, "Somebody") if event.staff_id is not None else None
    details = event.details
    if who is None:
        return _itself(event, details)
    match event.what:
        case What.TAKEN_OVER:
            return f"{who} took it over from {_name(details, 'from', names)}"
        case What.ASSIGNED:
            to = _name(details, "to", names)
            return f"{who} made it their own" if to == who else f"{who} gave it to {to}"
        case What.RELEASED:
            owner = _name(details, "from", names, who)
            mine = owner in (who, "nobody")
            if details.get("why"):
                return f"{who} gave it back: {details['why']}"
            return f"{who} gave it back" if mine else f"{who} took it back from {owner}"
        case What.CLOSED:
            return f"{who} closed it: {details.get('outcome', 'done')}"
        case What.SNOOZED:
            return f"{who} snoozed it {_until(details)}"
        case What.TAGGED if details.get("called"):
            return f"{who} brought it into the crisis {details['called']}"
        case What.UNTAGGED if details.get("called"):
            return f"{who} took it out of the crisis {details['called']}"
        case What.TAGGED:
            return f"{who} put the tag {details.get('tag')} on it"
        case What.UNTAGGED:
            return f"{who} took the tag {details.get('tag')} off"
        case What.RESENT if details.get("to"):
            return f"{who} sent the notice to {details['to']} again"
        case What.UNDONE:
            return f"{who} took back: {details.get('what')}"
        case _:
            known = _BY_SOMEBODY.get(event.what, f"{{who}}: {event.what}")
            return known.format(who=who)


def _itself(event: Event, details: Mapping[str, Any]) -> str:
    if event.what is What.WOKEN:
        return f"Back from its sleep: {details.get('why', 'its time has come')}"
    if event.what is What.TAGGED and details.get("called"):
        return f"It joined the crisis {details['called']}"
    if event.what is What.ANSWERED and details.get("elsewhere"):
        return "An answer of ours stands on the place itself"
    if event.what is What.RELEASED and details.get("why"):
        return f"Back in the queue: {details['why']}"
    if event.what in (What.WARNED, What.MISSED, What.KEPT) and details.get("due"):
        return _of_a_clock(event, details)
    if event.what in (What.ROUTED, What.ESCALATED) and details.get("says"):
        return " ".join(str(one) for one in details["says"]).removesuffix(".")
    return _BY_ITSELF.get(event.what, event.what.value.capitalize())


def _of_a_clock(event: Event, details: Mapping[str, Any]) -> str:
    due = f"{datetime.fromisoformat(details['due']):%d %b %H:%M} UTC"
    clock = details.get("clock", "reply")
    if event.what is What.WARNED:
        return f"{details.get('level')} % of the time for the {clock} is over; due {due}"
    if event.what is What.MISSED:
        return f"The {clock} was due {due}, and was not there"
    return f"The {clock} that was due {due} was not missed: {details.get('why', 'it was in time')}"


def _name(
    details: Mapping[str, Any], field: str, names: Mapping[int, str], default: str = "nobody"
) -> str:
    number = details.get(field)
    return default if number is None else names.get(number, "somebody")


def _until(details: Mapping[str, Any]) -> str:
    moment = datetime.fromisoformat(details["until"]) if details.get("until") else None
    until = f"{moment:%d %b %H:%M} UTC" if moment else "later"
    if details.get("on_answer"):
        return f"until its author answers, at the latest {until}"
    if people := details.get("people"):
        more = "1 more person says" if people == 1 else f"{people} more people say"
        return f"until {more} the same (theme {details.get('theme')}), at the latest {until}"
    return f"until {until}"
