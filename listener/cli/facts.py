"""How the facts that stages log are shown: one readable line each, on standard error."""

import sys
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any

import structlog

SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "read": lambda fact: f"read     {fact['source']}: {brought(fact)}",
    "heard": lambda fact: f"heard    {fact['source']}: {count(fact['mentions'], 'mention')}",
    "received": lambda fact: f"received {fact['source']}: {count(fact['mentions'], 'mention')}",
    "judged": lambda fact: (
        f"judged   {count(fact['mentions'], 'mention')}: {count(fact['flagged'], 'complaint')}, "
        f"{fact['unsure']} unsure; {count(fact['cases'], 'new case')} in the queue"
    ),
    "learnt": lambda fact: (
        f"learnt   {count(fact['lessons'], 'lesson')} of brand {fact['brand']}: learnt "
        f"{fact['version']} "
        + ("judges from now on" if fact["in_force"] else "was stopped by the gate")
    ),
    "source fails": lambda fact: (
        f"PROBLEM  {fact['source']}: {fact['why']}"
        + (f" It is asked again {fact['again']}." if "again" in fact else "")
    ),
    "source works again": lambda fact: (
        f"well     {fact['source']} answers again (it had failed since {fact['failed_since']} UTC)"
    ),
    "stream cut": lambda fact: (
        f"PROBLEM  {fact['source']}, its stream: {fact['why']} It is opened again {fact['again']}."
    ),
    "delivery refused": lambda fact: f"PROBLEM  {fact['source']}, a delivery: {fact['why']}",
    "page fails": lambda fact: (
        f"PROBLEM  the page {fact['path']}: {fact['why']}. That is a fault of ours: please report it."
    ),
    "stage fails": lambda fact: f"PROBLEM  {fact['stage']}: {fact['why']} It is tried again.",
    "stage works again": lambda fact: f"well     {fact['stage']} works again",
    "notice not told": lambda fact: (
        f"PROBLEM  {fact['channel']}: {fact['why']} The notice is sent again later."
    ),
    "notice given up": lambda fact: (
        f"PROBLEM  {fact['channel']} was never told of case {fact['case']}: {fact['why']} "
        "It is not tried again."
    ),
}


def set_up(*, quiet: bool = False) -> None:
    """Send facts to standard error; with `quiet`, only what went wrong."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(30 if quiet else 20),
        logger_factory=lambda *_: Steady(),
        cache_logger_on_first_use=False,
    )


class Steady:
    """Writes lines to standard error. One that cannot be written, on a full disk, stops nobody."""

    def msg(self, message: str) -> None:
        """Write one line, if it can be."""
        with suppress(OSError):
            sys.stderr.write(message + "\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = msg


def line(logger: Any, method: str, fact: MutableMapping[str, Any]) -> str:
    """One fact as one line."""
    del logger, method
    event, time = fact.pop("event"), fact.pop("timestamp")
    fact.pop("level", None)
    sentence = SENTENCES.get(event)
    if sentence is not None:
        return f"{time}  {sentence(dict(fact))}"
    rest = ", ".join(f"{name} {value}" for name, value in fact.items())
    return f"{time}  {event}{': ' if rest else ''}{rest}"


def brought(fact: dict[str, Any]) -> str:
    """What a page brought, in words."""
    words = [count(fact["posts"], "post"), count(fact["mentions"], "new mention")]
    words += [f"{fact['edits']} changed"] if fact["edits"] else []
    words += [f"{fact['gone']} deleted"] if fact["gone"] else []
    words += [f"{fact['unreadable']} set aside"] if fact["unreadable"] else []
    return ", ".join(words)


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
