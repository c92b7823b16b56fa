"""The small English transformer: what it claims, and how quietly it starts."""

import math
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import shelf
from models.classifier import Classifier
from models.onnx import AREA, Card, Onnx, Scale, carded, tokenizer
from models.verdict import Question, Verdict

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "Die Lieferung kam drei Tage zu spät und niemand antwortet",
            "written in German, which this model has not learnt",
        ),
        (
            "El pedido nunca llegó y nadie contesta a mis correos",
            "written in Spanish, which this model has not learnt",
        ),
        (
            "Livraison en retard et personne ne répond à mes messages",
            "written in French, which this model has not learnt",
        ),
        ("Поезд снова опоздал", "written in Cyrillic letters, which this model has not learnt"),
    ],
)
def test_other_languages_than_english_are_left_to_people(
    minilm: Classifier, text: str, why: str
) -> None:
    (verdict,) = minilm.judge([Question(text)])

    assert verdict.unsure
    assert verdict.why == why


def test_the_language_that_the_place_tells_is_believed(minilm: Classifier) -> None:
    text = "Terrible service, never again"

    english, dutch = minilm.judge([Question(text, language="en-GB"), Question(text, language="nl")])

    assert (english.language, english.unsure) == ("en", False)
    assert (dutch.language, dutch.unsure) == ("nl", True)
    assert dutch.complaint < english.complaint


def test_a_short_post_in_no_certain_language_is_judged_all_the_same(minilm: Classifier) -> None:
    (verdict,) = minilm.judge([Question("no refund")])

    assert verdict.language is None
    assert verdict.complaint > 0.75
    assert not verdict.unsure


def test_between_its_thresholds_the_model_says_that_it_is_unsure(minilm: Classifier) -> None:
    verdicts = minilm.judge(
        [Question(f"{opening} {rest}", language="en") for opening in OPENINGS for rest in RESTS]
    )

    close = [verdict for verdict in verdicts if 0.35 <= verdict.complaint <= 0.65]
    assert close
    for verdict in verdicts:
        assert verdict.unsure == (verdict in close)
        assert verdict.why == ("too close to call" if verdict in close else "")


OPENINGS = ("The food was good but", "I like it, although", "Friendly staff, however", "All fine,")
RESTS = ("the wait was long.", "the app could be better.", "it is expensive.", "too loud for me.")


def test_only_the_beginning_of_a_long_post_is_read(minilm: Classifier) -> None:
    beginning = "Terrible service, nobody answers. " * 40

    short, long = minilm.judge([Question(beginning), Question(beginning + "I love it! " * 9_000)])

    assert long.complaint == short.complaint


def test_starting_imports_no_torch_and_prints_nothing(tmp_path: Path) -> None:
    """Also where torch is installed: here stands one that betrays itself when it is imported."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise SystemExit('torch was imported')")
    about = tmp_path / "torch-2.13.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0\n")
    judge = (
        "import sys\n"
        "from models import shelf\n"
        "from models.verdict import Question\n"
        "assert 'transformers' not in sys.modules, 'transformers came too early'\n"
        "(verdict,) = shelf.open().judge([Question('The app keeps crashing, useless')])\n"
        "assert verdict.complaint > 0.65, verdict\n"
        "assert 'torch' not in sys.modules\n"
    )

    for path in ([ROOT], [tmp_path, ROOT]):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", judge],
            env={
                name: value
                for name, value in os.environ.items()
                if name not in {"TRANSFORMERS_NO_ADVISORY_WARNINGS", "TOKENIZERS_PARALLELISM"}
            }
            | {"PYTHONPATH": os.pathsep.join(map(str, path))},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_answered_is_read_by_a_model_that_has_learnt_to_and_by_no_other() -> None:
    shipped = shelf.open("me5-small-pair")
    assert isinstance(shipped, Onnx)
    reply = Question("@gull same here, day three", brand="Gull", answers="No bars at all @gull")
    alone = replace(reply, answers=None)

    named = replace(alone, text="Gull same here, day three")
    assert shipped.judge([reply])[0].complaint != shipped.judge([alone])[0].complaint
    assert shipped.judge([alone])[0].complaint == shipped.judge([named])[0].complaint

    other = Onnx(
        shipped.card.model_copy(update={"context": False}),
        shipped.tokenizer,
        shipped.session,
        threads=1,
    )
    assert other.judge([reply]) == other.judge([alone])
    assert other.judge([alone])[0].complaint != other.judge([named])[0].complaint


class Summing:
    """A network that says of each text what its pieces add up to, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[int, ...]] = []

    def run(self, names: list[str] | None, given: Mapping[str, Any], /) -> Sequence[Any]:
        del names
        ids, mask = given["input_ids"], given["attention_mask"]
        self.given.append(ids.shape)
        sums = (ids * mask).sum(axis=1) % 97 / 10
        return [sums, np.stack([sums, -sums, sums * 0], axis=1), ids[..., None] * mask[..., None]]


@pytest.mark.parametrize("threads", [1, 2])
def test_texts_that_go_through_together_keep_their_own_answers(threads: int) -> None:
    folder = shelf.WEIGHTS / shelf.DEFAULT
    card = carded(folder)
    texts = [f"order {number} " + "still not here " * (number % 23) for number in range(60)]
    apart, together = Summing(), Summing()

    def told(network: Summing, *, at_once: bool) -> list[Verdict]:
        changed = card.model_copy(update={"together": at_once})
        asked = [Question(text, "Gull", language="en") for text in texts]
        return Onnx(changed, tokenizer(folder), network, threads).judge(asked)

    assert told(together, at_once=True) == told(apart, at_once=False)
    assert len(apart.given) == len(texts)
    assert len(together.given) < len(texts) / 3
    assert max(rows * pieces for rows, pieces in together.given) <= AREA


def test_stars_have_a_scale_of_their_own_where_the_card_tells_one() -> None:
    folder = shelf.WEIGHTS / shelf.DEFAULT
    card = carded(folder).model_copy(
        update={"complaint": Scale(1.0, 0.0), "starred": Scale(2.0, -1.0), "embedding": None}
    )

    def said(card: Card, stars: float | None) -> float:
        asked = Question("not here", "Gull", language="en", stars=stars)
        [verdict] = Onnx(card, tokenizer(folder), Summing(), 1).judge([asked])
        return math.log(verdict.complaint / (1 - verdict.complaint))

    alike = card.model_copy(update={"starred": None})
    assert said(card, 2) == pytest.approx(2 * said(alike, 2) - 1)
    assert said(card, None) == said(alike, None)


def test_the_shipped_network_tells_a_text_the_same_in_any_company() -> None:
    texts = [f"order {number} " + "still not here " * (number % 9) for number in range(12)]
    asked = [Question(text, "Gull", language="en") for text in texts]
    model = shelf.open(threads=1)

    together = model.judge(asked)

    assert together == [model.judge([one])[0] for one in asked]
