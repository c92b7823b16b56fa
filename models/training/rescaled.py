"""Trains what scales and shifts weights that were shipped, on posts that they have not met.

The numbers of all products stay as they are and need not be shipped again: only a factor for each
channel that goes into a product and for each that comes out, the biases, the norms and the heads
learn, a hundredth of all (as in IA3, Liu and others 2022, and SSF, Lian and others 2022).
"""

import argparse
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from models.onnx import MODEL, STEADY, TOKENIZER
from models.openvino import WHOLE
from models.training import build, mixing, sets
from models.training.build import Phase
from models.training.export import LOOKED_AT, answering, fed, traced
from models.training.network import PIECES, QUANTIZED, Network, evened, numbers_of, recovered, whose
from models.training.steadied import steadied

RATE, RATE_OF_HEADS = 2e-3, 3e-4
DROPPED = 0.05
LARGEST = 127  # an int8 number


class Scaled(nn.Module):  # type: ignore[misc]  # torch may not be there to be checked against
    """A product whose numbers stay, between two factors for each channel that learn."""

    def __init__(self, product: Any, before: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(product.weight.data, requires_grad=False)
        self.bias = nn.Parameter(product.bias.data)
        self.before = before  # one less than the factor, so that to begin with there is none
        self.after = nn.Parameter(torch.zeros(product.out_features))

    def forward(self, state: Any) -> Any:
        """The product, with its bias."""
        made = functional.linear(state + state * self.before, self.weight)
        return made + made * self.after + self.bias

    def plain(self) -> Any:
        """The same as a product alone."""
        product = nn.Linear(self.weight.shape[1], self.weight.shape[0])
        product.weight.data = (
            self.weight.data * (1 + self.after.data)[:, None] * (1 + self.before.data)
        )
        product.bias.data = self.bias.data
        return product


def main() -> int:
    """Train, and write the folder anew with another `steady.onnx`."""
    told = _arguments()
    torch.manual_seed(told.seed)
    torch.set_num_threads(1)
    told.out.mkdir(parents=True, exist_ok=True)
    for file in told.folder.iterdir():
        shutil.copyfile(file, told.out / file.name)
    tokenizer = Tokenizer.from_file(str(told.folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(build.TRAINED_PIECES, strategy="only_second")
    own = sets.own("train")
    replay = sets.pool(sets.public(told.data, clear=told.clear), told.pool, told.seed)
    if told.taught:
        own, replay = (sets.taught(some, told.taught) for some in (own, replay))
    network = scaled(recovered(told.folder, MODEL))
    feeling = recovered(told.felt) if told.felt else network
    replay = build.felt(feeling, tokenizer, replay, told.threads)
    chance = random.Random(told.seed)  # noqa: S311  (it guards nothing)
    phase = Phase("scales", told.epochs, told.frozen, RATE, RATE_OF_HEADS, told.replay)
    plan = [
        batch
        for _ in range(phase.epochs)
        for batch in mixing.batches(own, replay, phase.replay, chance)
    ]
    build.say(f"{len(own)} posts, {len(replay)} public texts, {len(plan)} steps")
    mean = build.train(network, tokenizer, plan, phase, told, rates=rates).eval()
    tokenizer.enable_truncation(PIECES, strategy="only_second")
    feeds = [fed(tokenizer, one) for one in own[:: max(1, len(own) // LOOKED_AT)]]
    steadied(told.out, feeds, changed(mean, onnx.load(told.folder / MODEL)))
    traced(answering(plain(mean)), told.out / WHOLE)
    return 0


def scaled(network: Network) -> Network:
    """The network with factors that learn around the products of its layers."""
    for part in network.bert.encoder.layer:
        seen, attention = part.attention.self, part.attention
        before = nn.Parameter(torch.zeros(seen.query.in_features))  # one state, which three meet
        for name in ("query", "key", "value"):
            setattr(seen, name, Scaled(getattr(seen, name), before))
        for end in (attention.output, part.intermediate, part.output):
            end.dense = Scaled(end.dense, nn.Parameter(torch.zeros(end.dense.in_features)))
    for one in network.modules():
        if isinstance(one, nn.Dropout):
            one.p = DROPPED  # so few numbers learn little by heart
    return network


def plain(network: Network) -> Network:
    """The network with its factors multiplied out."""
    for parent, name, one in list(_products(network)):
        setattr(parent, name, one.plain())
    return network


def rates(network: Network, phase: Phase) -> list[dict[str, Any]]:
    """The factors, biases and norms of the upper layers learn, and the heads slower."""
    network.requires_grad_(requires_grad=False)
    told = list(network.named_parameters())
    heads = [one for name, one in told if not name.startswith("bert.") or ".pooler." in name]
    learning = network.bert.encoder.layer[phase.frozen :].parameters()
    small = [one for one in learning if one.dim() == 1]
    for one in (*heads, *small):
        one.requires_grad_(requires_grad=True)
    return [
        {"params": heads, "lr": phase.rate_of_heads},
        {"params": small, "lr": phase.rate, "weight_decay": 0.0},
    ]


def changed(network: Network, shipped: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    """What of the shipped int8 file is another now, by its name there."""
    stored = {one.name: numpy_helper.to_array(one) for one in shipped.graph.initializer}
    made = {name: one for one in shipped.graph.node for name in one.output}
    learnt = {name: one.numpy() for name, one in network.state_dict().items()}
    new = {name: one for name, one in learnt.items() if name.endswith((".bias", "Norm.weight"))}
    if missing := sorted(new.keys() - stored.keys()):
        raise ValueError(f"the int8 file has no {', '.join(missing)}")
    for node in shipped.graph.node:
        if (stem := numbers_of(node, made, stored)) is None:
            continue
        if "layer." not in node.name:
            numbers = learnt[stem].T
            scale = np.abs(numbers).max(axis=0) / LARGEST
            new[f"{stem}{QUANTIZED}"] = np.round(numbers / scale).astype(np.int8)
            new[f"{stem}_scale"] = scale
            continue
        after, before = (1 + learnt[f"{whose(node)}.{side}"] for side in ("after", "before"))
        if min(after.min(), before.min()) <= 0:
            raise ValueError(f"{whose(node)} has learnt a factor that is not above 0")
        new[f"{stem}_scale"] = stored[f"{stem}_scale"] * after
        factor = evened(node, made)
        if factor is None:
            raise ValueError(f"the channels that {whose(node)} meets are not evened out")
        new[factor] = stored[factor] * before
    return new


def _products(network: Any) -> Iterator[tuple[Any, str, Scaled]]:
    for parent in network.modules():
        for name, one in parent.named_children():
            if isinstance(one, Scaled):
                yield parent, name, one


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the shipped weights")
    parser.add_argument("--data", type=Path, help="folder of public sets; without it, ours alone")
    parser.add_argument("--clear", action="store_true", help="only clearly licensed sets")
    parser.add_argument("--taught", type=Path, help="what teachers hold (peers, teacher)")
    parser.add_argument("--felt", type=Path, help="base whose feelings are kept; else the weights'")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--pool", type=int, default=build.POOL)
    parser.add_argument("--replay", type=float, default=0.6, help="public texts for each of ours")
    parser.add_argument(
        "--frozen",
        type=int,
        default=6,
        help="lower layers that stay, so that texts lie where they lay",
    )
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    told = parser.parse_args()
    if not (told.folder / STEADY).is_file():
        parser.error(
            f"{told.folder} has no {STEADY}, which is what is written anew: only weights whose "
            "numbers lie beside it can be scaled. Name those that come with the listener."
        )
    return told


if __name__ == "__main__":
    sys.exit(main())
