"""What a model learns from, what it is measured on, and how its thresholds are set."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.pairs import about
from models.training import measure, sets
from models.verdict import Feeling


def test_nobody_learns_from_what_is_measured_or_calibrated_on() -> None:
    sides = {side: sets.labelled(side) for side in ("train", "calibration", "held")}

    groups = {side: {post.group for post in posts} for side, posts in sides.items()}
    assert not groups["train"] & groups["held"]
    assert not groups["train"] & groups["calibration"]
    assert not groups["calibration"] & groups["held"]
    assert {post.split for post in sides["train"] + sides["calibration"]} == {"train"}
    assert all(len(posts) > 300 for posts in sides.values())


def test_a_tweet_that_is_measured_on_is_not_learnt_from(tmp_path: Path) -> None:
    tweets, learnt = tmp_path / "tweeteval-sentiment", tmp_path / "semeval2013-2016"
    tweets.mkdir()
    learnt.mkdir()
    (tweets / "val_text.txt").write_text("@ann late  again\n", "utf-8")
    (tweets / "val_labels.txt").write_text("0\n", "utf-8")
    (learnt / "twitter-2013train-A.txt").write_text(
        "1\tnegative\t@ann late again\n2\tpositive\tso good\n3\tunknown\twhat\n", "utf-8"
    )

    assert [one.text for one in sets.public(tmp_path)["semeval2013-2016"]] == ["so good"]
    (measured,) = sets.development(tmp_path)["tweeteval"]
    assert measured.feeling is Feeling.NEGATIVE


def test_a_model_is_asked_about_the_brand_the_stars_and_what_is_answered() -> None:
    assert about("Acme", None) == "Acme"
    assert about("", 1.0, "  ") == "the company 1 star"
    assert about("Acme", None, "@bob is   it down?") == "Acme, answering: @user is it down?"
    assert len(about("Acme", 2.5, "long " * 500)) < 200  # room is left for what was said


def test_the_threshold_looks_for_recall_where_precision_allows_it() -> None:
    probable = np.linspace(0.005, 0.995, 100)
    true = probable > 0.3

    low, high = measure.thresholds(probable, true)

    assert low == pytest.approx(0.33, abs=0.02)
    assert high == 0.55  # all above are right, so only the middle is doubtful


def test_the_scale_undoes_what_makes_a_model_too_sure() -> None:
    chance = np.random.default_rng(1)
    logits = chance.normal(0, 1.5, 4_000)
    true = chance.random(4_000) < 1 / (1 + np.exp(-logits))

    slope, offset = measure.scale(logits * 3, true)

    assert slope == pytest.approx(1 / 3, abs=0.05)
    assert offset == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("brand", "stars", "text"),
    [
        ("Gull", None, "Gull"),
        ("Gull", 1.0, "Gull 1 star"),
        ("Gull", 4.5, "Gull 4.5 stars"),
        ("", 2, "the company 2 stars"),
        (" ", None, "the company"),
    ],
)
def test_a_model_is_told_the_brand_and_the_stars(
    brand: str, stars: float | None, text: str
) -> None:
    assert about(brand, stars) == text


def test_a_text_is_asked_about_somebody_whom_it_names() -> None:
    named = sets.about_somebody(sets.Example("still waiting for @Parcelly and Royal Mail", None))
    nobody = sets.about_somebody(sets.Example("still waiting, every Monday", None))
    told = sets.about_somebody(sets.Example("worse than Gull", None, brand="battery"))

    assert named.brand in {"Parcelly", "Royal Mail"}
    assert named == sets.about_somebody(sets.Example(named.text, None)), "the same in every run"
    assert nobody.brand == ""
    assert told.brand == "battery"


def test_what_a_teacher_holds_is_found_by_the_whole_question(tmp_path: Path) -> None:
    asked = sets.Example("same here", None, brand="Gull", stars=2, answers="My phone is dead.")
    others = [
        replace(asked, text="Same here!"),
        replace(asked, brand="Kade"),
        replace(asked, stars=None),
        replace(asked, answers="My phone is great."),
    ]
    file = tmp_path / "taught.json"
    file.write_text(json.dumps({sets.key(asked): 0.9}), "utf-8")

    assert [one.taught for one in sets.taught([asked, *others], file)] == [0.9, *[None] * 4]


def test_the_same_texts_are_drawn_for_a_teacher_and_for_the_training() -> None:
    public = {"one": [sets.Example(str(n), None) for n in range(50)], "two": []}

    assert sets.pool(public, 20, 6) == sets.pool(public, 20, 6)
    assert len(sets.pool(public, 80, 6)) == 50


def test_what_is_in_many_languages_is_drawn_as_often_again() -> None:
    public = {
        "xlm-t": [sets.Example(f"x{n}", None) for n in range(100)],
        "other": [sets.Example(f"o{n}", None) for n in range(100)],
    }

    drawn = [one.text for one in sets.pool(public, 40, 6)]

    assert len(set(drawn)) == 80
    assert sum(text.startswith("x") for text in drawn) > 50
    assert (
        sum(text.startswith("x") for text in (one.text for one in sets.pool(public, 200, 6))) == 100
    )
