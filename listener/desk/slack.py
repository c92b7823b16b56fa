"""What people do from Slack: a button, a reply, a command, whichever way it reached us.

Every act is one of the desk's own, by the person whom the Slack user has joined; what the act
says, or why it is refused, is whispered to them alone.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from listener.channels import alarm_cards, modals
from listener.channels.cards import Block, button, escaped, marked, section
from listener.channels.contract import NotNow, Undelivered
from listener.channels.modals import Line, Writing
from listener.channels.slack_api import Api
from listener.desk import (
    acknowledging,
    alarming,
    closing,
    declaring,
    joining,
    replies,
    snoozing,
    taking,
)
from listener.desk.acting import Done
from listener.desk.replies import Rules
from listener.domain.case import Outcome
from listener.domain.record import NoRight, NotAllowed, NotThere
from listener.domain.secret import Seal
from listener.domain.staff import Staff
from listener.store import people, queue
from listener.store.queue import Filters, Queue, Viewer
from listener.store.session import Store, now

UNKNOWN: Final = "That is not known here; write `/listener help`."
OUTCOMES: Final = {"not negative": Outcome.NOT_NEGATIVE, "not us": Outcome.NOT_US}


class User(BaseModel):
    """Who."""

    id: str


class Choice(BaseModel):
    """What was chosen from a menu."""

    value: str = ""


class Pressed(BaseModel):
    """A button, or a menu."""

    action_id: str
    value: str = ""
    selected_option: Choice | None = None

    @property
    def said(self) -> str:
        """What comes with it."""
        return self.selected_option.value if self.selected_option else self.value


class Typed(BaseModel):
    """What stands in a field."""

    value: str | None = None


class State(BaseModel):
    """What stands in all fields."""

    values: dict[str, dict[str, Typed]] = {}


class View(BaseModel):
    """A window."""

    callback_id: str = ""
    private_metadata: str = ""
    state: State = State()


class Spoken(BaseModel):
    """A message."""

    ts: str


class Interaction(BaseModel):
    """What somebody did, as Slack tells it."""  # https://docs.slack.dev/interactivity

    type: str
    user: User
    trigger_id: str = ""
    channel: User | None = None
    message: Spoken | None = None  # in which the button stands
    actions: list[Pressed] = []
    view: View | None = None


class Command(BaseModel):
    """What somebody typed behind /listener."""

    user_id: str
    text: str = ""
    trigger_id: str = ""


class Happened(BaseModel):
    """What happened in the workspace."""

    type: str
    user: str = ""
    tab: str = ""


class Memory(BaseModel):
    """What a window remembers of the reply that is written in it."""

    case: int
    seen: str
    hand: bool


@dataclass(frozen=True)
class Conversation:
    """Acts for whoever speaks to us from Slack. `home` is the address of our own pages."""

    store: Store
    rules: Rules
    undo: timedelta
    seal: Seal
    home: str
    nudge: Callable[[], None] = field(default=lambda: None)  # that cards have changed

    async def acted(self, api: Api, told: Mapping[str, Any]) -> dict[str, Any]:
        """A button was pressed or a window sent; what Slack is answered."""
        try:
            what = Interaction.model_validate(told)
        except ValidationError:
            return {}
        person = await self.person(what.user.id)
        if what.type == "view_submission" and what.view is not None:
            return await self.written(api, what.view, person, what.user.id)
        for pressed in what.actions if what.type == "block_actions" else ():
            if person is None:
                await self.whisper(api, what, await self.invitation(what.user.id))
                break
            try:
                said = await self.pressed(api, what, pressed, person)
            except (NotAllowed, NotThere, NoRight) as refusal:
                said = escaped(str(refusal), 1_000)
            if said:
                await self.whisper(api, what, said)
        self.nudge()
        return {}

    async def pressed(
        self, api: Api, what: Interaction, pressed: Pressed, person: Staff
    ) -> str | None:
        """One button; what is whispered to whoever pressed it."""
        number, _, more = pressed.said.partition(" ")
        action, name = pressed.action_id, person.name
        if action == "next":
            return await self.following(person)
        if not number.isdecimal() or len(number) > 18:
            return None  # a link, or a button that is older than this version
        case_id = int(number)
        match action:
            case "take":
                await taking.take(self.store, case_id, name)
            case "snooze":
                return escaped((await self.sleeps(case_id, person, more)).said, 1_000)
            case "not negative" | "not us":
                await closing.close(self.store, case_id, name, OUTCOMES[action])
            case "seen":
                done = await acknowledging.acknowledge(self.store, case_id, name, how="Slack")
                return escaped(done.said, 1_000)
            case alarm_cards.SEE_TO:
                return await self.alarmed(api, what, case_id, person)
            case alarm_cards.PUT_OFF:
                async with self.store.reading() as session:
                    until = snoozing.moment_of(alarm_cards.FOR, await now(session), person.zone)
                return escaped(await alarming.snooze(self.store, case_id, name, until), 1_000)
            case alarm_cards.DECLARE:
                return await self.declared(api, what, case_id, person)
            case "reply":
                await self.window(api, what.trigger_id, case_id, person)
            case _:
                pass  # a link, which Slack only tells us of
        return None

    async def alarmed(self, api: Api, what: Interaction, number: int, person: Staff) -> str:
        """Somebody sees to an alarm: whoever reads the channel finds that in its thread."""
        seen = await alarming.acknowledge(self.store, number, person.name)
        if seen.new:
            await self.beneath(api, what, f"{escaped(person.name)} sees to it.")
        return escaped(seen.said, 1_000)

    async def declared(self, api: Api, what: Interaction, number: int, person: Staff) -> str:
        """Somebody declares a crisis of an alarm: the alarm's thread leads to it."""
        made = await declaring.of_alarm(self.store, number, person.name)
        number = made.number
        way = button("crisis", f"Open crisis {number}", str(number))
        way |= {"url": f"{self.home}/crises/{number}"}
        line = f"{escaped(person.name)} has declared a crisis."
        await self.beneath(api, what, line, {"type": "actions", "elements": [way]})
        return escaped(made.said, 1_000)

    async def beneath(self, api: Api, what: Interaction, line: str, *more: Block) -> None:
        """Say in the thread of a message what somebody did there."""
        if what.channel is None or what.message is None:
            return
        with suppress(Undelivered, NotNow):  # the page says it too
            await api.post(
                what.channel.id,
                {"text": line, "blocks": [section(marked(line)), *more]},
                thread_ts=what.message.ts,
            )

    async def window(self, api: Api, trigger: str, case_id: int, person: Staff) -> None:
        """The window for a reply; who writes one has the case."""
        await taking.take(self.store, case_id, person.name)
        box = await replies.compose(self.store, self.rules, case_id, person.name)
        if box is None:
            raise NotAllowed("There is nothing left that could be answered.")
        memory = Memory(case=case_id, seen=box.seen, hand=not box.rule.allowed)
        writing = Writing(
            case_id=case_id,
            quote=box.mention.words,
            draft=box.draft,
            most=box.rule.length,
            unit=box.rule.unit,
            by_hand=memory.hand,
            rule=box.rule.reason,
            memory=memory.model_dump_json(),
        )
        await api.call("views.open", trigger_id=trigger, view=modals.modal(writing, self.home))

    async def written(
        self, api: Api, view: View, person: Staff | None, user: str
    ) -> dict[str, Any]:
        """A reply was sent off; what is wrong with it is said beside its field."""
        try:
            memory = Memory.model_validate_json(view.private_metadata)
            text = view.state.values[modals.REPLY][modals.TEXT].value or ""
        except (ValidationError, KeyError):
            return {}
        if person is None:
            return wrong("Write /listener join first; your words are still here.")
        try:
            if memory.hand:
                done = await replies.by_hand(
                    self.store, memory.case, person.name, text, memory.seen
                )
            else:
                done = await replies.send(
                    self.store, self.rules, memory.case, person.name, text, memory.seen,
                    window=self.undo,
                )  # fmt: skip
        except (NotAllowed, NotThere, NoRight) as refusal:
            return wrong(str(refusal))
        self.nudge()
        link = f"<{self.home}/cases/{memory.case}|Case {memory.case}>"
        try:
            place = await api.talk_with(user)
            await api.whisper(place, user, f"{link}: {escaped(done.said, 1_000)}")
        except (NotAllowed, Undelivered, NotNow):
            pass  # the card and the page say it too
        return {}

    async def commanded(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Somebody typed /listener; what they alone are shown."""
        try:
            command = Command.model_validate(told)
        except ValidationError:
            return {}
        person = await self.person(command.user_id)
        word, _, rest = command.text.strip().partition(" ")
        if person is None or word == "join":
            return shown(modals.stranger(await self.link(command.user_id)))
        try:
            blocks = await self.asked(person, word.lower() or "mine", rest.strip())
        except (NotAllowed, NotThere, NoRight) as refusal:
            blocks = [section(marked(escaped(str(refusal), 1_000)))]
        self.nudge()
        return shown(blocks)

    async def asked(self, person: Staff, word: str, rest: str) -> list[Block]:
        """What one command comes to."""
        match word:
            case "mine":
                lines = await self.lines(person, Queue.MINE)
                heading = "Your cases" if lines else "No case is yours"
                return modals.listed(heading, lines, self.home)
            case "next":
                return [section(marked(await self.following(person)))]
            case "search" if rest:
                lines = await self.lines(person, Queue.ALL, Filters(words=rest))
                heading = f"“{escaped(rest)}”" if lines else f"Nobody says “{escaped(rest)}”"
                return modals.listed(heading, lines, self.home)
            case "take":
                done = await taking.take(self.store, numbered(rest), person.name)
                return [section(marked(escaped(done.said, 1_000)))]
            case "snooze":
                number, _, until = rest.partition(" ")
                done = await self.sleeps(numbered(number), person, until.strip() or "4h")
                return [section(marked(escaped(done.said, 1_000)))]
            case "help":
                return [section(marked(modals.HELP))]
            case _:
                return [section(marked(UNKNOWN))]

    async def happened(self, api: Api, told: Mapping[str, Any]) -> None:
        """Somebody opened our home tab."""
        try:
            event = Happened.model_validate(told)
        except ValidationError:
            return
        if event.type != "app_home_opened" or event.tab == "messages" or not event.user:
            return
        person = await self.person(event.user)
        if person is None:
            view = {"type": "home", "blocks": modals.stranger(await self.link(event.user))}
        else:
            lines = await self.lines(person, Queue.MINE)
            async with self.store.reading() as session:
                counts = await queue.counts(session, await viewer(session, person))
            view = modals.tab(person.name, lines, counts[Queue.UNOWNED], self.home)
        await api.call("views.publish", user_id=event.user, view=view)

    async def following(self, person: Staff) -> str:
        """The most urgent case that nobody has is theirs."""
        done = await taking.take_next(self.store, person.name)
        if done is None:
            return "No case waits that nobody has."
        link = f"{self.home}/cases/{done.case.key}"
        return f"{escaped(done.said, 1_000)} <{link}|Open it>"

    async def sleeps(self, case_id: int, person: Staff, words: str) -> Done:
        """A case sleeps for as long as the words say."""
        if words == snoozing.AUTHOR:
            return await snoozing.snooze(self.store, case_id, person.name, on_answer=True)
        if words == snoozing.SPREADS:
            return await snoozing.until_spread(self.store, case_id, person.name)
        async with self.store.reading() as session:
            until = snoozing.moment_of(words, await now(session), person.zone)
        return await snoozing.snooze(self.store, case_id, person.name, until)

    async def lines(
        self, person: Staff, which: Queue, filters: Filters | None = None
    ) -> Sequence[Line]:
        """The first cases of a list, as this person may see it."""
        async with self.store.reading() as session:
            looking = await viewer(session, person)
            page = await queue.page(session, which, looking, filters, limit=modals.LISTED + 1)
        return [
            Line(
                case_id=row.id,
                brand=row.brand,
                place="" if row.lead is None else row.lead.source,
                quote="" if row.lead is None else row.lead.text,
                urgent=row.urgent,
                owner=row.owner,
                due_at=row.due_at,
            )
            for row in page.rows
        ]

    async def person(self, user: str) -> Staff | None:
        """Who has joined as this user."""
        async with self.store.reading() as session:
            found = await people.in_slack(session, user)
        return found if found is not None and found.active else None

    async def link(self, user: str) -> str:
        """Where a user says who they are."""
        async with self.store.reading() as session:
            moment = await now(session)
        return f"{self.home}/slack/join/{joining.link(self.seal, user, moment)}"

    async def invitation(self, user: str) -> str:
        """To somebody who pressed a button and is not known."""
        return f"Listener does not know yet who you are: <{await self.link(user)}|say it once>."

    async def whisper(self, api: Api, what: Interaction, text: str) -> None:
        """Tell whoever acted, where they did."""
        try:
            place = what.channel.id if what.channel else await api.talk_with(what.user.id)
            await api.whisper(place, what.user.id, text)
        except (Undelivered, NotNow):
            pass  # the act stands; the card says so too


async def viewer(session: Any, person: Staff) -> Viewer:
    """For whom a list is made."""
    moment = await now(session)
    here = moment.astimezone(snoozing.zone_of(person.zone))
    today = here.replace(hour=0, minute=0, second=0, microsecond=0)
    return Viewer(staff_id=person.key, brands=person.walls, now=moment, today=today)


def numbered(words: str) -> int:
    """The number of a case."""
    words = words.strip().lstrip("#")
    if not words.isdecimal() or len(words) > 18:
        raise NotAllowed("Name the case by its number, as in: /listener take 7")
    return int(words)


def wrong(why: str) -> dict[str, Any]:
    """What is wrong with a reply, beside its field."""
    return {"response_action": "errors", "errors": {modals.REPLY: why[:1_000]}}


def shown(blocks: list[Block]) -> dict[str, Any]:
    """An answer that one person alone sees."""
    return {"response_type": "ephemeral", "text": "Listener", "blocks": blocks}
