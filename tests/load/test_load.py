"""Under a torrent of posts nothing is lost, and people see complaints while they are warm."""

from dataclasses import replace
from pathlib import Path

import pytest

from models import shelf
from tests.journeys.process import Ground
from tests.load.soak import Load, Report, soak

GENEROUS = 120.0  # seconds: what a machine that does ten other things may take


@pytest.mark.slow
@pytest.mark.parametrize(
    "load",
    [Load(rate=50, share=1, seconds=15), Load(rate=300, share=0.01, seconds=15)],
    ids=["all name us", "one in a hundred names us"],
)
async def test_a_stream_is_heard_whole_and_soon(database: str, tmp_path: Path, load: Load) -> None:
    report = await soak(Ground(tmp_path, database, model=shelf.DEFAULT), load)

    assert report.sent > load.rate  # how many more, `make latency` says on a quiet machine
    assert not report.wrong
    assert report.p99 < GENEROUS
    assert report.more_files <= 5


def test_a_report_names_what_was_wrong() -> None:
    load = Load(rate=1, share=1, seconds=400)
    good = Report(
        load,
        delays=[1.0] * 200,
        moments=[float(second) for second in range(400)],
        memory=[200.0] * 400,
        files=[20] * 400,
    )
    assert good.faults() == []

    leaks = replace(good, memory=[200.0 + second / 30 for second in range(400)])
    assert leaks.faults() == ["memory grows by 2.00 MB a minute"]
    opens = replace(good, files=[20 + second // 10 for second in range(400)])
    assert opens.faults() == ["20 more files are open"]
    late = replace(good, delays=[1.0] * 190 + [9.0] * 10)
    assert late.faults() == ["99 of 100 cases were visible after 9.0 s, not 5"]
    loses = replace(good, wrong=["at://did:plc:ada/3k1 is not kept"])
    assert loses.faults() == ["at://did:plc:ada/3k1 is not kept"]
