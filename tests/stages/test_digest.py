"""Digests go out at their reader's hour, once each, whatever fails or restarts in between."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from listener.channels.contract import Undelivered
from listener.domain.digest import Digest
from listener.domain.notice import MAIL
from listener.domain.picture import Pictures
from listener.domain.span import Of
from listener.domain.staff import Role, Staff
from listener.domain.subscription import Letter, Subscription
from listener.stages.digest import Digests
from listener.store import subscriptions
from tests.given import settled
from tests.mail_server import post_office
from tests.web.visiting import hired
from tests.world import World


class Postbox:
    """Takes digests, or refuses them for a while."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, date]] = []
        self.broken = False

    async def __call__(
        self, person: Staff, number: str, digest: Digest, pictures: Pictures, way: str
    ) -> None:
        assert way == MAIL
        assert pictures.slices
        if self.broken:
            raise Undelivered("The mail server mail.example:465 cannot be reached.")
        self.sent.append((person.name, number, digest.stretch.first))


async def wanted(world: World, of: Of = Of.DAY, hour: int = 8, **more: str) -> Postbox:
    await settled(world)
    person = await hired(world, "Mia", Role.MANAGER, mail="mia@shop.example", **more)
    async with world.store.transaction() as session:
        await subscriptions.keep(session, person.key, 1, of, hour)
    return Postbox()


async def test_a_day_s_digest_goes_out_when_its_hour_has_come(world: World) -> None:
    world.now = datetime(2026, 11, 3, 7, 59, tzinfo=UTC)
    post = await wanted(world)
    stage = Digests(world.store, post)
    await stage.step()  # that of the day before
    world.now += timedelta(minutes=1)
    await stage.step()

    assert [first for _, _, first in post.sent] == [date(2026, 11, 2)]


async def test_nobody_gets_one_twice_however_often_we_look_or_restart(world: World) -> None:
    post = await wanted(world)
    for _ in range(3):
        await Digests(world.store, post).step()
    world.now += timedelta(days=1)
    for _ in range(3):
        await Digests(world.store, post).step()

    assert [first for _, _, first in post.sent] == [date(2026, 11, 1), date(2026, 11, 2)]
    assert len({number for _, number, _ in post.sent}) == 2


async def test_what_could_not_be_sent_goes_again_under_the_same_id(world: World) -> None:
    post = await wanted(world)
    post.broken = True
    stage = Digests(world.store, post)
    await stage.step()
    [letter] = await world.all_of(Letter)
    assert letter.failure == "The mail server mail.example:465 cannot be reached."
    post.broken = False
    await stage.step()
    assert post.sent == []  # not yet

    world.now += timedelta(minutes=1)
    await stage.step()

    assert post.sent == [("Mia", f"digest_{letter.key}", date(2026, 11, 1))]


async def test_the_hour_is_that_of_the_reader_s_own_clock(world: World) -> None:
    world.now = datetime(2026, 11, 2, 23, 5, tzinfo=UTC)  # eight in the morning in Tokyo
    post = await wanted(world, zone="Asia/Tokyo")

    await Digests(world.store, post).step()

    assert [first for _, _, first in post.sent] == [date(2026, 11, 2)]


async def test_whoever_may_not_read_of_the_brand_any_more_gets_nothing(world: World) -> None:
    post = await wanted(world)
    stage = Digests(world.store, post)
    await stage.write()
    async with world.store.transaction() as session:
        [one] = await world.all_of(Subscription)
        person = await session.get_one(Staff, one.staff_id)
        person.brands = []

    await stage.step()

    assert post.sent == []
    [letter] = await world.all_of(Letter)
    assert letter.failure == "This person may not read of this brand any more."


async def test_a_week_is_told_on_its_monday_and_a_month_on_its_first(world: World) -> None:
    post = await wanted(world, Of.WEEK)
    async with world.store.transaction() as session:
        await subscriptions.keep(
            session, (await world.all_of(Subscription))[0].staff_id, 1, Of.MONTH, 9
        )

    await Digests(world.store, post).step()

    assert sorted(first for _, _, first in post.sent) == [date(2026, 10, 1), date(2026, 10, 26)]


async def test_a_digest_reaches_a_real_mail_server(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await wanted(world)
    async with post_office(tmp_path) as office:
        monkeypatch.setenv("SSL_CERT_FILE", str(office.certificate))
        world.settings = replace(world.settings, mail=office.server())
        service = await world.service()
        await service.digest.step()
        await service.digest.step()

    [mail] = office.mails
    assert mail["To"] == "mia@shop.example"
    assert mail["Subject"].startswith("Acme: Nobody spoke: 0 mentions")
    [letter] = await world.all_of(Letter)
    assert letter.sent_at == world.now


async def test_without_a_mail_server_it_waits_and_says_why(world: World) -> None:
    await wanted(world)

    await (await world.service()).digest.step()

    [letter] = await world.all_of(Letter)
    assert letter.sent_at is None
    assert letter.failure is not None
    assert letter.failure.startswith("No mail leaves this house yet. LISTENER_SMTP")
