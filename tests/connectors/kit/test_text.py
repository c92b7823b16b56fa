"""What places write becomes text that a person can read, and times that mean one moment."""

from datetime import UTC, datetime, timedelta, timezone
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.contract import Attachment
from connectors.kit.text import (
    LONGEST_TEXT,
    absolute,
    clean,
    line,
    moment,
    not_after,
    plain,
    shortened,
)


def when(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Cold food.</p><p>Never again!</p>", "Cold food.\n\nNever again!"),
        ("one<br>two<br/>three<div>four</div>five", "one\ntwo\nthree\nfour\nfive"),
        ("<ul><li>late<li>cold</ul>", "late\ncold"),
        ("<table><tr><td>stars<td>1<tr><td>again<td>no</table>", "stars 1\nagain no"),
        ("fish &amp; chips &lt;3 &eacute;&#33;&nbsp;ok", "fish & chips <3 é! ok"),
        ("a < b, 3<4 & so on", "a < b, 3<4 & so on"),
        ("  much \n\t white   space ", "much white space"),
        ("<b>bo</b>ld and <i>it</i>alic", "bold and italic"),
        ("see <b>this</b> now", "see this now"),
        ("<pre>two  blanks\n  stay</pre>", "two  blanks\n  stay"),
        ("<script>steal()</script>seen<style>p{}</style><!-- not -->", "seen"),
        ("<p>unclosed <b>tags <a href='x", "unclosed tags"),
        ('so <img class="emoji" alt="😡" src="x.png">!', "so 😡!"),
        ("a\x00b\x07c\ud800d", "abc\ufffdd"),
        ("&lt;script&gt;stays text&lt;/script&gt;", "<script>stays text</script>"),
        ("", ""),
    ],
)
def test_html_reads_as_a_person_reads_it(html: str, text: str) -> None:
    assert plain(html).text == text


def test_links_and_images_are_gathered_absolute_safe_and_once() -> None:
    html = (
        '<a href="/menu">menu</a> <a href="https://other.test/a">a</a> <a href="/menu">again</a>'
        '<a href="javascript:alert(1)">no</a><a href="mailto:a@b.test">no</a><a href="#top">no</a>'
        '<a href="http://[broken">no</a>'
        '<img src="pictures/soup.jpg" alt="A cold soup"><img src="data:image/png;base64,AAAA">'
    )

    read = plain(html, base="https://shop.test/blog/1")

    assert read.links == ("https://shop.test/menu", "https://other.test/a")
    assert read.images == (
        Attachment("https://shop.test/blog/pictures/soup.jpg", "image", "A cold soup"),
    )


def test_relative_links_without_a_base_are_left_out() -> None:
    assert plain('<a href="/menu">menu</a>').links == ()


def test_a_title_is_one_line_without_markup() -> None:
    assert line("<b>Acme</b> &amp;\n Sons<br>closes") == "Acme & Sons closes"


@pytest.mark.parametrize(
    ("address", "whole"),
    [
        ("b", "https://shop.test/b"),
        (" https://a.test/x\n y ", "https://a.test/xy"),
        ("//cdn.test/i.png", "https://cdn.test/i.png"),
        ("HTTPS://A.test/Path", "https://A.test/Path"),
        ("ftp://a.test/", None),
        ("mailto:a@b.test", None),
        ("https://a.test/" + "x" * 5000, None),
        ("", None),
    ],
)
def test_an_address_is_absolute_or_nothing(address: str, whole: str | None) -> None:
    assert absolute(address, "https://shop.test/") == whole


