"""Slack: one card a case, edited on every change, at the pace that Slack wants.

A channel is spoken to by one worker at a time, one message a second. What is posted is noted
before, and looked for after a crash or a lost answer, so that nobody sees it twice.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from typing_extensions import override

from connectors.kit.errors import ConnectorError
from listener.channels import alarm_cards, cards, crisis_cards
from listener.channels.cards import Block
from listener.channels.contract import (
    Announced,
    Channel,
    NotNow,
    Outcome,
    Telling,
    Undelivered,
    Warned,
)
from listener.channels.slack_api import Api, Refused
from listener.domain.card import BURST, CARD, RISE, Card, Folded
from listener.domain.case import Status
from listener.domain.event import What

MANY: Final = 10  # more new cases than this at once become one card
EDITS: Final = 10  # in one turn
APART: Final = timedelta(minutes=1)  # Slack's clock and ours may differ by this
ALARM: Final = "alarm"
CRISIS: Final = "crisis"
GONE: Final = "message_not_found"

Group = list[Telling]  # what is told of one case, oldest first


class NextTurn(NotNow):
    """This has to wait for the next turn; what else there is need not."""


@dataclass(slots=True)
class Turn:
    """Our turn to speak at a place; `rest` is how long it wants silence afterwards."""

    rest: timedelta = timedelta(seconds=1)


class Memory(Protocol):
    """What is kept of one channel, so that every worker knows what any of them has posted."""

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """Our turn to speak, or NotNow."""

    async def cards(self, cases: Collection[int]) -> dict[int, Card]:
        """The cards of these cases."""

    async def begin(self, case_id: int, sort: str) -> tuple[Card, bool]:
        """Note what is about to be posted; False when that was noted before."""

    async def posted(self, card: Card, ts: str | None, *, urgent: bool) -> None:
        """Note which message it became."""

    async def forget(self, card: Card) -> None:
        """Note that it is no longer there."""

    async def burst(self) -> Card | None:
        """The card of many cases that takes in more."""

    async def fold(self, cases: Sequence[tuple[int, bool]], ts: str) -> None:
        """Note that these cases, each urgent or not, are shown by the card of many."""

    async def folded(self, ts: str) -> Folded:
        """What the card of many shows."""


@dataclass(frozen=True)
class Slack(Channel):
    """One channel of a workspace. `home` is the address of our own pages."""

    api: Api
    memory: Memory
    channel: str
    home: str

    @override
    async def send(self, telling: Telling) -> None:
        outcome = await self.gather([telling])
        for why in outcome.failed.values():
            raise Undelivered(why)
        if not outcome.told:
            raise NotNow(outcome.wait)

    async def gather(self, tellings: Sequence[Telling]) -> Outcome:
        """Tell what one turn allows: one message, and changes of those that stand there."""
        async with self.memory.turn() as turn:
            speech = self.speech()
            try:
                await speech.tell(tellings)
            except NotNow as limited:
                turn.rest = max(turn.rest, limited.wait)
            return Outcome(frozenset(speech.told), speech.failed, turn.rest)

    async def ring(self, warned: Warned) -> None:
        """An alarm as one message, which is edited when it is over."""
        async with self.memory.turn() as turn:
            try:
                await self.speech().ring(warned)
            except NotNow as limited:
                turn.rest = max(turn.rest, limited.wait)
                raise

    async def announce(self, announced: Announced) -> None:
        """How a crisis goes on, each thing as one message."""
        async with self.memory.turn() as turn:
            try:
                await self.speech().announce(announced)
            except NotNow as limited:
                turn.rest = max(turn.rest, limited.wait)
                raise

    def speech(self) -> "Speech":
        """One turn in this channel."""
        return Speech(self.api, self.memory, self.channel, self.home)


@dataclass(frozen=True)
class Person(Slack):
    """The conversation with one person, whose name there is `channel`: every notice is a message."""

    why: str = ""

    @override
    def speech(self) -> "Speech":
        return Whisper(self.api, self.memory, self.channel, self.home, why=self.why)


@dataclass
class Speech:
    """What is said in one turn."""

    api: Api
    memory: Memory
    channel: str
    home: str
    told: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    spoke: bool = False  # the one message of this turn is posted

    async def tell(self, tellings: Sequence[Telling]) -> None:
        """New cases first, for somebody should see them; then what has changed."""
        groups: dict[int, Group] = {}
        for telling in tellings:
            groups.setdefault(telling.case_id, []).append(telling)
        known = await self.memory.cards(groups)
        fresh: list[Group] = []
        changed: list[tuple[Group, Card]] = []
        for number, group in groups.items():
            card = known.get(number)
            if card is not None and card.ts is not None:
                changed.append((group, card))
            elif card is None and group[-1].status is Status.CLOSED:
                self.done(group)  # over before anybody heard of it
            else:
                fresh.append(group)
        await self.introduce(fresh)
        await self.change(changed)

    async def introduce(self, fresh: Sequence[Group]) -> None:
        """New cases: one as a card of its own, many as one card."""
        if not fresh:
            return
        burst = await self.memory.burst()
        alone = len(fresh) == 1 and fresh[0][-1].urgent
        if len(fresh) > MANY or (burst is not None and not alone):
            await self.attempt(fresh, self.gathered(fresh, burst))
        else:
            await self.attempt(fresh[:1], self.shown(fresh[0]))

    async def shown(self, group: Group) -> None:
        """One case as a card."""
        telling = group[-1]
        message = self.card(telling)
        begun, new = await self.memory.begin(telling.case_id, CARD)
        ts = None if new else await self.found(begun, CARD, str(telling.case_id))
        if ts is not None:
            await self.api.edit(self.channel, ts, message)
        elif telling.status is Status.CLOSED:
            await self.memory.forget(begun)
            return
        else:
            ts = await self.post(message)
        await self.memory.posted(begun, ts, urgent=telling.urgent)

    async def gathered(self, fresh: Sequence[Group], burst: Card | None) -> None:
        """Many cases as one card, or into the one that is there."""
        last = [group[-1] for group in fresh if group[-1].status is not Status.CLOSED]
        if not last:
            return
        new = burst is None
        if burst is None:
            burst, new = await self.memory.begin(last[0].case_id, BURST)
        ts = burst.ts
        key = f"{BURST} {burst.key}"
        if ts is None and not new:
            ts = await self.found(burst, BURST, key)
        before = Folded() if ts is None else await self.memory.folded(ts)
        shown = Folded(
            before.total + len(last),
            before.urgent + sum(one.urgent for one in last),
            before.waiting + sum(one.status is Status.OPEN for one in last),
        )
        message = self.message(
            cards.counted(shown), cards.summary(last, shown, self.home), BURST, key
        )
        if ts is None:
            ts = await self.post(message)
            await self.memory.posted(burst, ts, urgent=False)
        else:
            await self.api.edit(self.channel, ts, message)
        await self.memory.fold([(one.case_id, one.urgent) for one in last], ts)

    async def change(self, changed: Sequence[tuple[Group, Card]]) -> None:
        """What stands there is made to say how the cases stand now."""
        bursts: dict[str, list[Group]] = {}
        for group, card in changed:
            if card.folded and card.ts is not None and not risen(group, card):
                bursts.setdefault(card.ts, []).append(group)
        for ts, groups in bursts.items():
            await self.attempt(groups, self.recounted(ts))
        left = [(group, card) for group, card in changed if not card.folded or risen(group, card)]
        for group, card in left[:EDITS]:
            await self.attempt([group], self.changed(group, card))

    async def recounted(self, ts: str) -> None:
        """A card of many cases, counted again."""
        shown = await self.memory.folded(ts)
        text = cards.counted(shown)
        message = {"text": text, "blocks": cards.summary((), shown, self.home)}
        await self.edited(ts, message)

    async def changed(self, group: Group, card: Card) -> None:
        """One card as its case stands now; what must be heard goes to its thread, or aloud."""
        telling, ts = group[-1], card.ts or ""
        if not card.folded and not await self.edited(ts, self.card(telling)):
            await self.memory.forget(card)
            if telling.status is not Status.CLOSED:
                raise NextTurn  # somebody took it away: it is posted anew with the next turn
            return
        if risen(group, card):
            aloud = self.message(
                cards.spoken(telling), cards.risen(telling, self.home), RISE, str(telling.case_id)
            )
            thread = {} if card.folded else {"thread_ts": ts, "reply_broadcast": True}
            await self.once(telling.case_id, RISE, aloud, **thread)
            await self.memory.posted(card, ts, urgent=True)
        for one in group if not card.folded else ():
            if line := cards.aside(one):
                small = self.message(line, [cards.section(cards.marked(line))], "aside", one.id)
                await self.once(one.case_id, one.id, small, thread_ts=ts)

    async def edited(self, ts: str, message: Mapping[str, Any]) -> bool:
        """Make a message another; False when it is no longer there."""
        try:
            await self.api.edit(self.channel, ts, message)
        except Refused as refused:
            if refused.error != GONE:
                raise
            return False
        return True

    async def once(self, case_id: int, sort: str, message: Mapping[str, Any], **how: Any) -> None:
        """Post what has not been posted."""
        begun, new = await self.memory.begin(case_id, sort)
        if begun.ts is not None:
            return
        told = message["metadata"]["event_type"], message["metadata"]["event_payload"]["key"]
        ts = None
        if not new:
            ts = await self.found(begun, *told, thread=how.get("thread_ts"), prefixed=True)
        await self.memory.posted(begun, ts or await self.post(message, **how), urgent=False)

    async def found(
        self, begun: Card, kind: str, key: str, *, thread: str | None = None, prefixed: bool = False
    ) -> str | None:
        """What was being posted when the program died, if it arrived."""
        name = kind if prefixed else f"listener_{kind}"
        since = (begun.begun_at - APART).timestamp()
        return await self.api.find(self.channel, name, key, since=since, thread=thread)

    async def post(self, message: Mapping[str, Any], **how: Any) -> str:
        """The one message of this turn."""
        if self.spoke:
            raise NextTurn
        self.spoke = True
        return await self.api.post(self.channel, message, **how)

    async def ring(self, warned: Warned) -> None:
        """What stands there already, before a cut or while it rang, is edited.

        A call is a message of its own: an edit rings nobody.
        """
        key = f"{warned.alarm_id} {warned.call}" if warned.call else str(warned.alarm_id)
        blocks = alarm_cards.card(warned, self.home)
        message = self.message(alarm_cards.spoken(warned), blocks, ALARM, key)
        since = ((warned.raised_at or warned.at) - APART).timestamp()
        ts = await self.api.find(self.channel, f"listener_{ALARM}", key, since=since)
        if ts is None or not await self.edited(ts, message):
            await self.post(message)

    async def announce(self, announced: Announced) -> None:
        """What stands there already, before a cut, is not posted again."""
        blocks = crisis_cards.card(announced, self.home)
        message = self.message(crisis_cards.spoken(announced), blocks, CRISIS, announced.id)
        since = (announced.at - APART).timestamp()
        if (
            await self.api.find(self.channel, f"listener_{CRISIS}", announced.id, since=since)
            is None
        ):
            await self.post(message)

    def card(self, telling: Telling) -> dict[str, Any]:
        """A case as a message."""
        blocks = cards.card(telling, self.home)
        return self.message(cards.spoken(telling), blocks, CARD, str(telling.case_id))

    def message(self, text: str, blocks: list[Block], kind: str, key: str) -> dict[str, Any]:
        """A message by whose metadata it can be found again."""
        told = {"event_type": f"listener_{kind}", "event_payload": {"key": key}}
        return {"text": text, "blocks": blocks, "metadata": told}

    async def attempt(self, groups: Sequence[Group], act: Any) -> None:
        """Do it; what becomes of it becomes of these."""
        try:
            await act
        except NextTurn:
            pass
        except (Undelivered, ConnectorError) as error:
            for group in groups:
                self.failed |= dict.fromkeys((one.id for one in group), str(error))
        else:
            for group in groups:
                self.done(group)

    def done(self, group: Group) -> None:
        """Everything of one case is told."""
        self.told |= {one.id for one in group}


@dataclass
class Whisper(Speech):
    """What is said in one turn to one person: a message for everything, for an edit rings nobody."""

    why: str = ""

    @override
    async def announce(self, announced: Announced) -> None:
        self.channel = await self.api.talk_with(self.channel)
        await super().announce(announced)

    @override
    async def tell(self, tellings: Sequence[Telling]) -> None:
        self.channel = await self.api.talk_with(self.channel)
        for telling in tellings:
            blocks = cards.card(telling, self.home)
            if self.why:
                blocks.insert(0, cards.context(cards.plain(self.why)))
            called = telling.what is What.ESCALATED  # else there is nothing to stop
            if called and telling.status is not Status.CLOSED:
                seen = cards.button("seen", "I have seen it", str(telling.case_id))
                blocks[-1]["elements"].insert(0, seen)
            message = self.message(cards.spoken(telling), blocks, "word", telling.id)
            await self.attempt([[telling]], self.once(telling.case_id, telling.id, message))

    @override
    async def ring(self, warned: Warned) -> None:
        self.channel = await self.api.talk_with(self.channel)
        await super().ring(warned)


def risen(group: Group, card: Card) -> bool:
    """Whether a case is urgent now that was shown as not urgent."""
    return group[-1].urgent and not card.urgent and group[-1].status is not Status.CLOSED
