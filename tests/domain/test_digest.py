"""What a digest says of figures: beyond chance or not, why, and never more than it knows."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.domain.cause import Said, causes
from listener.domain.digest import Counted, Digest, First, Gap, shortened
from listener.domain.precision import Flags
from listener.domain.span import COMPARED, Of, Stretch, holding, latest
from listener.domain.usual import usual

WEDNESDAY = Stretch(Of.DAY, date(2026, 11, 25))


def digest(now: Counted, before: list[Counted], **more: Any) -> Digest:
    told: dict[str, Any] = {
        "brand": "Acme", "stretch": WEDNESDAY, "at": WEDNESDAY.ends, "now": now, "before": before,
        "by_source": {}, "overdue": (), "oldest": None, "spreading": (), "causes": (),
        "looked_at": 0, "firsts": (), "unanswered": 0, "closed": 0, "won_back": (), "praise": (),
        "sources": 3, "gaps": (), "flags": Flags(),
    }  # fmt: skip
    return Digest(**(told | more))


def test_the_first_line_is_the_answer() -> None:
    before = [Counted(40, 5), Counted(44, 4), Counted(38, 6), Counted(41, 5)]

    assert digest(Counted(42, 5), before).answer == (
        "A usual day: 42 mentions, 5 complaints (12%, usual 12%), none overdue."
    )
    assert digest(Counted(42, 30), before).answer == (
        "More complaints than usual: 42 mentions, 30 complaints (71%, usual 12%), none overdue."
    )


def test_a_silent_day_says_whether_its_silence_can_be_trusted() -> None:
    gap = Gap(source="Forum", start=WEDNESDAY.starts, end=WEDNESDAY.ends)

    assert digest(Counted(), []).answer == (
        "Nobody spoke: 0 mentions, and all of 3 sources without a gap, none overdue."
    )
    assert digest(Counted(), [], gaps=[gap]).answer == (
        "Nobody spoke: 0 mentions, but 1 of 3 sources has gaps, none overdue."
    )
    assert "no source is listened to" in digest(Counted(), [], sources=0).answer


def test_a_first_week_is_compared_with_nothing() -> None:
    first = digest(Counted(9, 8), [Counted(3, 1), Counted(2, 0)])

    assert first.answer.startswith("First days, nothing to compare with yet: 9 mentions")
    assert first.changes == []
    assert first.share is None


def test_changes_name_what_rose_and_what_is_usual() -> None:
    before = [Counted(40, 5), Counted(44, 4), Counted(38, 6), Counted(41, 5)]
    found = digest(
        Counted(70, 19), before, by_source={"Forum": (15, [1, 0, 2, 1]), "News": (1, [1, 1, 1, 1])}
    )

    said = [one.said(WEDNESDAY.kind) for one in found.changes]

    assert [one.split(":")[0] for one in said] == ["Mentions", "Complaints", "Complaints on Forum"]
    assert said[1].endswith("for a Wednesday (1 to 11).")
    assert found.share is not None
    assert found.share.startswith("A larger share")


@given(st.lists(st.integers(0, 10_000), min_size=3, max_size=COMPARED))
def test_what_is_usual_holds_the_mean_of_those_before(before: list[int]) -> None:
    found = usual(before)

    assert found is not None
    assert 0 <= found.low <= found.high
    assert found.low - 1 <= sum(before) / len(before) <= found.high + 1


@pytest.mark.parametrize("mean", [0.3, 3, 40, 3000])
def test_chance_alone_is_called_a_change_about_one_time_in_twenty(mean: float) -> None:
    dice = random.Random(7)  # noqa: S311  (a fixed order, no secret)

    def drawn() -> int:
        count, left = 0, dice.expovariate(1.0)
        while left < mean:
            count, left = count + 1, left + dice.expovariate(1.0)
        return count

    def is_called() -> bool:
        bound = usual([drawn() for _ in range(COMPARED)])
        assert bound is not None
        return bound.differs(drawn())

    times = 400 if mean < 1000 else 60
    called = sum(is_called() for _ in range(times)) / times

    assert called <= 0.09


def test_a_cause_is_what_people_share_and_others_do_not_say() -> None:
    broken = [
        "The coupon SPRING is broken",
        "Coupon refused at the checkout",
        "my coupon does nothing",
    ]
    late = [
        "The parcel is late again",
        "Late! My parcel was to come on Monday",
        "So late, as always",
    ]
    texts = [*broken, *late, "The waiter was rude"]
    said = [Said(number, text, f"author {number}") for number, text in enumerate(texts, 1)]
    others = ["What a lovely shop", "The waiter smiled", "A parcel came, thank you"] * 4

    found = causes(said, others, known=["Acme"])

    assert [one.words[0] for one in found] == ["coupon", "late"]
    assert [one.people for one in found] == [3, 3]
    assert found[0].mentions == (1, 2, 3)
    assert found[0].quote.text in broken


def test_what_is_known_as_a_theme_goes_first_under_its_name() -> None:
    texts = ["The till ate my coupon", "Voucher refused", "So late", "Late again", "late, late"]
    said = [Said(number, text, f"author {number}") for number, text in enumerate(texts, 1)]
    themes = {1: (7, "The broken coupon"), 2: (7, "The broken coupon"), 3: (8, "Once")}

    found = causes(said, ["A lovely shop"] * 9, themes=themes)

    assert [(one.name, one.theme, one.mentions) for one in found] == [
        ("late", None, (3, 4, 5)),
        ("The broken coupon", 7, (1, 2)),
    ]


def test_a_cause_is_not_called_by_whom_people_write_to() -> None:
    texts = [
        "RT @hattie_brook: a glove in the lasagne https://tarnby.example/p/1",
        "@hattie_brook mine had a glove in the lasagne too",
        "another glove in another lasagne, as @hattie_brook said https://tarnby.example/p/1",
    ]
    said = [Said(number, text, f"author {number}") for number, text in enumerate(texts, 1)]

    [found] = causes(said, ["a fine fish pie"] * 9)

    assert "glove" in found.name
    assert "hattie" not in found.name
    assert "brook" not in found.name
    assert "tarnby" not in found.name


def test_one_person_who_repeats_is_no_cause() -> None:
    said = [Said(number, "The coupon is broken", "the same") for number in range(9)]

    assert causes(said, []) == []


def test_causes_do_not_depend_on_the_order_of_posts() -> None:
    said = [
        Said(n, f"coupon broken {n % 3} checkout" if n % 2 else f"parcel late {n}", str(n))
        for n in range(20)
    ]
    mixed = random.Random(3).sample(said, len(said))  # noqa: S311  (a fixed order, no secret)

    assert [one.mentions for one in causes(said, [])] == [one.mentions for one in causes(mixed, [])]


def test_days_follow_the_clocks_of_their_reader() -> None:
    spring = Stretch(Of.DAY, date(2026, 3, 29), "Europe/Berlin")

    assert spring.ends - spring.starts == timedelta(hours=23)
    assert spring.compared[0].first == date(2026, 3, 22)
    assert latest(Of.DAY, datetime(2026, 11, 26, 23, 30, tzinfo=UTC), "Asia/Tokyo").first == date(
        2026, 11, 26
    )
    assert holding(Of.WEEK, date(2026, 11, 26)).first == date(2026, 11, 23)
    assert holding(Of.MONTH, date(2026, 1, 31)).compared[0].first == date(2025, 12, 1)
    assert latest(Of.MONTH, datetime(2026, 3, 1, 5, tzinfo=UTC)).name == "February 2026"


def test_answers_are_told_by_their_half_their_most_and_the_late_by_name() -> None:
    waits = [5, 9, 10, 12, 400]
    firsts = [
        First(case_id=n, author="Ada", waited=timedelta(minutes=m), late=m > 60)
        for n, m in enumerate(waits)
    ]

    found = digest(Counted(9, 5), [], firsts=firsts)

    assert found.half == timedelta(minutes=10)
    assert found.most == timedelta(minutes=400)
    assert [one.case_id for one in found.late] == [4]


def test_a_long_quote_is_cut_at_a_word_and_says_so() -> None:
    assert shortened("word " * 100, 22) == "word word word word …"
    assert shortened("short\n enough") == "short enough"
