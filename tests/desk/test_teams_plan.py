"""Teams are written in the plan, checked in words, applied and exported."""

import pytest

from listener.desk import plan
from listener.desk.applying import apply
from listener.desk.exporting import export
from listener.desk.plan_words import BadPlan
from listener.domain.secret import Seal
from listener.store.session import Store
from listener.store.teams import every

SEAL = Seal("a key for tests, long enough")
TEAMS = """
[[team]]
name = "World"
follows = ["Berlin", "Denver"]

[[team]]
name = "Berlin"
zone = "Europe/Berlin"
hours = ["mon-fri 09:00-12:30", "mon-fri 13:30-17:00", "sat 10:00-14:00"]
holidays = "DE-BE"
closed = [2026-12-24]

[[team]]
name = "Denver"
zone = "America/Denver"
hours = ["sun-thu 22:00-06:00"]

[[team]]
name = "Crisis"
always = true
"""


async def test_teams_are_kept_and_exported_as_they_were_written(store: Store) -> None:
    done = await apply(store, plan.read(TEAMS), SEAL)
    exported = await export(store)
    again = await apply(store, plan.read(exported), SEAL)

    assert done.added == ['team "World"', 'team "Berlin"', 'team "Denver"', 'team "Crisis"']
    assert (again.added, again.changed) == ([], [])
    assert await export(store) == exported
    async with store.reading() as session:
        world, berlin, denver, _ = await every(session)
        assert world.follows == [berlin.key, denver.key]
        assert len(world.calendar([berlin, denver]).hours) == 2


async def test_a_team_that_is_written_otherwise_is_changed(store: Store) -> None:
    await apply(store, plan.read(TEAMS), SEAL)

    done = await apply(store, plan.read(TEAMS.replace("12:30", "12:00")), SEAL)

    assert done.changed == ['team "Berlin"']


@pytest.mark.parametrize(
    ("team", "said"),
    [
        ('zone = "Europe/Berlim"\nalways = true', 'there is no time zone "Europe/Berlim"'),
        ('hours = ["mon-fri 9-17"]', 'write "mon-fri 09:00-17:00"'),
        ('hours = ["mon 09:00-25:00"]', "a day runs from 00:00 to 24:00"),
        ('hours = ["mon 09:00-09:00"]', "is empty"),
        ('hours = ["moo 09:00-10:00"]', "is no period"),
        ('holidays = "ZZ"\nalways = true', 'no holidays are known for "ZZ"'),
        ("", "say when it is at work"),
        ('follows = ["Care"]', "it cannot follow itself"),
        ('open = "mon"', "there is no key `open`"),
    ],
)
def test_what_is_wrong_with_a_team_is_said_in_words(team: str, said: str) -> None:
    with pytest.raises(BadPlan) as refused:
        plan.read(f'[[team]]\nname = "Care"\n{team}\n')

    assert said in str(refused.value)


async def test_a_team_follows_only_teams_that_there_are(store: Store) -> None:
    with pytest.raises(BadPlan, match='there is no team called "Moon"; there is: Care'):
        await apply(store, plan.read('[[team]]\nname = "Care"\nfollows = ["Moon"]'), SEAL)
