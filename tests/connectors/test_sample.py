"""The sample tells its story in time, loses nothing at a cut, and its posts are what they claim."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from rapidfuzz import fuzz
from typing_extensions import override

from connectors.kit import catalog
from connectors.kit.contract import Kind, Page, Post, Rechecks, State, Web
from connectors.sample import (
    PAGE,
    Deleted,
    Edited,
    Happening,
    Part,
    Published,
    Sample,
    _batches,
    lines,
    lives,
)

BEGAN = datetime(2026, 3, 14, 14, 0, tzinfo=UTC)
LONG_AGO = BEGAN - timedelta(days=60)
THE_END = BEGAN + timedelta(minutes=3)
NO_WEB = cast(Web, object())  # whoever asks the network here gets an AttributeError

POSTS = [line for line in lines() if isinstance(line, Published)]
EDITS = [line for line in lines() if isinstance(line, Edited)]
DELETIONS = [line for line in lines() if isinstance(line, Deleted)]


@dataclass(frozen=True)
class Asking:
    """What a listener that has just started would know."""

    now: datetime
    since: datetime = LONG_AGO

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        raise AssertionError(f"the sample has no need to ask about {len(ids)} posts")


class At(Sample):
    """A sample whose own clock stands still."""

    clock: datetime = THE_END

    @override
    def _now(self) -> datetime:
        return self.clock


async def read(
    now: datetime = THE_END,
    cursor: str | None = None,
    since: datetime = LONG_AGO,
    part: Part | None = None,
) -> list[Page]:
    sample = Sample(began=BEGAN, part=part)
    return [page async for page in sample.pages(NO_WEB, cursor, Asking(now, since))]


def told(pages: Sequence[Page]) -> list[tuple[str, str]]:
    return [(post.id, post.revision) for page in pages for post in page.posts]


def posts(pages: Sequence[Page]) -> dict[str, Post]:
    """What a listener holds in the end: the last revision of each post, without the deleted."""
    held: dict[str, Post] = {}
    for page in pages:
        held |= {post.id: post for post in page.posts}
        for gone in page.gone:
            held.pop(gone, None)
    return held


def the_edit(*, live: bool) -> Edited:
    return next(edit for edit in EDITS if (edit.live is not None) == live)


def the_deletion(*, live: bool) -> Deleted:
    """A deletion while the demo runs of a post that appears while it runs, or one long ago."""
    shown = {post.id: post for post in POSTS}
    return next(
        deletion
        for deletion in DELETIONS
        if (deletion.live is not None) == live == (shown[deletion.delete].live is not None)
    )


# --- the connector


class TestReading:
    async def test_the_whole_story_is_told_oldest_first(self) -> None:
        pages = await read()

        assert set(posts(pages)) == {post.id for post in POSTS} - {
            gone.delete for gone in DELETIONS
        }
        changes = [post.edited or post.published for page in pages for post in page.posts]
        for page in pages:
            assert len(page.posts) + len(page.gone) <= PAGE
        unchanged = [p.published for page in pages for p in page.posts if p.edited is None]
        assert unchanged == sorted(unchanged)
        assert max(changes) <= THE_END

    async def test_a_cut_after_any_page_loses_nothing_and_repeats_nothing(self) -> None:
        whole = await read()
        assert len(whole) > 10

        for kept in range(1, len(whole)):
            rest = await read(cursor=whole[kept - 1].cursor)

            assert told(whole[:kept]) + told(rest) == told(whole)
            assert [page.gone for page in whole] == [page.gone for page in whole[:kept] + rest]

    async def test_a_second_reading_finds_nothing_new(self) -> None:
        [*_, last] = await read()

        [again] = await read(cursor=last.cursor)

        assert again.posts == ()
        assert again.gone == ()

    async def test_live_posts_appear_when_their_time_has_come_and_not_before(self) -> None:
        cursor = (await read(now=BEGAN))[-1].cursor
        seen: dict[str, float] = {}

        for second in range(1, 181):
            pages = await read(BEGAN + timedelta(seconds=second), cursor)
            cursor = pages[-1].cursor
            for page in pages:
                for post in page.posts:
                    seen.setdefault(post.id, second)

        for line in POSTS:
            if line.live is not None:
                assert line.live <= seen[line.id] < line.live + 1

    async def test_polling_every_second_ends_where_one_long_reading_ends(self) -> None:
        pages = await read(now=BEGAN)

        for second in range(1, 181):
            pages += await read(BEGAN + timedelta(seconds=second), pages[-1].cursor)

        assert posts(pages) == posts(await read())

    async def test_nothing_older_than_since_is_told(self) -> None:
        since = BEGAN - timedelta(days=7)

        pages = await read(since=since)

        wanted = {post.id for post in POSTS if post.when(BEGAN) >= since}
        assert {id_ for id_, _ in told(pages)} <= wanted
        assert set(posts(pages)) == wanted - {deletion.delete for deletion in DELETIONS}

    async def test_the_spans_join_up_from_since_to_now(self) -> None:
        pages = await read()

        spans = [page.span for page in pages if page.span]
        assert len(spans) == len(pages)
        assert (spans[0].start, spans[-1].end) == (LONG_AGO, THE_END)
        for before, after in pairwise(spans):
            assert before.end == after.start
        for page, span in zip(pages, spans, strict=True):
            for post in page.posts:
                assert post.published <= span.end

    async def test_a_quiet_minute_still_proves_that_it_was_read(self) -> None:
        [*_, last] = await read()

        [quiet] = await read(THE_END + timedelta(minutes=1), last.cursor)

        assert quiet.span is not None
        assert (quiet.span.start, quiet.span.end) == (THE_END, THE_END + timedelta(minutes=1))

    async def test_a_clock_set_back_claims_nothing_and_keeps_its_place(self) -> None:
        [*_, last] = await read()

        [page] = await read(BEGAN, last.cursor)

        assert page == Page(cursor=last.cursor)

    @pytest.mark.parametrize("cursor", ["", "17", "2026-03-14T14:00:00"])
    async def test_a_cursor_that_is_not_ours_begins_anew(self, cursor: str) -> None:
        assert told(await read(cursor=cursor)) == told(await read())

    async def test_the_three_parts_make_up_the_whole(self) -> None:
        reviews, feed, news = [
            set(posts(await read(part=part))) for part in ("reviews", "feed", "news")
        ]

        assert reviews | feed | news == set(posts(await read()))
        assert len(reviews) + len(feed) + len(news) == len(reviews | feed | news)
        assert min(len(reviews), len(feed)) > 80
        assert len(news) >= 8

    async def test_addresses_and_stars_are_those_of_the_place(self) -> None:
        held = posts(await read())

        for line in POSTS:
            if (post := held.get(line.id)) is None:
                continue
            assert re.fullmatch(rf"https://[a-z-]+\.example/[acpr]/{line.id}", post.url)
            assert (post.rating is None) == (line.kind is not Kind.REVIEW)
        review = next(post for post in held.values() if post.id.startswith("lr"))
        assert review.url == f"https://larder-reviews.example/r/{review.id}"


class TestChanges:
    async def test_an_edit_comes_as_an_update_of_the_same_post(self) -> None:
        edit = the_edit(live=True)
        moment = edit.when(BEGAN)
        before = await read(moment - timedelta(milliseconds=1))

        after = await read(moment, before[-1].cursor)

        first = posts(before)[edit.edit_of]
        then = posts(after)[edit.edit_of]
        assert then.edited == moment
        assert (then.id, then.published) == (first.id, first.published)
        assert then.text == edit.text != first.text
        assert then.rating != first.rating
        assert then.revision != first.revision

    async def test_a_deletion_comes_as_an_id_that_is_gone(self) -> None:
        deletion = the_deletion(live=True)
        moment = deletion.when(BEGAN)
        before = await read(moment - timedelta(milliseconds=1))
        assert deletion.delete in posts(before)

        after = await read(moment, before[-1].cursor)

        assert [page.gone for page in after] == [(deletion.delete,)]

    async def test_a_recheck_says_what_became_of_each_post_by_then(self) -> None:
        edit, deletion = the_edit(live=True), the_deletion(live=True)
        untouched = POSTS[0]
        last = max(POSTS, key=lambda post: post.when(BEGAN))
        ids = [untouched.id, edit.edit_of, deletion.delete, "lr0", last.id]

        early = At(began=BEGAN, clock=edit.when(BEGAN) - timedelta(seconds=1))
        late = At(began=BEGAN, clock=THE_END)

        then = await early.recheck(NO_WEB, ids)
        now = await late.recheck(NO_WEB, ids)
        assert [change.id for change in now] == ids
        absent, same = State.ABSENT, State.SAME
        assert [change.state for change in then] == [same, same, same, absent, absent]
        assert [change.state for change in now] == [same, State.EDITED, State.GONE, absent, same]
        assert now[1].post is not None
        assert now[1].post.text == edit.text
        assert [change.post is None for change in now] == [False, False, True, True, False]

    async def test_a_recheck_knows_only_its_own_part(self) -> None:
        review = next(post for post in POSTS if post.kind is Kind.REVIEW)
        feed = At(began=BEGAN, part="feed")

        [change] = await feed.recheck(NO_WEB, [review.id])

        assert change.state is State.ABSENT

    async def test_a_recheck_of_today_tells_the_whole_of_a_story_of_last_year(self) -> None:
        deletion = the_deletion(live=False)

        [change] = await Sample(began=BEGAN - timedelta(days=365)).recheck(
            NO_WEB, [deletion.delete]
        )

        assert change.state is State.GONE

    async def test_a_reading_and_a_recheck_agree(self) -> None:
        held = posts(await read())

        changes = await At(began=BEGAN).recheck(NO_WEB, list(held))

        assert [change.post for change in changes] == list(held.values())


class TestOptions:
    def test_the_catalog_finds_it(self) -> None:
        assert catalog.load("sample") is Sample
        assert isinstance(Sample(began=BEGAN), Rechecks)

    def test_options_survive_the_database(self) -> None:
        sample = Sample(began=BEGAN, part="feed")

        assert Sample.model_validate(sample.model_dump(mode="json")) == sample

    def test_a_beginning_without_a_time_zone_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="timezone"):
            Sample.model_validate({"began": "2026-03-14T14:00:00"})

    async def test_its_health_says_how_much_there_is_to_read(self) -> None:
        health = await Sample(began=BEGAN, part="news").check(NO_WEB)

        assert health.well
        assert health.says.startswith("11 invented posts are ready to read")
        assert "2026-03-14 14:00 UTC" in health.says


@given(st.lists(st.integers(0, 40), min_size=60, max_size=200))
def test_what_happens_at_one_moment_is_never_cut_in_two(seconds: list[int]) -> None:
    life = lives()[0]
    due = [Happening(BEGAN + timedelta(seconds=second), life) for second in sorted(seconds)]

    batches = list(_batches(due))

    assert [happening for batch in batches for happening in batch] == due
    assert all(len(batch) >= PAGE for batch in batches[:-1])
    for before, after in pairwise(batches):
        assert before[-1].when < after[0].when


# --- the writing


def with_note(word: str) -> list[Published]:
    return [post for post in POSTS if word in post.expect.note.split()]


def words(post: Published) -> str:
    return " ".join((post.title or "", post.text, *post.links)).casefold()


class TestStory:
    def test_every_line_refers_to_a_post_that_was_there_before(self) -> None:
        moments = {post.id: post.when(BEGAN) for post in POSTS}
        assert len(moments) == len(POSTS)

        for post in POSTS:
            for other in (post.in_reply_to, post.thread):
                assert other is None or other == post.id or moments[other] < post.when(BEGAN)
        for edit in EDITS:
            assert moments[edit.edit_of] < edit.when(BEGAN)
        for deletion in DELETIONS:
            assert moments[deletion.delete] < deletion.when(BEGAN)

    def test_one_account_is_one_person(self) -> None:
        people = {post.author.id: post.author for post in POSTS}

        assert all(people[post.author.id] == post.author for post in POSTS)
        assert len(people) > 220

    def test_all_kinds_and_languages_are_there(self) -> None:
        kinds = Counter(post.kind for post in POSTS)
        languages = Counter(post.language for post in POSTS)

        assert 240 <= len(POSTS) <= 290
        assert kinds[Kind.REVIEW] >= 90
        assert kinds[Kind.POST] >= 110
        assert min(kinds[Kind.COMMENT], kinds[Kind.REPLY]) >= 12
        assert kinds[Kind.ARTICLE] == 4
        assert languages["en"] > 200
        assert all(10 <= languages[language] <= 15 for language in ("de", "es", "fr"))
        assert all(languages[language] >= 3 for language in ("da", "it"))

    def test_every_number_of_stars_is_given(self) -> None:
        stars = Counter(post.rating for post in POSTS if post.kind is Kind.REVIEW)

        assert set(stars) == {1, 2, 3, 4, 5}
        assert min(stars.values()) >= 8

    def test_about_every_second_post_is_a_complaint(self) -> None:
        complaints = [post for post in POSTS if post.expect.complaint]
        urgent = [post for post in POSTS if post.expect.urgent]

        assert 0.45 < len(complaints) / len(POSTS) < 0.65
        assert 30 <= len(urgent) <= 50
        assert all(post.expect.complaint and post.expect.about_us for post in urgent)

    @pytest.mark.parametrize(
        ("note", "complaint", "least"),
        [
            ("sarcasm", True, 10),
            ("polite", True, 9),
            ("implicit", True, 12),
            ("repost", True, 12),
            ("safety", True, 4),
            ("allergen", True, 3),
            ("legal", True, 2),
            ("data", True, 2),
            ("recovered", False, 12),
            ("other", False, 9),
            ("slang praise", False, 9),
            ("praise", False, 25),
            ("own", False, 7),
            ("homonym", False, 15),
            ("false alarm", False, 2),
        ],
    )
    def test_what_is_hard_for_a_model_is_there(
        self, note: str, complaint: bool, least: int
    ) -> None:
        hard = [post for post in POSTS if note in post.expect.note]

        assert len(hard) >= least
        assert {post.expect.complaint for post in hard} == {complaint}

    def test_stars_and_words_disagree_both_ways(self) -> None:
        stars = [(post.rating or 0, post.expect.complaint) for post in with_note("contradict")]

        assert any(rating >= 4 and complaint for rating, complaint in stars)
        assert any(rating == 1 and not complaint for rating, complaint in stars)

    def test_homonyms_are_not_us_and_the_query_stops_only_some(self) -> None:
        homonyms = with_note("homonym")
        stopped = [post for post in homonyms if "ruth tarnby" in words(post)]

        assert not any(post.expect.about_us for post in homonyms)
        assert all(post.expect.about_us for post in POSTS if post not in homonyms)
        assert 5 <= len(stopped) <= len(homonyms) - 8
        assert {post.id for post in POSTS if "ruth tarnby" in words(post)} == {
            post.id for post in with_note("filtered")
        }

    def test_nearly_every_post_names_the_brand(self) -> None:
        unnamed = [post for post in POSTS if "tarnby" not in words(post)]

        assert len(unnamed) <= 2

    def test_the_brand_speaks_for_itself_and_never_complains(self) -> None:
        ours = [post for post in POSTS if post.author.handle == "tarnby"]

        assert ours == with_note("own")

    def test_no_two_people_write_the_same(self) -> None:
        texts = [post.text for post in POSTS if post not in with_note("repost")]

        alike = [pair for pair in combinations(texts, 2) if fuzz.ratio(*pair) >= 85]
        assert alike == []

    def test_one_complaint_is_reposted_twelve_times(self) -> None:
        [original] = with_note("viral")
        reposts = with_note("repost")

        assert len(reposts) == 12
        assert len({post.author.id for post in reposts} | {original.author.id}) == 13
        for repost in reposts:
            assert repost.when(BEGAN) > original.when(BEGAN)
            assert fuzz.partial_ratio(original.text[4:], repost.text) > 95

    def test_one_cause_hits_seventeen_customers_within_minutes(self) -> None:
        customers = with_note("coupon")

        assert len(customers) == 17
        assert len({post.author.id for post in customers}) == 17
        moments = sorted(post.when(BEGAN) for post in customers)
        assert moments[0] > BEGAN + timedelta(seconds=6.2)
        assert moments[-1] <= BEGAN + timedelta(seconds=100)
        assert (
            sum("fresh20" in words(post).replace("fresh 20", "fresh20") for post in customers) == 16
        )
        assert max(fuzz.ratio(a.text, b.text) for a, b in combinations(customers, 2)) < 60
        assert len({post.language for post in customers}) == 4

    def test_forty_posts_arrive_live_and_the_first_complaint_after_six_seconds(self) -> None:
        live = {post.live: post for post in POSTS if post.live is not None}

        assert len(live) == 40
        assert 5 <= min(live) < max(live) <= 120
        assert next(at for at in sorted(live) if live[at].expect.complaint) == pytest.approx(
            6, abs=0.5
        )

    def test_the_past_has_days_and_nights_and_four_weeks(self) -> None:
        ages = [post.ago / 60 for post in POSTS if post.ago is not None]  # hours
        night = [age for age in ages if 9 <= age % 24 < 13]  # one to five, if begun at two

        assert 20 <= sum(age < 48 for age in ages) <= 40
        assert all(sum(day * 24 <= age < (day + 7) * 24 for age in ages) >= 25 for day in range(22))
        assert max(ages) < 28 * 24
        assert len(night) < len(ages) / 25

    def test_edits_change_stars_both_ways_and_deletions_happen(self) -> None:
        before = {post.id: post.rating or 0 for post in POSTS}
        changes = [(edit.rating or 0) - before[edit.edit_of] for edit in EDITS]

        assert min(changes) < 0 < max(changes)
        assert {edit.live is None for edit in EDITS} == {True, False}
        assert {deletion.live is None for deletion in DELETIONS} == {True, False}

    def test_nothing_in_it_leads_to_a_real_site(self) -> None:
        for post in POSTS:
            assert all(link.startswith("https://tarnby.example") for link in post.links)
            assert "http" not in post.text
