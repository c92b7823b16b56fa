"""Tells a channel one thing, and what hinders it in words that a person may read."""

from collections.abc import Awaitable

from connectors.kit.errors import ConnectorError
from listener.channels.contract import NotNow, Undelivered
from listener.domain.secret import WrongKey
from listener.stages.loop import fault

GONE = "There is no such channel any more."


async def hindered(telling: Awaitable[None]) -> str | None:
    """Why something did not arrive, None when it did; NotNow when the channel has to rest first."""
    try:
        await telling
    except NotNow:
        raise
    except (Undelivered, ConnectorError, WrongKey) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  (a fault in one channel stops only its notices)
        return fault(error)
    return None
