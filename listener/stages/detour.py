"""The way round: what Slack does not take for one person goes to them by mail, once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import structlog

from listener.domain.notice import SLACK, Notice
from listener.store import people
from listener.store.session import AsyncSession

log = structlog.get_logger(__name__)

TRIES: Final = 3  # that is two minutes


async def by_mail(
    session: AsyncSession, missed: Sequence[Notice], lasting: Collection[int], now: datetime
) -> None:
    """Send by mail what Slack has not taken for some minutes, or never will (`lasting`).

    It stays the same notice, and Slack is not asked for it again: who has read the mail finds no
    message when Slack is back. What is told in a channel waits for Slack.
    """
    for notice in missed:
        if notice.staff_id is None or notice.channel != SLACK:
            continue
        if notice.tries < TRIES and notice.key not in lasting:
            continue
        person = await people.numbered(session, notice.staff_id)
        if person is not None and person.active and person.mail:
            notice.go_by_mail(now)
            log.warning("notice goes by mail", case=notice.case_id, why=notice.detour)
