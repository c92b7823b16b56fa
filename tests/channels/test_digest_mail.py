"""A digest as a mail: the answer in its subject, readable in every reader, hostile to nobody."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

from listener.channels import digests
from listener.channels.prints import Print
from listener.domain.cause import Cause, Said
from listener.domain.digest import Counted, Declared, Digest, Praise, Risk
from listener.domain.precision import Flags
from listener.domain.span import Of, Stretch
from tests.hostile import HOSTILE

SITE = "https://desk.example"


def told(**more: Any) -> Digest:
    made: dict[str, Any] = {
        "brand": "Acme", "stretch": Stretch(Of.DAY, date(2026, 11, 25)),
        "at": datetime(2026, 11, 26, 8, tzinfo=UTC), "now": Counted(42, 5),
        "before": [Counted(40, 5), Counted(44, 4), Counted(38, 6)], "by_source": {},
        "overdue": (), "oldest": None, "spreading": (), "causes": (), "looked_at": 5,
        "firsts": (), "unanswered": 0, "closed": 3, "won_back": (), "praise": (), "sources": 3,
        "gaps": (), "flags": Flags(),
    }  # fmt: skip
    return Digest(**(made | more))


def mailed(digest: Digest, pictures: Sequence[Print] = ()) -> EmailMessage:
    return digests.message(
        digest,
        sender=Address("Listener", "listener", "shop.example"),
        to=Address("", "mia", "shop.example"),
        url=SITE,
        number="digest_7",
        house="h0",
        pictures=pictures,
    )


def parts(mail: EmailMessage) -> tuple[str, str]:
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert page is not None
    return plain.get_content(), page.get_content()


def test_the_subject_is_the_answer_and_the_id_stays_the_same() -> None:
    mail = mailed(told())

    assert (
        mail["Subject"]
        == "Acme: A usual day: 42 mentions, 5 complaints (12%, usual 12%), none overdue."
    )
    assert mail["Message-ID"] == "<digest_7@h0.shop.example>" == mailed(told())["Message-ID"]


def test_both_readers_find_the_same_parts_and_the_way_to_the_page() -> None:
    plain, page = parts(mailed(told()))

    for heading in ("What changed", "Open risks", "The team", "How far this can be trusted"):
        assert heading in plain
        assert heading in page
    assert f"{SITE}/digest?brand=Acme&of=day&on=2026-11-25" in plain
    assert "/digest?brand=Acme&amp;of=day&amp;on=2026-11-25" in page
    assert "<style" not in page
    assert "http" not in page.replace(SITE, "")


def test_hostile_words_stay_words() -> None:
    for words in HOSTILE:
        said = Said(1, words, "eve")
        digest = told(
            causes=[Cause((words,), (1, 2), 2, said)],
            praise=[Praise(mention_id=1, author=words, source="Forum", words=words, url="")],
            brand=f"Acme {words}",
        )
        plain, page = parts(mail := mailed(digest))
        assert "\n" not in mail["Subject"]
        assert "<script" not in page.lower()
        assert "<img" not in page.lower()
        assert "\u202e" not in plain + page


def test_who_sees_to_a_cause_stands_beside_it() -> None:
    cause = Cause(
        ("Late vans",), (1, 2), 2, Said(1, "Late again", "ada"), theme=7, owner="Ben",
        link="https://tickets.example/7",
    )  # fmt: skip

    plain, page = parts(mailed(told(causes=[cause])))

    assert "Late vans: 2 people, Ben sees to it at https://" in plain
    assert '2 people, Ben sees to it, <a href="https://tickets.example/7"' in page
    assert replace(cause, owner=None, link=None).seen_to == ""
    assert replace(cause, owner=None).seen_to.startswith(", nobody sees to it at ")


def test_what_is_overdue_waits_and_nothing_else_is_said() -> None:
    late = Risk(
        case_id=4, author="Ada", source="Forum", words="Day 9. Still no parcel.", owner=None,
        opened_at=datetime(2026, 11, 25, 8, tzinfo=UTC),
        due_at=datetime(2026, 11, 26, 3, tzinfo=UTC),
    )  # fmt: skip

    plain, _ = parts(mailed(told(overdue=[late])))

    assert "Overdue: case 4, Ada on Forum: “Day 9. Still no parcel.” (nobody has it" in plain
    assert "overdue by 5 h" in plain
    assert "No case waits" not in plain
    assert "No case waits for an answer." in parts(mailed(told()))[0]


def test_a_crisis_is_the_first_of_the_risks_and_one_that_is_over_was_put_right() -> None:
    burning = Declared(
        number=3, name="Burning chargers", lead="Lea", since=datetime(2026, 11, 26, 5, tzinfo=UTC),
        ended=None, cases=12, waiting=4,
    )  # fmt: skip
    over = replace(
        burning, number=2, name="Cold kitchen", ended=datetime(2026, 11, 26, 7, tzinfo=UTC),
        cases=1, waiting=0,
    )  # fmt: skip

    mail = mailed(told(crises=(burning, over)))

    plain, page = (" ".join(one.split()) for one in parts(mail))
    assert "the crisis Burning chargers not over." in mail["Subject"]
    assert (
        "Open risks Crisis: Burning chargers, led by Lea: 12 cases, 4 of them unanswered, "
        f"for 3 h now {SITE}/crises/3" in plain
    )
    assert "Crisis over: Cold kitchen, led by Lea: 1 case, after 2 h" in plain
    assert "Burning chargers, led by Lea: 12 cases" in page
    assert "Cold kitchen, led by Lea: 1 case, after 2 h" in page
