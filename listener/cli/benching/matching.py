"""How many posts of a stream one core reads and looks through for all brands."""

import re
from collections.abc import Sequence
from time import perf_counter

from connectors.bluesky import frames
from connectors.bluesky.ear import Ear
from listener.domain.matching import Matcher
from listener.domain.query import parse


def ours(messages: Sequence[bytes], names: Sequence[str]) -> tuple[float, int]:
    """Messages a second, decoded and evaluated for every brand; and how many named one."""
    matcher = Matcher({number: parse(name) for number, name in enumerate(names)})
    ear = Ear((), since=None, ours=None)
    found = 0
    began = perf_counter()
    for message in messages:
        event = frames.read("jetstream", message, ear.last)
        page = None if event is None else ear.hear(event)
        if page is not None:
            found += len(matcher.matches(page.posts))
    return len(messages) / (perf_counter() - began), found


def pythons(texts: Sequence[str], names: Sequence[str]) -> float:
    """Texts a second with one regular expression of all names, as Python's `re` compiles it."""
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b", re.IGNORECASE)
    began = perf_counter()
    for text in texts:
        pattern.search(text)
    return len(texts) / (perf_counter() - began)
