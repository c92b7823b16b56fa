"""Teams: which there are, and when each is at work."""

from collections.abc import Sequence

from sqlmodel import col, select

from listener.domain.hours import Calendar
from listener.domain.team import Team
from listener.store.session import AsyncSession


async def every(session: AsyncSession) -> Sequence[Team]:
    """All teams, the first that was made first."""
    return (await session.exec(select(Team).order_by(col(Team.id)))).all()


async def named(session: AsyncSession, name: str) -> Team | None:
    """The team of this name."""
    return (await session.exec(select(Team).where(Team.name == name))).one_or_none()


async def calendars(session: AsyncSession) -> dict[int, Calendar]:
    """When each team is at work, by its number."""
    teams = await every(session)
    return {team.key: team.calendar(teams) for team in teams}
