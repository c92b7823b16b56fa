"""The labels of other people's models mean something to us, or we ask what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import labels, languages
from models.errors import BadDeclaration, BrokenModel
from models.labels import Meaning

COMPLAINT, NEGATIVE, NEUTRAL, POSITIVE = Meaning


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("negative", "neutral", "positive"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("NEG", "NEU", "POS"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("Positive", "Negative"), (POSITIVE, NEGATIVE)),
        (("LABEL_0", "LABEL_1", "LABEL_2"), (NEGATIVE, NEUTRAL, POSITIVE)),
        (("LABEL_2", "LABEL_0", "LABEL_1"), (POSITIVE, NEGATIVE, NEUTRAL)),
        (
            ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
            (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE),
        ),
        (
            ("Very Negative", "Negative", "Neutral", "Positive", "very-positive"),
            (NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE),
        ),
        (("complaint", "no_complaint"), (COMPLAINT, NEUTRAL)),
    ],
)
def test_usual_labels_need_no_word_of_explanation(
    names: tuple[str, ...], found: tuple[Meaning, ...]
) -> None:
    assert labels.meanings("'m'", names) == dict(zip(names, found, strict=True))


def test_unknown_labels_are_asked_about() -> None:
    with pytest.raises(BrokenModel) as refused:
        labels.meanings("'hub:x'", ("LABEL_0", "LABEL_1"))

    assert str(refused.value) == (
        "What the model 'hub:x' means by 'LABEL_0', 'LABEL_1' is not known. Say it in "
        "LISTENER_MODEL_LABELS, for example "
        "LISTENER_MODEL_LABELS='LABEL_0=negative,LABEL_1=positive'; a label can mean one of: "
        "complaint, negative, neutral, positive."
    )


def test_of_many_unknown_labels_only_some_are_named() -> None:
    with pytest.raises(BrokenModel, match=r"by 'e0', 'e1', 'e2', 'e3', 'e4', 'e5' and 22 more is"):
        labels.meanings("'hub:x'", [f"e{number}" for number in range(28)])


def test_what_is_declared_counts_more_than_the_name() -> None:
    names = ("negative", "neutral", "positive")

    found = labels.meanings("'m'", names, labels.parse("Negative=complaint"))

    assert found == {"negative": COMPLAINT, "neutral": NEUTRAL, "positive": POSITIVE}


def test_a_mapping_is_read_as_people_write_it() -> None:
    assert labels.parse(" bad = Complaint,\n a=b =neutral, 5 stars=POSITIVE, ") == {
        "bad": COMPLAINT,
        "a=b": NEUTRAL,
        "5 stars": POSITIVE,
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            "LABEL_0",
            (
                "LISTENER_MODEL_LABELS holds 'LABEL_0'. Write label=meaning pairs with commas between "
                "them, for example LABEL_0=negative, LABEL_1=positive."
            ),
        ),
        (
            "=negative",
            (
                "LISTENER_MODEL_LABELS holds '=negative'. Write label=meaning pairs with commas "
                "between them, for example LABEL_0=negative, LABEL_1=positive."
            ),
        ),
        (
            "a=angry",
            (
                "LISTENER_MODEL_LABELS says that 'a' means 'angry'. A label can mean one of: "
                "complaint, negative, neutral, positive."
            ),
        ),
        (
            "a=negative,A=neutral",
            "LISTENER_MODEL_LABELS says twice what 'A' means. Leave one of them out.",
        ),
        (" , ", "LISTENER_MODEL_LABELS is empty. Take it away, or say what each label means."),
    ],
)
def test_a_mapping_that_cannot_be_read_is_refused(words: str, says: str) -> None:
    with pytest.raises(BadDeclaration) as refused:
        labels.parse(words)

    assert str(refused.value) == says


def test_a_mapping_for_another_model_is_refused() -> None:
    with pytest.raises(BadDeclaration) as refused:
        labels.meanings("'m'", ("pos", "neg"), labels.parse("pos=positive,bad=negative"))

    assert str(refused.value) == (
        "LISTENER_MODEL_LABELS says what 'bad' means, but the labels of the model 'm' are "
        "'pos', 'neg'. Use those."
    )


@pytest.mark.parametrize("mapping", ["a=neutral,b=positive", "a=complaint,b=negative"])
def test_labels_that_cannot_tell_the_unhappy_from_the_others_are_refused(mapping: str) -> None:
    with pytest.raises(BrokenModel) as refused:
        labels.meanings("'m'", ("a", "b"), labels.parse(mapping))

    assert str(refused.value) == (
        "The labels of the model 'm' ('a', 'b') do not tell the unhappy from the others: at least "
        "one must mean complaint or negative, and one neutral or positive. Say it in "
        "LISTENER_MODEL_LABELS, or choose another model."
    )


NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters=",="), min_size=1)
    .map(lambda name: " ".join(name.split()))
    .filter(labels.plain),
    min_size=2,
    unique_by=labels.plain,
)


@given(NAMES)
def test_every_label_of_a_model_can_be_declared(names: list[str]) -> None:
    declared = {name: (NEGATIVE if place == 0 else NEUTRAL) for place, name in enumerate(names)}

    read = labels.parse(",".join(f"{name}={meaning}" for name, meaning in declared.items()))

    assert labels.meanings("'m'", names, read) == declared


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ("en", {"en"}),
        ("en, de fr", {"en", "de", "fr"}),
        ("ru,en", {"ru", "en", "und-Cyrl"}),
        ("und-Cyrl", {"und-Cyrl"}),
        ("hi ar", {"hi", "ar", "und-Deva", "und-Arab"}),
    ],
)
def test_languages_are_read_with_the_letters_that_only_they_use(
    words: str, codes: set[str]
) -> None:
    assert languages.parse(words) == codes


@pytest.mark.parametrize("words", ["English", "en;de", "EN", "en-GB"])
def test_languages_that_are_no_codes_are_refused(words: str) -> None:
    with pytest.raises(BadDeclaration) as refused:
        languages.parse(words)

    assert str(refused.value) == (
        f"LISTENER_MODEL_LANGUAGES holds {words!r}. Write the languages that the model has learnt "
        "as ISO 639 codes with commas between them, for example en,de."
    )


def test_no_languages_at_all_are_refused() -> None:
    with pytest.raises(BadDeclaration, match="Take it away to believe the model in every language"):
        languages.parse(" ")
