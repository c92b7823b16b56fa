"""How far a file has been read, and whether it is still the same file."""

import os
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from pydantic import BaseModel, ValidationError

from connectors.kit.errors import AccessDenied, TryLater

HEAD = 64 * 1024  # bytes by which a file is known again, and from which its layout is read
TAIL = 4 * 1024  # bytes before the place where we stopped, which must still be there


class Standing(BaseModel, frozen=True):
    """Where we are in a file. All numbers are of bytes, but `row`, as a spreadsheet counts."""

    offset: int = 0
    row: int = 0
    head_length: int = 0
    head: str = ""
    tail: str = ""
    rejects: int = 0  # so much of the file of rejects belongs to what was read

    def fits(self, file: BinaryIO) -> bool:
        """Whether this file still begins, and still stands before the place, as it did.

        More may have been appended. A file that is shorter, or another one, is begun anew.
        """
        size = os.fstat(file.fileno()).st_size
        return (
            size >= self.offset
            and _digest(file, 0, self.head_length) == self.head
            and _digest(file, max(0, self.offset - TAIL), min(self.offset, TAIL)) == self.tail
        )

    def moved(self, file: BinaryIO, *, offset: int, row: int, rejects: int) -> "Standing":
        """The same, further down."""
        length = min(HEAD, offset)
        return Standing(
            offset=offset,
            row=row,
            head_length=length,
            head=_digest(file, 0, length),
            tail=_digest(file, max(0, offset - TAIL), min(offset, TAIL)),
            rejects=rejects,
        )


def standing(cursor: str | None) -> Standing | None:
    """What a cursor says; None begins anew, which tells nothing twice."""
    try:
        return Standing.model_validate_json(cursor or "")
    except ValidationError:
        return None


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading: no folder, no pipe that would keep us waiting."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise TryLater(f"There is no file {path} yet.") from None
    except IsADirectoryError:
        raise AccessDenied(f"{path} is a folder: name the file in it.") from None
    except OSError as error:
        raise AccessDenied(f"{path} cannot be read: {error.strerror}.") from None
    if not S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise AccessDenied(f"{path} is no regular file, so it cannot be read from a place in it.")
    return os.fdopen(number, "rb")


def _digest(file: BinaryIO, start: int, length: int) -> str:
    file.seek(start)
    return sha256(file.read(length)).hexdigest()
