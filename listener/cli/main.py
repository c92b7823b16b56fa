"""All commands in one program."""

from typing import Annotated

import typer

from listener import __version__
from listener.cli import (
    alarms,
    answering,
    asking,
    backing_up,
    crises,
    digesting,
    evaluating,
    exporting,
    ground,
    learning,
    missing,
    modelling,
    noticing,
    people,
    promising,
    running,
    setting_up,
    showing,
    theming,
    trying,
)
from listener.cli.assisting.command import mcp
from listener.cli.benching import command

program = typer.Typer(
    name="listener",
    help="Hears every unhappy customer the moment they speak in public.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)


def version(asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        ground.out.print(f"listener {__version__}", highlight=False)
        raise typer.Exit


@program.callback()
def all_commands(
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Work on the demo's data instead of your own.")
    ] = False,
    show_version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hears every unhappy customer the moment they speak in public."""
    del show_version
    ground.demo = demo


program.command()(running.run)
program.command()(setting_up.init)
program.command()(setting_up.apply)
program.command(name="export-config")(setting_up.export_config)
program.command()(setting_up.check)
program.command()(setting_up.connectors)
program.command()(setting_up.migrate)
program.command()(backing_up.backup)
program.command()(backing_up.restore)
program.command(name="try")(trying.attempt)
program.command()(asking.poll)
program.command()(asking.judge)
program.command()(evaluating.evaluate)
program.command()(learning.learn)
program.command()(asking.mentions)
program.command()(asking.coverage)
program.command()(digesting.digest)
program.command()(exporting.export)
program.command()(missing.breaches)
program.command()(promising.policies)
program.command()(mcp)
program.command()(command.bench)
program.add_typer(showing.cases, name="cases")  # with all that the others give it
program.add_typer(modelling.model, name="model")
program.add_typer(alarms.alarms, name="alarms")
program.add_typer(crises.crisis, name="crisis")
program.add_typer(theming.themes, name="themes")
program.add_typer(noticing.notices, name="notices")
program.add_typer(answering.replies, name="replies")
program.add_typer(people.staff, name="staff")

modelling.model.command("roll-back")(learning.roll_back)
modelling.model.command("join")(learning.join)
modelling.model.command("part")(learning.part)


def main() -> None:
    """Run the program."""
    program()
