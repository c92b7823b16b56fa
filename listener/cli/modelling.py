"""`listener model`: which models there are, which one judges, and which is better on your posts."""

from typing import Annotated, Any, Final

import typer
from rich.table import Table

from listener.channels.terminal import printable, short
from listener.cli import facts, ground
from listener.cli.asking import with_model
from listener.cli.evaluating import File, choice, line, measured
from listener.cli.ground import Json, Refused, in_sentences, out, print_json
from listener.config import MODEL_FILE, choose_model
from models import shelf
from models.evaluation import labelled, scores
from models.evaluation.scores import Told

model = typer.Typer(
    name="model",
    help="Which models there are, which one judges, and which is better on your posts.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SHOWN: Final = 5  # posts on which two models differ, each way
Name = Annotated[str, typer.Argument(help="A model, as LISTENER_MODEL would name it.")]


@model.command("list")
def every(*, as_json: Json = False) -> None:
    """List the models that come with Listener, and say which one judges."""
    facts.set_up(quiet=True)
    with in_sentences():
        settings = ground.settings()
        used = shelf.DEFAULT if settings.model == "onnx" else settings.model
        rows = [
            {"model": name, "in_use": name == used, "says": shelf.summary(name)}
            for name in shelf.names()
        ]
        if used not in shelf.names():
            rows.append({"model": used, "in_use": True, "says": "from elsewhere"})
    for row in rows if as_json else ():
        print_json(row)
    if not as_json:
        for row in rows:
            line(f"{'*' if row['in_use'] else ' '} {row['model']}: {row['says']}")
        line("\n* judges. `listener model use NAME` chooses another.")


@model.command()
def use(name: Name) -> None:
    """Let another model judge from the next start on."""
    facts.set_up(quiet=True)
    with in_sentences():
        settings = ground.settings()
        if settings.model_is_set:
            raise Refused(
                f"LISTENER_MODEL is set to {settings.model}, and counts more than what is chosen "
                "here. Change it there, or take it away and choose again."
            )
        opened = with_model(choice(name), lambda classifier: classifier.name)
        choose_model(settings, name)
    line(f"{opened} judges from the next start on. What has been judged stays as it is.")
    line(f"It is written in {settings.data / MODEL_FILE}.")


@model.command()
def card(
    name: Annotated[str | None, typer.Argument(help="The model; else the one that judges.")] = None,
) -> None:
    """Show what a model was trained on, how right it is, and what it cannot do."""
    facts.set_up(quiet=True)
    with in_sentences():
        wanted = name or ground.settings().model
        text = shelf.card(wanted)
        if text is None:
            raise Refused(
                f"There is no card of the model {wanted!r}: it was not measured by us. "
                "`listener evaluate FILE` measures it on posts of your own."
            )
    for one in text.splitlines():
        line(one)


@model.command()
def compare(
    file: File,
    first: Name,
    second: Annotated[
        str | None, typer.Argument(help="The other; else the one that judges.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Say which of two models is better on labelled posts, or that it may be chance."""
    facts.set_up(quiet=True)
    with in_sentences():
        posts = labelled.read(file)
        one, two = (
            with_model(choice(name), lambda classifier: measured(classifier, posts))
            for name in (first, second)
        )
        found = scores.compared(one.told, two.told)
    both = (one, two)
    if as_json:
        print_json(
            {
                "models": [
                    {"model": each.model, "f1": scores.score(each.told).f1,
                     "accuracy": scores.score(each.told).accuracy,
                     "calibration_error": round(scores.calibration_error(each.told), 4)}
                    for each in both
                ],
                "posts": len(posts),
                "only_first_right": found.worse,
                "only_second_right": found.better,
                "chance": found.chance,
                "says": found.words,
            }
        )  # fmt: skip
        return
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(("", one.model, two.model)):
        table.add_column(printable(column), justify="right" if number else "left")
    cuts = [("all", "", list(one.told)), *scores.slices(one.told)]
    others = {(name, which): its for name, which, its in scores.slices(two.told)}
    for name, which, its in cuts:
        its_other = others.get((name, which), list(two.told))
        table.add_row(
            printable(f"F1 {name}{': ' if which else ''}{which} ({len(its)})"),
            f1(its),
            f1(its_other),
        )
    out.print(table, highlight=False, markup=False)
    line(
        f"\nOnly {one.model} is right on {found.worse:,} posts, only {two.model} on "
        f"{found.better:,}. {found.words}"
    )
    say_differences(both[1].model, one.told, two.told)
    say_differences(both[0].model, two.told, one.told)


def say_differences(name: str, wrong: Any, right: Any) -> None:
    """Some posts on which only one model is right."""
    only: list[Told] = [b for a, b in zip(wrong, right, strict=True) if b.right and not a.right]
    if not only:
        return
    line(f"\nOnly {name} is right, for example:")
    for told in only[:SHOWN]:
        truth = "a complaint" if told.post.complaint else "no complaint"
        line(f"  row {told.post.row}, {truth}: {short(told.post.question.text)}")


def f1(told: list[Told]) -> str:
    """An F1 with its interval."""
    one = scores.score(told)
    low, high = one.f1_between
    return "-" if one.f1 is None else f"{one.f1:.2f} ({low:.2f}-{high:.2f})"
