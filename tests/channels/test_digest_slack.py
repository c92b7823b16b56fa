"""A digest in Slack: the answer first, within Slack's limits, hostile to nobody, sent once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from listener.channels import digest_cards
from listener.domain.cause import Cause, Said
from listener.domain.digest import First, Gap, Praise, Risk
from listener.domain.notice import SLACK
from listener.domain.span import Of
from listener.domain.staff import Role, Staff
from listener.domain.subscription import Letter
from listener.store import people, subscriptions
from tests.channels.test_digest_mail import SITE, told
from tests.given import INBOX, complained
from tests.hostile import HOSTILE
from tests.slack_blocks import faults, marked_up
from tests.slack_double import PING, Workspace
from tests.web.visiting import hired, street
from tests.world import World

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)


def risk(number: int, words: str) -> Risk:
    return Risk(
        case_id=number, author=words, source=words, words=words, owner=None,
        opened_at=AT, due_at=AT,
    )  # fmt: skip


def test_the_first_line_is_the_answer_and_every_case_in_danger_has_its_way() -> None:
    digest = told(overdue=[risk(7, "Cold fish")], spreading=[risk(8, "Hair in my cake")])

    message = digest_cards.message(digest, url=SITE, number="digest_7")

    assert message["text"].startswith("Acme: A usual day")
    assert message["blocks"][0]["text"]["text"].startswith("*Acme: A usual day")
    links = [one["url"] for one in message["blocks"][-1]["elements"]]
    assert links[0].startswith(f"{SITE}/digest?brand=Acme")
    assert links[1:] == [f"{SITE}/cases/7", f"{SITE}/cases/8"]


@pytest.mark.parametrize("words", HOSTILE)
def test_the_fullest_and_worst_digest_is_taken_by_slack_and_pings_nobody(words: str) -> None:
    words *= 400
    digest = replace(
        told(
            overdue=[risk(number, words) for number in range(40)],
            spreading=[risk(number, words) for number in range(40, 80)],
            causes=[
                Cause(
                    words=(words,),
                    mentions=(1,),
                    people=2,
                    quote=Said(1, words, "a"),
                    theme=1,
                    owner=words,
                    link=words,
                )
                for _ in range(12)
            ],
            praise=[
                Praise(mention_id=1, author=words, source=words, words=words, url=words)
                for _ in range(2)
            ],
            firsts=[
                First(case_id=number, author=words, waited=timedelta(hours=1), late=True)
                for number in range(60)
            ],
            gaps=[Gap(source=words, start=AT, end=AT) for _ in range(40)],
        ),
        brand=words[:200],
    )

    message = digest_cards.message(digest, url=SITE, number="digest_7")

    assert faults(message["blocks"]) == []
    assert not [text for text in marked_up(message) if PING.search(text)]


async def reader(world: World, slack: Workspace) -> Staff:
    """Mia reads of Acme, in Slack."""
    await world.set_up(sources=[INBOX], channels=[slack.options], allow=[slack.host])
    mia = await hired(world, "Mia", Role.MANAGER)
    async with world.store.transaction() as session:
        found = await people.named(session, "Mia")
        assert found is not None
        found.slack = "UMIA"
    return mia


async def test_a_reader_has_it_in_slack_once_also_after_a_cut(world: World) -> None:
    async with Workspace(lambda: world.now) as slack:
        mia = await reader(world, slack)
        await complained(world)
        async with world.store.transaction() as session:
            await subscriptions.keep(session, mia.key, 1, Of.DAY, 8, SLACK)
        world.now += timedelta(days=1)
        slack.trap("chat.postMessage", "cut after")
        service = await world.service()
        await service.digest.step()
        world.now += timedelta(minutes=5)
        await service.digest.step()

        message, pictures = slack.channels["DUMIA"]
        drawn = list(slack.uploads.values())
        [letter] = await world.all_of(Letter)

    assert message.text.startswith("Acme: First days, nothing to compare with yet: 1 mention")
    assert letter.sent_at is not None
    assert letter.tries == 1
    assert pictures.thread == message.ts
    assert [one["title"] for one in pictures.files] == [
        "What was said",
        "What of each source was read",
    ]
    assert all(png.startswith(b"\x89PNG") for png in drawn)


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_after_a_cut_the_pictures_stand_there_once(world: World, method: str) -> None:
    async with Workspace(lambda: world.now) as slack:
        mia = await reader(world, slack)
        await complained(world)
        async with world.store.transaction() as session:
            await subscriptions.keep(session, mia.key, 1, Of.DAY, 8, SLACK)
        world.now += timedelta(days=1)
        slack.trap(method, "cut after")
        service = await world.service()
        await service.digest.step()
        world.now += timedelta(minutes=5)
        await service.digest.step()

        message, pictures = slack.channels["DUMIA"]
        [letter] = await world.all_of(Letter)

    assert letter.sent_at is not None
    assert pictures.thread == message.ts
    assert len(pictures.files) == 2


async def test_an_app_that_may_not_upload_still_tells_the_digest(world: World) -> None:
    async with Workspace(lambda: world.now) as slack:
        slack.scopes.discard("files:write")
        mia = await reader(world, slack)
        await complained(world)
        async with world.store.transaction() as session:
            await subscriptions.keep(session, mia.key, 1, Of.DAY, 8, SLACK)
        world.now += timedelta(days=1)
        await (await world.service()).digest.step()

        [message] = slack.channels["DUMIA"]
        [letter] = await world.all_of(Letter)

    assert message.text.startswith("Acme:")
    assert letter.sent_at is not None


async def test_who_left_slack_is_told_of_in_words(world: World) -> None:
    async with Workspace(lambda: world.now) as slack:
        mia = await reader(world, slack)
        async with world.store.transaction() as session:
            await subscriptions.keep(session, mia.key, 1, Of.DAY, 8, SLACK)
            found = await people.named(session, "Mia")
            assert found is not None
            found.slack = None
        await (await world.service()).digest.step()

    [letter] = await world.all_of(Letter)
    assert letter.failure == "Mia is not known in Slack yet: write /listener join there."


async def test_a_reader_chooses_slack_on_the_page(world: World) -> None:
    async with Workspace(lambda: world.now) as slack:
        await reader(world, slack)
        async with street(world) as place:
            browser = await place.signed_in("Mia")
            page = await browser.get("/digest")
            form = {"brand": "Acme", "of": "day", "hour": "7", "way": SLACK}
            await browser.post("/digest", form)
            after = await browser.get("/digest")

    assert '<option value="slack">Slack</option>' in page.text
    assert '<option value="mail"' not in page.text
    assert '<option value="7" selected>' in after.text
    assert '<option value="slack" selected>Slack</option>' in after.text
