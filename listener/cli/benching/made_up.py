"""Posts and brands that nobody wrote, for measuring: seeded, so that every run is alike."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson

from connectors.kit.contract import Author, Post

_SPOKEN = """the my order still not here after nine days and nobody answers phone app broke
again today great coffee love it thanks team quick reply why was charged twice refund please bread
cold driver left parcel rain they said monday never came back queue hours staff kind shop new update
slow crash login password price up worst best morning evening train bus"""
WORDS = tuple(_SPOKEN.split())
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def brand_names(count: int) -> list[str]:
    """Invented names: two or three syllables, each once."""
    rnd = random.Random(7)  # noqa: S311  (made-up posts are no secret)
    parts = ["ba", "ko", "ri", "mel", "tor", "vin", "sa", "lu", "den", "pra", "zo", "kif", "nar"]
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(rnd.choices(parts, k=rnd.choice((3, 4, 5))))] = None
    return list(names)


def posts(count: int, names: Sequence[str], *, share: float = 1.0, seed: int = 1) -> list[Post]:
    """Posts of about 130 letters; `share` of them name one of the brands."""
    rnd = random.Random(seed)  # noqa: S311
    made = []
    for number in range(count):
        words = rnd.choices(WORDS, k=24)
        if rnd.random() < share:
            words[rnd.randrange(len(words))] = rnd.choice(names).title()
        author = f"person{rnd.randrange(100_000)}"
        made.append(
            Post(
                id=f"post-{seed}-{number}",
                url=f"https://place.example/{author}/{number}",
                text=" ".join(words),
                published=NOW - timedelta(seconds=number % 100_000),
                author=Author(id=author, name=author.title(), handle=author, reach=number % 5_000),
                language="en",
            )
        )
    return made


def frames(made: Sequence[Post]) -> list[bytes]:
    """The same as frames of a Jetstream, as a stream sends them."""
    return [
        orjson.dumps(
            {
                "did": f"did:plc:{post.author.id}",
                "time_us": int(post.published.timestamp() * 1_000_000) + number,
                "kind": "commit",
                "commit": {
                    "rev": f"3l{number:011d}",
                    "operation": "create",
                    "collection": "app.bsky.feed.post",
                    "rkey": f"3k{number:011d}",
                    "record": {
                        "$type": "app.bsky.feed.post",
                        "createdAt": post.published.isoformat().replace("+00:00", "Z"),
                        "langs": ["en"],
                        "text": post.text,
                    },
                    "cid": f"bafyrei{number:052d}",
                },
            }
        )
        for number, post in enumerate(made)
    ]
