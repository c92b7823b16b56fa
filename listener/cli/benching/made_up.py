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


def frames(made: Sequence[Post], *, seed: int = 2) -> list[bytes]:
    """The same as frames of a Jetstream, as a stream sends them, forty a second.

    Dressed as the network's posts are: two of five are replies, one of seven has pictures, one
    of eight a link with its card, one of ten a tag; one of four has signs such as “ … ☕️, one
    of seven goes on in Japanese, one of twenty in Portuguese.
    """
    rnd = random.Random(seed)  # noqa: S311
    return [orjson.dumps(_frame(post, number, rnd)) for number, post in enumerate(made)]


def _frame(post: Post, number: int, rnd: random.Random) -> dict[str, object]:
    cid = f"bafyrei{number:052d}"
    return {
        "did": f"did:plc:{post.author.id}",
        "time_us": int(NOW.timestamp() * 1_000_000) + number * 25_000,
        "kind": "commit",
        "commit": {
            "rev": f"3l{number:011d}",
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": f"3k{number:011d}",
            "record": {
                "$type": "app.bsky.feed.post",
                "createdAt": post.published.isoformat().replace("+00:00", "Z"),
                **_ornaments(cid, rnd),
                "langs": ["en"],
                "text": post.text + _tail(rnd.random()),
            },
            "cid": cid,
        },
    }


def _tail(chance: float) -> str:
    """How a post goes on."""
    if chance < 0.25:
        return " “really”… that’s it ☕️🎉"
    if chance < 0.40:
        return " 今日は天気がいいので、コーヒーを飲みに出かけました！また明日。"
    return " não é possível, atenção à promoção" if chance < 0.45 else ""


def _ornaments(cid: str, rnd: random.Random) -> dict[str, object]:
    """What hangs on a post beside its text."""
    found: dict[str, object] = {}
    if rnd.random() < 0.4:
        above = {"cid": cid, "uri": f"at://did:plc:{'a' * 24}/app.bsky.feed.post/{cid[-13:]}"}
        found["reply"] = {"parent": above, "root": above}
    chance = rnd.random()
    if chance < 0.14:
        blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/jpeg", "size": 412_345}
        picture = {"alt": "a cup on a table", "image": blob}
        found["embed"] = {"$type": "app.bsky.embed.images", "images": [picture]}
    elif chance < 0.265:
        link = f"https://news{rnd.randrange(200)}.example.org/{cid[-9:]}"
        card = {"uri": link, "title": "What happened today", "description": "All of it, in short."}
        found["embed"] = {"$type": "app.bsky.embed.external", "external": card}
        found["facets"] = [_facet({"$type": "app.bsky.richtext.facet#link", "uri": link})]
    elif chance < 0.365:
        found["facets"] = [_facet({"$type": "app.bsky.richtext.facet#tag", "tag": "news"})]
    return found


def _facet(feature: dict[str, str]) -> dict[str, object]:
    return {"features": [feature], "index": {"byteStart": 0, "byteEnd": 9}}
