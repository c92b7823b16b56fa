"""Whether the model drifts is said only where chance does not explain it."""

import random

from listener.domain.drift import Scores, of_corrections, of_scores
from listener.domain.precision import Flags


def drawn(count: int, share: float, *, seed: int = 1, model: str = "pair 2") -> Scores:
    """Verdicts of which so many read like complaints."""
    chance = random.Random(seed)  # noqa: S311  (nothing is kept secret by it)
    return Scores(
        [
            chance.uniform(0.8, 1) if chance.random() < share else chance.uniform(0, 0.3)
            for _ in range(count)
        ],
        frozenset({model}),
    )


def test_the_same_mix_lies_as_before_however_it_is_drawn() -> None:
    said = {of_scores(drawn(400, 0.2, seed=n), drawn(2_000, 0.2, seed=99 + n)) for n in range(50)}

    assert said == {"The verdicts of the last seven days lie as those of the four weeks before."}


def test_another_mix_is_said_with_both_shares_and_who_judges_newly() -> None:
    said = of_scores(drawn(400, 0.5, model="pair 3"), drawn(2_000, 0.1))

    assert said.startswith("The verdicts of the last seven days lie elsewhere than before: 48% ")
    assert "in the four weeks before 10%." in said
    assert "pair 3 has begun to judge since." in said


def test_of_few_nothing_is_said() -> None:
    few = "There are too few verdicts yet to say whether the model drifts."

    assert of_scores(drawn(199, 0.9), drawn(2_000, 0.1)) == few
    assert of_scores(drawn(0, 0.9), drawn(0, 0.1)) == few


def week(checked: int, wrong: int) -> Flags:
    return Flags(shown=checked, checked=checked, not_negative=wrong)


def test_more_corrections_than_before_are_said_with_both_shares() -> None:
    assert of_corrections([week(50, 5)] * 6 + [week(50, 20)] * 2) == (
        "40% of flags were corrected in the last two weeks, 10% before: more than chance explains."
    )
    assert of_corrections([week(50, 20)] * 6 + [week(50, 2)] * 2).endswith(
        "fewer than chance explains."
    )
    assert of_corrections([week(50, 5)] * 6 + [week(50, 6)] * 2).endswith(
        "no more and no fewer than chance explains."
    )
    assert of_corrections([week(0, 0)] * 6 + [week(50, 6)] * 2) == ""
