"""`listener mentions --meaning` and `--like`: the same as on the page, and plain refusals."""

from tests.command_line import CommandLine


def test_a_model_that_gives_no_meaning_says_so(demo: CommandLine) -> None:
    said = demo("--demo", "mentions", "--meaning", "coupon")
    like = demo("--demo", "mentions", "--like", 1)

    assert (said.code, said.out) == (1, "")
    assert "The model lexicon" in said.err
    assert "does not say where texts lie" in said.err
    assert like.err == ("The model has not read that mention, so none can be said to be like it.\n")


def test_one_asks_for_words_or_for_a_mention(demo: CommandLine) -> None:
    said = demo("--demo", "mentions", "--meaning", "coupon", "--like", 1)

    assert said.code == 2
    assert "Say one of --meaning and --like." in said.err
