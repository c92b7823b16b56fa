"""Our own posts have their shape, repeat nothing and keep what is held back apart."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from models.training import corpus
from models.training.corpus import Labelled

ROOT = Path(__file__).resolve().parents[2]
PLAIN = Labelled(
    id="000-01", brand="Gull", trade="telecoms", place="reddit", kind="comment", stars=None,
    language="en", text="No bars in my own kitchen since Gull moved the mast, day three.",
    complaint=True, feeling="neutral", urgent=False, harm=(), cause="no_signal",
    sort="implicit", pair=None, split=corpus.side("000-01"),
)  # fmt: skip


@pytest.fixture(scope="module")
def ours() -> tuple[Labelled, ...]:
    return corpus.posts()


def test_our_posts_have_no_fault(ours: tuple[Labelled, ...]) -> None:
    assert corpus.faults(ours, corpus.brands()) == []


def test_complaints_and_others_are_balanced(ours: tuple[Labelled, ...]) -> None:
    share = sum(post.complaint for post in ours) / len(ours)

    assert 0.4 < share < 0.6


def test_about_a_fifth_is_held_back(ours: tuple[Labelled, ...]) -> None:
    share = sum(post.split == "held" for post in ours) / len(ours)

    assert 0.12 < share < 0.28


def test_forty_brands_work_in_twenty_trades() -> None:
    known = corpus.brands()

    assert len({brand.name for brand in known}) == 40
    assert len({brand.trade for brand in known}) == 20


def test_the_posts_are_shipped_because_learning_repeats_them() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    shipped = setuptools["package-data"]["models"]

    assert any(fnmatch("training/posts/001-x.jsonl", pattern) for pattern in shipped)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"brand": "Acme"}, "no brand 'Acme'"),
        ({"text": "No bars. "}, "ends with space"),
        ({"id": "000-02", "split": "held"}, "belongs to 'train'"),
        ({"complaint": False}, "has a cause but is no complaint"),
        ({"cause": "No Signal"}, "is no short slug"),
        ({"pair": "000-99", "split": corpus.side("000-pairs")}, "does not point back"),
    ],
)
def test_a_faulty_post_is_named(change: dict[str, object], said: str) -> None:
    found = corpus.faults([PLAIN.model_copy(update=change)], corpus.brands())

    assert len(found) == 1
    assert said in found[0]


def test_twins_must_differ_in_their_label() -> None:
    pairs = corpus.side("000-pairs")
    one = PLAIN.model_copy(update={"pair": "000-02", "split": pairs})
    other = PLAIN.model_copy(update={"id": "000-02", "pair": "000-01", "split": pairs})

    found = corpus.faults([one, other], corpus.brands())

    assert [fault for fault in found if "has the same label" in fault]


def test_a_post_said_again_of_another_brand_is_found() -> None:
    text = PLAIN.text.replace("Gull", "Serra").replace("three", "four")
    again = PLAIN.model_copy(
        update={"id": "000-02", "split": corpus.side("000-02"), "brand": "Serra", "text": text}
    )

    found = corpus.faults([PLAIN, again], corpus.brands())

    assert [fault for fault in found if "are alike" in fault]


def test_the_same_few_words_under_another_post_are_no_repetition() -> None:
    one = PLAIN.model_copy(update={"text": "same here", "thread": "Is Gull down?"})
    other = one.model_copy(
        update={"id": "000-02", "split": corpus.side("000-02"), "thread": "I love Gull"}
    )

    assert corpus.faults([one, other], corpus.brands()) == []


def test_an_opening_that_wears_out_is_found() -> None:
    endings = (
        "roaming was dead in Porto all week", "my mother cannot reach anybody on Sunday",
        "the bill had eleven pages of nonsense", "they cut off our shop at noon",
        "a child could run that help desk better",
    )  # fmt: skip
    worn = [
        PLAIN.model_copy(
            update={
                "id": f"000-{n:02}",
                "split": corpus.side(f"000-{n:02}"),
                "text": f"I can not believe {ending}",
            }
        )
        for n, ending in enumerate(endings)
    ]

    found = corpus.faults(worn, corpus.brands())

    assert [fault for fault in found if "begin with 'i can not believe'" in fault]


def test_a_line_of_another_shape_is_named(tmp_path: Path) -> None:
    (tmp_path / "001-x.jsonl").write_text(PLAIN.model_dump_json() + '\n{"id": "001-02"}\n')

    with pytest.raises(ValueError, match=r"001-x\.jsonl, line 2"):
        corpus.posts(tmp_path)
