"""Embeddings: where a mention's words lie among others, so that like meanings are near."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from listener.domain.record import Instant

STORED: Final = np.dtype("<f2")
TINY: Final = 1e-9  # by which noughts are divided

Matrix = NDArray[np.float32]


class Embedding(SQLModel, table=True):
    """Where a model puts the words of a mention's present revision; it goes with the words.

    Only those of the same model (name and version) can be compared. Brand and moment stand here
    as well: whoever keeps a brand's in memory asks for what is new since.
    """

    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_kept", "brand_id", "kept_at"),)

    mention_id: int = Field(foreign_key="mentions.id", ondelete="CASCADE", primary_key=True)
    model: str
    vector: bytes = Field(sa_type=LargeBinary)  # little-endian float16, of length one
    brand_id: int
    kept_at: datetime = Field(sa_type=Instant)


def vectors(stored: Sequence[bytes]) -> NDArray[np.float32]:
    """Stored vectors of one model as rows of a matrix."""
    if not stored:
        return np.zeros((0, 0), dtype=np.float32)
    return np.frombuffer(b"".join(stored), dtype=STORED).reshape(len(stored), -1).astype(np.float32)


def seen(rows: Matrix, lens: Matrix | None = None) -> Matrix:
    """Embeddings as a lens shows them, of length one: what all texts have in common taken away.

    The first row of a lens is where the middle of all texts lies behind it.
    """
    if lens is not None:
        rows = rows @ lens[1:] - lens[0]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    made: Matrix = (rows / np.maximum(lengths, TINY)).astype(np.float32)
    return made
