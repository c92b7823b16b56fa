"""Declaring: a person says that this is a crisis, who leads it, how it goes on, and when it is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from listener.desk import alarming, gathering
from listener.desk.acting import somebody
from listener.desk.gathering import chosen
from listener.domain.alarm import sentence
from listener.domain.brand import Brand
from listener.domain.crisis import (
    LONGEST_NAME,
    OTHERWISE,
    Crisis,
    CrisisUpdate,
    HoldingText,
    Told,
    Turn,
    minutes_of,
    name_of,
    said,
    words_of,
)
from listener.domain.digest import shortened
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.rights import Act, may
from listener.domain.staff import Staff
from listener.domain.wording import plain_language, written
from listener.store import alarms, brands, bulletins, crises, history, themes
from listener.store.session import AsyncSession, Store, clean, now

AT_FIRST: Final = 50  # cases that join while somebody waits; the others do so by themselves


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A crisis as somebody declares it: of a brand by name, or of an alarm's or a theme's."""

    name: str
    brand: str = ""
    alarm: int | None = None
    theme: int | None = None
    words: str = ""
    lead: str = ""  # who declares it, where nobody is named
    every: int = OTHERWISE


@dataclass(frozen=True, slots=True)
class Made:
    """A crisis that was declared, with a sentence that says so."""

    number: int
    said: str


async def declare(store: Store, wish: Wish, staff: str) -> Made:
    """Declare a crisis: its cases are answered first, and all who watch the brand hear of it."""
    name, words = name_of(clean(wish.name)), words_of(clean(wish.words))
    every = minutes_of(wish.every)
    async with store.transaction() as session:
        person = await somebody(session, staff)
        if not may(person, Act.DECLARE):
            raise NoRight(
                f"{person.name} is here as {person.role}, whose role does not include: "
                f"{Act.DECLARE}."
            )
        brand, theme = await subject(session, wish, person)
        lead = await leader(session, wish.lead or staff, brand.key)
        moment = await now(session)
        for one in await crises.shown(session, brands=[brand.key]):
            if one.crisis.name.casefold() == name.casefold():
                raise already(one.crisis.name, brand)
        crisis = Crisis(
            brand_id=brand.key,
            name=name,
            alarm_id=wish.alarm,
            theme_id=theme,
            words=words,
            lead_id=lead.key,
            declared_by=person.key,
            declared_at=moment,
            every=every,
            update_due_at=moment + timedelta(minutes=every),
        )
        if not await crises.declare(session, crisis):
            raise already(name, brand)
        alarm = None if wish.alarm is None else await alarms.locked(session, wish.alarm)
        if alarm is not None:  # whoever leads the crisis sees to it: nobody else is called
            await alarming.see_to(session, alarm, lead, moment)
        number = crisis.key
        await crises.record(session, number, Turn.DECLARED, now=moment, staff_id=person.key)
        await crises.record(
            session, number, Turn.LED, now=moment, staff_id=person.key, other=lead.key
        )
        await tell_all(session, crisis, Told.DECLARED, but=person.key, now=moment)
    joined = await gathering.look(store, number, most=AT_FIRST)
    cases = "1 case belongs" if joined == 1 else f"{joined} cases belong"
    if joined == AT_FIRST:
        cases = f"{joined} cases and more belong"
    return Made(
        number,
        f"Crisis {number} is declared: {name}. {cases} to it; {lead.name} leads it, with an "
        f"update every {every} minutes.",
    )


async def of_alarm(store: Store, number: int, staff: str) -> Made:
    """Declare a crisis of an alarm, named by what it is about; who declares it leads it."""
    async with store.reading() as session:
        found = await alarms.shown(session, brands=None, numbers=[number])
    names = [one.theme or sentence(one.alarm, one.source, one.theme) for one in found]
    name = shortened(names[0] if names else "An alarm", LONGEST_NAME - 2)
    return await declare(store, Wish(name=name, alarm=number), staff)


async def lead(store: Store, number: int, staff: str, name: str) -> str:
    """Say who leads a crisis from now on."""
    async with store.transaction() as session:
        person, crisis = await chosen(session, number, staff, Act.DECLARE)
        crisis.require_open()
        other = await leader(session, name, crisis.brand_id)
        if crisis.lead_id == other.key:
            return f"{other.name} leads crisis {number} already."
        moment = await now(session)
        crisis.lead_id = other.key
        await crises.record(
            session,
            number,
            Turn.LED,
            now=moment,
            staff_id=person.key,
            other=other.key,
        )
        if other.key != person.key:
            await bulletins.publish(
                session,
                crisis,
                Told.LEADS,
                what=moment.isoformat(),
                people=[other],
                at=moment,
                now=moment,
            )
        return f"{other.name} leads crisis {number} now."


async def update(store: Store, number: int, staff: str, text: str) -> str:
    """Say how it goes on, to everybody whose business the brand is; the next is due in full time."""
    text = said(clean(text))
    async with store.transaction() as session:
        person, crisis = await chosen(session, number, staff, Act.DECLARE)
        moment = await now(session)
        crisis.updated(moment)
        update = CrisisUpdate(crisis_id=number, text=text, staff_id=person.key, at=moment)
        session.add(update)
        await session.flush()
        await crises.record(
            session, number, Turn.UPDATED, now=moment, staff_id=person.key, other=update.key
        )
        await bulletins.withdraw(session, number)
        await tell_all(
            session, crisis, Told.UPDATE, what=str(update.key), but=person.key, now=moment
        )
        return (
            f"The update is on its way to all who watch the brand. The next is due "
            f"{crisis.update_due_at:%H:%M} UTC."
        )


