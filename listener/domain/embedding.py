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
