"""How the posts of one epoch are mixed: twins together, brands made strange."""

import random
from dataclasses import replace

from models.training import mixing, sets
from models.training.sets import Example
from models.verdict import Feeling

LATE = Example(
    "Gull is late again", Feeling.NEGATIVE, brand="Gull", complaint=True, urgent=False, harm=()
)
EARLY = replace(LATE, text="Gull is early again", feeling=Feeling.POSITIVE, complaint=False)
PAIR = [replace(LATE, twins="300-01"), replace(EARLY, twins="300-01")]
NAMES = ("Gull", "Serra", "Wren")


def chance(seed: int = 6) -> random.Random:
    return random.Random(seed)  # noqa: S311  (it guards nothing)


def test_twins_stand_in_one_batch_so_that_they_can_be_told_apart() -> None:
    own = sets.own("train")
    mixed = list(mixing.batches(own, [], 0, chance()))

    pairs = {example.twins for example in own if example.twins}
    pairs = {key for key in pairs if sum(example.twins == key for example in own) == 2}
    assert len(pairs) > 500
    for key in pairs:
        holding = [batch for batch in mixed if any(one.twins == key for one in batch)]
        assert all(sum(one.twins == key for one in batch) % 2 == 0 for batch in holding)
    assert max(map(len, mixed)) <= mixing.BATCH


def test_the_complaint_of_a_pair_comes_first() -> None:
    assert mixing.twins(PAIR) == [(0, 1)]
    assert mixing.twins(PAIR[::-1]) == [(1, 0)]
    assert mixing.twins([LATE, EARLY]) == []


def test_public_texts_come_in_the_share_that_was_asked_for() -> None:
    public = [Example(f"so good {number}", Feeling.POSITIVE) for number in range(50)]

    mixed = mixing.batches([LATE] * 40, public, 0.5, chance())

    assert sum(one.complaint is None for batch in mixed for one in batch) == 20


def test_a_post_is_told_of_another_brand_or_asked_about_a_wrong_one() -> None:
    draw = chance()
    told = [mixing.varied(LATE, NAMES, draw) for _ in range(2_000)]

    renamed = [one for one in told if one.brand != "Gull" and one.brand in one.text]
    wrong = [one for one in told if one.brand not in one.text]
    assert all(one.complaint for one in renamed)
    assert all(one.complaint is False and one.urgent is None for one in wrong)
    assert 200 < len(renamed) < 500
    assert 60 < len(wrong) < 220


def test_a_name_that_means_something_else_is_left_alone() -> None:
    bird = replace(LATE, fixed=True)

    assert all(mixing.varied(bird, NAMES, chance(seed)) == bird for seed in range(50))


def test_a_name_in_small_letters_capitals_or_a_handle_becomes_the_other_name_as_well() -> None:
    said = "@gull is GULL and Gull gull #gull"

    assert mixing.renamed(said, "Gull", "Corvid Mobile") == (
        "@corvidmobile is CORVID MOBILE and Corvid Mobile corvid mobile #corvidmobile"
    )


def test_what_a_reply_answers_is_told_of_the_other_brand_too() -> None:
    reply = replace(LATE, text="same here", answers="is Gull late?")
    draw = chance()
    told = [mixing.varied(reply, NAMES, draw) for _ in range(200)]

    assert {(one.brand, one.answers) for one in told} == {
        ("Gull", "is Gull late?"),
        ("Serra", "is Serra late?"),
        ("Wren", "is Wren late?"),
    }


def test_each_core_gets_whole_pairs_and_about_half() -> None:
    batch = [*PAIR, LATE, *(replace(one, twins="300-02") for one in PAIR), EARLY]

    (left, share), (right, rest) = mixing.parts(batch, 2)

    assert share + rest == 1
    assert {len(left), len(right)} <= {2, 3, 4}
    assert len(mixing.twins(left)) + len(mixing.twins(right)) == 2
