"""Slack shows one card a case, edits it on every change, and keeps Slack's pace."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from time import monotonic

import pytest

from listener.desk import closing, taking
from listener.domain.case import Case, Outcome
from listener.domain.event import What
from listener.domain.notice import Notice
from listener.store import history, people, telling
from tests.given import COMPLAINTS, INBOX, complained, heard, said
from tests.slack_double import Message, Workspace
from tests.world import World

SECOND = timedelta(seconds=1)


@pytest.fixture
async def slack(world: World) -> AsyncIterator[Workspace]:
    """A workspace, and a channel of it that hears of our cases."""
    async with Workspace(lambda: world.now) as workspace:
        await world.set_up(sources=[INBOX], channels=[workspace.options], allow=[workspace.host])
        await world.hire("Ana", "Ben")
        yield workspace


async def told(world: World, *, seconds: int = 30) -> None:
    """The stage until nothing waits, a second for every turn."""
    notify = (await world.service()).notify
    for _ in range(seconds):
        await notify.step()
        if not [one for one in await world.notices() if one.sent_at is None]:
            return
        world.now += SECOND


def buttons(message: Message) -> list[str]:
    """What can be pressed on a card."""
    return [
        one["action_id"]
        for block in message.blocks
        if block["type"] == "actions"
        for one in block["elements"]
    ]


async def test_a_case_is_one_card_with_what_can_be_done(world: World, slack: Workspace) -> None:
    await complained(world)

    await told(world)

    [card] = slack.cards
    assert COMPLAINTS[0].replace("fish", "»fish«", 1) in card.shown
    assert "Acme on Inbox" in card.shown
    assert buttons(card) == ["take", "reply", "snooze", "not negative", "not us", "open"]
    assert COMPLAINTS[0] not in card.text


async def test_ten_changes_edit_one_message(world: World, slack: Workspace) -> None:
    await complained(world)
    await told(world)

    for _ in range(5):
        await taking.take(world.store, 1, "Ana")
        await told(world)
        await taking.release(world.store, 1, "Ana")
        await told(world)

    [card] = slack.cards
    assert card.edits == 10
    assert len(slack.channels["C01"]) == 1


async def test_the_card_says_who_has_the_case_and_how_it_ended(
    world: World, slack: Workspace
) -> None:
    await complained(world)
    await told(world)

    await taking.take(world.store, 1, "Ana")
    await told(world)
    [card] = slack.cards
    assert "Taken by Ana" in card.shown
    assert "take" not in buttons(card)

    await closing.close(world.store, 1, "Ana", Outcome.NO_REPLY_NEEDED)
    await told(world)
    assert "Closed: no reply needed by Ana" in card.shown
    assert buttons(card) == ["open"]


async def test_several_cases_come_one_a_second(world: World, slack: Workspace) -> None:
    await complained(world, *COMPLAINTS)

    await told(world)

    assert len(slack.cards) == 5
    times = slack.spoken["C01"]
    assert all(b - a >= SECOND for a, b in pairwise(times))
    assert slack.refused == []


async def test_a_burst_is_one_card_that_counts(world: World, slack: Workspace) -> None:
    await several(world, 60)

    await told(world)

    [card] = slack.cards
    assert "60 new cases at once" in card.shown
    assert len(slack.spoken["C01"]) == 1
    assert all(notice.sent_at for notice in await world.notices())

    await taking.take(world.store, 1, "Ana")
    await told(world)
    assert "59 wait" in card.shown
    assert len(slack.cards) == 1


@pytest.mark.slow
async def test_a_thousand_cases_in_a_minute_are_one_ping_and_none_is_lost(
    world: World, slack: Workspace
) -> None:
    begun = world.now
    for first in range(0, 1_000, 100):
        await several(world, 100, first=first)
        await told(world, seconds=6)
    await told(world, seconds=60)

    assert len(slack.cards) == 1
    assert "1,000 new cases at once" in slack.cards[0].shown
    assert world.now - begun <= timedelta(minutes=2)
    assert all(notice.sent_at for notice in await world.notices())
    assert slack.refused == []


async def test_a_case_that_becomes_urgent_speaks_again_once(world: World, slack: Workspace) -> None:
    await complained(world)
    await told(world)

    await urgent(world, 1)
    await taking.take(world.store, 1, "Ana")
    await told(world)
    await taking.release(world.store, 1, "Ana")
    await told(world)

    card, aloud = slack.cards
    assert "URGENT" in card.shown
    assert aloud.broadcast
    assert aloud.thread == card.ts


async def test_a_deleted_posts_words_leave_the_card(world: World, slack: Workspace) -> None:
    await heard(world, said("A canary and fish.", id="p1", published=world.now))
    await judge(world)
    await told(world)
    assert "canary" in slack.cards[0].shown

    await heard(world, gone=["p1"])
    await told(world)

    [card] = slack.cards
    assert "canary" not in card.shown
    assert "deleted" in card.shown
    assert [one.text for one in slack.thread(card.ts)]
    assert all("canary" not in one.shown for one in slack.channels["C01"])


@pytest.mark.parametrize("fault", ["cut before", "cut after"])
async def test_a_cut_never_makes_a_second_card(world: World, slack: Workspace, fault: str) -> None:
    slack.trap("chat.postMessage", fault)
    await complained(world)

    await told(world)
    world.now += timedelta(minutes=1)
    await told(world)

    assert len(slack.cards) == 1
    assert all(notice.sent_at for notice in await world.notices())


async def test_our_own_card_is_found_behind_many_others(world: World, slack: Workspace) -> None:
    slack.trap("chat.postMessage", "cut after")
    await complained(world)
    await told(world, seconds=1)
    for number in range(250):
        ts = f"{world.now.timestamp():.0f}.{number + 500:06}"
        slack.channels["C01"].append(Message(ts, "lunch?", [], {}))

    world.now += timedelta(minutes=1)
    await told(world)

    assert [one.text for one in slack.cards].count("lunch?") == 250
    assert len(slack.cards) == 251
    assert slack.cards[0].edits == 1


async def test_slacks_wish_for_silence_is_kept(world: World, slack: Workspace) -> None:
    slack.trap("chat.postMessage", "429")
    await complained(world)
    begun = world.now

    await told(world)

    assert len(slack.cards) == 1
    assert slack.spoken["C01"][0] - begun >= timedelta(seconds=7)
    assert [notice.tries for notice in await of(world)] == [0]


async def test_a_card_that_somebody_took_away_is_posted_anew(
    world: World, slack: Workspace
) -> None:
    await complained(world)
    await told(world)
    slack.channels["C01"].clear()

    await taking.take(world.store, 1, "Ana")
    await told(world)

    assert len(slack.cards) == 1
    assert "Taken by Ana" in slack.cards[0].shown


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("not_in_channel", "/invite"),
        ("invalid_auth", "copy the Bot User OAuth Token"),
        ("token_revoked", "install the app again"),
        ("internal_error", "tried again"),
    ],
)
async def test_why_slack_refuses_is_said_in_words(
    world: World, slack: Workspace, error: str, says: str
) -> None:
    slack.trap("chat.postMessage", error)
    await complained(world)

    await told(world, seconds=1)

    [notice] = await of(world)
    assert says in (notice.failure or "")


async def test_a_missing_scope_is_named(world: World, slack: Workspace) -> None:
    slack.scopes -= {"chat:write"}
    await complained(world)

    await told(world, seconds=1)

    [notice] = await of(world)
    assert "chat:write" in (notice.failure or "")


@pytest.mark.parametrize(("what", "called"), [(What.ESCALATED, True), (What.WARNED, False)])
async def test_a_person_is_told_alone_with_why_and_when_called_can_say_that_they_heard(
    world: World, slack: Workspace, what: What, called: bool
) -> None:
    await complained(world)
    async with world.store.transaction() as session:
        ana = await people.named(session, "Ana")
        assert ana is not None
        ana.slack = "UANA"
        event = await history.record(session, 1, what, now=world.now, channels=())
        await telling.tell(
            session, 1, event, [ana.key], world.now, urgent=True, why="Nobody took it for an hour."
        )

    await told(world)

    [word] = slack.channels["DUANA"]
    assert "Nobody took it for an hour." in word.shown
    assert ("seen" in buttons(word)) is called


async def of(world: World) -> list[Notice]:
    """The notices for Slack."""
    return [one for one in await world.notices() if one.channel == "desk"]


async def judge(world: World) -> None:
    """Judge what waits."""
    while await (await world.service()).judge.step():
        pass


async def urgent(world: World, number: int) -> None:
    """Make a case urgent."""
    async with world.store.transaction() as session:
        case = await session.get_one(Case, number)
        case.urgent = True


async def several(world: World, count: int, first: int = 0) -> None:
    """So many cases at once, each with words of its own."""
    numbers = range(first, first + count)
    posts = [
        said(
            " ".join(f"fish w{number}x{one}" for one in range(12)),
            author=f"a{number}",
            published=world.now,
        )
        for number in numbers
    ]
    await heard(world, *posts)
    await judge(world)
    assert len(await world.cases()) == first + count


async def test_a_single_run_tells_all_of_it_before_it_ends(world: World, slack: Workspace) -> None:
    await complained(world, *COMPLAINTS[:3])
    begun, started = world.now, monotonic()
    world.store._clock = lambda: begun + timedelta(seconds=monotonic() - started)
    slack.clock = world.store._clock

    await (await world.service()).once()

    assert len(slack.cards) == 3
    assert all(notice.sent_at for notice in await world.notices())
