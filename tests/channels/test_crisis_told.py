"""What is told of a crisis reaches channels and people: each once, harmless, in one thread."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import pytest

from listener.channels import crisis_cards, crisis_letter
from listener.channels.contract import Announced
from listener.channels.letter import Envelope
from listener.channels.slack_api import Api
from listener.channels.terminal import crisis_lines
from listener.channels.webhook import crisis_words
from listener.desk import declaring
from listener.domain.crisis import LONGEST_UPDATE, Bulletin, Told
from listener.domain.staff import Role
from listener.store import bulletins, people
from tests.desk.test_declaring import declared, staffed
from tests.given import INBOX
from tests.hostile import HOSTILE
from tests.mail_server import post_office
from tests.slack_blocks import faults
from tests.slack_double import Workspace
from tests.web.visiting import hired
from tests.world import NOON, World

UPDATE = Announced(
    id="bulletin_1",
    crisis_id=7,
    told=Told.UPDATE,
    brand="Acme",
    name="Burning chargers",
    at=NOON,
    sentence="Burning chargers: update by Lea.",
    text="The till is off.\nMore at one.",
    who="Lea",
    lead="Lea",
    unclosed=3,
)
ENVELOPE = Envelope(
    sender=Address("Listener", "listener", "shop.example"),
    to=[Address("", "desk", "shop.example")],
    site="https://desk.example",
    house="h0",
)


@pytest.fixture
async def slack(world: World) -> AsyncIterator[Workspace]:
    """A workspace whose channel hears of the brand; Lea and Ana have joined it."""
    async with Workspace(lambda: world.now) as workspace:
        await world.set_up(sources=[INBOX], channels=[workspace.options], allow=[workspace.host])
        await hired(world, "Lea", Role.LEAD, slack="ULEA", mail="lea@shop.example")
        await hired(world, "Ana", slack="UANA", mail="ana@shop.example")
        yield workspace


async def told(world: World, minutes: int = 4) -> None:
    """The stage of a service that was just started, for some minutes."""
    service = await world.service()
    for _ in range(minutes):
        await service.crisis.step()
        world.now += timedelta(minutes=1)


async def test_who_joined_slack_is_told_there_and_the_lead_alone_is_reminded(
    world: World, slack: Workspace
) -> None:
    await declared(world, every=15)
    await told(world)
    await declaring.update(world.store, 1, "Lea", "The till is off.")
    await told(world)
    world.now += timedelta(minutes=11)
    await told(world)

    assert len(slack.cards) == 2  # declared, and the update
    by_whom = {one.whom: [] for one in await world.all_of(Bulletin)}  # type: ignore[var-annotated]
    for one in await world.all_of(Bulletin):
        assert one.sent_at is not None
        by_whom[one.whom].append(one.told)
    assert by_whom == {
        "desk": [Told.DECLARED, Told.UPDATE],
        "terminal": [Told.DECLARED, Told.UPDATE],
        "@2": [Told.DECLARED, Told.UPDATE],
        "@1": [Told.DUE],
    }


STEPS: list[tuple[Any, str]] = [
    (bulletins, "take"),
    (bulletins, "keep"),
    (Api, "post"),
    (Api, "find"),
]


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("after", [False, True])
async def test_whatever_moment_it_dies_in_slack_shows_each_thing_once(
    world: World, slack: Workspace, monkeypatch: pytest.MonkeyPatch, step: int, after: bool
) -> None:
    await declared(world, every=60)
    kind, name = STEPS[step]
    real: Callable[..., Awaitable[Any]] = getattr(kind, name)

    async def mortal(*given: Any, **more: Any) -> Any:
        if after:
            await real(*given, **more)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(kind, name, mortal)
        with pytest.raises(KeyboardInterrupt):
            await told(world, 1)
    world.now += timedelta(minutes=2)
    await told(world, 8)

    assert len(slack.cards) == 1
    assert all(one.sent_at for one in await world.all_of(Bulletin))
    assert {one.whom for one in await world.all_of(Bulletin)} == {"desk", "terminal", "@2"}


async def test_what_slack_does_not_take_for_a_person_goes_by_mail(
    world: World, slack: Workspace
) -> None:
    await declared(world, every=60)
    async with world.store.transaction() as session:
        ana = await people.named(session, "Ana")
        assert ana is not None
        [one] = [one for one in await world.all_of(Bulletin) if one.staff_id == ana.key]
        for _ in range(bulletins.DETOUR):
            await bulletins.keep(session, one.key, "Slack is away.", now=world.now, mails=True)

    [one] = [one for one in await world.all_of(Bulletin) if one.staff_id == ana.key]
    assert (one.channel, one.failed_at, one.next_at) == ("mail", None, world.now)
    assert slack.cards == []


async def test_a_person_without_slack_gets_one_mail(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staffed(world)
    async with post_office(tmp_path) as office:
        monkeypatch.setenv("SSL_CERT_FILE", str(office.certificate))
        world.settings = replace(world.settings, mail=office.server())
        await declared(world, every=60)

        await told(world)
        await told(world)

    [mail] = office.mails  # Mia; Lea declared it, Ana and Ben have no address
    assert mail["Subject"] == "Crisis: Acme: Burning chargers: declared"
    assert mail["To"] == "mia@shop.example"


def test_a_mail_says_it_all_for_either_reader() -> None:
    mail = crisis_letter.letter(UPDATE, ENVELOPE)
    due = crisis_letter.letter(replace(UPDATE, told=Told.DUE, id="bulletin_2"), ENVELOPE)

    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    for body in (plain.get_content(), page.get_content()):
        assert "The till is off." in body
        assert "3 cases are open." in body
        assert "https://desk.example/crises/7" in body
    assert mail["References"] == due["References"]
    assert mail["Message-ID"] != due["Message-ID"]
    reminder = due.get_body(("plain",))
    assert reminder is not None
    assert "Write the update: https://desk.example/crises/7#update" in reminder.get_content()


def test_the_longest_update_is_told_whole() -> None:
    long = replace(UPDATE, text="x" * (LONGEST_UPDATE - 4) + "END.")

    for body in (("plain",), ("html",)):
        part = crisis_letter.letter(long, ENVELOPE).get_body(body)
        assert part is not None
        assert "END." in part.get_content().replace("\u2060", "")
    blocks = crisis_cards.card(long, "https://desk.example")
    assert blocks[1]["text"]["text"].endswith("END.")


@pytest.mark.parametrize("words", HOSTILE)
def test_no_stranger_speaks_in_our_own_voice(words: str) -> None:
    announced = replace(UPDATE, brand=words[:100], name=words[:80], sentence=words, text=words)

    blocks = crisis_cards.card(announced, "https://desk.example")
    mail = crisis_letter.letter(announced, ENVELOPE)

    assert faults(blocks) == []
    for text in (crisis_cards.spoken(announced), blocks[0]["text"]["text"]):
        assert "<!" not in text
        assert "<@" not in text
        assert "<http" not in text
    page = mail.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content().lower()
    assert "<img" not in page.get_content().lower()
    assert "\n" not in str(mail["Subject"])
    for line in crisis_lines(announced):
        assert "\x1b" not in line.plain


def test_a_webhook_gets_its_facts() -> None:
    said = crisis_words(UPDATE)

    assert said["type"] == "crisis.update"
    assert said["data"]["crisis"] == 7
    assert said["data"]["text"] == UPDATE.text
