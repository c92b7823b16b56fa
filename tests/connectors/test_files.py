"""Rows of the files that people have become posts, by the names of their columns or by preset."""

from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError

from connectors.files import Files
from connectors.files.posts import ordered
from connectors.kit import catalog
from connectors.kit.contract import Author, Kind, Post, Precision, Rating
from connectors.kit.errors import Unreadable
from tests.connectors.imports import NO_WEB, NOW, RECORDINGS, only, read_all, written
from tests.connectors.suite import OptionsSuite


class TestFiles(OptionsSuite):
    """What holds for the options of every connector."""

    connector = Files
    options: ClassVar = {"path": "/srv/reviews.csv", "fields": {"Comment": "text"}}


# Whose file it is.


async def test_google_plays_utf16_table_is_read_with_the_ids_in_its_links() -> None:
    kept = await read_all(RECORDINGS / "google-play.csv")
    first, second = kept.posts.values()

    assert first == Post(
        id="google-play/gp:AOqp1",
        url=(
            "http://play.google.com/console/developers/1/app/2/user-feedback/review-details"
            "?reviewId=gp%3AAOqp1&corpus=PUBLIC_REVIEWS"
        ),
        kind=Kind.REVIEW,
        text='Stürzt ab, "ständig"\nund kalt',
        rating=Rating(1),
        language="de",
        published=datetime(2025, 9, 13, 10, 20, 30, tzinfo=UTC),
        edited=datetime(2025, 9, 14, 8, tzinfo=UTC),
        branch="example.acme.soup",
    )
    assert (second.text, second.rating) == ("", Rating(4))
    assert second.edited is None


async def test_an_edited_play_review_without_a_link_keeps_its_id_in_next_months_file(
    tmp_path: Path,
) -> None:
    table = (RECORDINGS / "google-play.csv").read_bytes().decode("utf-16")
    later = written(tmp_path / "b.csv", table.replace(",4,,,", ",2,,Worse now,"), charset="utf-16")

    before = list((await read_all(RECORDINGS / "google-play.csv")).posts)
    after = await read_all(later)

    assert list(after.posts) == before
    assert after.texts[1] == "Worse now"


async def test_trustpilots_export_is_read() -> None:
    kept = await read_all(RECORDINGS / "trustpilot.csv")
    first, second = kept.posts.values()

    assert first == Post(
        id=first.id,
        url="",
        kind=Kind.REVIEW,
        title="Cold again",
        text="The soup was cold.\nTwice.",
        author=Author(id="u1", name="Ada E."),
        rating=Rating(1),
        language="en",
        published=datetime(2025, 9, 13, 10, 20, 30, tzinfo=UTC),
        branch="acme.example",
    )
    assert first.id.startswith("trustpilot/")
    assert second.rating == Rating(5)


async def test_an_export_of_the_app_store_is_read() -> None:
    assert await only(RECORDINGS / "app-store.csv") == Post(
        id="app-store/9001",
        url="",
        kind=Kind.REVIEW,
        title="Cold",
        text="Never again",
        author=Author(name="ada_eats"),
        rating=Rating(1),
        published=datetime(2025, 9, 13, tzinfo=UTC),
        precision=Precision.DAY,
        branch="Acme Soup",
    )


async def test_an_archive_of_x_is_our_own_account_speaking() -> None:
    kept = await read_all(RECORDINGS / "tweets.js")
    first, second = kept.posts.values()

    assert first == Post(
        id="x-archive/101",
        url="",
        kind=Kind.POST,
        text='We are sorry about {the} soup & the "wait"',
        author=Author(ours=True),
        language="en",
        published=datetime(2025, 9, 13, 10, 20, 30, tzinfo=UTC),
        in_reply_to="x-archive/99",
    )
    assert second.text == "Back at noon ]"


async def test_our_own_lines_say_everything_that_a_post_can() -> None:
    kept = await read_all(RECORDINGS / "listener.jsonl", name="old")
    first, page = kept.posts.values()

    assert first == Post(
        id="old/1",
        url="https://shop.example/r/1",
        kind=Kind.REVIEW,
        title="Cold",
        text="Never again",
        author=Author(id="u1", name="Ada E.", handle="ada", url="https://shop.example/u/1"),
        rating=Rating(2, 1, 10),
        language="en-GB",
        published=datetime(2025, 9, 13, 10, 20, 30, tzinfo=UTC),
        edited=datetime(2025, 9, 14, 8, tzinfo=UTC),
        in_reply_to="old/0",
        thread="old/t1",
        branch="Harbour Street",
        reach=41,
    )
    assert kept.gone == ["old/2"]
    assert (page.text, page.links) == ("See this & weep", ("https://pictures.example/s",))
    assert page.precision is Precision.DAY


