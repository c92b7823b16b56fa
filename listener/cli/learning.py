"""`listener learn`: learns what staff corrected; what was learnt is rolled back by one command."""

from typing import Annotated, Any

import typer

from listener.cli.ground import Json, Refused, act, out, parts, print_json
from listener.desk import learning
from listener.domain.learnt import Learnt
from listener.stages.learn import Came, Learn
from listener.store import brands, flags, learnt
from listener.store.session import now

Brand = Annotated[str | None, typer.Argument(help="The brand; else every one.")]


def learn(brand: Brand = None, *, as_json: Json = False) -> None:
    """Learn now from what staff corrected, if the gate lets it through; say what came of it."""

    async def work() -> tuple[list[Came], str]:
        async with parts() as ready:
            async with ready.store.reading() as session:
                if brand is not None:
                    wanted = [await learning.called(session, brand)]
                else:
                    wanted = list(await brands.every(session))
                under = {(await learnt.together(session, one.key))[0] for one in wanted}
            if not under:
                raise Refused("There is no brand yet. `listener apply FILE` adds some.")
            stage = Learn(ready.store, await ready.judge_with(), allowed=ready.teaching)
            came = [await stage.brand(number) for number in sorted(under)]
            brands_asked = None if brand is None else [one.key for one in wanted]
            async with ready.store.reading() as session:
                moment = await now(session)
                found = await flags.goodness(session, brands=brands_asked, now=moment)
                return came, await flags.drift(session, found, brands=brands_asked, now=moment)

    came, drift = act(work)
    for one in came:
        if as_json:
            print_json(words(one))
        else:
            say(f"{one.brand}: {one.says}")
    if not as_json:
        say(drift)


def roll_back(
    brand: Annotated[
        str | None, typer.Argument(help="The brand; may be left out where only one has learnt.")
    ] = None,
    *,
    to_none: Annotated[
        bool, typer.Option("--to-none", help="To the model alone, whatever was learnt before.")
    ] = False,
) -> None:
    """Let the version before judge again; where there is none, the model alone."""

    async def work() -> str:
        async with parts() as ready:
            async with ready.store.reading() as session:
                if brand is not None:
                    number = (await learning.called(session, brand)).key
                else:
                    standing = await learnt.standing(session)
                    judged = [one for one in standing if one.in_force and not one.with_brand]
                    if len(judged) != 1:
                        names = ", ".join(one.brand.name for one in judged)
                        raise Refused(
                            f"Say which brand: {names}."
                            if judged
                            else "Nothing that was learnt judges: there is nothing to roll back."
                        )
                    number = judged[0].brand.key
            return await learning.roll_back(ready.store, number, to_none=to_none)

    say(act(work))


def join(
    brand: Annotated[str, typer.Argument(help="The brand that is to learn with another.")],
    other: Annotated[str, typer.Argument(help="The other.")],
) -> None:
    """Let a brand learn together with another: corrections of either move both."""

    async def work() -> str:
        async with parts() as ready:
            return await learning.join(ready.store, brand, other)

    say(act(work))


def part(
    brand: Annotated[str, typer.Argument(help="The brand that is to learn by itself again.")],
) -> None:
    """Let a brand learn by itself again."""

    async def work() -> str:
        async with parts() as ready:
            return await learning.part(ready.store, brand)

    say(act(work))


def words(came: Came) -> dict[str, Any]:
    """What came of learning, for machines."""
    return {
        "brand": came.brand,
        "says": came.says,
        "lessons": came.lessons,
        "version": None if came.made is None else figures(came.made),
    }


def figures(made: Learnt) -> dict[str, Any]:
    """A version, for machines."""
    return {
        "number": made.number,
        "model": made.model,
        "in_force": made.in_force_since is not None,
        "refused": made.refused or None,
        "lessons": made.lessons,
        "right_before": made.right_before,
        "right_now": made.right_now,
        "gained": made.gained,
        "lost": made.lost,
        "against": made.against,
        "sure": made.sure,
        "worse": made.worse,
    }


def say(sentence: str) -> None:
    """Print a sentence as it is."""
    out.print(sentence, markup=False, highlight=False)
