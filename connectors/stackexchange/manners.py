"""How Stack Exchange wants to be asked: when it wants to rest, and what its refusals mean."""

import re
from datetime import UTC, datetime, time, timedelta
from time import monotonic

from pydantic import BaseModel, SecretStr

from connectors.kit.errors import AccessDenied, ConnectorError, Gone, TryLater, Unreadable

ANY = ""  # every method: what the day's quota is about

# Until when what may not be asked, by address, key and method, on this process's own clock.
# Sources come and go with every poll and share an address, so none of them can remember it.
_resting: dict[tuple[str, SecretStr | None, str], float] = {}


# https://api.stackexchange.com/docs/wrapper
class Wrapper(BaseModel, frozen=True):
    """What stands around every answer."""

    has_more: bool = False
    backoff: float | None = None  # seconds for which this method must not be asked
    quota_max: int | None = None
    quota_remaining: int | None = None
    error_id: int | None = None
    error_message: str = ""


class Manners:
    """What one method of one key is allowed to do now."""

    def __init__(self, api: str, key: SecretStr | None, method: str) -> None:
        self._method = (api, key, method)
        self._any = (api, key, ANY)

    def wait_for_our_turn(self) -> None:
        """Raise TryLater while they want to be left alone: breaking that gets an address banned."""
        until = max(_resting.get(each, 0.0) for each in (self._method, self._any))
        left = until - monotonic()
        if left > 0:
            raise TryLater(
                f"Stack Exchange wants to be left alone for {left:.0f} seconds.",
                wait=timedelta(seconds=left),
            )

    def remember(self, told: Wrapper) -> None:
        """Keep in mind what an answer says about the next request."""
        if told.backoff:
            _resting[self._method] = monotonic() + told.backoff
        if told.quota_remaining == 0:
            _resting[self._any] = monotonic() + _until_midnight(datetime.now(UTC))


# https://api.stackexchange.com/docs/error-handling
def refusal(told: Wrapper, site: str) -> ConnectorError:
    """The error that says what to do about one of theirs."""
    match told.error_id:
        case 400 if "No site found" in told.error_message:
            return Gone(f"Stack Exchange has no site “{site}”.")
        case 400 if "`key`" in told.error_message:
            return AccessDenied("Stack Exchange does not know this key: copy it again.")
        case 401 | 402 | 403 | 405 | 406:
            return AccessDenied(
                f"Stack Exchange refuses us ({told.error_id}): look whether the key is still good."
            )
        case 502:  # throttle_violation
            found = re.search(r"(\d{1,7}) seconds", told.error_message)
            wait = timedelta(seconds=int(found[1])) if found else None
            return TryLater("Stack Exchange says we ask too often.", wait=wait)
        case 500 | 503:
            return TryLater(f"Stack Exchange is out of order ({told.error_id}).")
        case _:
            why = f"error {told.error_id}" if told.error_id else "no reason"
            return Unreadable(f"Stack Exchange did not understand our request ({why}).")


def _until_midnight(now: datetime) -> float:
    """Seconds until the quota begins anew, with a minute for clocks that differ."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(0, 1), UTC)
    return (midnight - now).total_seconds()
