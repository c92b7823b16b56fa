"""`listener evaluate`: how right a model is on labelled posts of your own, slice by slice."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from connectors.kit.contract import Kind
from listener.channels.terminal import printable, short
from listener.cli import facts, ground
from listener.cli.asking import with_model
from listener.cli.ground import Json, in_sentences, out, print_json
from listener.config import Settings
from listener.domain.triage import Circumstances, assess
from models.classifier import Classifier
from models.evaluation import labelled, scores
from models.evaluation.labelled import Labelled
from models.evaluation.scores import Score, Told

WORST: Final = 10
FEW: Final = 30  # posts; of fewer the figures say little, and are set apart
TOGETHER: Final = 512

File = Annotated[
    Path,
    typer.Argument(
        help="Labelled posts: JSON lines, or a table with text, brand and label "
        "(complaint or fine), and if you like place, language, stars, kind."
    ),
]


@dataclass(frozen=True, slots=True)
class Result:
    """What a model made of labelled posts."""

    model: str
    told: Sequence[Told]


def evaluate(
    file: File,
    *,
    model: Annotated[str | None, typer.Option(help="The model to measure.")] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="A column of the file to slice by as well.")
    ] = None,
    worst: Annotated[int, typer.Option(min=0, help="How many mistakes to show.")] = WORST,
    as_json: Json = False,
) -> None:
    """Say how right a model is on labelled posts, and how far the figures can be trusted."""
    facts.set_up(quiet=True)
    with in_sentences():
        posts = labelled.read(file)
        found = with_model(choice(model), lambda classifier: measured(classifier, posts))
    if as_json:
        print_json(as_facts(found, by or (), worst))
        return
    say(found, by or (), worst)


def choice(model: str | None) -> Settings:
    """The settings, with another model if one is named."""
    settings = ground.settings()
    if model is None:
        return settings
    # What is declared of the configured model says nothing of this one.
    return replace(settings, model=model, labels=None, languages=None)


def measured(classifier: Classifier, posts: Sequence[Labelled]) -> Result:
    """Judge labelled posts as the service would, some at a time."""
    told: list[Told] = []
    for start in range(0, len(posts), TOGETHER):
        some = posts[start : start + TOGETHER]
        for post, verdict in zip(
            some, classifier.judge([one.question for one in some]), strict=True
        ):
            asked = post.question
            kind = Kind(asked.kind) if asked.kind in set(Kind) else Kind.POST
            finding = assess(verdict, Circumstances(text=asked.text, stars=asked.stars, kind=kind))
            told.append(Told(post, finding.complaint, finding.flagged, finding.unsure))
    return Result(classifier.name, told)


def as_facts(found: Result, by: Sequence[str], worst: int) -> dict[str, Any]:
    """What was measured, for machines."""
    told = found.told
    return {
        "model": found.model,
        "posts": len(told),
        "all": figures(scores.score(told)),
        "unsure": {
            "complaint": sum(one.unsure and one.post.complaint for one in told),
            "fine": sum(one.unsure and not one.post.complaint for one in told),
        },
        "calibration": {
            "error": round(scores.calibration_error(told), 4),
            "bins": [asdict(one) for one in scores.bins(told)],
        },
        "slices": [
            {"by": name, "slice": which, **figures(scores.score(its))}
            for name, which, its in scores.slices(told, by)
        ],
        "worst": [
            {
                "row": one.post.row,
                "complaint": one.post.complaint,
                "probability": round(one.probable, 4),
                "brand": one.post.question.brand,
                "text": one.post.question.text,
            }
            for one in scores.worst(told, worst)
        ],
    }


def figures(one: Score) -> dict[str, Any]:
    """A score with what follows from it."""
    return asdict(one) | {
        "posts": one.count,
        "precision": one.precision,
        "recall": one.recall,
        "f1": one.f1,
        "f1_between": one.f1_between,
        "accuracy": one.accuracy,
        "accuracy_between": one.accuracy_between,
    }


def say(found: Result, by: Sequence[str], worst: int) -> None:
    """What was measured, for people."""
    told = found.told
    everything = scores.score(told)
    line(
        f"{found.model} on {everything.count:,} posts, of which "
        f"{everything.hits + everything.missed:,} are complaints."
    )
    line("In brackets stands where the true figure lies, 95 times in 100.")
    line("")
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(("", "posts", "precision", "recall", "F1", "right")):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    table.add_row("all", *cells(everything))
    few: dict[str, list[str]] = {}
    for name, which, its in scores.slices(told, by):
        one = scores.score(its)
        if one.count >= FEW:
            table.add_row(printable(f"{name}: {which}"), *cells(one))
        else:
            few.setdefault(name, []).append(f"{which} ({one.count})")
    out.print(table, highlight=False, markup=False)
    if few:
        rare = "; ".join(f"{name}: {', '.join(those)}" for name, those in few.items())
        line(f"\nFewer than {FEW} posts, too few to say much: {rare}.")
    say_confusion(told)
    say_calibration(told)
    say_worst(told, worst)


def cells(one: Score) -> tuple[str, ...]:
    """A score as the cells of a row."""
    low, high = one.f1_between
    least, most = one.accuracy_between
    return (
        f"{one.count:,}",
        "-" if one.precision is None else f"{one.precision:.2f}",
        "-" if one.recall is None else f"{one.recall:.2f}",
        "-" if one.f1 is None else f"{one.f1:.2f} ({low:.2f}-{high:.2f})",
        f"{one.accuracy:.0%} ({least:.0%}-{most:.0%})",
    )


def say_confusion(told: Sequence[Told]) -> None:
    """Where staff would see complaints, and where they would see what is none."""
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(("", "flagged", "unsure", "left alone")):
        table.add_column(column, justify="right" if number else "left")
    for words, true in (("complaints", True), ("others", False)):
        its = [one for one in told if one.post.complaint is true]
        unsure = sum(one.unsure for one in its)
        flagged = sum(one.flagged and not one.unsure for one in its)
        counts = (flagged, unsure, len(its) - unsure - flagged)
        table.add_row(words, *(f"{count:,}" for count in counts))
    line("")
    out.print(table, highlight=False)
    line("Unsure ones are shown to a person and have no deadline; above they count by their flag.")


def say_calibration(told: Sequence[Told]) -> None:
    """Whether a probability of 0.8 is right eight times in ten."""
    table = Table(box=None, pad_edge=False)
    for column in ("probability", "posts", "said", "true"):
        table.add_column(column, justify="right")
    for one in scores.bins(told):
        table.add_row(
            f"{one.low:.1f}-{one.high:.1f}", f"{one.count:,}", f"{one.said:.2f}", f"{one.true:.2f}"
        )
    line("")
    out.print(table, highlight=False)
    line(
        "Expected calibration error "
        f"{scores.calibration_error(told):.3f}: so far, on average, is what is said from what is true."
    )


def say_worst(told: Sequence[Told], most: int) -> None:
    """The mistakes in which the model was surest."""
    found = scores.worst(told, most)
    if not found:
        return
    line("\nThe worst mistakes:")
    for one in found:
        truth = "a complaint" if one.post.complaint else "no complaint"
        about = f", about {one.post.question.brand}" if one.post.question.brand else ""
        line(
            f"  row {one.post.row}: {one.probable:.2f}, is {truth}{about}: "
            f"{short(one.post.question.text)}"
        )


def line(words: str) -> None:
    """Print a line in which nothing is markup and nothing moves the terminal."""
    lead = "\n" * (len(words) - len(words.lstrip("\n")))
    out.print(lead + printable(words.lstrip("\n")), markup=False, highlight=False)
