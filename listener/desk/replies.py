"""Answering a customer: written, taken back, sent again, or posted by hand and confirmed."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import uuid4

from connectors.kit.contract import ReplyRule
from listener.desk.taking import at_hand, unless_held
from listener.domain.case import Case, Status
from listener.domain.event import What
from listener.domain.mention import Mention
from listener.domain.record import NotAllowed, NotThere
from listener.domain.reply import UNDO, Reply, State, length
from listener.domain.source import Source
from listener.domain.staff import Staff
from listener.domain.wording import LATELY, same_words
from listener.store import (
    crises,
    history,
    mentions,
    people,
    portraits,
    replies,
    sources,
    themes,
)
from listener.store.session import AsyncSession, Store, now

Rules = Callable[[Source, Mention], ReplyRule]
"""Whether and how a mention can be answered through the source that saw it."""

LONGEST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What somebody who writes a reply must know.

    `seen` stands for what they have before their eyes; a reply that was written without having
    seen the newest is refused.
    """

    mention: Mention
    source: Source
    rule: ReplyRule
    draft: str
    seen: str
    lately: Sequence[str]  # what was said on this place in the last weeks


@dataclass(frozen=True, slots=True)
class Written:
    """What came of an act on a reply, in a sentence, with the event it wrote."""

    reply: Reply
    said: str
    event: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why many are told the same: a theme that is put right, or a crisis that goes on."""

    theme: int | None = None
    crisis: int | None = None

    @property
    def word(self) -> str:
        """What it is."""
        return "crisis" if self.theme is None else "theme"

    @property
    def details(self) -> dict[str, int]:
        """What the event of a reply says of it."""
        both = {"theme": self.theme, "crisis": self.crisis}
        return {name: number for name, number in both.items() if number is not None}


class Changed(NotAllowed):
    """Something changed since the writer looked; the message says what. The draft is kept."""


async def compose(store: Store, rules: Rules, case_id: int, staff: str) -> Box | None:
    """What the reply box shows; None when there is nothing left that could be answered."""
    async with store.reading() as session:
        person = await people.named(session, staff)
        if person is None:
            return None
        about = await mentions.of_case(session, case_id)
        said = [reply for reply, _ in await replies.of_case(session, case_id)]
        return await composed(session, rules, person, about, said)


async def composed(
    session: AsyncSession,
    rules: Rules,
    person: Staff,
    about: Sequence[Mention],
    said: Sequence[Reply],
    *,
    repeats: bool = True,
) -> Box | None:
    """The reply box of a case, from all of its mentions and replies.

    Without `repeats` nothing is said of what was said there lately.
    """
    mention = answered(about)
    if mention is None or mention.case_id is None:
        return None
    [source] = (await sources.numbered(session, [mention.source_id])).values()
    moment = await now(session)
    return Box(
        mention=mention,
        source=source,
        rule=rules(source, mention),
        draft=await replies.draft(session, mention.case_id, person.key),
        seen=seen(about, said),
        lately=await replies.lately(
            session, mention.connector, mention.brand_id, since=moment - LATELY
        )
        if repeats
        else (),
    )


async def send(
    store: Store,
    rules: Rules,
    case_id: int,
    staff: str,
    text: str,
    seen: str,
    *,
    window: timedelta = UNDO,
    cause: Cause | None = None,
) -> Written:
    """Write a reply that leaves when its undo window is over; only the holder may.

    With `cause`, all whom it concerns are told the same: nobody of them twice.
    """
    text = text.strip()
    async with kept(store, case_id, staff, text), store.transaction() as session:
        case, person, moment = await holding(session, case_id, staff)
        mention, source = await before(session, case, person, text, seen, moment)
        if cause is not None:
            await unless_told(session, cause, mention)
        rule = rules(source, mention)
        if not rule.allowed:
            raise NotAllowed(
                f"We cannot send there: {rule.reason} Copy the text, post it by hand and say so."
            )
        if rule.length is not None and (signs := length(text, rule.unit)) > rule.length:
            raise NotAllowed(
                f"The reply has {signs:,} {rule.unit}, and {rule.length:,} are the most there. "
                "Shorten it."
            )
        reply = Reply(
            case_id=case_id,
            mention_id=mention.key,
            staff_id=person.key,
            publish_key=uuid4().hex,
            text=text,
            made_at=moment,
            next_at=moment + window,
        )
        event = await written(session, reply, case, person, What.WRITTEN, moment, cause=cause)
        seconds = int(window.total_seconds())
        return Written(reply, f"It is sent in {seconds} s; until then you can take it back.", event)


async def by_hand(
    store: Store, case_id: int, staff: str, text: str, seen: str, *, url: str | None = None
) -> Written:
    """Confirm what somebody has posted there themselves."""
    text = text.strip()
    checked(url)
    async with kept(store, case_id, staff, text), store.transaction() as session:
        case, person, moment = await holding(session, case_id, staff)
        mention, _ = await before(session, case, person, text, seen, moment)
        reply = Reply(
            case_id=case_id,
            mention_id=mention.key,
            staff_id=person.key,
            publish_key=uuid4().hex,
            text=text,
            by_hand=True,
            made_at=moment,
            next_at=moment,
        )
        reply.posted(moment, post_id=None, url=url or None)
        case.answer(moment)
        event = await written(session, reply, case, person, What.ANSWERED, moment)
        return Written(reply, f"Case {case_id} is answered, and waits for the customer.", event)


async def withdraw(store: Store, reply_id: int, staff: str) -> Written:
    """Take a reply back while it waits; its words become the draft again."""
    async with store.transaction() as session:
        reply, person, moment = await reply_at_hand(session, reply_id, staff)
        reply.withdraw(moment)
        if not await replies.draft(session, reply.case_id, person.key):
            await replies.keep_draft(session, reply.case_id, person.key, reply.text, now=moment)
        event = await noted(session, reply, person, What.WITHDRAWN, moment)
        return Written(
            reply, "Taken back: nothing was sent. The words are your draft again.", event
        )


async def again(store: Store, reply_id: int, staff: str) -> Written:
    """Send a reply once more that is known, or said by this person, not to stand there.

    Not when another was written since: the customer would hear two.
    """
    async with store.transaction() as session:
        reply, person, moment = await reply_at_hand(session, reply_id, staff)
        case = await session.get_one(Case, reply.case_id)
        case.require_not_closed()
        await unless_held(session, case, person, moment)
        said = await replies.of_case(session, reply.case_id)
        if any(one.key > reply.key and one.state is not State.WITHDRAWN for one, _ in said):
            raise NotAllowed("Another reply was written since; this one is not sent any more.")
        reply.again(moment)
        event = await noted(session, reply, person, What.WRITTEN, moment)
        return Written(reply, "It is sent again now.", event)


async def there(store: Store, reply_id: int, staff: str, *, url: str | None = None) -> Written:
    """This person has seen the reply there: the case is answered."""
    checked(url)
    async with store.transaction() as session:
        reply, person, moment = await reply_at_hand(session, reply_id, staff)
        reply.there(moment, url or None)
        case = await session.get_one(Case, reply.case_id)
        if case.status is not Status.CLOSED:
            case.answer(moment)
        event = await noted(session, reply, person, What.ANSWERED, moment)
        return Written(reply, f"Case {reply.case_id} is answered.", event)


@asynccontextmanager
async def kept(store: Store, case_id: int, staff: str, text: str) -> AsyncIterator[None]:
    """Keep the words as a draft when they are refused: nobody writes them twice."""
    try:
        yield
    except NotAllowed:
        if text:
            with suppress(NotAllowed):  # whoever may not work the case has no draft there either
                await keep_draft(store, case_id, staff, text)
        raise


async def keep_draft(store: Store, case_id: int, staff: str, text: str) -> None:
    """Keep what somebody has begun to write."""
    async with store.transaction() as session:
        _, person, moment = await at_hand(session, case_id, staff)
        await replies.keep_draft(session, case_id, person.key, text[:LONGEST], now=moment)


def checked(url: str | None) -> None:
    """Refuse what is no address of a page."""
    if url and not url.startswith(("https://", "http://")):
        raise NotAllowed("The link to your reply must begin with https://.")


def repeated(text: str, lately: Sequence[str]) -> str:
    """A warning when the same words were used on this place lately; else nothing."""
    times = sum(same_words(text, other) for other in lately)
    if not times:
        return ""
    often = "once" if times == 1 else f"{times} times"
    return f"Nearly the same words were used here {often} in the last 30 days."


def answered(about: Sequence[Mention]) -> Mention | None:
    """The mention of a case that a reply goes to: the first that still stands there."""
    return next((one for one in about if one.deleted_at is None and not one.ours), None)


def seen(about: Sequence[Mention], said: Sequence[Reply]) -> str:
    """What stands for all that a writer must have seen: the posts as they are, and our replies."""
    facts = [(one.key, one.revision, one.deleted_at is None) for one in about]
    spoken = [reply.publish_key for reply in said if reply.state is not State.WITHDRAWN]
    return blake2b(repr((facts, spoken)).encode(), digest_size=12).hexdigest()


async def holding(session: AsyncSession, case_id: int, staff: str) -> tuple[Case, Staff, datetime]:
    """The case and the person, who holds it; an owner whose hold has lapsed holds it again."""
    case, person, moment = await at_hand(session, case_id, staff)
    await unless_held(session, case, person, moment)
    if case.owner_id == person.key and case.status is not Status.CLOSED:
        if case.held_by(moment) is None:
            case.take(person.key, moment)
    else:
        case.require_holder(person.key, moment)
    return case, person, moment


async def before(
    session: AsyncSession, case: Case, person: Staff, text: str, shown: str, moment: datetime
) -> tuple[Mention, Source]:
    """What a reply answers, once nothing stands in its way; the draft is kept by its writer."""
    if not text:
        raise NotAllowed("The reply is empty; write something first.")
    if len(text) > LONGEST:
        raise NotAllowed(f"The reply has {len(text):,} characters; {LONGEST:,} are the most.")
    about = await mentions.of_case(session, case.key)
    said = [reply for reply, _ in await replies.of_case(session, case.key)]
    mention = answered(about)
    if mention is None:
        raise Changed("The author has deleted the post: there is nothing left to answer.")
    if seen(about, said) != shown:
        raise Changed(change(about, said))
    if await replies.under_way(session, case.key):
        raise Changed("Another reply is on its way; wait for it, or take it back.")
    await replies.keep_draft(session, case.key, person.key, "", now=moment)
    [source] = (await sources.numbered(session, [mention.source_id])).values()
    return mention, source


def change(about: Sequence[Mention], said: Sequence[Reply]) -> str:
    """What has changed since somebody looked, in a sentence."""
    news = []
    if any(one.deleted_at is not None for one in about):
        news.append("a post was deleted")
    if any(one.revisions > 1 for one in about):
        news.append("the author changed the post")
    if any(reply.state is not State.WITHDRAWN for reply in said):
        news.append("another reply was written")
    what = " or ".join(news) or "another post joined the case"
    return (
        f"Something changed since you opened this case ({what}), so nothing was sent. "
        "Look at it once more; your draft is kept."
    )


async def unless_told(session: AsyncSession, cause: Cause, mention: Mention) -> None:
    """Refuse to tell somebody whom a colleague tells at this very moment, or has told.

    What it is about is locked, so that of two who tell the same person in two cases one comes
    second.
    """
    told: Mapping[str, datetime] = {}
    if cause.theme is not None:
        await themes.one(session, cause.theme)
        told = await portraits.told(session, cause.theme)
    if cause.crisis is not None and (crisis := await crises.one(session, cause.crisis)):
        crisis.require_open()
        told = await crises.told(session, crisis)
    at = told.get(themes.by(mention))
    if at is not None and at >= mention.published_at:
        raise Changed("They have been told of this already.")


async def written(
    session: AsyncSession,
    reply: Reply,
    case: Case,
    person: Staff,
    what: What,
    moment: datetime,
    *,
    cause: Cause | None = None,
) -> int:
    """Keep a new reply and say so in the case's history."""
    session.add(case)
    session.add(reply)
    await session.flush()
    return await noted(session, reply, person, what, moment, cause=cause)


async def noted(
    session: AsyncSession,
    reply: Reply,
    person: Staff,
    what: What,
    moment: datetime,
    *,
    cause: Cause | None = None,
) -> int:
    """One line of the case's history; channels hear when the customer is answered."""
    told = await history.channels(session) if what is What.ANSWERED else []
    event = await history.record(
        session,
        reply.case_id,
        what,
        now=moment,
        channels=told,
        staff_id=person.key,
        details={"reply": reply.key} | ({} if cause is None else cause.details),
    )
    return event.key


async def reply_at_hand(
    session: AsyncSession, reply_id: int, staff: str
) -> tuple[Reply, Staff, datetime]:
    """A reply, locked, and the person who acts on it.

    The case is locked first, as everybody does, so that nobody waits for each other.
    """
    case_id = await replies.case_of(session, reply_id)
    if case_id is None:
        raise NotThere(f"There is no reply {reply_id}.")
    _, person, moment = await at_hand(session, case_id, staff)
    reply = await replies.locked(session, reply_id)
    if reply is None:
        raise NotThere(f"There is no reply {reply_id}.")
    return reply, person, moment
