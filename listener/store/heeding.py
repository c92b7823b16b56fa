"""Heeding: what people said of a text is believed when the same words come again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from listener.domain.correction import Better
from listener.domain.lesson import same_words
from listener.domain.likeness import alike, fingerprints
from listener.domain.triage import Circumstances, assess
from listener.store import lessons
from listener.store.lessons import Taught
from listener.store.mentions import Judged, Waiting
from listener.store.session import AsyncSession
from models.verdict import Verdict

LEAST = 40  # points of priority that a complaint has by itself
SAID = "Staff said of the same words: {}."


async def heed(session: AsyncSession, judged: Sequence[Judged]) -> list[Judged]:
    """The same, with the findings of those set right whose words people have judged before.

    What belongs to a case already is left to it. The last word counts.
    """
    brands = await lessons.brands_with_any(session, {one.mention.brand_id for one in judged})
    asked = {
        one.mention.id: (same(one.mention), near(one.mention))
        for one in judged
        if one.mention.brand_id in brands and one.mention.case_id is None
    }
    if not asked:
        return list(judged)
    bands = {band for prints in asked.values() for numbers in prints for band in numbers}
    known = await lessons.found(session, brands, bands)
    return [
        corrected(one, word) if (word := last_word(one.mention, asked, known)) else one
        for one in judged
    ]


def same(mention: Waiting) -> list[int]:
    """What leads to the very same words."""
    return same_words(mention.words, mention.names, mention.stars)


def near(mention: Waiting) -> list[int]:
    """What leads to nearly the same words."""
    return fingerprints(mention.words, mention.author)


def last_word(
    mention: Waiting,
    asked: Mapping[int, tuple[list[int], list[int]]],
    known: Mapping[tuple[int, int], Sequence[Taught]],
) -> Better | None:
    """What people said last of these words, or else of nearly the same."""
    if mention.id not in asked:
        return None
    exactly, nearly = (
        [taught for band in bands for taught in known.get((mention.brand_id, band), ())]
        for bands in asked[mention.id]
    )
    if exactly:
        return max(exactly, key=lambda taught: taught.correction_id).better
    copied = any(
        taught.better is Better.COMPLAINT and alike(taught.words, mention.words)
        for taught in nearly
    )
    return Better.COMPLAINT if copied else None


def corrected(one: Judged, better: Better) -> Judged:
    """A judged mention as people see it."""
    if better is not Better.COMPLAINT:
        finding = replace(
            one.finding,
            flagged=False,
            unsure=False,
            urgent=False,
            conflict=False,
            priority=0,
            reasons=(SAID.format(better.value),),
        )
        return replace(one, finding=finding)
    return complaint(one.mention, one.verdict, SAID.format("a complaint"))


def complaint(mention: Waiting, verdict: Verdict, reason: str) -> Judged:
    """A judged mention as a complaint beyond doubt, because people say so."""
    finding = assess(
        replace(verdict, complaint=1.0, unsure=False, alone=None),
        Circumstances(
            text=mention.words, stars=mention.stars, kind=mention.kind, reach=mention.reach
        ),
    )
    others = tuple(why for why in finding.reasons if not why.startswith("Reads like a complaint"))
    finding = replace(
        finding,
        flagged=True,
        unsure=False,
        complaint=verdict.complaint,
        priority=max(finding.priority, LEAST),
        reasons=(reason, *others),
    )
    return Judged(mention, verdict, finding)
