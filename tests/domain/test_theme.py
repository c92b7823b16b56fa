"""Which complaints belong together, and which theme of yesterday each group is."""

from collections import Counter
from collections.abc import Collection

import numpy as np
import pytest

from listener.domain import cause, grouping
from listener.domain.cause import Said
from listener.domain.grouping import grouped
from listener.domain.record import NotAllowed
from listener.domain.theme import (
    LONGEST_LINK,
    Became,
    Theme,
    ThemeEvent,
    checked,
    matched,
    step_reached,
)
from listener.domain.theme_story import sentence
from tests.world import NOON

SAID = [
    "FRESH20 was refused at the checkout",
    "your code FRESH20 takes nothing off",
    "promised 20 off with FRESH20, paid it all",
    "the driver threw my parcel over the fence",
    "parcel left in the rain by the driver",
    "driver dropped the parcel and ran",
    "lovely colours but the sole came off",
]


def told(texts: list[str]) -> list[Said]:
    return [Said(number, text, f"person {number}") for number, text in enumerate(texts)]


def test_what_shares_a_cause_is_together_and_the_rest_alone() -> None:
    assert grouped(told(SAID), None) == [[0, 1, 2], [3, 4, 5]]


def test_the_order_in_which_complaints_come_changes_nothing() -> None:
    said = told(SAID)
    shuffled = sorted(said, key=lambda one: one.text[::-1])

    groups = grouped(shuffled, None)

    assert [{shuffled[place].mention_id for place in group} for group in groups] == [
        {0, 1, 2},
        {3, 4, 5},
    ]


def test_themes_are_the_same_however_many_terms_are_compared_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = grouped(told(SAID), None)
    monkeypatch.setattr(grouping, "AT_ONCE", 2)

    assert grouped(told(SAID), None) == together


def test_to_name_a_group_no_text_but_its_own_is_cut_into_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuts: Counter[str] = Counter()
    usual = cause.terms

    def counted(text: str, passed: Collection[str]) -> frozenset[str]:
        cuts[text] += 1
        return usual(text, passed)

    monkeypatch.setattr(cause, "terms", counted)
    others = ["a lovely shop", "the driver smiled"]
    spoken = cause.cut(told(SAID), others)
    assert cuts == Counter([*SAID, *others])
    cuts.clear()

    assert cause.named(spoken, [0, 1, 2])[0].split(", ")[0] == "fresh20"
    assert "parcel" in cause.named(spoken, [3, 4, 5])[0]

    assert set(cuts) == set(SAID[:6])
    assert max(cuts.values()) <= 4


