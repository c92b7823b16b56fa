"""Wordings may be written in the plan: they are kept, come out again, and wrong ones are told."""

import pytest

from listener.desk.applying import apply
from listener.desk.exporting import export
from listener.desk.plan import read
from listener.desk.plan_words import BadPlan
from listener.domain.secret import Seal
from listener.store import wordings
from tests.given import settled
from tests.world import World

SEAL = Seal("a key for tests, long enough")
PLAN = """
[[wording]]
name = "Late parcel"
text = "Dear {author}, we are sorry. {agent} looks after it now."
brand = "Acme"
place = "Mastodon"
language = "EN"
tag = "#Delivery"

[[wording]]
name = "Thanks"
text = "Thank you for telling us."
"""


async def test_what_goes_in_comes_out_and_applying_it_again_changes_nothing(world: World) -> None:
    await settled(world)

    applied = await apply(world.store, read(PLAN), SEAL)
    assert applied.added == ['wording "Late parcel"', 'wording "Thanks"']
    exported = await export(world.store)
    again = await apply(world.store, read(exported), SEAL)

    assert not again.added
    assert not again.changed
    async with world.store.reading() as session:
        late, thanks = await wordings.every(session)
    assert (late.connector, late.language, late.tag) == ("mastodon", "en", "delivery")
    assert late.brand_id is not None
    assert (thanks.brand_id, thanks.connector, thanks.language, thanks.tag) == (None,) * 4


async def test_a_changed_one_is_changed_and_what_the_plan_leaves_out_stays(world: World) -> None:
    await settled(world)
    await apply(world.store, read(PLAN), SEAL)

    changed = '[[wording]]\nname = "Thanks"\ntext = "Thanks a lot, {author}."\n'
    applied = await apply(world.store, read(changed), SEAL)

    assert applied.changed == ['wording "Thanks"']
    async with world.store.reading() as session:
        kept = await wordings.every(session)
    assert [one.name for one in kept] == ["Late parcel", "Thanks"]
    assert kept[1].text == "Thanks a lot, {author}."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('text = "Dear {customer},"', "{customer} at character 6 is not known"),
        ('text = " "', "The wording is empty"),
        ('text = "Hi"\nplace = "myspace"', 'there is no connector called "myspace"'),
        ('text = "Hi"\nlang = "de"', "lang"),
        ("", "`text` is missing"),
    ],
)
def test_a_wrong_one_is_told_with_its_name(line: str, said: str) -> None:
    with pytest.raises(BadPlan) as wrong:
        read(f'[[wording]]\nname = "Hello"\n{line}\n')

    assert '[[wording]] "Hello"' in str(wrong.value)
    assert said in str(wrong.value)


async def test_a_brand_that_is_not_there_is_told_and_nothing_is_kept(world: World) -> None:
    await settled(world)

    with pytest.raises(BadPlan, match=r'\[\[wording\]\] "Late parcel".*Akme'):
        await apply(world.store, read(PLAN.replace('"Acme"', '"Akme"')), SEAL)

    async with world.store.reading() as session:
        assert not await wordings.every(session)
