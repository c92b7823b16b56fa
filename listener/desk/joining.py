"""Joining: a person says once who they are in Slack, signed in here and asked for there."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Final

from listener.domain.record import NotAllowed
from listener.domain.secret import SEALED, Seal, WrongKey
from listener.store import people
from listener.store.session import Store, now

GOOD_FOR: Final = timedelta(minutes=15)
STALE = "This link is over or not whole. Write /listener join in Slack once more."


def link(seal: Seal, user: str, moment: datetime) -> str:
    """What proves that somebody asked in Slack, as this user of it; sealed, good for a while."""
    words = json.dumps({"slack": user, "until": (moment + GOOD_FOR).timestamp()})
    return urlsafe_b64encode(seal.close(words)[SEALED].encode()).decode().rstrip("=")


def asked(seal: Seal, token: str, moment: datetime) -> str:
    """Who asked in Slack; NotAllowed when the link is over or not ours."""
    try:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        said = json.loads(seal.open({SEALED: sealed}))
        user, until = str(said["slack"]), float(said["until"])
    except (ValueError, WrongKey, KeyError, TypeError):
        raise NotAllowed(STALE) from None
    if moment.timestamp() > until:
        raise NotAllowed(STALE)
    return user


async def join(store: Store, seal: Seal, token: str, staff_id: int) -> str:
    """From now on this person is that user of Slack; say so."""
    async with store.transaction() as session:
        user = asked(seal, token, await now(session))
        person = await people.locked(session, staff_id)
        if person is None or not person.active:
            raise NotAllowed("You work here no more.")
        other = await people.in_slack(session, user)
        if other is not None and other.key != person.key:
            raise NotAllowed(
                f"This Slack account belongs to {other.name} already; an admin can part them."
            )
        person.slack = user
        return f"{person.name} is joined to Slack: you are told there, and act from there."
