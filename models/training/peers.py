"""What several trained networks hold of every text together, for one of them to learn from.

Their mean is nearer to the truth than any of them, above all on texts that none has learnt from
(Hinton and others 2015).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models import onnx
from models.pairs import about
from models.training import build, sets
from models.training.sets import Example


def main() -> int:
    """Write down, by question, how probable the networks hold a complaint on average."""
    told = _arguments()
    public = sets.pool(sets.public(told.data, clear=told.clear), told.pool, told.seed)
    asked = sets.own("train") + public
    build.say(f"asked about {len(asked)} texts")
    held = agreed(told.folders, asked, told.threads)
    kept = {sets.key(one): round(share, 4) for one, share in zip(asked, held, strict=True)}
    told.out.write_text(json.dumps(kept, sort_keys=True), "utf-8")
    return 0


def agreed(folders: Sequence[Path], texts: Sequence[Example], threads: int) -> list[float]:
    """The probability of each text to be a complaint, by the mean of the networks' logits."""
    total: Any = np.zeros(len(texts))
    for folder in folders:
        model = onnx.load(folder, threads=threads)
        opinions = model.opinions(
            [about(one.brand, one.stars, one.answers) for one in texts],
            [sets.told(one.text, one.brand) for one in texts],
            [one.stars is not None for one in texts],
        )
        share = np.clip([one.complaint for one in opinions], 1e-6, 1 - 1e-6)
        total += np.log(share / (1 - share)) / len(folders)
        build.say(f"{folder} has said what it holds")
    return [float(share) for share in 1 / (1 + np.exp(-total))]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="of networks, each calibrated")
    parser.add_argument("--data", type=Path, help="folder of public sets; without it, ours alone")
    parser.add_argument("--clear", action="store_true", help="only clearly licensed sets")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--pool", type=int, default=build.POOL, help="as in the training itself")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
