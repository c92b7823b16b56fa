"""Alarms reach people in Slack and by mail: once, harmless, to be seen to there, and over at last."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.headerregistry import Address
from pathlib import Path

import pytest

from listener.app import Service
from listener.channels import alarm_cards, alarm_letter
from listener.channels.contract import Warned
from listener.channels.letter import Envelope
from listener.channels.mail import Mail
from listener.desk import alarming
from listener.domain.alarm import Alarm, AlarmNotice, Sort
from listener.domain.crisis import Crisis
from listener.domain.staff import Role, Staff
from listener.store import people
from tests.given import INBOX
from tests.hostile import HOSTILE
from tests.mail_server import post_office
from tests.slack_blocks import faults
from tests.slack_double import Workspace
from tests.stages.test_watch import burst, keep, looked, used_to
from tests.web.visiting import street
from tests.world import NOON, World

RISEN = Warned(
    id="alarm_1",
    alarm_id=7,
    brand="Acme",
    source="Inbox",
    sort=Sort.COMPLAINTS,
    over=False,
    since=NOON,
    at=NOON + timedelta(minutes=10),
    raised_at=NOON + timedelta(minutes=10),
    sentence="30 complaints from Inbox since 02 Nov 12:00 UTC, where 0 to 3 are usual.",
    count=30,
    usual=(0, 3),
    quotes=(("The fish was cold.", "https://place.example/p"),),
)
ENVELOPE = Envelope(
    sender=Address("Listener", "listener", "shop.example"),
    to=[Address("", "desk", "shop.example")],
    site="https://desk.example",
    house="h0",
)


@pytest.fixture
async def slack(world: World) -> AsyncIterator[Workspace]:
    """A workspace whose channel hears of a brand that rises."""
    async with Workspace(lambda: world.now) as workspace:
        await world.set_up(sources=[INBOX], channels=[workspace.options], allow=[workspace.host])
        await world.hire("Ana", "Ben")
        await used_to(world, timedelta(minutes=40), until=world.now)
        await keep(world, burst(world, 30), flagged=True)
        yield workspace


async def rung(world: World) -> Service:
    """The watch has looked, and told."""
    service = await world.service()
    await looked(world, service, 3)
    return service


async def test_an_alarm_is_one_message_and_that_it_is_over_edits_it(
    world: World, slack: Workspace
) -> None:
    service = await rung(world)

    [card] = slack.cards
    assert "Acme: 30 complaints" in card.shown
    assert "It began" not in card.text
    assert "Fish number" in card.shown
    assert "Fish number" not in card.text
    assert "I see to it" in card.shown

    world.now += timedelta(hours=3)
    await looked(world, service, 3)

    [card] = slack.cards
    assert card.edits == 1
    assert card.text.startswith("Over: Acme")
    assert "Over since" in card.shown
    assert "I see to it" not in card.shown


async def test_a_cut_while_it_is_posted_leaves_one_message(world: World, slack: Workspace) -> None:
    slack.trap("chat.postMessage", "cut after")
    service = await rung(world)

    world.now += timedelta(minutes=2)
    await looked(world, service, 3)

    assert len(slack.cards) == 1
    [notice] = [one for one in await world.all_of(AlarmNotice) if one.channel == "desk"]
    assert notice.sent_at is not None


async def test_slack_wants_a_moment_and_no_try_is_lost(world: World, slack: Workspace) -> None:
    slack.trap("chat.postMessage", "429")
    service = await rung(world)
    await looked(world, service, 2)

    [notice] = [one for one in await world.all_of(AlarmNotice) if one.channel == "desk"]
    assert notice.tries == 0
    assert notice.sent_at is not None
    assert len(slack.cards) == 1


async def joined(world: World, role: Role = Role.AGENT) -> Staff:
    """Ana, who has said in Slack who she is."""
    async with world.store.transaction() as session:
        ana = await people.named(session, "Ana")
        assert ana is not None
        ana.slack, ana.role = "UANA", role
    return ana


async def test_who_joined_sees_to_it_in_slack_and_the_channel_learns_who(
    world: World, slack: Workspace
) -> None:
    ana = await joined(world)
    async with street(world) as place:
        await looked(world, place.service, 3)
        [card] = slack.cards
        door = f"{place.origin}/slack/acts"
        await slack.press(door, alarm_cards.SEE_TO, "1", user="UANA", ts=card.ts)
        await slack.press(door, alarm_cards.SEE_TO, "1", user="UZOE", ts=card.ts)
        await slack.press(door, alarm_cards.PUT_OFF, "1", user="UANA", ts=card.ts)

    [alarm] = await world.all_of(Alarm)
    assert alarm.acknowledged_by == ana.key
    assert alarm.snoozed_until is not None
    assert [one.text for one in slack.thread(card.ts)] == ["Ana sees to it."]
    whispered = [text for _, _, text in slack.whispers]
    assert whispered[0] == "You see to alarm 1; nobody else is called."
    assert "does not know yet who you are" in whispered[1]
    assert "is put off until" in whispered[2]


async def test_a_crisis_is_declared_from_the_card_by_who_may_and_the_thread_leads_to_it(
    world: World, slack: Workspace
) -> None:
    ana = await joined(world)
    async with street(world) as place:
        await looked(world, place.service, 3)
        [card] = slack.cards
        door = f"{place.origin}/slack/acts"
        await slack.press(door, alarm_cards.DECLARE, "1", user="UANA", ts=card.ts)  # an agent
        await joined(world, Role.LEAD)
        await slack.press(door, alarm_cards.DECLARE, "1", user="UANA", ts=card.ts)
        await slack.press(door, alarm_cards.DECLARE, "1", user="UANA", ts=card.ts)  # once more
        await slack.press(door, alarm_cards.DECLARE, "99", user="UANA", ts=card.ts)

    assert "Declare a crisis" in card.shown
    [crisis] = await world.all_of(Crisis)
    assert (crisis.alarm_id, crisis.lead_id, crisis.every) == (1, ana.key, 30)
    [alarm] = await world.all_of(Alarm)
    assert alarm.acknowledged_by == ana.key
    [line] = slack.thread(card.ts)
    assert line.text == "Ana has declared a crisis."
    assert "/crises/1" in line.shown
    refused, made, again, nothing = (text for _, _, text in slack.whispers)
    assert "whose role does not include" in refused
    assert made.startswith("Crisis 1 is declared: ")
    assert "open" in again
    assert nothing.startswith("There is no alarm 99.")


async def test_who_sees_to_it_on_the_page_stands_on_the_card_too(
    world: World, slack: Workspace
) -> None:
    service = await rung(world)

    await alarming.acknowledge(world.store, 1, "Ana")
    await looked(world, service, 3)

    [card] = slack.cards
    assert card.edits == 1
    assert "Ana sees to it" in card.shown
    assert "I see to it" not in card.shown
    assert world.printed.count(" ALARM ") == 1, "what cannot be edited is not told again"


async def test_who_is_called_in_slack_sees_to_it_there_and_reads_there_that_it_is_over(
    world: World, slack: Workspace
) -> None:
    ana = await joined(world, Role.LEAD)
    async with street(world) as place:
        await looked(world, place.service, 3)
        world.now += timedelta(minutes=18)
        slack.trap("chat.postMessage", "cut after")  # whether it arrived is not known
        await looked(world, place.service, 5)

        [message] = slack.channels["DUANA"]
        assert "Nobody sees to it after 20 min: the lead is called, Ana." in message.shown
        assert "I see to it" in message.shown
        assert message.ts not in {card.ts for card in slack.cards}
        await slack.press(
            f"{place.origin}/slack/acts", alarm_cards.SEE_TO, "1", user="UANA", ts=message.ts
        )
        world.now += timedelta(minutes=40)
        await looked(world, place.service, 2)
        assert [one.acknowledged_by for one in await world.all_of(Alarm)] == [ana.key]
        assert len(slack.channels["DUANA"]) == 1, "nobody is called any more"

        world.now += timedelta(hours=3)
        await looked(world, place.service, 3)

    [message] = slack.channels["DUANA"]
    assert message.text.startswith("Over: Acme")
    assert "I see to it" not in message.shown


def test_a_call_by_mail_says_why_and_carries_its_link() -> None:
    called = replace(RISEN, why="Nobody sees to it after 20 min.", call=1)
    to_ana = replace(ENVELOPE, heard="https://desk.example/heard/alarm-1-abc")

    for kind in ("plain", "html"):
        part = alarm_letter.letter(called, to_ana).get_body((kind,))
        assert part is not None
        assert "Nobody sees to it after 20 min." in part.get_content()
        assert "https://desk.example/heard/alarm-1-abc" in part.get_content()
        done = alarm_letter.letter(replace(called, over=True), to_ana).get_body((kind,))
        assert done is not None
        assert "heard" not in done.get_content()


def test_the_theme_is_one_press_away_also_when_it_is_over() -> None:
    warned = replace(RISEN, theme="coupon", theme_id=3)

    for one in (warned, replace(warned, over=True)):
        blocks = alarm_cards.card(one, "https://desk.example")
        assert faults(blocks) == []
        ways = [each.get("url") for each in blocks[-1]["elements"]]
        assert "https://desk.example/themes/3" in ways
        mail = alarm_letter.letter(one, ENVELOPE)
        for kind in ("plain", "html"):
            part = mail.get_body((kind,))
            assert part is not None
            assert "https://desk.example/themes/3" in part.get_content()


@pytest.mark.parametrize("words", HOSTILE)
def test_no_stranger_speaks_in_slack_s_own_voice(words: str) -> None:
    warned = replace(RISEN, brand=words[:100], source=words[:100], quotes=((words, words),) * 3)

    blocks = alarm_cards.card(warned, "https://desk.example")

    assert faults(blocks) == []
    for text in (alarm_cards.spoken(warned), *(one["text"]["text"] for one in blocks[:1])):
        assert "<!" not in text
        assert "<@" not in text
        assert "<http" not in text


async def test_a_mailbox_hears_of_it_and_of_its_end_in_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with post_office(tmp_path) as office:
        monkeypatch.setenv("SSL_CERT_FILE", str(office.certificate))
        mail = Mail(office.server(), ["desk@shop.example"], "https://desk.example", "h0")
        await mail.ring(RISEN)
        await mail.ring(replace(RISEN, id="alarm_2", over=True, who="Ana"))

    first, last = office.mails
    assert first["Subject"].startswith("Alarm: Acme: 30 complaints")
    assert first["Importance"] == "high"
    assert last["Subject"].startswith("Over: Acme: 30 complaints")
    assert first["References"] == last["References"]
    assert first["Message-ID"] != last["Message-ID"]
    plain, page = first.get_body(("plain",)), first.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert "> The fish was cold." in plain.get_content()
    assert "https://desk.example/alarms#alarm-7" in plain.get_content()
    assert "https://desk.example/alarms#alarm-7" in page.get_content()
    ended = last.get_body(("plain",))
    assert ended is not None
    assert "Ana sees to it." in ended.get_content()
    assert "fish" not in ended.get_content()


@pytest.mark.parametrize("words", HOSTILE)
def test_nothing_foreign_is_alive_in_a_mail(words: str) -> None:
    mail = alarm_letter.letter(replace(RISEN, brand=words, quotes=((words, words),)), ENVELOPE)

    page = mail.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content().lower()
    assert "<img" not in page.get_content().lower()
    assert "\n" not in str(mail["Subject"])


def test_a_mail_shows_the_day_before_an_alarm_and_no_picture_once_it_is_over() -> None:
    risen = replace(RISEN, chart=((0.0, 1.2),) * 90 + ((9.0, 1.2),) * 6)

    mail = alarm_letter.letter(risen, ENVELOPE)
    page = mail.get_body(("html",))
    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    over = alarm_letter.letter(replace(risen, over=True), ENVELOPE)

    assert page is not None
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in page.get_content()
    assert 'alt="The day before: at most 9 in a quarter of an hour."' in page.get_content()
    assert not [part for part in over.walk() if part.get_content_maintype() == "image"]
