"""Logins: who is signed in where, kept here and not in the browser; and attempts that failed."""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from typing import Final

from sqlmodel import Field

from listener.domain.record import Instant, Record

IDLE: Final = timedelta(hours=12)  # a night at home ends it
LONGEST: Final = timedelta(days=7)
LINK: Final = timedelta(hours=1)  # how long a link to choose a password is good
TOUCH: Final = timedelta(minutes=1)  # how exactly we know when a login was last used

FORGOTTEN: Final = timedelta(hours=1)  # after so long without a failure, failures do not count
FREE_BY_ACCOUNT: Final = 5
FREE_BY_ADDRESS: Final = 20
FIRST_WAIT: Final = timedelta(seconds=30)
LONGEST_WAIT: Final = timedelta(minutes=15)


class Login(Record, table=True):
    """Somebody is signed in with one browser. Its id is known to that browser alone."""

    __tablename__ = "logins"

    digest: str = Field(unique=True, repr=False)  # of the id
    staff_id: int = Field(foreign_key="staff.id", index=True)
    address: str  # from where they came
    made_at: datetime = Field(sa_type=Instant)
    used_at: datetime = Field(sa_type=Instant, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)

    def good(self, now: datetime) -> bool:
        """Whether it is still worth something."""
        return self.ended_at is None and now < self.used_at + IDLE and now < self.made_at + LONGEST


class Attempt(Record, table=True):
    """How often somebody failed to sign in, by account or by address."""

    __tablename__ = "attempts"

    whose: str = Field(unique=True)  # see by_account and by_address
    failures: int = 0
    failed_at: datetime = Field(sa_type=Instant, index=True)
    wait_until: datetime | None = Field(default=None, sa_type=Instant)

    def wait(self, now: datetime) -> timedelta:
        """How long to wait before the next attempt."""
        return max(timedelta(), self.wait_until - now) if self.wait_until else timedelta()

    def failed(self, free: int, now: datetime) -> None:
        """Count one; beyond the free ones each wait is twice the last."""
        if now - self.failed_at > FORGOTTEN:
            self.failures, self.wait_until = 0, None
        self.failures += 1
        self.failed_at = now
        beyond = self.failures - free
        if beyond >= 0:
            self.wait_until = now + min(FIRST_WAIT * 2 ** min(beyond, 10), LONGEST_WAIT)

    def forgiven(self, free: int) -> None:
        """Take one back that was no failure in the end."""
        self.failures = max(0, self.failures - 1)
        if self.failures < free:
            self.wait_until = None


def new_id() -> str:
    """An id that nobody guesses: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What we keep of an id or a link, from which it cannot be told."""
    return sha256(secret.encode()).hexdigest()


def csrf(cookie: str) -> str:
    """The token that a browser's own pages send with what they change."""
    return hmac.new(cookie.encode(), b"listener csrf", sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode())


def by_account(name: str) -> str:
    """Under what attempts on an account count. Hashed: some type their password there."""
    return "account:" + digest(" ".join(name.split()).casefold())


def by_address(address: str) -> str:
    """Under what attempts from an address count; who has one IPv6 address has 2⁶⁴."""
    return "address:" + network(address)


def network(address: str) -> str:
    """An address, or the network that one subscriber has."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> 64 << 64)) + "/64"
    return str(found)
