"""What can go wrong at a place, named by what to do about it.

* ConnectorError
  * TryLater       the place is busy or out of reach; ask again after `wait`
  * AccessDenied   the place refuses us; a person must renew a key or a right
    * PrivateAddress  our own guard refuses: the address leads into a private network
  * Gone           what we asked for no longer exists there
  * Unreadable     the answer is not what this connector understands; set aside
"""

from datetime import timedelta


class ConnectorError(Exception):
    """A place could not be read. The message is a sentence for a person, without secrets."""


class TryLater(ConnectorError):
    """The place is busy or out of reach; `wait` is how long it asked us to stay away."""

    def __init__(self, message: str, *, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class AccessDenied(ConnectorError):
    """The place refuses us until a person acts."""


class PrivateAddress(AccessDenied):
    """The address leads where only the operator may send us."""


class Gone(ConnectorError):
    """What we asked for no longer exists."""


class Unreadable(ConnectorError):
    """The place answered something this connector does not understand; `raw` is that answer."""

    def __init__(self, message: str, *, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw
