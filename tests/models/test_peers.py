"""What several networks hold together is the mean of what each of them holds."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `train`")
pytest.importorskip("onnx", reason="needs the extra `train`")

from models import onnx, shelf
from models.training import sets
from models.training.measure import asked
from models.training.peers import agreed

SHIPPED = shelf.WEIGHTS / shelf.DEFAULT


def test_they_agree_on_the_mean_of_their_logits(tmp_path: Path) -> None:
    doubtful = shutil.copytree(SHIPPED, tmp_path / "doubtful")
    card = json.loads((doubtful / onnx.CARD).read_text("utf-8"))
    slopes = {name: (0.5 * card[name][0], 0.5 * card[name][1]) for name in ("complaint", "starred")}
    (doubtful / onnx.CARD).write_text(json.dumps(card | slopes), "utf-8")
    alone = onnx.load(SHIPPED, threads=1).judge(list(map(asked, sets.labelled("held")[:40])))
    held = np.array([one.complaint for one in alone])

    together = agreed([SHIPPED, doubtful], sets.own("held")[:40], 1)

    assert np.log(np.divide(together, np.subtract(1, together))) == pytest.approx(
        0.75 * np.log(held / (1 - held)), abs=1e-3
    )
    assert len({round(share, 2) for share in together}) > 10
