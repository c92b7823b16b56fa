"""Export on the command line: a table or lines, by brand and days."""

from tests.command_line import CommandLine


def test_the_demo_comes_out_as_a_table_and_as_lines(demo: CommandLine) -> None:
    table = demo("--demo", "export", "cases")
    lines = demo("--demo", "export", "mentions", "--as", "jsonl", "--brand", "Tarnby")
    listed = demo("--demo", "mentions", "--json")

    assert table.code == 0
    assert table.out.startswith("id,brand,status,")
    assert [row["id"] for row in lines.rows] == [row["id"] for row in listed.rows]
    assert len(lines.rows) > 100


def test_what_cannot_be_exported_is_refused_in_a_sentence(listener: CommandLine) -> None:
    assert listener("export", "mentions", "--brand", "Umbra").err == (
        "There is no brand called 'Umbra'.\n"
    )
    assert listener("export", "events", "--since", "monday").err == (
        "'monday' is no day; write one like 2026-11-25.\n"
    )
    assert listener("export", "events").out == "id,brand,case,what,at,who,details\n"
