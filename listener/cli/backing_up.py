"""`listener backup` and `listener restore`: the whole database to one file, and back."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from listener import __version__
from listener.app import alone
from listener.cli import ground
from listener.cli.ground import Json, act, out, print_json
from listener.store import backups
from listener.store.backups import Kept, Restored
from listener.store.session import Store

MARK = "backup"  # under these words a key puts its mark on what it sealed


@asynccontextmanager
async def as_it_is() -> AsyncIterator[Store]:
    """The database in the shape it has: nothing is brought up to date, or made."""
    store = Store(ground.settings().database)
    try:
        await store.check()
        yield store
    finally:
        await store.close()


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    *,
    as_json: Json = False,
) -> None:
    """Write everything the database holds to one file, also while the service runs."""
    began = time.monotonic()

    async def work() -> Kept:
        settings = ground.settings()
        settings.prepare()
        async with as_it_is() as store:
            return await backups.write(
                store, file, lock=settings.seal().mark(MARK), made_by=__version__
            )

    kept = act(work)
    size, seconds = file.stat().st_size, round(time.monotonic() - began, 1)
    if as_json:
        print_json(
            {"file": str(file), "rows": kept.rows, "tables": kept.tables, "bytes": size}
            | {"seconds": seconds}
        )
        return
    out.print(
        f"Wrote {file}: {kept.rows:,} rows of {kept.tables} tables, {size / 1e6:,.1f} MB, in "
        f"{seconds} s.",
        markup=False,
        highlight=False,
    )
    out.print(key_words(), markup=False, highlight=False)


def key_words() -> str:
    """Where the key is that the backup leaves out."""
    settings = ground.settings()
    where = "LISTENER_KEY" if settings.key else str(settings.data / "key")
    return (
        f"The key that opens its secrets is not in it: keep {where} too, in another place. "
        "The posts in it can be read by whoever has the file."
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `listener backup` wrote.")],
    *,
    as_json: Json = False,
) -> None:
    """Fill an empty database from a backup, and bring it up to date."""

    async def work() -> tuple[Restored, bool]:
        settings = ground.settings()
        settings.prepare()
        with alone(settings):
            async with as_it_is() as store:
                done = await backups.restore(store, file)
        return done, settings.seal().mark(MARK) == done.head.lock

    done, opens = act(work)
    if as_json:
        print_json(
            {
                "made_at": done.head.made_at,
                "rows": done.kept.rows,
                "tables": done.kept.tables,
                "unclear_replies": done.unclear,
                "key_opens": opens,
            }
        )
        return
    for sentence in restored_words(done, opens=opens):
        out.print(sentence, markup=False, highlight=False)


def restored_words(done: Restored, *, opens: bool) -> list[str]:
    """What was restored, and what is left to do."""
    made = done.head.made_at.replace("T", " at ").replace("+00:00", " UTC")
    words = [f"Restored {done.kept.rows:,} rows of {done.kept.tables} tables, as of {made}."]
    if done.unclear:
        words.append(
            f"Replies that were on their way then: {done.unclear}. Each waits on its case until "
            "somebody has looked whether it stands there: listener replies"
        )
    if not opens:
        words.append(
            "Its secrets were sealed with another key than the one here. Set LISTENER_KEY, or put "
            "the key file that belongs to the backup into the data folder; or else run `listener "
            "apply` with every secret again."
        )
    words.append("Next: listener check, then listener run.")
    return words