# Which column is what.


@pytest.mark.parametrize(
    "header",
    ["Comment,Stars,Date", "REVIEW_TEXT,star-rating,Created At", "Bewertungstext,Sterne,Datum"],
)
async def test_columns_are_known_by_what_people_call_them(tmp_path: Path, header: str) -> None:
    path = written(tmp_path / "reviews.csv", f"{header}\nToo cold,2,2025-09-13\n")

    post = await only(path)

    assert (post.text, post.rating, post.kind) == ("Too cold", Rating(2), Kind.REVIEW)
    assert post.published == datetime(2025, 9, 13, tzinfo=UTC)


async def test_the_owners_mapping_comes_before_every_guess(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Text,Anmerkung,Wer\nINTERNAL,Too cold,Ada\n")

    post = await only(
        path, fields={"anmerkung": "text", "Wer": "author"}, defaults={"branch": "Harbour"}
    )

    assert (post.text, post.author.name, post.branch) == ("Too cold", "Ada", "Harbour")


async def test_of_two_columns_for_one_field_the_first_that_says_anything_counts(
    tmp_path: Path,
) -> None:
    path = written(tmp_path / "a.csv", "Comment,Review\n,Too cold\nLate,\n")

    assert (await read_all(path, fields={"Comment": "text", "Review": "text"})).texts == [
        "Too cold",
        "Late",
    ]


async def test_what_stands_deep_in_json_is_named_by_a_pointer(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"v": {"a/b": {"body": "Too cold"}}, "stars": 2}\n')

    post = await only(path, fields={"/v/a~1b/body": "text"})

    assert (post.text, post.rating) == ("Too cold", Rating(2))


async def test_a_table_without_names_has_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "2025-09-13,Too cold,2\n2025-09-14,Late,1\n")

    kept = await read_all(path, header=False, fields={"1": "published", "2": "text"})

    assert kept.texts == ["Too cold", "Late"]


async def test_a_check_names_the_columns_and_shows_no_content(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment,Stars,Internal note\nsecret words,2,x\n")

    health = await Files(path=path).check(NO_WEB)

    assert health.well
    assert health.says == (
        "Read: 3 columns, 2 recognised: “Comment” is text, “Stars” is rating. "
        "Not used: Internal note."
    )


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        ("secret,words\na,b\n", {}, "Of 2 columns, none was recognised as a text"),
        ("", {}, "Of 0 columns, none"),
        ("Comment\nx\n", {"fields": {"Kommentar": "title"}}, "fields names “Kommentar”"),
        ('{\n "a":\n 1\n}\n', {}, "not one object a line"),
        ("{}", {"form": "array"}, "no array of JSON"),
    ],
)
async def test_a_file_that_makes_no_posts_says_what_to_do(
    tmp_path: Path, content: str, options: dict[str, object], says: str
) -> None:
    source = Files.model_validate({"path": written(tmp_path / "a.csv", content), **options})

    health = await source.check(NO_WEB)

    assert not health.well
    assert says in health.says
    assert "secret" not in health.says
    with pytest.raises(Unreadable):
        await read_all(source.path, **options)


# Values.


@pytest.mark.parametrize(
    ("told", "rating"),
    [
        ("4", Rating(4)),
        ("4,5", Rating(4.5)),
        ("3 stars", Rating(3)),
        ("7/10", Rating(7, 1, 10)),
        ("4 out of 5", Rating(4)),
        ("★★★☆☆", Rating(3)),
    ],
)
async def test_ratings_are_read_as_people_write_them(
    tmp_path: Path, told: str, rating: Rating
) -> None:
    path = written(tmp_path / "a.csv", f'Comment;Rating\nx;"{told}"\n')

    assert (await only(path)).rating == rating


