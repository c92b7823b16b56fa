"""How many posts of a stream one core reads and looks through for all brands."""

import re
from collections.abc import Sequence
from time import process_time

import orjson

from connectors.bluesky import frames, glance
from connectors.bluesky.ear import Ear
from listener.domain.matching import Matcher
from listener.domain.query import parse


def ours(messages: Sequence[bytes], names: Sequence[str]) -> tuple[float, int]:
    """Messages a second of processor time, and how many named a brand.

    Each is decoded as a source's stream decodes it and asked for every brand; one that may name
    a brand is made a post and evaluated.
    """
    matcher = Matcher({number: parse(name) for number, name in enumerate(names)})
    ear = Ear((), since=None, ours=None)
    found = 0
    began = process_time()
    for message in messages:
        at = glance.unwanted(message, matcher.may_match)
        if at and ear.let_by(at):
            continue
        event = frames.read("jetstream", message, ear.last, matcher.may_match)
        page = None if event is None else ear.hear(event)
        if page is not None:
            found += len(matcher.matches(page.posts))
    return len(messages) / (process_time() - began), found


def pythons(messages: Sequence[bytes], names: Sequence[str]) -> tuple[float, int]:
    """The same messages with one regular expression of all names, as Python's `re` compiles it.

    Decoded as quickly as can be, and the text is lowered beforehand: `re.IGNORECASE` is slower.
    No post is built.
    """
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")
    found = 0
    began = process_time()
    for message in messages:
        text = orjson.loads(message)["commit"]["record"]["text"]
        found += pattern.search(text.lower()) is not None
    return len(messages) / (process_time() - began), found
