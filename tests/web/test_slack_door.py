"""From Slack people do what they do on the pages: signed, joined, and as their role allows."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from unittest.mock import AsyncMock
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

from listener.desk import staffing
from listener.desk.joining import link
from listener.domain.case import Outcome, Status
from listener.domain.reply import Reply
from listener.domain.secret import Seal
from listener.domain.staff import Role, Staff
from listener.store import people
from listener.store.session import DatabaseTrouble
from listener.web import slack as door
from tests.channels.test_slack import told
from tests.given import COMPLAINTS, INBOX, complained
from tests.slack_double import Workspace
from tests.web.visiting import Street, street
from tests.world import World

SECRET = "what a customer wrote"
SEAL = Seal("a key for tests, long enough")


@dataclass
class Office:
    """A workspace, and the listener it speaks to."""

    slack: Workspace
    street: Street
    world: World

    async def press(self, action: str, value: str, **how: str) -> tuple[int, str]:
        """A button."""
        return await self.slack.press(
            f"{self.street.origin}/slack/acts", action, value, user=how.get("user", "UANA")
        )

    async def command(self, text: str, user: str = "UANA") -> str:
        """A command; what is shown."""
        status, body = await self.slack.command(
            f"{self.street.origin}/slack/commands", text, user=user
        )
        assert status == 200
        return body

    @property
    def whispered(self) -> list[str]:
        """What people were told alone."""
        return [text for _, _, text in self.slack.whispers]


@pytest.fixture
async def office(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    """Ana and Ben have joined; one case waits. Slack waits longer, for machines that are busy."""
    monkeypatch.setattr(door, "PATIENCE", 60.0)
    async with Workspace(lambda: world.now) as slack:
        await world.set_up(sources=[INBOX], channels=[slack.options], allow=[slack.host])
        await world.hire("Ana", "Ben")
        async with world.store.transaction() as session:
            for name in ("Ana", "Ben"):
                person = await people.named(session, name)
                assert person is not None
                person.slack = f"U{name.upper()}"
        await complained(world, *COMPLAINTS[:2])
        async with street(world) as place:
            yield Office(slack, place, world)


async def test_who_presses_take_has_the_case_and_the_card_says_so(office: Office) -> None:
    await told(office.world)

    assert await office.press("take", "1") == (200, "")
    await told(office.world)

    [case, _] = await office.world.cases()
    assert case.status is Status.OWNED
    assert "Taken by Ana" in office.slack.cards[0].shown


async def test_of_two_who_press_at_once_the_second_learns_who_has_it(office: Office) -> None:
    await office.press("take", "1")
    await office.press("take", "1", user="UBEN")

    assert len(office.whispered) == 1
    assert "Ana" in office.whispered[0]
    [case, _] = await office.world.cases()
    [ana, *_] = await office.world.all_of(Staff)
    assert case.owner_id == ana.id


@pytest.mark.parametrize(
    ("action", "outcome"),
    [("not negative", Outcome.NOT_NEGATIVE), ("not us", Outcome.NOT_US)],
)
async def test_a_wrong_flag_is_corrected_by_a_button(
    office: Office, action: str, outcome: Outcome
) -> None:
    await office.press(action, "1")

    [case, _] = await office.world.cases()
    assert (case.status, case.outcome) == (Status.CLOSED, outcome)


async def test_snoozing_always_asks_how_long(office: Office) -> None:
    await office.press("snooze", "1 4h")

    [case, _] = await office.world.cases()
    assert case.snoozed_until == office.world.now + timedelta(hours=4)
    assert "sleeps until" in office.whispered[0]


async def test_a_reply_is_written_in_a_window_and_sent(office: Office) -> None:
    await office.press("reply", "1")
    [view] = office.slack.views
    memory = json.loads(view["private_metadata"])
    assert memory["hand"]  # the inbox of a webhook takes no replies

    status, body = await office.slack.submit(
        f"{office.street.origin}/slack/acts", view, "We are sorry.", user="UANA"
    )

    assert (status, body) == (200, "")
    [reply] = await office.world.all_of(Reply)
    assert reply.text == "We are sorry."
    [case, _] = await office.world.cases()
    assert case.status is Status.ANSWERED


async def test_what_is_wrong_with_a_reply_is_said_beside_it(office: Office) -> None:
    await office.press("reply", "1")
    [view] = office.slack.views

    _, body = await office.slack.submit(
        f"{office.street.origin}/slack/acts", view, "   ", user="UANA"
    )

    answer = json.loads(body)
    assert answer["response_action"] == "errors"
    assert "empty" in answer["errors"]["reply"]


async def test_a_stranger_does_nothing_and_is_told_how_to_join(office: Office) -> None:
    await office.press("take", "1", user="UEVE")

    [case, _] = await office.world.cases()
    assert case.status is Status.OPEN
    assert "/slack/join/" in office.whispered[0]


async def test_who_may_not_see_a_brand_does_not_reach_its_cases(office: Office) -> None:
    async with office.world.store.transaction() as session:
        ben = await people.named(session, "Ben")
        assert ben is not None
        ben.brands = [99]

    await office.press("take", "1", user="UBEN")
    await office.press("reply", "1", user="UBEN")

    [case, _] = await office.world.cases()
    assert case.status is Status.OPEN
    assert office.slack.views == []
    assert COMPLAINTS[0] not in await office.command("search fish", user="UBEN")


async def test_a_manager_reads_and_works_nothing(office: Office) -> None:
    async with office.world.store.transaction() as session:
        session.add(Staff(name="Mia", role=Role.MANAGER, slack="UMIA"))

    await office.press("take", "1", user="UMIA")

    [case, _] = await office.world.cases()
    assert case.status is Status.OPEN
    assert "manager" in office.whispered[0]


async def test_who_left_acts_no_more(office: Office) -> None:
    await staffing.leave(office.world.store, "Ben")

    await office.press("take", "1", user="UBEN")

    [case, _] = await office.world.cases()
    assert case.status is Status.OPEN


@pytest.mark.parametrize("path", ["acts", "commands", "events"])
async def test_what_slack_has_not_signed_is_refused(office: Office, path: str) -> None:
    url = f"{office.street.origin}/slack/{path}"
    told = {"type": "block_actions", "user": {"id": "UANA"}, "actions": []}
    body = urlencode({"payload": json.dumps(told)})

    wrong = await office.slack.deliver(url, body, secret="another")
    old = await office.slack.deliver(url, body, age=301)
    async with office.street.session.post(f"/slack/{path}", data=body) as unsigned:
        assert unsigned.status == 401
    headers = {"X-Slack-Request-Timestamp": "٣", "X-Slack-Signature": "v0=ä"}
    async with office.street.session.post(url, data=b"\xff\xfe", headers=headers) as broken:
        assert broken.status == 401

    assert (wrong[0], old[0]) == (401, 401)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "payload=",
        "payload=%5B%5D",
        "payload=null",
        urlencode({"payload": json.dumps({"type": "block_actions"})}),
        urlencode({"payload": json.dumps({"type": "view_submission", "user": {"id": "UANA"}})}),
        urlencode(
            {
                "payload": json.dumps(
                    {
                        "type": "block_actions",
                        "user": {"id": "UANA"},
                        "actions": [{"action_id": "take", "value": "9" * 40}],
                    }
                )
            }
        ),
    ],
)
async def test_what_is_signed_and_makes_no_sense_harms_nothing(office: Office, body: str) -> None:
    for path in ("acts", "commands", "events"):
        status, _ = await office.slack.deliver(f"{office.street.origin}/slack/{path}", body)

        assert status == 200


async def test_slack_learns_that_the_address_is_ours(office: Office) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc"})

    status, answer = await office.slack.deliver(
        f"{office.street.origin}/slack/events", body, kind="application/json"
    )

    assert (status, json.loads(answer)) == (200, {"challenge": "abc"})


async def test_the_command_lists_takes_searches_and_snoozes(office: Office) -> None:
    assert "No case is yours" in await office.command("")
    assert "is yours" in await office.command("next")
    assert "Your cases" in await office.command("mine")
    assert "fish" in await office.command("search fish")
    assert "Nobody says" in await office.command("search submarine")
    assert "sleeps until" in await office.command("snooze 1 2h")
    assert "/listener take 7" in await office.command("take nonsense")
    assert "/listener next" in await office.command("help")
    assert "not known" in await office.command("dance")


async def test_the_home_tab_shows_what_is_mine(office: Office) -> None:
    await office.press("take", "1")
    event = {"type": "app_home_opened", "user": "UANA", "tab": "home"}
    body = json.dumps({"type": "event_callback", "event": event})

    status, _ = await office.slack.deliver(
        f"{office.street.origin}/slack/events", body, kind="application/json"
    )

    assert status == 200
    shown = json.dumps(office.slack.homes["UANA"])
    assert "Ana, your cases" in shown
    assert "1 case waits" in shown


async def test_somebody_joins_once_signed_in_here_and_asked_for_there(office: Office) -> None:
    said = await office.command("join", user="UNEW")
    path = json.loads(said)["blocks"][1]["text"]["text"].split("|")[0].split("/slack/")[1]
    await office.world.hire("Cem")
    cem = await office.street.signed_in("Cem")

    page = await cem.get(f"/slack/{path}")
    assert "UNEW" in page.text
    done = await cem.post(f"/slack/{path}")

    assert "joined to Slack" in done.text
    async with office.world.store.reading() as session:
        person = await people.in_slack(session, "UNEW")
    assert person is not None
    assert person.name == "Cem"
    assert "No case is yours" in await office.command("", user="UNEW")


async def test_a_link_to_join_is_over_after_a_quarter_of_an_hour(office: Office) -> None:
    token = link(SEAL, "UNEW", office.world.now)
    office.world.now += timedelta(minutes=16)
    ana = await office.street.signed_in("Ana")

    for path in (f"/slack/join/{token}", "/slack/join/nonsense", f"/slack/join/{token[:-9]}"):
        assert "is over or not whole" in (await ana.get(path)).text
        assert "is over or not whole" in (await ana.post(path)).text


async def test_a_slack_account_is_nobody_elses(office: Office) -> None:
    token = link(SEAL, "UBEN", office.world.now)
    ana = await office.street.signed_in("Ana")
    await ana.get(f"/slack/join/{token}")

    assert "belongs to Ben already" in (await ana.post(f"/slack/join/{token}")).text


async def test_what_takes_long_is_answered_before_it_is_done(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.0)

    assert "still at it" in await office.command("next")

    async with asyncio.timeout(60):
        while not any(case.status is Status.OWNED for case in await office.world.cases()):
            await asyncio.sleep(0.02)


async def test_what_fails_when_nobody_waits_any_more_is_said(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = AsyncMock(side_effect=[DatabaseTrouble("The database is away."), ValueError(SECRET)])
    monkeypatch.setattr(people, "in_slack", trouble)
    monkeypatch.setattr(door, "PATIENCE", 0.0)

    with capture_logs() as logged:
        for _ in range(2):
            assert "still at it" in await office.command("next")
        async with asyncio.timeout(60):
            while len(logged) < 2:
                await asyncio.sleep(0.02)

    said = [(line["event"], line["why"]) for line in logged]
    assert said == [("slack fails", "The database is away."), ("slack fails", "ValueError")]
