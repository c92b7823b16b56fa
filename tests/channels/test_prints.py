"""Pictures as PNG: the same as on the page, in the light theme's colours, said in a sentence."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from listener.channels import charts, prints
from listener.domain.digest import First, Gap
from listener.domain.picture import Lane, Pictures, Slice
from tests.channels.test_digest_mail import mailed, parts, told
from tests.hostile import HOSTILE

AT = datetime(2026, 11, 25, tzinfo=UTC)
CSS = Path(charts.__file__).parents[1] / "web" / "static" / "desk.css"
INK, PAPER = (26, 29, 33), (255, 255, 255)


def drawn_from(source: str = "Reviews") -> Pictures:
    hours = [
        Slice(AT + timedelta(hours=hour), f"{hour:02}", hour % 5, hour % 3, 2) for hour in range(24)
    ]
    hours[9] = Slice(AT, "09", 40, 2, 2, alarms=("Three reports of safety",))
    lane = Lane(1, "fresh20", tuple(hour % 4 for hour in range(24)))
    return Pictures(hours, [source, "Bluesky"], [lane, Lane(2, "late vans", (0,) * 23 + (5,))])


FULL = told(
    firsts=[First(case_id=1, author="Mia", waited=timedelta(minutes=30), late=False)] * 3
    + [First(case_id=2, author="Ben", waited=timedelta(hours=30), late=True)],
    gaps=[Gap(source="Reviews", start=AT + timedelta(hours=3), end=AT + timedelta(hours=5))],
)


def test_a_digest_has_the_same_pictures_as_its_page_each_with_its_sentence() -> None:
    made = prints.of_digest(FULL, drawn_from())

    assert [one.name for one in made] == ["volume", "themes", "answers", "coverage"]
    assert made[0].says.startswith("156 mentions over time, 82 of them complaints")
    assert made[1].says == "Complaints by theme over time: fresh20 36, late vans 5."
    assert made[2].says == "4 first answers by how long they took; 1 late."
    assert made[3].says == "2 sources; with gaps: Reviews."


def test_each_picture_has_ink_on_white_paper_and_room_for_sharp_eyes() -> None:
    for one in prints.of_digest(FULL, drawn_from()):
        image = Image.open(BytesIO(one.png)).convert("RGB")

        assert image.width == prints.PIXELS
        assert image.getpixel((image.width - 1, 0)) == PAPER
        colours = {colour for _, colour in image.getcolors(maxcolors=1 << 24) or ()}
        assert INK in colours


def test_words_are_drawn_also_where_the_machine_has_no_font() -> None:
    one = charts.coverage(["Reviews"], [], AT, AT + timedelta(days=1))
    without = re.sub(r"<text.*?</text>", "", one)

    assert prints.png(one) != prints.png(type(one)(without))


def test_every_kind_of_mark_has_its_colour_on_the_page_and_in_print() -> None:
    days = [(AT.date(), 3)]
    every = [*charts.of_digest(FULL, drawn_from()).values()]
    every += [charts.rise([(9, 2.0), (1, 1.0)]), charts.spread(days)]
    kinds = {
        word
        for one in every
        for said in re.findall(r'class="([^"]+)"', one)
        for word in said.split()
    }
    page = CSS.read_text()

    for kind in kinds - {"chart"}:
        assert re.search(rf"\.{kind}\b", prints.STYLE), kind
        assert re.search(rf"\.chart [^{{]*\.{kind}\b", page), kind


def test_a_mail_carries_its_pictures_and_fetches_none() -> None:
    mail = mailed(FULL, prints.of_digest(FULL, drawn_from()))
    _, page = parts(mail)
    shown = re.findall(r'<img [^>]*src="([^"]+)"', page)
    carried = {
        part["Content-ID"]: part for part in mail.walk() if part.get_content_type() == "image/png"
    }

    assert len(shown) == 4
    assert {f"<{one.removeprefix('cid:')}>" for one in shown} == set(carried)
    assert all(part.get_content_disposition() == "inline" for part in carried.values())
    assert 'alt="4 first answers by how long they took; 1 late."' in page


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_name_of_a_source_is_drawn_and_harms_neither_picture_nor_mail(words: str) -> None:
    made = prints.of_digest(FULL, drawn_from(words))
    _, page = parts(mailed(FULL, made))

    assert len(made) == 4
    assert page.count("<img") == 4
    assert "<script" not in page
