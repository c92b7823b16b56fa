"""The demo shows everything and touches nothing of one's own."""

from pathlib import Path

from connectors.sample import lives
from tests.command_line import CommandLine, Said


def test_one_run_reads_judges_and_opens_cases(told_demo: tuple[Path, Said]) -> None:
    _, said = told_demo

    assert said.code == 0
    [report] = said.rows
    assert sorted(report) == ["cases", "judged", "mentions", "notices", "seconds", "sources"]
    assert sorted(report["sources"]) == ["Larder Reviews", "The Barrow Courier", "Towntalk"]
    assert all(
        sorted(source) == ["error", "gaps", "mentions", "read"]
        for source in report["sources"].values()
    )
    assert all(source["error"] is None for source in report["sources"].values())
    assert report["judged"] > 100
    assert report["cases"] > 0
    assert report["notices"] == {"sent": report["notices"]["sent"], "failed": 0}


def test_nothing_of_it_is_kept_outside_its_own_folder(told_demo: tuple[Path, Said]) -> None:
    data, _ = told_demo

    assert [path.name for path in data.iterdir()] == ["demo"]
    assert {path.name for path in (data / "demo").iterdir()} >= {"listener.db", "key"}


def test_the_configured_database_is_never_asked(told_demo: tuple[Path, Said]) -> None:
    """It does not even answer."""
    _, said = told_demo

    assert "127.0.0.1:1" not in said.err
    assert said.code == 0


def test_its_cases_can_be_worked_afterwards(demo: CommandLine) -> None:
    before = demo("--demo", "cases", "--json").rows
    number = before[0]["id"]

    assert demo("--demo", "cases", "take", number, "--as", "Ana").code == 0
    assert demo(
        "--demo", "cases", "close", number, "--outcome", "no reply needed", "--as", "Ana"
    ).code == 0  # fmt: skip

    after = demo("--demo", "cases", "--json").rows
    assert [row["outcome"] for row in after if row["id"] == number] == ["no reply needed"]


def test_a_second_run_goes_on_with_what_there_is(demo: CommandLine) -> None:
    mentions = len(demo("--demo", "mentions", "--json").rows)

    again = demo("run", "--demo", "--once", "--json")

    assert again.code == 0
    new = sum(source["mentions"] for source in again.rows[0]["sources"].values())
    assert new <= sum(life.line.live is not None for life in lives())  # nothing of the past again
    assert len(demo("--demo", "mentions", "--json").rows) == mentions + new
    assert [row["name"] for row in demo("--demo", "staff", "list", "--json").rows] == ["Ana", "Ben"]


def test_without_the_word_demo_ones_own_data_is_meant(demo: CommandLine) -> None:
    said = demo("cases")

    assert said.code == 1
    assert "The database postgresql://127.0.0.1:1/real cannot be reached" in said.err
