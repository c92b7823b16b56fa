"""Announcing: a theme's people are told together that it is put right, each in their own case."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from listener.desk import replies, taking, theming
from listener.desk.replies import Box, Cause, Rules
from listener.domain.case import Case
from listener.domain.mention import Mention
from listener.domain.record import NotAllowed
from listener.domain.reply import UNDO, length
from listener.domain.wording import filled, written
from listener.store import brands, cases, mentions, people, portraits, themes
from listener.store import replies as outbox
from listener.store.session import Store, now

MOST: Final = 50  # cases that are looked at; each person is approved by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who says it, with what they would be told. `why_not` is empty when they can be."""

    case_id: int
    author: str
    place: str
    said: str
    text: str
    seen: str
    signs: int
    limit: int | None
    unit: str
    why_not: str


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling one of them."""

    case_id: int
    done: bool
    said: str


@dataclass(frozen=True, slots=True)
class Round:
    """What is the same for everybody who is told.

    `text` is what a mention's author is told, before its places are filled; None where there is
    nothing in their language.
    """

    text: Callable[[Mention], str | None]
    staff_id: int
    staff: str
    brand: str
    names: Mapping[int, str]
    title: Callable[[str], str]
    told: Mapping[str, datetime]
    now: datetime


async def whom(
    store: Store,
    rules: Rules,
    number: int,
    staff: str,
    text: str,
    *,
    title: Callable[[str], str] = str,
) -> tuple[list[Person], int]:
    """The people of a theme's open cases, each once, and how many cases were not looked at.

    `text` may have the places of wordings, such as {author}; `title` names a connector's place.
    """
    async with store.reading() as session:
        person, theme = await theming.chosen(session, number, staff, lock=False)
        brand = await brands.numbered(session, theme.brand_id)
        open_cases, _ = await portraits.cases_of(session, number)
        said = written(text) if text.strip() else ""
        this = Round(
            lambda _: said,
            person.key,
            person.name,
            brand.name,
            {one.key: one.name for one in await people.every(session)},
            title,
            await portraits.told(session, number),
            await now(session),
        )
    numbers = [one.number for one in open_cases]
    return await approach(store, rules, this, numbers[:MOST]), max(0, len(numbers) - MOST)


async def approach(store: Store, rules: Rules, this: Round, numbers: Sequence[int]) -> list[Person]:
    """Who says it in these cases, each once, by the case that comes first."""
    found: dict[str, Person] = {}
    async with store.reading() as session:
        person = await people.numbered(session, this.staff_id)
        if person is None:
            return []
        for number in numbers:
            about = await mentions.of_case(session, number)
            said = [reply for reply, _ in await outbox.of_case(session, number)]
            box = await replies.composed(session, rules, person, about, said, repeats=False)
            case = await cases.one(session, number)
            if box is not None and case is not None and themes.by(box.mention) not in found:
                busy = any(one.under_way for one in said)
                found[themes.by(box.mention)] = approached(this, box, case, busy=busy)
    return list(found.values())


async def tell(
    store: Store,
    rules: Rules,
    number: int,
    staff: str,
    text: str,
    chosen: Mapping[int, str],
    *,
    window: timedelta = UNDO,
    title: Callable[[str], str] = str,
) -> list[Told]:
    """Write the same to each of the chosen cases, by what its writer had seen of it.

    Each is a reply as any other: it waits out its undo window, and is refused where something
    has changed. Whoever was told of this theme since they last said it is not told again.
    """
    if not text.strip():
        raise NotAllowed("There is nothing to tell: write a text first.")
    if not chosen:
        raise NotAllowed("Choose at least one person to tell.")
    persons, _ = await whom(store, rules, number, staff, text, title=title)
    return await send(
        store, rules, persons, staff, chosen, window=window, cause=Cause(theme=number)
    )


async def send(
    store: Store,
    rules: Rules,
    persons: Sequence[Person],
    staff: str,
    chosen: Mapping[int, str],
    *,
    window: timedelta,
    cause: Cause,
) -> list[Told]:
    """Write to those who are chosen, and say of each what came of it."""
    found = []
    by_case = {one.case_id: one for one in persons}
    for case_id, seen in chosen.items():
        if (one := by_case.get(case_id)) is None or one.why_not:
            why = f"It is none of the {cause.word}’s open cases any more."
            found.append(Told(case_id, False, why if one is None else one.why_not))
            continue
        try:
            await taking.take(store, case_id, staff)
            made = await replies.send(
                store, rules, case_id, staff, one.text, seen, window=window, cause=cause
            )
        except NotAllowed as refusal:
            found.append(Told(case_id, False, str(refusal)))
        else:
            found.append(Told(case_id, True, made.said))
    return found


def approached(this: Round, box: Box, case: Case, *, busy: bool) -> Person:
    """One of the people, with what they would be told and whether they can be."""
    mention, rule = box.mention, box.rule
    place = this.title(mention.connector)
    said = this.text(mention)
    text = filled(
        said or "",
        {
            "author": mention.author_name or mention.author_handle,
            "brand": this.brand,
            "place": place,
            "agent": this.staff,
            "case": str(case.key),
        },
    )
    signs, at = length(text, rule.unit), this.told.get(themes.by(mention))
    holder = case.held_by(this.now)
    if at is not None and at >= mention.published_at:
        why_not = f"Told already, {at:%d %b %H:%M} UTC."
    elif said is None:
        why_not = f"There is no text in {mention.language or 'their language'} yet."
    elif not rule.allowed:
        why_not = f"Only by hand: {rule.reason}"
    elif holder not in (None, this.staff_id):
        why_not = f"{this.names.get(holder or 0, 'Somebody')} is working on it."
    elif case.owner_id not in (None, this.staff_id):
        why_not = f"It is {this.names.get(case.owner_id or 0, 'somebody')}\u2019s case."
    elif busy:
        why_not = "Another reply is on its way."
    elif rule.length is not None and signs > rule.length:
        why_not = f"Too long: {signs:,} of {rule.length:,} {rule.unit}."
    else:
        why_not = ""
    return Person(
        case_id=case.key,
        author=mention.author_name or mention.author_handle or "Somebody",
        place=place,
        said=mention.words,
        text=text,
        seen=box.seen,
        signs=signs,
        limit=rule.length,
        unit=rule.unit,
        why_not=why_not,
    )