async def word(store: Store, number: int, staff: str, text: str, language: str = "") -> str:
    """Write the holding reply in one language, or in all; it has to be approved as it stands."""
    tongue = plain_language(language) or ""
    if tongue and not (tongue.isascii() and tongue.isalpha() and 2 <= len(tongue) <= 3):
        raise NotAllowed("A language is two or three letters, such as de; none means all.")
    text = written(clean(text))
    async with store.transaction() as session:
        person, crisis = await chosen(session, number, staff, Act.DECLARE)
        crisis.require_open()
        moment = await now(session)
        kept = await crises.text(session, number, tongue)
        if kept is not None and kept.text == text:
            return "That is the holding reply already."
        if kept is None:
            kept = HoldingText(
                crisis_id=number,
                language=tongue,
                text=text,
                written_by=person.key,
                written_at=moment,
            )
        kept.text, kept.written_by, kept.written_at = text, person.key, moment
        kept.approved_by = kept.approved_at = None
        session.add(kept)
        await crises.record(
            session, number, Turn.WORDED, now=moment, staff_id=person.key, words=tongue or None
        )
        return "The holding reply is kept. It is offered once somebody has approved it."


async def approve(store: Store, number: int, staff: str, language: str, text: str) -> str:
    """Approve the holding reply in one language, as this person has read it."""
    async with store.transaction() as session:
        person, crisis = await chosen(session, number, staff, Act.DECLARE)
        crisis.require_open()
        tongue = plain_language(language) or ""
        kept = await crises.text(session, number, tongue)
        if kept is None:
            raise NotThere("There is no holding reply in that language. Write it first.")
        if kept.text.split() != text.split():
            raise NotAllowed("The holding reply was changed meanwhile. Read it as it stands now.")
        if kept.approved_at is not None:
            return "It is approved already."
        moment = await now(session)
        kept.approved_by, kept.approved_at = person.key, moment
        await crises.record(
            session, number, Turn.APPROVED, now=moment, staff_id=person.key, words=tongue or None
        )
        return "The holding reply is approved: every case of the crisis offers it first."


async def end(store: Store, number: int, staff: str) -> str:
    """End a crisis: no case joins it, no update is due, and its holding reply is not offered."""
    async with store.transaction() as session:
        person, crisis = await chosen(session, number, staff, Act.DECLARE)
        moment = await now(session)
        crisis.end(person.key, moment)
        await crises.record(session, number, Turn.ENDED, now=moment, staff_id=person.key)
        await bulletins.withdraw(session, number)
        await tell_all(session, crisis, Told.ENDED, but=person.key, now=moment)
        return f"The crisis {crisis.name} is over. Its report is on its page."


async def tell_all(
    session: AsyncSession, crisis: Crisis, told: Told, *, what: str = "", but: int, now: datetime
) -> None:
    """Queue one thing for every channel and person whose business the brand is."""
    outlets = await history.channels(session)
    await bulletins.publish(
        session,
        crisis,
        told,
        what=what,
        channels=[one.channel for one in outlets if one.hears(crisis.brand_id, urgent=True)],
        people=await bulletins.readers(session, crisis, but=but),
        at=now,
        now=now,
    )


async def subject(session: AsyncSession, wish: Wish, person: Staff) -> tuple[Brand, int | None]:
    """The brand that a crisis is declared for, as far as this person may see it, and its theme."""
    number, about = None, wish.theme
    if wish.alarm is not None:
        alarm = await alarms.locked(session, wish.alarm)
        if alarm is None or not person.sees(alarm.brand_id):
            raise NotThere(f"There is no alarm {wish.alarm}. `listener alarms` lists them.")
        number = alarm.brand_id
        if about is None and alarm.is_of_theme:
            about = alarm.theme_id
    if wish.theme is not None:
        theme = await themes.one(session, wish.theme, lock=False)
        if theme is None or theme.merged_into is not None or not person.sees(theme.brand_id):
            raise NotThere(f"There is no theme {wish.theme}. The page Themes lists them.")
        if number not in (None, theme.brand_id):
            raise NotAllowed("The alarm and the theme are of two brands. Choose one of them.")
        number = theme.brand_id
    known = await brands.every(session)
    for brand in known:
        if brand.key == number or (number is None and brand.name == wish.brand):
            if not person.sees(brand.key):
                break
            if wish.brand and brand.name != wish.brand:
                raise NotAllowed(
                    f"The alarm or theme is of {brand.name}, not of {wish.brand}. Name one brand."
                )
            return brand, about
    if not wish.brand:
        raise NotAllowed("Name the brand that the crisis is about.")
    raise NotThere(f"There is no brand called {wish.brand!r}.")


async def leader(session: AsyncSession, name: str, brand_id: int) -> Staff:
    """The person of this name, who may lead a crisis of this brand."""
    person = await somebody(session, name)
    if not may(person, Act.DECLARE, brand_id):
        raise NotAllowed(
            f"{person.name} cannot lead it: that does a lead, a manager or an admin who sees "
            "the brand."
        )
    return person


def already(name: str, brand: Brand) -> NotAllowed:
    """One of this name is open."""
    return NotAllowed(
        f"A crisis called {name} is open for {brand.name} already. Go on with that one, or "
        "choose another name."
    )
