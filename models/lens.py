"""A lens: through it lie near each other what texts mean, and not how long or how angry they are.

An embedding has directions in which all texts lie alike, and others that tell much and are faint. A
lens takes away the middle of many texts, keeps the directions that tell most, and makes them equally
loud (whitening).
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import BrokenModel

FILE: Final = "lens.npz"
WIDTH: Final = 192  # directions; twice as many found no more, half as many found less
FAINT: Final = 0.1  # of a direction's mean loudness: what is fainter than that is not made loud

Lens = NDArray[np.float32]


def ground(rows: NDArray[np.float32]) -> Lens:
    """The lens for such embeddings, of length one: behind its first row the middle of them lies."""
    middle = rows.mean(axis=0)
    loud, directions = np.linalg.eigh(np.cov((rows - middle).T))
    loud, directions = loud[::-1].clip(0), directions[:, ::-1]
    lens = (directions / np.sqrt(loud + FAINT * loud.mean()))[:, :WIDTH]
    made: Lens = np.vstack([middle @ lens, lens]).astype(np.float32)
    return made


def write(folder: Path, lens: Lens) -> None:
    """Keep a lens beside the weights that it belongs to."""
    np.savez(folder / FILE, lens=lens.astype(np.float16))


def read(folder: Path) -> Lens | None:
    """The lens of the weights in a folder; None where nobody made one."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as kept:
            made: Lens = kept["lens"].astype(np.float32)
    except (OSError, ValueError, KeyError) as problem:
        raise BrokenModel(f"The file {path} is not whole. Install the listener again.") from problem
    return made
