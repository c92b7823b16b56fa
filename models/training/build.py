"""Trains the network on our own posts and on public sets, and can go on where it was stopped."""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from models.pairs import about
from models.training import mixing, sets
from models.training.corpus import HERE
from models.training.network import HARMS, Network, recovered
from models.training.sets import Example
from models.verdict import Feeling

SAVED_EVERY = 300.0  # seconds
TRAINED_PIECES = 96  # few posts are longer, and those are the dear ones
LOWER = 0.88  # a layer learns so much slower than the one above it
WARM_UP = 0.06
POOL = 12_000  # public texts that are drawn from all sets, and as many again of some
REMEMBERED = 0.995  # how much of the running mean of the weights each step keeps
TWINS, APART = 0.4, 1.5  # how much twins count, and how far apart they should be
FEELINGS = list(Feeling)


@dataclass(frozen=True)
class Phase:
    """A stretch of the training: which lower layers stay as they are, and how fast others learn."""

    name: str
    epochs: int
    frozen: int
    rate: float
    rate_of_heads: float
    replay: float  # public texts for each of ours


def main() -> int:
    """Train, saving what is needed to go on, until the epochs are over."""
    told = _arguments()
    torch.manual_seed(told.seed)
    torch.set_num_threads(1)
    told.out.mkdir(parents=True, exist_ok=True)
    network = recovered(told.base)
    tokenizer = Tokenizer.from_file(str(told.base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TRAINED_PIECES, strategy="only_second")
    own = sets.own("train")
    public = sets.public(told.data, clear=told.clear)
    _manifest(told, own, {name: len(examples) for name, examples in public.items()})
    replay = sets.pool(public, told.pool, told.seed)
    if told.taught:
        own, replay = (sets.taught(some, told.taught) for some in (own, replay))
    chance = random.Random(told.seed)  # noqa: S311  (it guards nothing)
    replay = felt(network, tokenizer, replay, told.threads)
    # First what is new to it, above layers that know the language; then all of it, gently.
    for phase in (
        Phase("upper", told.epochs, told.frozen, 1.6e-4, 5e-4, told.replay),
        Phase("whole", told.whole, 0, 7e-5, 1e-4, told.replay / 2),
    ):
        plan = [
            batch
            for _ in range(phase.epochs)
            for batch in mixing.batches(own, replay, phase.replay, chance)
        ]
        say(f"{phase.name}: {len(own)} posts, {len(replay)} public texts, {len(plan)} steps")
        mean = train(network, tokenizer, plan, phase, told)
        network.load_state_dict(mean.state_dict())
    torch.save(network.state_dict(), told.out / "weights.pt")
    return 0


def felt(
    network: Network, tokenizer: Tokenizer, texts: Sequence[Example], threads: int
) -> list[Example]:
    """Public texts with what the base feels about each, asked as it has learnt to be."""
    single = Tokenizer.from_str(tokenizer.to_str())
    single.enable_truncation(TRAINED_PIECES)

    def look(batch: Sequence[Example]) -> list[Example]:
        if network.of_feelings_only:  # it has only ever read single texts
            read = [single.encode(sets.told(one.text)).ids for one in batch]
        else:
            read = [encoded(tokenizer, one) for one in batch]
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=quick_in_half()):
            said = network(*filled(read))[1].float().softmax(-1).tolist()
        return [replace(one, felt=tuple(shares)) for one, shares in zip(batch, said, strict=True)]

    network.eval()
    near = sorted(texts, key=lambda one: len(one.text))
    with ThreadPoolExecutor(threads) as side_by_side:
        found = side_by_side.map(look, (near[at : at + 32] for at in range(0, len(near), 32)))
        return [example for batch in found for example in batch]


