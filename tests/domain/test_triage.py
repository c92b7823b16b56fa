"""Which posts call for a person, how soon, and the sentences that say why."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kit.contract import Kind
from listener.domain.triage import Circumstances, assess, harm
from models.verdict import Feeling, Verdict

COLD = "My soup was cold."

# One sentence of each harm in each language that staff most often meet.
HARMED = [
    ("safety", "The glass jar exploded in my hand."),
    ("safety", "Die Flasche ist explodiert, Explosionsgefahr, ich bin verletzt."),
    ("safety", "La silla es muy peligrosa para los niños."),
    ("safety", "Ce grille-pain est dangereux."),
    ("health", "My son is allergic and there were nuts in it."),
    ("health", "Auf dem Brot war Schimmel."),
    ("health", "Me intoxiqué con el pescado."),
    ("health", "Le pain était moisi."),
    ("fraud", "This is a scam, my card was used."),
    ("fraud", "Das ist Betrug!"),
    ("fraud", "Es una estafa."),
    ("fraud", "C'est une arnaque."),
    ("money", "I was charged twice for one order."),
    ("money", "Der Betrag wurde doppelt von meinem Konto abgebucht."),
    ("money", "Me han cobrado el pedido dos veces."),
    ("money", "J'ai été débité hier deux fois."),
    ("legal", "You will hear from my lawyer."),
    ("legal", "Ich gehe zum Anwalt."),
    ("legal", "Voy a poner una denuncia."),
    ("legal", "Je vais porter plainte."),
    ("privacy", "My address was leaked."),
    ("privacy", "Das verstößt gegen den Datenschutz."),
]


# Things in food, and what only sounds like it.
IN_FOOD = [
    "There was a strip of plastic in my pasta.",
    "Found a strip of blue plastic glove in my lasagne.",
    "I bit into a piece of plastic and nearly broke a tooth.",
    "Inside the burger I found a screw.",
    "My daughter almost swallowed a stone that was in her salad.",
    "In meinem Salat war ein Plastikstreifen.",
    "Ich habe auf einen Stein gebissen, mitten im Essen.",
    "Había un trozo de plástico en la sopa.",
    "Mordí una piedra en el arroz.",
    "Il y avait un morceau de plastique dans mon plat.",
    "J'ai croqué un caillou en mangeant vos lentilles.",
    "Tinha um pedaço de plástico no meu prato.",
    "Quase engoli um parafuso que veio na marmita.",
    "C'era un pezzo di plastica nella zuppa.",
    "Ho morso un sassolino mentre mangiavo il riso.",
    "Er zat een stuk plastic in mijn soep.",
    "Ik heb op een steentje gebeten in het brood.",
]
SHARP_IN_FOOD = [
    "There was glass in my soup.",
    "A bit of metal in the rice, unbelievable.",
    "In der Suppe waren Glassplitter.",
    "Había vidrio en mi ensalada.",
    "Un bout de verre dans le yaourt.",
    "Um caco de vidro na comida.",
    "Un pezzo di vetro nel gelato.",
    "Stukje glas in het eten.",
]
NOT_IN_FOOD = [
    "Too much plastic packaging around your meals.",
    "They put a plastic fork in my food bag again.",
    "The plastic bag tore. The food was fine.",
    "Cold pasta, stone cold staff.",
    "In der Plastikverpackung war das Essen kalt.",
    "Demasiado plástico. La comida llegó fría.",
    "Trop de plastique autour du repas.",
    "A opção mais barata no menu demorou uma hora.",
    "Troppa plastica. La pizza era fredda.",
    "Het eten kwam in een plastic bak.",
    "Found a long black hair inside my fish cake.",
]


def verdict(
    complaint: float = 0.1,
    feeling: Feeling = Feeling.NEUTRAL,
    *,
    unsure: bool = False,
    why: str = "",
) -> Verdict:
    return Verdict(
        complaint=complaint,
        feeling=feeling,
        confidence=0.9,
        unsure=unsure,
        model="test 1",
        why=why,
    )


@given(
    complaint=st.floats(0, 1),
    feeling=st.sampled_from(Feeling),
    unsure=st.booleans(),
    stars=st.floats(1, 2),
    text=st.text(),
    kind=st.sampled_from(Kind),
)
def test_one_or_two_stars_are_a_complaint_whatever_the_words_and_the_model_say(
    complaint: float, feeling: Feeling, unsure: bool, stars: float, text: str, kind: Kind
) -> None:
    found = assess(
        verdict(complaint, feeling, unsure=unsure),
        Circumstances(text=text, stars=stars, kind=kind),
    )

    assert found.flagged
    assert not found.unsure
    assert found.complaint >= 0.95
    assert found.reasons[0].endswith("a complaint whatever the words say.")


@given(
    complaint=st.floats(0, 1),
    feeling=st.sampled_from(Feeling),
    unsure=st.booleans(),
    stars=st.none() | st.floats(1, 5),
    text=st.text() | st.sampled_from([sentence for _, sentence in HARMED]),
    reach=st.none() | st.integers(0, 10**12),
    kind=st.sampled_from(Kind),
)
def test_whatever_comes_in_the_finding_is_whole(
    complaint: float,
    feeling: Feeling,
    unsure: bool,
    stars: float | None,
    text: str,
    reach: int | None,
    kind: Kind,
) -> None:
    found = assess(
        verdict(complaint, feeling, unsure=unsure),
        Circumstances(text=text, stars=stars, kind=kind, reach=reach),
    )

    assert 0 <= found.priority <= 100
    assert 0 <= found.complaint <= 1
    assert (found.priority > 0) <= found.needs_a_person
    assert found.urgent <= found.flagged
    assert not found.needs_a_person or found.reasons  # nobody is called without a why
    assert all(not reason[0].islower() and reason.endswith(".") for reason in found.reasons)


def test_a_plain_complaint_is_flagged_and_says_how_likely_it_is() -> None:
    found = assess(verdict(0.83, Feeling.NEGATIVE), Circumstances(text=COLD))

    assert found.flagged
    assert not found.unsure
    assert not found.conflict
    assert found.reasons == ("Reads like a complaint (83%).",)


def test_a_pleased_post_calls_nobody() -> None:
    found = assess(verdict(0.03, Feeling.POSITIVE), Circumstances(text="Lovely soup.", stars=5))

    assert not found.needs_a_person
    assert found.priority == 0


def test_few_stars_with_pleased_words_are_marked_as_a_conflict() -> None:
    found = assess(verdict(0.05, Feeling.POSITIVE), Circumstances(text="Best soup ever!", stars=1))

    assert found.flagged
    assert found.conflict
    assert found.reasons == (
        "One star: a complaint whatever the words say.",
        "Few stars, but the words sound pleased.",
    )


def test_many_stars_with_angry_words_are_for_a_person_to_decide_without_alarm() -> None:
    found = assess(verdict(0.8, Feeling.NEGATIVE), Circumstances(text=COLD, stars=5))

    assert found.conflict
    assert found.unsure
    assert not found.flagged
    assert not found.urgent
    assert "5 stars, but the words complain." in found.reasons


def test_words_that_leave_no_doubt_outweigh_many_stars() -> None:
    found = assess(verdict(0.99, Feeling.NEGATIVE), Circumstances(text=COLD, stars=4))

    assert found.flagged
    assert found.conflict
    assert not found.unsure


def test_stars_without_a_word_are_no_conflict() -> None:
    found = assess(verdict(0.5, Feeling.POSITIVE), Circumstances(text="  ", stars=1))

    assert found.flagged
    assert not found.conflict


def test_a_post_without_words_or_stars_is_no_complaint() -> None:
    found = assess(verdict(0.9, Feeling.NEGATIVE, unsure=True), Circumstances(text=" \n "))

    assert not found.needs_a_person


def test_what_the_model_doubts_goes_to_a_person_with_its_reason() -> None:
    found = assess(
        verdict(0.3, unsure=True, why="a language it does not know"), Circumstances(text=COLD)
    )

    assert found.unsure
    assert not found.flagged
    assert found.needs_a_person
    assert found.reasons == ("The model is not sure: a language it does not know.",)


def test_a_doubt_without_a_reason_is_still_a_sentence() -> None:
    found = assess(verdict(0.49, unsure=True), Circumstances(text=COLD))

    assert found.reasons == ("The model is not sure: too close to call.",)


@pytest.mark.parametrize(("kind", "sentence"), HARMED)
def test_harm_makes_a_complaint_urgent_in_four_languages(kind: str, sentence: str) -> None:
    calm = assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text=COLD))
    found = assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text=sentence))

    assert f"Speaks of harm: {kind}." in found.reasons
    assert found.urgent
    assert found.priority > calm.priority


@pytest.mark.parametrize(("kind", "sentence"), HARMED)
def test_harm_in_what_is_no_complaint_calls_nobody(kind: str, sentence: str) -> None:
    found = assess(verdict(0.04, Feeling.POSITIVE), Circumstances(text=sentence))

    assert kind in harm(sentence)
    assert not found.urgent
    assert not found.needs_a_person
    assert found.priority == 0


@pytest.mark.parametrize(("complaint", "looks"), [(0.27, True), (0.05, True), (0.04, False)])
def test_grave_harm_that_the_model_doubts_is_still_seen_by_somebody(
    complaint: float, looks: bool
) -> None:
    text = "So. There was a strip of plastic in my pasta. Rang up, waited 34 minutes."

    found = assess(verdict(complaint=complaint), Circumstances(text=text))

    assert (found.flagged, found.unsure, found.urgent) == (False, looks, False)
    doubts = "The model doubts that it complains, but it speaks of grave harm."
    assert (doubts in found.reasons) is looks


def test_grave_words_in_what_pleases_are_left_alone() -> None:
    text = "The new salsa is FIRE, ten out of ten."

    found = assess(verdict(complaint=0.27), Circumstances(text=text, stars=5))

    assert not found.needs_a_person


def test_harm_in_what_nobody_is_sure_of_rings_no_alarm() -> None:
    found = assess(
        verdict(0.4, unsure=True), Circumstances(text="The glass jar exploded in my hand.")
    )

    assert found.unsure
    assert not found.urgent


@pytest.mark.parametrize("text", IN_FOOD)
def test_what_does_not_belong_in_food_is_urgent_in_seven_languages(text: str) -> None:
    found = assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text=text))

    assert found.urgent
    assert "Speaks of harm: health." in found.reasons


@pytest.mark.parametrize("text", SHARP_IN_FOOD)
def test_what_is_sharp_in_food_is_urgent_once(text: str) -> None:
    found = assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text=text))

    assert found.urgent
    assert sum(reason.startswith("Speaks of harm") for reason in found.reasons) == 1


@pytest.mark.parametrize("text", NOT_IN_FOOD)
def test_packaging_and_cold_dishes_harm_nobody(text: str) -> None:
    assert not assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text=text)).urgent


def test_looking_for_it_in_a_long_text_takes_no_time() -> None:
    text = (
        "In the plastic box was the food in the plastic wrap, in my in the in a glass of in " * 200
    )

    started = perf_counter()
    harm(text)

    assert perf_counter() - started < 5  # a pattern that goes astray takes minutes


def test_an_outage_is_named_but_is_not_urgent_by_itself() -> None:
    found = assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text="Another outage today."))

    assert "Speaks of harm: outage." in found.reasons
    assert not found.urgent


@pytest.mark.parametrize(
    "text", ["Sued the grocer? No: suede boots.", "A legalise demo", "Injera is nice", "Glasgow"]
)
def test_a_word_that_only_begins_like_harm_is_none(text: str) -> None:
    assert harm(text) == ()


def test_wide_reach_and_the_press_raise_the_priority_and_say_so() -> None:
    small = assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text=COLD, reach=20))
    found = assess(
        verdict(0.9, Feeling.NEGATIVE),
        Circumstances(text=COLD, reach=250_000, kind=Kind.ARTICLE),
    )

    assert found.priority > small.priority
    assert "An article: many will read it." in found.reasons
    assert "Reaches 250,000 people." in found.reasons


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_more_reach_never_means_less_priority(one: int, other: int) -> None:
    less, more = (
        assess(verdict(0.9, Feeling.NEGATIVE), Circumstances(text=COLD, reach=reach)).priority
        for reach in sorted((one, other))
    )

    assert less <= more
