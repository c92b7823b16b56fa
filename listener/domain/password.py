"""Passwords: which are good enough, and how they are kept."""

import unicodedata
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError

from listener.domain.record import NotAllowed

SHORTEST: Final = 12
LONGEST: Final = 1000  # more would only keep us busy
DISTINCT: Final = 5
# What is left of the lists of common passwords when short ones and dull ones are gone.
COMMON: Final = (
    *("123456789012", "1234567890123", "password1234", "password12345", "passwordpassword"),
    *("qwertyuiop12", "qwertyuiop123", "1q2w3e4r5t6y", "qwertyuiop[]", "iloveyou1234"),
    *("administrator", "adminadmin123", "changemechangeme", "welcome12345", "letmein12345"),
    *("correct horse battery staple", "correcthorsebatterystaple", "listenerlistener"),
)
# Of a password that nobody has: checked where there is none, so that a stranger cannot tell
# by the time it takes whether a name exists.
NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$YPSR4T3iVlloJLOOAChPKg"
    "$lMiIhZ1X7rwWT3A/nBsggdOJV3Owp/ey2hE11ITweoM"
)

_hashing = PasswordHash.recommended()


def kept(password: str) -> str:
    """What is stored of a password: an argon2 hash. Takes a tenth of a second, on purpose."""
    return _hashing.hash(plain(password))


def fits(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Whether it is the password, and a better hash of it where the stored one is of old make."""
    if len(password) > LONGEST:
        password = ""
    try:
        good, better = _hashing.verify_and_update(plain(password), stored or NOBODY)
    except PwdlibError:
        return False, None
    return (good and stored is not None), better


def require_good(password: str, name: str) -> None:
    """Refuse a password that is easily guessed, and say why."""
    short = plain(password)
    if len(short) < SHORTEST:
        raise NotAllowed(
            f"A password needs at least {SHORTEST} characters; four or five words are easy to "
            "keep in mind."
        )
    if len(short) > LONGEST:
        raise NotAllowed(f"A password may have {LONGEST} characters.")
    bare = short.casefold()
    for known in (name.casefold(), "listener"):
        if known:
            bare = bare.replace(known, "")
    if len(set(bare)) < DISTINCT or short.casefold() in COMMON:
        raise NotAllowed("This password is among the first that are tried; take another one.")


def plain(password: str) -> str:
    """The same letters, whichever keyboard wrote them."""
    return unicodedata.normalize("NFKC", password)
