"""Posts of our own that are learnt beside what staff say, so that what was right stays."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import orjson

from models.errors import BrokenModel
from models.verdict import Question

POSTS: Final = Path(__file__).parent.parent / "training" / "posts"
COUNT: Final = 1_600  # each is asked about once a night; more moved nothing (docs/learning.md)


@dataclass(frozen=True, slots=True)
class Ours:
    """One of our own posts, and what a careful reader says of it."""

    question: Question
    complaint: bool
    group: str  # the same for those that are each other's twins
    slices: tuple[str, ...]


@cache
def posts(count: int = COUNT) -> tuple[Ours, ...]:
    """So many of those that models are trained on, chosen by a hash: nobody picks.

    Blocks for some tenths of a second, once. BrokenModel when they were not installed.
    """
    found = sorted(_lines(), key=lambda post: sha256(post["id"].encode()).digest())
    if not found:
        raise BrokenModel(
            f"The posts of our own, beside which corrections are learnt, are not in {POSTS}. "
            "Install the listener again."
        )
    return tuple(_ours(post) for post in found[:count])


def _lines() -> Iterator[dict[str, Any]]:
    for batch in sorted(POSTS.glob("*.jsonl")):
        for line in batch.read_bytes().splitlines():
            post = orjson.loads(line)
            if post["split"] == "train":
                yield post


def _ours(post: dict[str, Any]) -> Ours:
    batch = post["id"].partition("-")[0]
    stars = post["stars"]
    return Ours(
        Question(
            text=post["text"],
            brand=post["brand"],
            stars=None if stars is None else float(stars),
            kind=post["kind"],
            language=post["language"],
            answers=post.get("thread"),
        ),
        complaint=post["complaint"],
        group=f"{batch}-pairs" if post["pair"] else post["id"],
        slices=(post["language"], post["sort"]),
    )
