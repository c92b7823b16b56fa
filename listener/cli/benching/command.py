"""`listener bench`: the figures of docs/performance.md, measured on this machine in one run."""

import asyncio
import logging
import os
import platform
import tempfile
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from listener.cli.benching import idling, judging, keeping, made_up, matching
from listener.cli.ground import Json, err, in_sentences, out, print_json

DAY = 2_200_000  # posts of Bluesky a day
SHARE = 0.01  # of them that name a brand
BRANDS = 10_000


def bench(
    *,
    postgres: Annotated[
        str | None,
        typer.Option(
            help="An empty PostgreSQL database to fill; without it that part is left out."
        ),
    ] = None,
    quick: Annotated[bool, typer.Option(help="A tenth of the work, for a first look.")] = False,
    as_json: Json = False,
) -> None:
    """Measure matching, keeping, judging and memory, each against a named baseline."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    size = 1 if quick else 10
    with in_sentences():
        figures = measure(postgres, size)
    if as_json:
        print_json(figures)
        return
    for name, figure in figures.items():
        shown = f"{figure:,.1f}" if isinstance(figure, int | float) else figure or "not measured"
        out.print(f"{name:24} {shown}", markup=False, highlight=False)


def measure(postgres: str | None, size: int) -> dict[str, Any]:
    """All figures; None where something needed is not here."""
    names = made_up.brand_names(BRANDS)
    said("reading and matching a stream")
    stream = made_up.frames(made_up.posts(5_000 * size, names, share=SHARE))
    match_per_s, _ = matching.ours(stream, names)
    re_per_s, _ = matching.pythons(stream[: 50 * size], names)
    few = names[:200]
    posts = made_up.posts(3_000 * size, few)
    said("keeping, on SQLite")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        sqlite = asyncio.run(
            keeping.measure(f"sqlite:///{file}", few, posts, singly=10 * size, file=file)
        )
    server: dict[str, float] = {}
    if postgres is not None:
        said("keeping, on PostgreSQL")
        server = asyncio.run(keeping.measure(postgres, few, posts))
    said("judging")
    texts = [post.text for post in posts[: 200 * size]]
    judge_per_s = judging.ours(texts)
    pipeline_per_s = judging.pipeline(texts[: 20 * size])
    said("an idle service")
    idle = idling.idle_mb()
    return {
        "match_per_s": match_per_s,
        "match_vs_re": match_per_s / re_per_s,
        "ingest_sqlite_per_s": sqlite["ingest"],
        "ingest_postgres_per_s": server.get("ingest"),
        "ingest_vs_rows": sqlite["ingest"] / sqlite["sqlmodel"],
        "ingest_vs_bare_rows": sqlite["ingest"] / sqlite["driver"],
        "judge_per_s_core": judge_per_s,
        "judge_vs_pipeline": pipeline_per_s and judge_per_s / pipeline_per_s,
        "path_sqlite_per_s": sqlite["path"],
        "path_postgres_per_s": server.get("path"),
        "bluesky_day_core_s": DAY / match_per_s
        + DAY * SHARE * (1 / sqlite["path"] + 1 / judge_per_s),
        "idle_mb": idle,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
    }


def said(what: str) -> None:
    """Say what is measured now, for whoever waits."""
    err.print(f"Measuring {what} …", markup=False)
