"""`listener learn`: what came of it in sentences, and the way back."""

from tests.command_line import CommandLine

TWO = """
[[brand]]
name = "Acme"
query = "fish"

[[brand]]
name = "Bolt"
query = "bread"
"""


def test_it_says_of_every_brand_what_was_learnt_or_why_not(listener: CommandLine) -> None:
    listener.applied(TWO)

    said = listener("learn")

    few = "Nothing was learnt. There are 0 lessons; 20 are needed to begin. The model judges alone."
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        f"Acme: {few}",
        f"Bolt: {few}",
        "There are too few verdicts yet to say whether the model drifts.",
    ]
    assert listener("learn", "Bolt", "--json").rows == [
        {"brand": "Bolt", "says": few, "lessons": 0, "version": None}
    ]


def test_brands_that_learn_together_are_one(listener: CommandLine) -> None:
    listener.applied(TWO)

    joined = listener("model", "join", "Bolt", "Acme")
    again = listener("model", "join", "Acme", "Bolt")
    learnt = listener("learn", "Bolt")
    parted = listener("model", "part", "Bolt")
    apart = listener("model", "part", "Bolt")

    assert joined.out == (
        "Bolt learns with Acme from now on: what staff say of either moves the verdicts on both.\n"
    )
    assert (again.code, again.err) == (1, "Bolt learns with Acme already.\n")
    assert learnt.out.startswith("Acme: Nothing was learnt.")
    assert parted.out.startswith("Bolt learns by itself from now on")
    assert (apart.code, apart.err) == (1, "Bolt learns by itself already.\n")


def test_what_cannot_be_done_is_said_in_a_sentence(listener: CommandLine) -> None:
    empty = listener("learn")
    listener.applied(TWO)

    unknown = listener("learn", "Corp")
    nothing = listener("model", "roll-back")
    of_one = listener("model", "roll-back", "Acme")
    itself = listener("model", "join", "Acme", "Acme")

    assert (empty.code, empty.out) == (1, "")
    assert empty.err.startswith("There is no brand yet.")
    assert (unknown.code, unknown.err) == (1, "There is no brand 'Corp'. There are: Acme, Bolt.\n")
    assert nothing.err == "Nothing that was learnt judges: there is nothing to roll back.\n"
    assert of_one.err.startswith("Nothing that was learnt judges Acme")
    assert itself.err == "Acme is the same brand. Name another.\n"