async def test_a_rating_counts_on_the_scale_that_its_owner_names(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment,Score\nx,80\ny,0\nz,101\n")

    kept = await read_all(path, rating_lowest=0, rating_highest=100)

    assert [post.rating for post in kept.posts.values()] == [Rating(80, 0, 100), Rating(0, 0, 100)]
    assert kept.reasons == ["Row 4: its rating is not on the scale of 0 to 100."]


@pytest.mark.parametrize(
    ("told", "day_first", "day"),
    [
        ("3/4/2025", False, (2025, 3, 4)),
        ("3/4/2025", True, (2025, 4, 3)),
        ("13/4/2025", False, (2025, 4, 13)),
        ("4/13/2025", True, (2025, 4, 13)),
        ("03.04.2025", False, (2025, 4, 3)),
        ("3-4-25", True, (2025, 4, 3)),
        ("2025-04-03", True, (2025, 4, 3)),
        ("3 April 2025", False, (2025, 4, 3)),
    ],
)
async def test_dates_are_read_in_the_order_that_their_owner_names(
    tmp_path: Path, told: str, day_first: bool, day: tuple[int, int, int]
) -> None:
    path = written(tmp_path / "a.csv", f"Comment,Date\nx,{told}\n")

    post = await only(path, day_first=day_first)

    assert post.published == datetime(*day, tzinfo=UTC)


async def test_one_date_that_can_only_be_day_first_tells_for_all(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "Comment,Date\na,3/4/2025\nb,13/4/2025\n")

    kept = await read_all(path)

    assert [post.published.day for post in kept.posts.values()] == [3, 13]
    assert "day first" in (await Files(path=path).check(NO_WEB)).says


def test_a_date_with_a_time_keeps_it() -> None:
    assert ordered("3/4/2025 1:05 PM", day_first=True) == "2025-04-03 1:05 PM"
    assert ordered("no date", day_first=True) == "no date"


async def test_times_are_of_the_zone_that_is_named_and_never_of_the_future(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        "Comment,Date\na,2025-07-01 12:00\nb,2025-07-01T12:00Z\nc,2999-01-01\nd,\n",
    )

    posts = list((await read_all(path, zone="Europe/Berlin")).posts.values())

    assert [post.published.hour for post in posts[:2]] == [10, 12]
    assert posts[2].published == posts[3].published == NOW
    assert posts[3].precision is Precision.SEEN


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("x,,soon", "its published is no time; write it like 2025-03-04T09:30:00Z"),
        ("x,lots,", "its rating is no number"),
        ("x,9,", "its rating is not on the scale of 1 to 5"),
        (",,2025-01-01", "it has no text, no title and no rating"),
        ("x,1,2025-01-01,extra", "it has 4 cells, and there are 3 columns"),
    ],
)
async def test_a_bad_row_is_set_aside_with_its_number_and_without_its_words(
    tmp_path: Path, row: str, why: str
) -> None:
    path = written(tmp_path / "a.csv", f"Comment,Rating,Date\nfine,1,\n{row}\nfine too,2,\n")

    kept = await read_all(path)

    assert kept.texts == ["fine", "fine too"]
    assert kept.reasons == [f"Row 3: {why}."]
    assert kept.unreadable[0].raw.strip() == row


async def test_equal_rows_are_one_post_and_other_files_rows_are_others(tmp_path: Path) -> None:
    content = "ID,Comment\n1,cold\n1,cold\n2,cold\n"
    one, other = written(tmp_path / "one.csv", content), written(tmp_path / "two.csv", content)

    assert list((await read_all(one)).posts) == ["one/1", "one/2"]
    assert list((await read_all(other)).posts) == ["two/1", "two/2"]
    assert list((await read_all(other, name="one")).posts) == ["one/1", "one/2"]


# Options.


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "reviews.csv"}, "the whole path"),
        ({"path": "/a", "fields": {"x": "smell"}}, "no field of a post"),
        ({"path": "/a", "defaults": {"smell": "x"}}, "no field of a post"),
        ({"path": "/a", "zone": "Middle/Earth"}, "time zone"),
        ({"path": "/a", "charset": "klingon"}, "no character set"),
        ({"path": "/a", "charset": "utf-7"}, "no character set"),
        ({"path": "/a", "delimiter": "::"}, "at most 1"),
        ({"path": "/a", "rating_lowest": 5}, "higher than the worst"),
        ({"path": "/a", "rejects": "/a"}, "a file of their own"),
        ({"path": "/a", "name": "two words"}, "pattern"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Files.model_validate(options)


def test_an_export_of_our_own_reviews_is_about_us_by_nature() -> None:
    assert Files.model_validate({"path": "/a", "preset": "trustpilot"}).about_us
    assert not Files.model_validate({"path": "/a", "preset": "x-archive"}).about_us
    assert not Files.model_validate({"path": "/a"}).about_us


def test_the_form_asks_for_a_file() -> None:
    described = {option.name: option for option in catalog.describe(Files)}

    assert described["path"].type == "file"
    assert described["path"].required
    assert "google-play" in described["preset"].choices
