"""Makes the lens of a model from our own posts, and says how well texts are found through it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import lens, onnx
from models.classifier import Classifier
from models.training.corpus import Labelled, posts
from models.verdict import Question


def main() -> int:
    """Write the lens beside the weights in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    model = onnx.load(folder)
    made = lens.ground(embedded(model, [post for post in posts() if post.split == "train"]))
    lens.write(folder, made)
    held = [post for post in posts() if post.split == "held"]
    rows = embedded(model, held)
    without, through = shared(rows, held), shared(rows @ made[1:] - made[0], held)
    sys.stdout.write(
        f"Held back: of the ten nearest to a complaint {without:.1%} have its cause without the lens, "
        f"{through:.1%} through it.\n"
    )
    return 0


def embedded(model: Classifier, told: Sequence[Labelled]) -> NDArray[np.float32]:
    """Where the model puts these posts."""
    verdicts = model.judge([Question(post.text, brand=post.brand) for post in told])
    width = max(len(verdict.embedding) for verdict in verdicts)
    raw = b"".join(verdict.embedding or bytes(width) for verdict in verdicts)
    return np.frombuffer(raw, "<f2").reshape(len(told), -1).astype(np.float32)


def shared(rows: NDArray[np.float32], told: Sequence[Labelled], most: int = 10) -> float:
    """The share of the nearest to each complaint, among all posts, that have the same cause."""
    causes = np.array([post.cause or "" for post in told])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.maximum(lengths, 1e-9)
    found = []
    for place in np.flatnonzero(causes != ""):
        near = rows @ rows[place]
        near[place] = -2
        best = np.argpartition(-near, most)[:most]
        found.append(np.mean(causes[best] == causes[place]))
    return float(np.mean(found))


if __name__ == "__main__":
    sys.exit(main())