HOSTILE = {
    "100,000 nested blocks": "<div>" * 100_000 + "deep" + "</div>" * 100_000,
    "100,000 nested bold": "<p><b>" * 50_000 + "deep",
    "100,000 nested links": "<a href=x>" * 100_000,
    "open comments": "<!--" * 300_000,
    "half declarations": "<![CDATA[<!" * 100_000,
    "ampersands": "&" * 2_000_000,
    "half tags": "<a <" * 500_000,
    "a tag of many attributes": "<a " + "b=c " * 300_000 + ">",
    "ten megabytes of words": "word " * 2_000_000,
    "ten megabytes of paragraphs": "<p>hello</p>" * 850_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_markup_takes_long_or_grows_without_bound(name: str) -> None:
    started = perf_counter()

    read = plain(HOSTILE[name])

    assert perf_counter() - started < 5
    assert len(read.text) <= LONGEST_TEXT


def test_what_was_cut_says_so_and_keeps_its_beginning() -> None:
    read = plain("<p>Cold!</p>" + "<p>very</p>" * 850_000)

    assert read.truncated
    assert read.text.startswith("Cold!\n\nvery")
    assert not plain("<p>short</p>").truncated


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_survives_escaping_and_reading(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")

    assert plain(escaped).text == clean(" ".join(clean(text).split()))


@given(st.text(alphabet='<>/!-&;="ab \x00\ud800pscript[]#x0', max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_broken_markup_yields_storable_text(html: str) -> None:
    read = plain(html, base="https://shop.test/")

    read.text.encode()
    assert read.text == clean(read.text)


def test_control_characters_go_and_lines_stay() -> None:
    assert clean("a\x00\x1b[31mb\r\nc\td\x85\rf\udfff") == "a[31mb\nc\td\nf\ufffd"


def test_a_long_text_is_shortened_to_the_letter() -> None:
    assert shortened("cold soup again", 10) == "cold soup…"
    assert shortened("cold", 4) == "cold"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2022-11-14T10:00:00Z", when(2022, 11, 14, 10)),
        ("2022-11-14T10:00:00.123456789Z", when(2022, 11, 14, 10, 0, 0, 123456)),
        ("2022-11-14T10:00:00+0000", when(2022, 11, 14, 10)),
        ("2022-11-14T10:00:00-07:00", when(2022, 11, 14, 17)),
        ("2022-11-14 10:00", when(2022, 11, 14, 10)),
        ("2022-11-14T23:59:60Z", when(2022, 11, 14, 23, 59, 59)),
        ("2022-11-14T24:00:00Z", when(2022, 11, 15)),
        ("2022-11-14", when(2022, 11, 14)),
        ("2022-11", when(2022, 11, 1)),
        ("20221114", when(2022, 11, 14)),
        ("Mon, 14 Nov 2022 10:00:00 EST", when(2022, 11, 14, 15)),
        ("Mon, 14 Nov 2022 10:00:00 PDT", when(2022, 11, 14, 17)),
        ("14 Nov 22 10:00 GMT+02:00", when(2022, 11, 14, 12)),
        ("Mon, 14 Nov 2022 10:00:00 -0700 (PDT)", when(2022, 11, 14, 17)),
        ("Mon, 14 Nov 2022 10:00:60 GMT", when(2022, 11, 14, 10, 0, 59)),
        ("Mon Nov 14 10:00:00 2022", when(2022, 11, 14, 10)),
        ("Do, 14 März 2019 10:00:00 +0100", when(2019, 3, 14, 9)),
        ("mar. 3 déc. 2019 10:00", when(2019, 12, 3, 10)),
        (1_699_999_999, when(2023, 11, 14, 22, 13, 19)),
        (1_699_999_999_123, when(2023, 11, 14, 22, 13, 19, 123000)),
        ("1699999999.5", when(2023, 11, 14, 22, 13, 19, 500000)),
    ],
)
def test_a_time_is_read_however_it_is_written(written: str | float, meant: datetime) -> None:
    assert moment(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "yesterday",
        "12:00",
        "5",
        "Nov 14",
        "Mon, 32 Foo 2020",
        "2022-02-31T00:00:00Z",
        "2022-11-14T10:00:00+99:99",
        "0001-01-01T00:00:00Z",
        "Wed, 30 Nov -0001 00:00:00 +0000",
        "1970-01-01T00:00:00Z",
        0,
        -5,
        float("nan"),
        float("inf"),
        10**30,
        "9" * 400,
        "x" * 10_000_000,
    ],
)
def test_what_names_no_day_is_no_time(written: str | float | None) -> None:
    assert moment(written) is None


def test_a_time_without_a_zone_is_in_the_one_that_is_presumed() -> None:
    tokyo = timezone(timedelta(hours=9))

    assert moment("2022-11-14 10:00", naive=tokyo) == when(2022, 11, 14, 1)
    assert moment("14 Nov 2022 10:00", naive=tokyo) == when(2022, 11, 14, 1)
    assert moment("2022-11-14 10:00Z", naive=tokyo) == when(2022, 11, 14, 10)


def test_the_future_is_now() -> None:
    now = when(2030, 1, 1)

    assert not_after(when(2031, 1, 1), now) == now
    assert not_after(when(2029, 1, 1), now) == when(2029, 1, 1)


@given(st.one_of(st.text(max_size=40), st.floats(), st.integers()))
@settings(max_examples=500, deadline=None)
def test_no_time_crashes_and_every_time_has_a_zone(written: str | float) -> None:
    read = moment(written)

    assert read is None or read.utcoffset() == timedelta(0)


@given(st.datetimes(min_value=datetime(1971, 1, 2), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_every_written_time_reads_back(time: datetime) -> None:
    aware = time.replace(tzinfo=UTC, microsecond=0)

    assert moment(aware.isoformat()) == aware
    assert moment(aware.strftime("%a, %d %b %Y %H:%M:%S +0000")) == aware
