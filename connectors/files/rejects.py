"""Keeps a file of the rows that could not be read, for a person to put right."""

import os
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISREG

import orjson

from connectors.kit.errors import AccessDenied

OURS = b'{"rejects":"rows that could not be read"}\n'


def keep(path: Path, rows: Sequence[tuple[int, str, str]], length: int, *, source: int) -> int:
    """Write rows behind the first `length` bytes, which belong to what was read before.

    What stands behind them is of rows that are now read again. Returns the new length. The
    file is made for us and for nobody else: another file of this name is left alone. `source`
    is the open file that is read, which this must not be.
    """
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise AccessDenied(f"The rejects cannot be kept in {path}: {error.strerror}.") from None
    state = os.fstat(number)
    with os.fdopen(number, "r+b") if S_ISREG(state.st_mode) else os.fdopen(number, "rb") as file:
        if (
            not S_ISREG(state.st_mode)
            or os.path.samestat(state, os.fstat(source))
            or (state.st_size and file.read(len(OURS)) != OURS)
        ):
            raise AccessDenied(
                f"{path} is there already and holds something else: name another file for rejects."
            )
        start = max(min(length, state.st_size), len(OURS))
        file.truncate(0 if state.st_size < len(OURS) else start)
        if state.st_size < len(OURS):
            file.seek(0)
            file.write(OURS)
        file.seek(start)
        for row, reason, raw in rows:
            told = {"row": row, "reason": reason, "raw": raw}
            file.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        return file.tell()
