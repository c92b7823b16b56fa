"""Applying the teams of a plan."""

from collections.abc import Sequence

from listener.desk.plan_words import BadPlan
from listener.desk.planned_teams import PlannedTeam
from listener.domain.team import Team
from listener.store import teams
from listener.store.session import AsyncSession


async def apply_teams(
    session: AsyncSession, planned: Sequence[PlannedTeam]
) -> list[tuple[str, bool, bool]]:
    """Make teams what the plan says; of each its name, whether it is new, whether it changed."""
    before = {team.name: words_of(team) for team in await teams.every(session)}
    for one in planned:
        if one.name not in before:
            session.add(Team(name=one.name))
    await session.flush()  # a team may follow one that comes after it
    standing = {team.name: team for team in await teams.every(session)}
    done = []
    for one in planned:
        if strangers := [name for name in one.follows if name not in standing]:
            raise BadPlan(
                f'[[team]] "{one.name}": there is no team called "{name}"; '
                f"there is: {', '.join(sorted(standing))}."
                for name in strangers
            )
        team = standing[one.name]
        team.zone, team.hours = one.zone, one.hours
        team.holidays, team.always = one.holidays, one.always
        team.closed = sorted(day.isoformat() for day in one.closed)
        team.follows = [standing[name].key for name in one.follows]
        new = one.name not in before
        done.append((one.name, new, not new and words_of(team) != before[one.name]))
    return done


def words_of(team: Team) -> dict[str, object]:
    """A team as it stands."""
    return team.model_dump(exclude={"id"})