def test_what_means_alike_is_together_though_it_shares_no_word() -> None:
    said = told(["gone missing", "never turned up", "verloren gegangen", "zu salzig", "too sour"])
    meanings = np.array([[1, 0, 0.1], [1, 0.1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)

    assert grouped(said, meanings)[0] == [0, 1, 2]


def test_a_theme_that_grows_stays_itself() -> None:
    match = matched([{1, 2, 3, 4}], {7: {1, 2, 3}})

    assert (match.themes, match.merged) == ((7,), {})


def test_the_larger_part_of_a_theme_keeps_its_number_and_the_other_is_split_from_it() -> None:
    match = matched([{1, 2, 3}, {4, 5}], {7: {1, 2, 3, 4, 5}})

    assert match.themes == (7, None)
    assert match.split_from == (None, 7)


def test_two_themes_in_one_group_go_on_as_the_larger() -> None:
    match = matched([{1, 2, 3, 4, 5}], {7: {1, 2}, 8: {3, 4, 5}})

    assert match.themes == (8,)
    assert match.merged == {7: 8}


def test_what_nobody_said_before_is_new() -> None:
    match = matched([{1, 2, 3}], {7: {8, 9}})

    assert (match.themes, match.split_from, match.merged) == ((None,), (None,), {})


def test_what_people_put_apart_stays_apart_and_together_what_they_put_together() -> None:
    standing = {0: 7, 1: 7, 2: 8, 3: 8, 4: 9, 5: 9}

    groups = grouped(told(SAID), None, standing=standing, by_hand={8})

    # The third coupon and the first parcel are one theme since somebody says so.
    assert [2, 3] in groups
    assert not any({0, 1, 4, 5} & set(group) for group in groups if 2 in group)


def test_a_new_complaint_goes_to_the_side_that_it_is_like() -> None:
    texts = [
        "FRESH20 refused in the app, blank screen",
        "blank screen in the app with FRESH20",
        "the app shows a blank screen for FRESH20",
        "FRESH20 refused at the till by the cashier",
        "cashier at the till refused FRESH20",
        "till and cashier know nothing of FRESH20",
        "blank screen in the app, FRESH20 again",
        "again the cashier at the till refused FRESH20",
    ]
    standing = {0: 7, 1: 7, 2: 7, 3: 8, 4: 8, 5: 8}

    assert grouped(told(texts), None) == [list(range(8))]
    groups = grouped(told(texts), None, standing=standing, by_hand={8})

    assert sorted(groups) == [[0, 1, 2, 6], [3, 4, 5, 7]]


def test_apart_holds_against_however_many_are_alike() -> None:
    many = [Said(number, "FRESH20 refused", f"person {number}") for number in range(300)]

    groups = grouped(many, None, standing={0: 7, 1: 8, 2: 8, 3: 8}, by_hand={8})

    [mine] = [group for group in groups if 1 in group]
    assert 0 not in mine
    assert {1, 2, 3} <= set(mine)


def test_who_has_words_of_their_own_is_quoted_before_who_passes_on() -> None:
    texts = ["RT @ada: FRESH20 refused fish", "FRESH20 refused", "RT @ada: FRESH20 refused fish !"]
    spoken = cause.cut(told(texts), ["a lovely shop"])

    assert cause.named(spoken, [0, 1, 2])[1].text == "FRESH20 refused"
    assert cause.named(spoken, [0, 2])[1].text.startswith("RT @ada")  # nobody else is there


def test_the_clearest_are_different_people_with_different_words() -> None:
    said = [
        Said(1, "RT @cy: FRESH20 was refused at the checkout", "ada"),
        Said(2, "FRESH20 was refused at the checkout", "cy"),
        Said(3, "The checkout refused FRESH20", "cy"),
        Said(4, "fresh20 was refused at the checkout!", "dee"),
        Said(5, "Checkout: FRESH20 refused. " + "And so I went home and had tea. " * 40, "eve"),
        Said(6, "At the checkout they laughed at FRESH20", "fay"),
    ]

    found = cause.clearest(said)

    assert len({one.by for one in found}) == 3
    assert not any(one.text.startswith("RT") for one in found)
    assert len({one.mention_id for one in found} & {2, 4}) < 2  # the same words, nearly
    assert cause.clearest(said[:1]) == said[:1]  # nobody else is there
    assert cause.clearest([]) == []


@pytest.mark.parametrize(
    "link", ["https://tickets.example/browse/SHOP-7", "http://intranet:8080/t?id=7#top"]
)
def test_a_link_leads_to_a_page(link: str) -> None:
    assert checked(f"  {link} ") == link


@pytest.mark.parametrize(
    "link",
    [
        "SHOP-7",
        "ftp://files.example/7",
        "javascript:alert(1)",
        "https://",
        "https:///nowhere",
        "https://tickets.example/a b",
        "https://tickets.example/\u202e7",
        "https://[::1/7",
    ],
)
def test_what_is_no_link_is_refused_with_what_one_looks_like(link: str) -> None:
    with pytest.raises(NotAllowed, match=r"^That is no link\. It begins with https://"):
        checked(link)


def test_a_link_with_a_password_or_without_end_is_refused() -> None:
    with pytest.raises(NotAllowed, match="no name and no password"):
        checked("https://ada:secret@tickets.example/7")
    with pytest.raises(NotAllowed, match=f"at most {LONGEST_LINK} characters"):
        checked("https://tickets.example/" + "7" * LONGEST_LINK)


def test_an_empty_link_takes_it_away() -> None:
    theme = Theme(brand_id=1, name="Cold", began_at=NOON, last_at=NOON, link="https://a.example")

    theme.track("  ")

    assert theme.link is None


def test_the_history_says_who_did_what_with_which_theme() -> None:
    def line(what: Became, **more: object) -> str:
        event = ThemeEvent.model_validate({"theme_id": 7, "at": NOON, "what": what} | more)
        return sentence(event, 7, {1: "Ana", 2: "Ben"}, {3: "Cold", 7: "Late"})

    assert line(Became.BEGAN) == "It began"
    assert line(Became.BEGAN, words="3") == "It began: 3 people said it"
    assert line(Became.GREW, words="10") == "It grew to 10 people"
    assert line(Became.RENAMED, staff_id=1, words="Late vans") == "Ana called it Late vans"
    assert line(Became.OWNED, staff_id=1, other=2) == "Ana gave it to Ben"
    assert line(Became.OWNED, staff_id=1, other=1) == "Ana sees to it"
    assert line(Became.OWNED, staff_id=1) == "Ana said that nobody sees to it"
    assert line(Became.LINKED, staff_id=1, words="https://a.example") == (
        "Ana linked it to https://a.example"
    )
    assert line(Became.LINKED, staff_id=1) == "Ana took its link away"
    assert line(Became.SPLIT, other=3) == "It began as a part of theme 3 (Cold)"
    assert line(Became.SPLIT, other=3, staff_id=1) == "Ana put it apart from theme 3 (Cold)"
    assert line(Became.MERGED, other=3) == "It became a part of theme 3 (Cold)"
    assert line(Became.MERGED, other=7, theme_id=3, staff_id=2) == (
        "Ben made theme 3 (Cold) a part of it"
    )
    assert line(Became.SPLIT, other=7, theme_id=3) == "A part of it went on as theme 3 (Cold)"
    assert line(Became.MUTED, staff_id=9) == "Somebody quieted it"
    assert {line(what) for what in Became}  # each has words


def test_growing_is_told_by_steps_not_by_every_voice() -> None:
    assert step_reached(4, 5)
    assert step_reached(4, 60)
    assert not step_reached(5, 9)
    assert not step_reached(12, 9)


def test_a_word_that_most_share_names_a_theme_before_one_that_few_say() -> None:
    texts = [
        "the slot at noon was cancelled, fiddlesticks",
        "my slot vanished, fiddlesticks",
        "slot gone again this morning",
        "no slot for my mother",
        "a slot that nobody came for",
    ]
    spoken = cause.cut(told([*texts, "the slot was fine"]), ["a nice slot"] * 3)

    assert cause.named(spoken, range(5))[0].split(", ")[0] == "slot"


def test_nobody_is_quoted_who_repeats_what_another_said_and_adds_a_word() -> None:
    first = "Found a strip of blue plastic glove in my ready meal lasagne, and they laughed at me"
    texts = [
        first,
        f"Saw this elsewhere: {first}",
        f"Wow. {first}",
        "A blue glove in the lasagne of my children, no kidding, we threw it all away",
    ]

    assert cause.own(told(texts), range(4)) == [0, 3]


def test_a_lens_lets_meaning_count_and_what_has_no_meaning_stays_alone() -> None:
    lens = np.vstack([np.zeros(3), np.eye(3)]).astype(np.float32)
    texts = ["kalter Fisch", "cold cod", "poisson froid", "the till refused my card"]
    meanings = np.array([[1, 0, 0], [1, 0.1, 0], [1, 0, 0.1], [0, 0, 0]], dtype=np.float32)
    meanings = np.vstack([meanings, np.tile([-1.0, 0, 0], (3, 1))]).astype(np.float32)
    said = told([*texts, "lovely bread", "kind people", "the door is green"])

    groups = grouped(said, meanings, lens=lens)

    assert [0, 1, 2] in groups
    assert all(3 not in group for group in groups)
