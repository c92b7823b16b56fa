"""`listener digest`: the same in words and for machines, and plain refusals."""

from tests.command_line import CommandLine

BRAND = """
[[brand]]
name = "Acme"
query = "fish"
"""


def test_a_brand_that_nobody_speaks_of_has_a_digest(listener: CommandLine) -> None:
    listener.applied(BRAND)

    said = listener("digest", "Acme", "--on", "2026-11-25")
    [[row]] = listener("digest", "--json", "--of", "month").rows

    assert said.code == 0
    assert said.out.startswith(
        "Acme, Wednesday, 25 November 2026\n"
        "Nobody spoke: 0 mentions, and no source is listened to, none overdue.\n"
    )
    assert "Why people complain\n  Nobody complained.\n" in said.out
    assert row["brand"] == "Acme"
    assert row["now"] == {"mentions": 0, "complaints": 0}


def test_what_cannot_be_told_is_refused_in_a_sentence(listener: CommandLine) -> None:
    assert listener("digest").err == (
        "There is no brand yet: `listener init` writes a file to begin with.\n"
    )
    listener.applied(BRAND)
    assert listener("digest", "Umbra").err == "There is no brand called 'Umbra'.\n"
    for wrong in (("--on", "yesterday"), ("--zone", "Mars/Base"), ("--on", "0001-01-02")):
        assert listener("digest", "Acme", *wrong).err == (
            "Write a day like 2026-11-25, and a zone by its name, like Europe/Berlin.\n"
        )
