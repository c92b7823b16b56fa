"""How many posts a second one core judges, and how many the transformers pipeline does."""

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from models import shelf
from models.verdict import Question

CONFIG = Path(shelf.__file__).parent / "weights" / shelf.DEFAULT


def ours(texts: Sequence[str]) -> float:
    """Posts a second on one core, with the shipped model, language detection included."""
    classifier = shelf.open(threads=1)
    questions = [Question(text=text, brand="Acme") for text in texts]
    classifier.judge(questions[:32])  # warm
    began = perf_counter()
    classifier.judge(questions)
    return len(texts) / (perf_counter() - began)


def pipeline(texts: Sequence[str]) -> float | None:
    """Posts a second of transformers' own pipeline, one by one on one core; None without torch.

    A network of the same shape with random weights: it takes the same time.
    """
    if find_spec("torch") is None:
        return None
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    torch.set_num_threads(1)
    model = transformers.BertForSequenceClassification(
        transformers.BertConfig.from_pretrained(CONFIG)
    ).eval()
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(CONFIG)
    judge = transformers.pipeline(
        "text-classification", model=model, tokenizer=tokenizer, truncation=True, device="cpu"
    )
    judge(texts[0])
    began = perf_counter()
    for text in texts:
        judge(text)
    return len(texts) / (perf_counter() - began)
