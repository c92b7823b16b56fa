"""What Slack refuses in blocks: their limits, as its reference states them."""

from collections.abc import Mapping
from typing import Any


def marked_up(asked: Mapping[str, Any]) -> list[str]:
    """All texts of a message in which Slack obeys mark-up."""
    found = [asked.get("text", "")]

    def look(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("type") == "mrkdwn":
                found.append(part["text"])
            for one in part.values():
                look(one)
        elif isinstance(part, list):
            for one in part:
                look(one)

    look(asked.get("blocks", []))
    return found


def faults(blocks: list[dict[str, Any]], *, most: int = 50) -> list[str]:
    """What the real one would call invalid_blocks."""
    why = (
        [] if len(blocks) <= most else [f"no more than {most} items allowed [json-pointer:/blocks]"]
    )
    for number, block in enumerate(blocks):
        where = f"[json-pointer:/blocks/{number}]"
        match block.get("type"):
            case "section":
                why += text_faults(block.get("text"), 3_000, where)
            case "header":
                why += text_faults(block.get("text"), 150, where, plain=True)
            case "context":
                elements = block.get("elements", [])
                if not 1 <= len(elements) <= 10:
                    why.append(f"must have 1 to 10 elements {where}")
                for one in elements:
                    why += text_faults(one, 3_000, where)
            case "actions":
                elements = block.get("elements", [])
                if not 1 <= len(elements) <= 25:
                    why.append(f"must have 1 to 25 elements {where}")
                names = [one.get("action_id") for one in elements]
                if len(set(names)) != len(names):
                    why.append(f"action_id must be unique {where}")
                for one in elements:
                    why += element_faults(one, where)
            case "input":
                why += text_faults(block.get("label"), 2_000, where, plain=True)
                longest = block.get("element", {}).get("max_length", 3_000)
                if not 1 <= longest <= 3_000:
                    why.append(f"max_length must be 1 to 3000 {where}")
            case "divider":
                pass
            case kind:
                why.append(f"unsupported type: {kind} {where}")
    return why


def element_faults(element: Mapping[str, Any], where: str) -> list[str]:
    """What is wrong with a button or a menu."""
    match element.get("type"):
        case "button":
            why = text_faults(element.get("text"), 75, where, plain=True)
            if len(element.get("value", "")) > 2_000 or len(element.get("url", "")) > 3_000:
                why.append(f"must be less than 2001 characters {where}")
            if element.get("style", "primary") not in ("primary", "danger"):
                why.append(f"invalid style {where}")
            if "confirm" in element:
                why += asking_faults(element["confirm"], where)
            return why
        case "static_select":
            options = element.get("options", [])
            why = [] if 1 <= len(options) <= 100 else [f"must have 1 to 100 options {where}"]
            why += text_faults(element.get("placeholder"), 150, where, plain=True)
            for one in options:
                why += text_faults(one.get("text"), 75, where, plain=True)
                if not 1 <= len(one.get("value", "")) <= 150:
                    why.append(f"value must be 1 to 150 characters {where}")
            return why
        case kind:
            return [f"unsupported element: {kind} {where}"]


def asking_faults(asked: Mapping[str, Any], where: str) -> list[str]:
    """What is wrong with what is asked before a button counts as pressed."""
    lengths = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
    why = [f"invalid additional property {where}"] if set(asked) - {*lengths, "style"} else []
    for part, most in lengths.items():
        why += text_faults(asked.get(part), most, where, plain=True)
    return why


def text_faults(text: Any, most: int, where: str, *, plain: bool = False) -> list[str]:
    """What is wrong with a text."""
    if not isinstance(text, dict):
        return [f"missing text {where}"]
    kinds = {"plain_text"} if plain else {"plain_text", "mrkdwn"}
    why = [] if text.get("type") in kinds else [f"must be one of {sorted(kinds)} {where}"]
    known = {"type", "text", "emoji" if text.get("type") == "plain_text" else "verbatim"}
    if set(text) - known:
        why.append(f"invalid additional property {where}")
    # Counted as the strictest client does: in UTF-16, with what it escapes itself.
    shown = text.get("text", "").encode("utf-16-le")
    if not 1 <= len(shown) // 2 <= most:
        why.append(f"must be 1 to {most} characters {where}")
    return why
