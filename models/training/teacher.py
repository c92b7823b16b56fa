"""A larger network, of English alone, that learns our posts first and then teaches the small one.

It is MPNet (Song and others 2020), as sentence-transformers publishes it. What it holds of a text
is kept by question, so that the small network learns from it without it (Hinton and others 2015).
"""

import argparse
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn
from typing_extensions import override

from models.training import build, mixing, sets
from models.training.network import Network, transformers

LANGUAGE = "en"  # the only one it has read
TAUGHT = "taught.json"


class Teacher(Network):
    """The same answers from MPNet, whose pieces know how far they stand from each other."""

    def __init__(self, folder: Path) -> None:
        nn.Module.__init__(self)
        self.of_feelings_only = False
        config = transformers.MPNetConfig.from_pretrained(str(folder), local_files_only=True)
        config.attention_probs_dropout_prob = 0.0
        config._attn_implementation = "eager"  # noqa: SLF001  (the other is slow on CPUs)
        self.bert = transformers.MPNetModel.from_pretrained(
            str(folder), config=config, local_files_only=True
        )
        self.give_heads(config.hidden_size)

    @override
    def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, ...]:
        """The four answers as logits."""
        return self.above(self.below(input_ids, attention_mask, 0), attention_mask, 0)

    @override
    def _through(self, state: Any, attention_mask: Any, first: int, last: int) -> Any:
        hidden = (1.0 - attention_mask[:, None, None, :].to(state.dtype)) * -1e9
        apart = self.bert.encoder.compute_position_bias(state)
        for layer in self.bert.encoder.layer[first:last]:
            out = layer(state, hidden, apart)
            state = out[0] if isinstance(out, tuple) else out  # releases differ
        return state

    @override
    def pooled(self, state: Any, attention_mask: Any) -> Any:
        """It has learnt to say what a text means by the mean of its pieces."""
        seen = attention_mask.unsqueeze(-1).to(state.dtype)
        return (state * seen).sum(1) / seen.sum(1).clamp(min=1.0)


def main() -> int:
    """Train the teacher, and write down what it holds of every English text it is asked about."""
    told = _arguments()
    torch.manual_seed(told.seed)
    torch.set_num_threads(1)
    told.out.mkdir(parents=True, exist_ok=True)
    teacher = Teacher(told.teacher)
    tokenizer = Tokenizer.from_file(str(told.teacher / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(build.TRAINED_PIECES, strategy="only_second")
    own = sets.own("train", LANGUAGE)
    chance = random.Random(told.seed)  # noqa: S311  (it guards nothing)
    plan = [batch for _ in range(told.epochs) for batch in mixing.batches(own, (), 0.0, chance)]
    build.say(f"teacher: {len(own)} posts, {len(plan)} steps")
    phase = build.Phase("teacher", told.epochs, 0, 5e-5, 3e-4, 0.0)
    mean = build.train(teacher, tokenizer, plan, phase, told, LANGUAGE)
    public = sets.pool(sets.public(told.data, clear=told.clear), told.pool, told.seed)
    asked = own + [one for one in public if one.brand]
    build.say(f"asked about {len(asked)} texts")
    held = build.answers(mean, tokenizer, asked, told.threads)
    kept = {
        sets.key(one): round(1 / (1 + math.exp(-logit)), 4)
        for one, (logit, _) in zip(asked, held, strict=True)
    }
    (told.out / TAUGHT).write_text(json.dumps(kept, sort_keys=True), "utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", type=Path, required=True, help="folder of all-mpnet-base-v2")
    parser.add_argument("--data", type=Path, help="folder of public sets; without it, ours alone")
    parser.add_argument("--clear", action="store_true", help="only clearly licensed sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pool", type=int, default=build.POOL, help="as in the training itself")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
