"""A plane: where the mentions of one brand lie, so that those nearest in meaning are found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from listener.domain.embedding import seen, vectors

Matrix = NDArray[np.float32]

BLOCK: Final = 8_192  # rows that are reckoned together: more of them fill the memory, not the core
FULL: Final = 32_767  # one, in two bytes: as exact as what is stored, and quicker to read than it
NOBODY: Final = 0  # the number of a row that says nothing any more
FARTHEST: Final = (
    0.15  # what is less near is not found: of a hundred strangers one or two are nearer
)
UNLIFTED: Final[Mapping[int, float]] = MappingProxyType({})


class Nearness(StrEnum):
    """How near something is, in words: the figure behind them is nobody's measure."""

    SAME = "Nearly the same"
    VERY = "Very like it"
    LIKE = "Like it"
    PERHAPS = "Perhaps like it"

    @classmethod
    def of(cls, near: float) -> "Nearness":
        """The words for a nearness."""
        bounds = ((0.7, cls.SAME), (0.4, cls.VERY), (0.25, cls.LIKE))
        return next((word for bound, word in bounds if near >= bound), cls.PERHAPS)


class Near(NamedTuple):
    """A mention, and how near it is: the cosine, and what lifts it."""

    mention_id: int
    near: float


@dataclass(slots=True)
class Block:
    """Rows that lie together in memory; `used` of them say something."""

    rows: NDArray[np.int16]
    ids: NDArray[np.int64]
    at: NDArray[np.float64]  # when each was published, in seconds
    used: int = 0

    @classmethod
    def of(cls, width: int) -> "Block":
        """One with nothing in it."""
        return cls(np.zeros((BLOCK, width), np.int16), np.zeros(BLOCK, np.int64), np.zeros(BLOCK))


@dataclass(slots=True)
class Plane:
    """The mentions of one brand, by one model, seen through its lens: two bytes a number."""

    lens: Matrix | None = None
    _blocks: list[Block] = field(default_factory=list)

    def __len__(self) -> int:
        """How many mentions lie here."""
        return sum(int(np.count_nonzero(block.ids)) for block in self._blocks)

    def put(self, ids: Sequence[int], at: Sequence[datetime], stored: Sequence[bytes]) -> None:
        """Lay mentions down; those that lay here before lie elsewhere now."""
        if ids:
            self.forget(ids)
        self.lay(ids, at, stored)

    def lay(self, ids: Sequence[int], at: Sequence[datetime], stored: Sequence[bytes]) -> None:
        """Lay mentions down of which none lies here yet."""
        if not stored:
            return
        rows = seen(vectors(stored), self.lens)
        whole = np.rint(rows * FULL).astype(np.int16)
        moments = [one.timestamp() for one in at]
        begun = 0
        while begun < len(whole):
            if not self._blocks or self._blocks[-1].used == BLOCK:
                self._blocks.append(Block.of(whole.shape[1]))
            block = self._blocks[-1]
            first, many = block.used, min(BLOCK - block.used, len(whole) - begun)
            block.rows[first : first + many] = whole[begun : begun + many]
            block.ids[first : first + many] = ids[begun : begun + many]
            block.at[first : first + many] = moments[begun : begun + many]
            block.used += many
            begun += many

    def forget(self, ids: Sequence[int]) -> None:
        """These mentions lie here no more."""
        for block in self._blocks:
            gone = np.isin(block.ids, ids)
            block.ids[gone], block.rows[gone] = NOBODY, 0

    def count(self, since: datetime) -> int:
        """How many of the mentions here were published since then."""
        first = since.timestamp()
        return sum(
            int(np.count_nonzero((block.at >= first) & (block.ids != NOBODY)))
            for block in self._blocks
        )

    def nearest(
        self,
        asked: bytes,
        *,
        since: datetime,
        lifted: Mapping[int, float] = UNLIFTED,
        most: int,
        least: float = FARTHEST,
    ) -> list[Near]:
        """The mentions since then that are nearest to what was asked, the nearest first.

        Some are `lifted`, by so much, because something else speaks for them. No more than `most`,
        and none that is less near than `least`. Every mention is looked at, a block at a time.
        """
        wanted = seen(vectors([asked]), self.lens)[0] / FULL
        up = np.array(sorted(lifted), dtype=np.int64)
        by = np.array([lifted[one] for one in up.tolist()], dtype=np.float32)
        ids, nears = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
        for block in self._blocks:
            there = block.ids[: block.used]
            # Not `@`: for so little work it wakes a thread for each core, which takes fifty times as long.
            near = np.vecdot(block.rows[: block.used].astype(np.float32), wanted)
            if len(up):
                place = np.minimum(np.searchsorted(up, there), len(up) - 1)
                near += np.where(up[place] == there, by[place], np.float32(0))
            fits = (block.at[: block.used] >= since.timestamp()) & (near >= least)
            fits &= there != NOBODY
            ids.append(there[fits])
            nears.append(near[fits])
        number, found = np.concatenate(ids), np.concatenate(nears)
        if len(found) > most:
            best = np.argpartition(-found, most)[:most]
            number, found = number[best], found[best]
        order = np.lexsort((-number, -found))
        return [Near(int(number[one]), float(found[one])) for one in order]