def train(
    network: Network,
    tokenizer: Tokenizer,
    plan: Sequence[list[Example]],
    phase: Phase,
    told: Any,
    language: str | None = None,
    rates: Callable[[Network, Phase], list[dict[str, Any]]] | None = None,
) -> Network:
    """Go through the plan, from the last checkpoint if there is one; the mean of the weights.

    Its progress is told on posts of a `language` alone, where it reads no other. `rates` say how
    fast what learns; unless told, upper layers faster than lower ones.
    """
    optimiser = torch.optim.AdamW((rates or _rates)(network, phase), weight_decay=0.01, fused=True)

    def pace(step: int) -> float:
        warm = max(1, int(len(plan) * WARM_UP))
        return min(step / warm, max(0.02, (len(plan) - step) / (len(plan) - warm)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, pace)
    mean: Network = deepcopy(network).eval()
    done = 0
    checkpoint = told.out / f"{phase.name}.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        mean.load_state_dict(saved["mean"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        done = saved["done"]
        say(f"going on after step {done}")
    network.train()
    for still in (network.bert.embeddings, *network.bert.encoder.layer[: phase.frozen]):
        still.eval()
    side_by_side = SideBySide(network, tokenizer, phase.frozen, told.threads)
    began = last_saved = time.monotonic()
    lost = 0.0
    for step, batch in enumerate(plan):
        if step < done:
            continue
        loss = side_by_side.step(batch)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        _drawn(mean, network, min(REMEMBERED, (step + 1) / (step + 10)))
        lost = 0.98 * lost + 0.02 * loss if lost else loss
        now = time.monotonic()
        if step % 20 == 19:
            left = (len(plan) - step - 1) * (now - began) / (step + 1 - done)
            say(f"step {step + 1}, loss {lost:.3f}, {left / 60:.1f} minutes left")
        if now - last_saved > SAVED_EVERY or step == len(plan) - 1:
            last_saved = now
            kept = checkpoint.with_suffix(".new")
            torch.save(
                {
                    "network": network.state_dict(),
                    "mean": mean.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "done": step + 1,
                },
                kept,
            )
            kept.replace(checkpoint)
            say(checked(mean, tokenizer, told.threads, language))
    return mean


def quick_in_half() -> bool:
    """Whether this processor multiplies bfloat16 in one step; others do it slower than float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())  # noqa: SLF001


class SideBySide:
    """Learns the parts of a batch at the same time, one on each core, with the same weights.

    One thread a part is much quicker than all threads at one multiplication, which wait for the
    slowest of them; above all where the machine has other work to do.
    """

    def __init__(self, network: Network, tokenizer: Tokenizer, frozen: int, parts: int) -> None:
        self.tokenizer = tokenizer
        self.frozen = frozen
        self.half = quick_in_half()
        self.networks = [network, *(deepcopy(network) for _ in range(parts - 1))]
        for other in self.networks[1:]:
            for theirs, ours in zip(other.parameters(), network.parameters(), strict=True):
                theirs.data = ours.data  # one store: a step moves them all
        self.pool = ThreadPoolExecutor(parts)

    def step(self, batch: list[Example]) -> float:
        """Leave the gradients of a batch in the first network; its loss."""
        parts = list(
            self.pool.map(self._learn, self.networks, mixing.parts(batch, len(self.networks)))
        )
        for other in self.networks[1:]:
            for theirs, ours in zip(other.parameters(), self.networks[0].parameters(), strict=True):
                if theirs.grad is not None:
                    ours.grad = theirs.grad if ours.grad is None else ours.grad.add_(theirs.grad)
                    theirs.grad = None
        return sum(parts)

    def _learn(self, network: Network, part: tuple[list[Example], float]) -> float:
        batch, share = part
        if not batch:
            return 0.0
        with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            loss = share * loss_of(network, self.tokenizer, batch, self.frozen)
        loss.backward()
        return float(loss.item())


def loss_of(network: Network, tokenizer: Tokenizer, batch: list[Example], frozen: int) -> Any:
    """How wrong the four answers are, each counted over the examples that know it."""
    ids, mask = padded(tokenizer, batch)
    with torch.no_grad():
        state = network.below(ids, mask, frozen)
    complaint, feeling, urgent, harm = network.above(state, mask, frozen)
    total = _of_feelings(feeling, batch)
    size = len(batch)
    known = [at for at, one in enumerate(batch) if believed(one) is not None]
    if known:
        yes = torch.tensor([believed(batch[at]) for at in known])
        each = functional.binary_cross_entropy_with_logits(complaint[known], yes, reduction="sum")
        total = total + 1.5 * each / size
    twins = mixing.twins(batch)
    if twins:
        yes, no = (complaint[[both[side] for both in twins]] for side in (0, 1))
        total = total + TWINS * functional.softplus(APART - (yes - no)).sum() / size
    known = [at for at, one in enumerate(batch) if one.urgent is not None]
    if known:
        yes = torch.tensor([float(bool(batch[at].urgent)) for at in known])
        harms = torch.tensor(
            [[float(name in (batch[at].harm or ())) for name in HARMS] for at in known]
        )
        wrong = functional.binary_cross_entropy_with_logits
        share = len(known) / size
        total = total + share * (0.3 * wrong(urgent[known], yes) + 0.7 * wrong(harm[known], harms))
    return total


def believed(one: Example) -> float | None:
    """How probable a complaint is, by the label, by what a teacher holds, or half by each."""
    if one.complaint is None:
        return one.taught
    label = 0.97 if one.complaint else 0.03
    return label if one.taught is None else (label + one.taught) / 2


def _of_feelings(feeling: Any, batch: list[Example]) -> Any:
    """By the labels, and for public texts also by what the base felt, which must not be lost."""
    total = feeling.sum() * 0.0
    for public, weight in ((False, 0.5), (True, 0.5)):
        known = [
            at
            for at, one in enumerate(batch)
            if one.feeling is not None and (one.complaint is None) is public
        ]
        if known:
            right = torch.tensor([FEELINGS.index(batch[at].feeling or FEELINGS[0]) for at in known])
            total = total + weight * functional.cross_entropy(
                feeling[known], right, label_smoothing=0.05, reduction="sum"
            )
    known = [at for at, one in enumerate(batch) if one.felt]
    if known:
        felt_before = torch.tensor([batch[at].felt for at in known])
        total = total + functional.kl_div(
            feeling[known].log_softmax(-1), felt_before, reduction="sum"
        )
    return total / len(batch)


def checked(
    network: Network, tokenizer: Tokenizer, threads: int, language: str | None = None
) -> str:
    """How the posts that set the thresholds are told by now; nothing is learnt from them."""
    examples = sets.own("calibration", language)
    said = answers(network, tokenizer, examples, threads)
    flags = [complaint > 0 for complaint, _ in said]
    hit = sum(flag and bool(one.complaint) for flag, one in zip(flags, examples, strict=True))
    true = sum(bool(one.complaint) for one in examples)
    right = sum(
        FEELINGS[max(range(len(feeling)), key=feeling.__getitem__)] is one.feeling
        for (_, feeling), one in zip(said, examples, strict=True)
    )
    return (
        f"calibration part: F1 {2 * hit / max(1, sum(flags) + true):.3f}, precision "
        f"{hit / max(1, sum(flags)):.3f}, recall {hit / true:.3f}, feelings {right / len(said):.3f}"
    )


def answers(
    network: Network, tokenizer: Tokenizer, examples: Sequence[Example], threads: int
) -> list[tuple[float, list[float]]]:
    """What a network says of a complaint and of the feelings, as logits, in order."""

    def look(rows: Sequence[int]) -> list[tuple[float, list[float]]]:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=quick_in_half()):
            complaint, feeling, *_ = network(*padded(tokenizer, [examples[row] for row in rows]))
        return list(zip(complaint.float().tolist(), feeling.float().tolist(), strict=True))

    near = sorted(range(len(examples)), key=lambda row: len(examples[row].text))
    parts = [near[at : at + 32] for at in range(0, len(near), 32)]
    found: dict[int, tuple[float, list[float]]] = {}
    with ThreadPoolExecutor(threads) as side_by_side:
        for rows, said in zip(parts, side_by_side.map(look, parts), strict=True):
            found |= zip(rows, said, strict=True)
    return [found[row] for row in range(len(examples))]


def padded(tokenizer: Tokenizer, batch: Sequence[Example]) -> tuple[Any, Any]:
    """The pieces of each example, filled up to the longest, and which of them are real."""
    return filled([encoded(tokenizer, one) for one in batch])


def filled(read: Sequence[list[int]]) -> tuple[Any, Any]:
    """Rows of pieces, filled up to the longest, and which of them are real."""
    longest = max(map(len, read))
    ids = torch.ones(len(read), longest, dtype=torch.long)  # 1 is the padding
    mask = torch.zeros(len(read), longest, dtype=torch.long)
    for row, pieces in enumerate(read):
        ids[row, : len(pieces)] = torch.tensor(pieces)
        mask[row, : len(pieces)] = 1
    return ids, mask


def encoded(tokenizer: Tokenizer, one: Example) -> list[int]:
    """The pieces of one question, as the product cuts them."""
    whom = about(one.brand, one.stars, one.answers)
    ids: list[int] = tokenizer.encode(whom, sets.told(one.text, one.brand)).ids
    return ids


def _rates(network: Network, phase: Phase) -> list[dict[str, Any]]:
    """The lowest layers stay as they are; the others learn slower the lower they are."""
    network.bert.embeddings.requires_grad_(requires_grad=False)
    layers = network.bert.encoder.layer
    layers.requires_grad_(requires_grad=True)
    layers[: phase.frozen].requires_grad_(requires_grad=False)
    heads = [w for name, w in network.named_parameters() if not name.startswith("bert.")]
    groups = [
        {"params": heads, "lr": phase.rate_of_heads},
        {"params": list(network.bert.pooler.parameters()), "lr": phase.rate},
    ]
    for depth, layer in enumerate(reversed(layers[phase.frozen :])):
        groups.append({"params": list(layer.parameters()), "lr": phase.rate * LOWER**depth})
    return groups


def _drawn(mean: Network, network: Network, kept: float) -> None:
    """Move the running mean of the weights towards what they are now."""
    with torch.no_grad():
        for old, new in zip(mean.parameters(), network.parameters(), strict=True):
            if new.requires_grad:
                old.lerp_(new, 1 - kept)


def _manifest(told: Any, own: Sequence[Example], public: dict[str, int]) -> None:
    kept = {
        "seed": told.seed,
        "epochs": told.epochs,
        "whole": told.whole,
        "replay": told.replay,
        "pool": told.pool,
        "frozen": told.frozen,
        "posts": len(own),
        "public": public,
        "sha256": {
            "posts": sets.hashes(HERE),
            "base": sets.hashes(told.base),
            "data": {name: sets.hashes(told.data / name) for name in public},
        },
    }
    (told.out / "manifest.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of the int8 base")
    parser.add_argument("--data", type=Path, help="folder of public sets; without it, ours alone")
    parser.add_argument(
        "--taught", type=Path, help="what a teacher holds (models.training.teacher)"
    )
    parser.add_argument("--clear", action="store_true", help="only clearly licensed sets")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--pool", type=int, default=POOL, help="public texts drawn from all")
    parser.add_argument("--replay", type=float, default=0.7, help="public texts for each of ours")
    parser.add_argument("--whole", type=int, default=2, help="more epochs in which all learns")
    parser.add_argument(
        "--frozen", type=int, default=6, help="lower layers that do not learn at first"
    )
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def say(words: str) -> None:
    """Tell how far it is, with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
