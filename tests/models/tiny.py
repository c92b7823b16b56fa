"""Makes tiny networks in a folder, as people save the ones they train: random, but whole."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models import hub, shelf

FEELINGS = ("negative", "neutral", "positive")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
WHY = "the hub backend needs torch, which only .ci/run installs, apart"


def libraries() -> tuple[Any, Any]:
    """PyTorch and transformers, or the test is skipped."""
    pytest.importorskip("torch", reason=WHY)
    return hub.libraries("tiny")


def bert(folder: Path, names: Sequence[str] = FEELINGS, **config: Any) -> Path:
    """Save a network with the tokenizer of our own English model; each text moves it a lot."""
    torch, transformers = libraries()
    torch.manual_seed(20)
    transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=30_522,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=160,
            initializer_range=0.5,
            id2label=dict(enumerate(names)),
            label2id={name: place for place, name in enumerate(names)},
            **config,
        )
    ).save_pretrained(folder)
    give_tokenizer(folder)
    return folder


def gpt(folder: Path, *, padding: bool) -> Path:
    """Save a network that reads from left to right and takes padding on the left for words."""
    torch, transformers = libraries()
    torch.manual_seed(20)
    transformers.GPT2ForSequenceClassification(
        transformers.GPT2Config(
            vocab_size=30_522,
            n_positions=160,
            n_embd=16,
            n_layer=2,
            n_head=2,
            initializer_range=0.5,
            pad_token_id=0 if padding else None,
            id2label=dict(enumerate(FEELINGS)),
            label2id={name: place for place, name in enumerate(FEELINGS)},
        )
    ).save_pretrained(folder)
    give_tokenizer(folder)
    return folder


def give_tokenizer(folder: Path) -> None:
    """Copy a tokenizer that we ship."""
    for name in TOKENIZER:
        shutil.copy(shelf.WEIGHTS / "minilm-l6-en" / name, folder / name)
