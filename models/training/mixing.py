"""Mixes what one epoch learns from: our own posts, varied, among public texts, alike in length."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from models.training.sets import Example

BATCH = 32
SHUFFLED = 500  # batches' worth of examples that are sorted by length together
RENAMED, MISTAKEN, STARLESS = 0.25, 0.10, 0.35  # shares of our own posts, anew in every epoch
NAMED = 0.4  # of the public texts, which name nobody: asked about one of our brands all the same
OTHERS = frozenset(
    {
        "Acrelle", "Bantry Foods", "Bluepennant", "Brightmoor", "Calloway & Finch", "Candor",
        "Cloudvale", "Corvid Mobile", "Dovetail Bank", "Easterly", "Elmswick", "Fenwright",
        "Fjordbus", "Garnet Health", "Glimt", "Hallam Rail", "Hobnob Cafe", "Ironbark", "Jolt",
        "Juniper Home", "Kestrelpay", "Kirkmoor", "Lumo", "Maisonette", "Nettle", "Northbank",
        "Nuvola", "Ostrea", "Parsley & Co", "Pingwell", "Quayside Hotels", "Quill", "Ravello",
        "Rosten", "Saltmarsh", "Skylane", "Tandem Energy", "Tidewater", "Ulmo", "Umbra Games",
        "Vantry", "Velobee", "Wexcombe", "Wickerbay", "Xantis", "Yarrow", "Yonder Travel", "Zelta",
        "Zumo Fit", "Thistle Water",
    }
)  # fmt: skip  # invented as well, so that more names are met than posts are about


def batches(
    own: Sequence[Example], replay: Sequence[Example], share: float, chance: random.Random
) -> Iterator[list[Example]]:
    """One epoch: our posts among so many public texts for each.

    Contrast twins stand side by side in one batch, so that they can be told apart there.
    """
    names = sorted({example.brand for example in own} | OTHERS)
    chosen = [[varied(example, names, chance) for example in group] for group in together(own)]
    count = min(len(replay), int(share * sum(map(len, chosen))))
    chosen += [[asked(example, names, chance)] for example in chance.sample(replay, count)]
    chance.shuffle(chosen)
    found: list[list[Example]] = []
    for start in range(0, len(chosen), BATCH * SHUFFLED):
        near = sorted(
            chosen[start : start + BATCH * SHUFFLED],
            key=lambda one: len(one[0].text) + len(one[0].answers or ""),
        )
        found += filled(near)
    chance.shuffle(found)
    yield from found


def together(own: Sequence[Example]) -> list[list[Example]]:
    """Contrast twins together, every other post alone."""
    groups: dict[str, list[Example]] = {}
    for number, example in enumerate(own):
        groups.setdefault(example.twins or f"alone {number}", []).append(example)
    return list(groups.values())


def filled(groups: Sequence[Sequence[Example]]) -> Iterator[list[Example]]:
    """Batches of whole groups, in order."""
    batch: list[Example] = []
    for group in groups:
        if batch and len(batch) + len(group) > BATCH:
            yield batch
            batch = []
        batch += group
    if batch:
        yield batch


def parts(batch: Sequence[Example], count: int) -> list[tuple[list[Example], float]]:
    """A batch in so many parts of whole groups, each with its share of the whole."""
    found: list[list[Example]] = [[] for _ in range(count)]
    for group in together(batch):
        min(found, key=len).extend(group)
    return [(part, len(part) / len(batch)) for part in found]


def twins(batch: Sequence[Example]) -> list[tuple[int, int]]:
    """Where in a batch a complaint and its contrast twin stand."""
    return [
        (at, at + 1) if one.complaint else (at + 1, at)
        for at, (one, other) in enumerate(pairwise(batch))
        if one.twins and one.twins == other.twins and one.complaint is not other.complaint
    ]


def varied(example: Example, names: Sequence[str], chance: random.Random) -> Example:
    """A post as another brand's customer would have written it, or asked about a wrong brand.

    So the network cannot learn which of our brands are bad, and must look whom a text is about.
    """
    if example.stars is not None and chance.random() < STARLESS and not example.twins:
        example = replace(example, stars=None, taught=None)
    draw = chance.random()
    other = chance.choice(names)
    if example.fixed or other == example.brand or other.casefold() in example.text.casefold():
        return example
    if draw < RENAMED:
        text = renamed(example.text, example.brand, other)
        answers = example.answers and renamed(example.answers, example.brand, other)
        return replace(example, brand=other, text=text, answers=answers)
    if draw < RENAMED + MISTAKEN and example.brand.casefold() in example.text.casefold():
        return replace(
            example, brand=other, stars=None, complaint=False, urgent=None, harm=None, taught=None
        )
    return example


def renamed(text: str, brand: str, other: str) -> str:
    """The text with another brand's name, in small letters, capitals or as a handle as before."""

    def written(found: re.Match[str]) -> str:
        name = (
            other.lower() if found[0].islower() else other.upper() if found[0].isupper() else other
        )
        return (
            name.replace(" ", "") if text[found.start() - 1 : found.start()] in {"@", "#"} else name
        )

    return re.sub(re.escape(brand), written, text, flags=re.IGNORECASE)


def asked(example: Example, names: Sequence[str], chance: random.Random) -> Example:
    """A public text, now and then asked about a brand that it does not name."""
    if example.brand or chance.random() > NAMED:
        return example
    return replace(example, brand=chance.choice(names), taught=None)
