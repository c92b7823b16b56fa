"""Reporting: one look at all that a crisis was, while it goes on or afterwards."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from listener.desk import gathering
from listener.domain.aftermath import (
    Aftermath,
    Answered,
    Late,
    Moment,
    Quote,
    Text,
    first_answer,
    peak,
)
from listener.domain.alarm import sentence
from listener.domain.case import Case
from listener.domain.cause import Said, clearest
from listener.domain.crisis import Crisis, How
from listener.domain.mention import words_of
from listener.domain.reply import Reply
from listener.domain.rights import Act
from listener.store import aftermath, alarms, brands, crises, people, themes
from listener.store.aftermath import Post
from listener.store.session import AsyncSession, Store, now

HEAD: Final = (
    "case", "status", "outcome", "joined by", "owner", "author", "place", "opened (UTC)",
    "first answer (UTC)", "minutes until then", "posts", "deleted posts", "missed deadlines",
)  # fmt: skip


async def report(
    store: Store, number: int, staff: str, *, place: Callable[[str], str] = str
) -> Aftermath:
    """The report on a crisis for somebody who may read of its brand."""
    async with store.reading() as session:
        _, crisis = await gathering.chosen(session, number, staff, Act.READ_BRANDS, lock=False)
        return await made(session, crisis, now=await now(session), place=place)


async def made(
    session: AsyncSession, crisis: Crisis, *, now: datetime, place: Callable[[str], str] = str
) -> Aftermath:
    """Everything about a crisis until now, or until it ended; `place` names a connector's place."""
    until = crisis.ended_at or now
    brand = await brands.numbered(session, crisis.brand_id)
    its = await aftermath.cases(session, crisis.key)
    posts = await aftermath.posts(session, crisis.key)
    late = await aftermath.missed(session, crisis.key, since=crisis.declared_at, until=until)
    said = await aftermath.replies(session, crisis.key, since=crisis.declared_at)
    of_case: dict[int, list[Post]] = {}
    for one in posts:
        of_case.setdefault(one.case_id, []).append(one)
    misses: dict[int, int] = {}
    for miss, *_ in late:
        misses[miss.case_id] = misses.get(miss.case_id, 0) + 1
    cases = [
        answered(case, how, owner, of_case.get(case.key, ()), misses.get(case.key, 0), place)
        for case, how, owner in its
    ]
    who: dict[str, set[str]] = {}
    for one in posts:
        who.setdefault(one.connector, set()).add(themes.by(one))
    places = sorted(
        ((place(name), len(every)) for name, every in who.items()),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return Aftermath(
        crisis=crisis,
        brand=brand.name,
        lead=await people.name(session, crisis.lead_id),
        declared_by=await people.name(session, crisis.declared_by),
        ended_by=None if crisis.ended_by is None else await people.name(session, crisis.ended_by),
        at=now,
        moments=await moments(session, crisis, posts, cases),
        cases=cases,
        people=sum(count for _, count in places),
        places=places,
        posts=len(posts),
        deleted=sum(one.deleted for one in posts),
        none_of_it=await aftermath.none_of_it(session, crisis.key),
        late=[
            Late(
                case=miss.case_id,
                clock=miss.clock.value,
                due_at=miss.due_at,
                ended_at=miss.ended_at,
                owner=owner,
                team=team,
            )
            for miss, owner, team in late
        ],
        missed_updates=await aftermath.missed_updates(session, crisis.key),
        updates=len(await crises.updates(session, crisis.key)),
        texts=texts(said, {one.id: one.author for one in posts}),
        quotes=quotes(posts, [brand.name, *brand.handles, brand.query], place),
    )


def answered(
    case: Case,
    how: How,
    owner: str | None,
    posts: Sequence[Post],
    missed: int,
    place: Callable[[str], str],
) -> Answered:
    """A case as the report lists it; whoever has deleted all they said is not named."""
    first = next((one for one in posts if not one.deleted and not one.purged), None)
    return Answered(
        case=case.key,
        status=case.status.value,
        outcome=case.outcome and case.outcome.value,
        how=how.value,
        owner=owner,
        author=first.author if first else "",
        place=place(posts[0].connector) if posts else "",
        opened_at=case.opened_at,
        answered_at=first_answer(case),
        posts=len(posts),
        deleted=sum(one.deleted for one in posts),
        missed=missed,
    )


async def moments(
    session: AsyncSession, crisis: Crisis, posts: Sequence[Post], cases: Sequence[Answered]
) -> list[Moment]:
    """What happened when, the first first."""
    found = [
        Moment(at=line.at, says=line.says, note=line.note)
        for line in await crises.story(session, crisis.key)
    ]
    if posts:
        first = posts[0]
        found.append(Moment(at=first.published_at, says="The first post", case=first.case_id))
    if crisis.alarm_id is not None:
        for alarm in await alarms.shown(session, brands=None, numbers=[crisis.alarm_id]):
            says = f"Alarm: {sentence(alarm.alarm, alarm.source, alarm.theme).rstrip('.')}"
            found.append(Moment(at=alarm.alarm.raised_at, says=says))
    answers = [(one.answered_at, one.case) for one in cases if one.answered_at is not None]
    if answers:
        at, case = min(answers)
        found.append(Moment(at=at, says="The first answer", case=case))
    if (most := peak([one.published_at for one in posts])) is not None:
        at, count = most
        posted = "1 post" if count == 1 else f"{count} posts"
        found.append(Moment(at=at, says=f"The peak: {posted} in a quarter of an hour"))
    return sorted(found, key=lambda one: one.at)


def texts(said: Sequence[tuple[Reply, bool]], authors: Mapping[int, str]) -> list[Text]:
    """What went out, the same text once, that which most were told first.

    What was told together differs by the names in it, so these are taken out again.
    """
    cases: dict[tuple[str, bool], list[int]] = {}
    for reply, together in said:
        author = authors.get(reply.mention_id, "") if together else ""
        text = reply.text.replace(author, "{author}") if author else reply.text
        cases.setdefault((text, together), []).append(reply.case_id)
    found = [
        Text(text=text, cases=numbers, holding=together)
        for (text, together), numbers in cases.items()
    ]
    return sorted(found, key=lambda one: (not one.holding, -len(one.cases)))


def quotes(posts: Sequence[Post], known: Sequence[str], place: Callable[[str], str]) -> list[Quote]:
    """The clearest of what still stands there."""
    there = {one.id: one for one in posts if not one.deleted and not one.purged}
    said = [Said(one.id, words_of(one.title, one.text), themes.by(one)) for one in there.values()]
    return [
        Quote(
            words=one.text,
            author=there[one.mention_id].author,
            place=place(there[one.mention_id].connector),
            at=there[one.mention_id].published_at,
            language=there[one.mention_id].language,
            url=there[one.mention_id].url,
            case=there[one.mention_id].case_id,
        )
        for one in clearest(said, known=known)
    ]


def rows(found: Aftermath) -> Iterator[Sequence[Any]]:
    """Its cases, a line each, under their head."""
    yield HEAD
    for one in found.cases:
        minutes = None if one.waited is None else round(one.waited.total_seconds() / 60)
        yield (
            one.case, one.status, one.outcome, one.how, one.owner, one.author, one.place,
            one.opened_at, one.answered_at, minutes, one.posts, one.deleted, one.missed,
        )  # fmt: skip
