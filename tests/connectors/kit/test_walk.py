"""The newest-first walk loses nothing and claims nothing that it has not read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.contract import Page, Post, Precision, Span
from connectors.kit.errors import Gone, TryLater, Unreadable
from connectors.kit.walk import Leaf, walk

MORNING = datetime(2030, 5, 1, 8, 0, tzinfo=UTC)
LAG = timedelta(seconds=10)


def at(second: float) -> datetime:
    return MORNING + timedelta(seconds=second)


def post(name: str, second: float, **more: object) -> Post:
    return replace(
        Post(id=name, url=f"https://place.test/{name}", text=name, published=at(second)),
        **more,  # type: ignore[arg-type]
    )


@dataclass
class Notebook:
    """What has been kept so far: the listener's side of a walk."""

    since: datetime = MORNING - timedelta(days=7)
    now: datetime = MORNING
    kept: dict[str, Post] = field(default_factory=dict)
    cursor: str | None = None
    covered: list[Span] = field(default_factory=list)
    pages: int = 0

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(ids) & self.kept.keys()

    def keep(self, page: Page) -> None:
        self.kept |= {each.id: each for each in page.posts}
        self.cursor = page.cursor
        self.pages += 1
        if page.span:
            self.covered.append(page.span)

    def covers(self, moment: datetime) -> bool:
        return any(span.start <= moment <= span.end for span in self.covered)


@dataclass
class Place:
    """Lists posts newest first, a few a page, by one of the three kinds of token there are."""

    size: int = 2
    tokens: str = "position"  # of the last post, "id" of the last post, or number of the "page"
    posts: list[Post] = field(default_factory=list)
    limit: int | None = None
    whole: bool = False
    asked: list[str | None] = field(default_factory=list)
    between: Callable[[], None] = lambda: None

    async def fetch(self, token: str | None) -> Leaf:
        self.asked.append(token)
        listed = self.listed()
        start = self._start(listed, token)
        shown = listed[start : start + self.size]
        more = start + self.size < len(listed)
        leaf = Leaf(
            posts=shown,
            next_token=self._token(shown[-1], token) if more else None,
            whole=self.whole,
        )
        self.between()
        return leaf

    def listed(self) -> list[Post]:
        return sorted(self.posts, key=_order, reverse=True)[: self.limit]

    def _start(self, listed: list[Post], token: str | None) -> int:
        if token is None:
            return 0
        if self.tokens == "page":
            return int(token) * self.size
        if self.tokens == "id":  # as on Reddit: after a post that is gone comes nothing
            ids = [each.id for each in listed]
            return ids.index(token) + 1 if token in ids else len(listed)
        return sum(f"{_order(each)}" >= token for each in listed)

    def _token(self, last: Post, token: str | None) -> str:
        if self.tokens == "page":
            return str(int(token or 0) + 1)
        return last.id if self.tokens == "id" else f"{_order(last)}"


def _order(each: Post) -> tuple[str, str]:
    return each.published.isoformat(timespec="microseconds"), each.id


async def run(place: Place, notebook: Notebook, *, until: int | None = None) -> None:
    """Walk as a source is polled; `until` cuts the walk after so many pages."""
    pages = walk(place.fetch, notebook.cursor, notebook, lag=LAG, shifts=place.tokens == "page")
    read = 0
    async for page in pages:
        notebook.keep(page)
        read += 1
        if read == until:
            break
    await pages.aclose()  # type: ignore[attr-defined]


async def test_a_new_source_reads_back_to_its_since_and_no_further() -> None:
    place = Place(posts=[post(f"p{n}", -n * 3600) for n in range(30)])
    notebook = Notebook(since=at(-10 * 3600))

    await run(place, notebook)

    assert {f"p{n}" for n in range(11)} <= notebook.kept.keys()
    assert len(place.asked) == 7
    assert notebook.covered[-1] == Span(at(-10 * 3600), MORNING)


async def test_the_second_walk_stops_at_what_is_known_and_old() -> None:
    place = Place(posts=[post(f"p{n}", -n * 3600) for n in range(30)])
    notebook = Notebook()
    await run(place, notebook)
    place.posts.append(post("new", 60))
    place.asked.clear()
    notebook.now = at(120)

    await run(place, notebook)

    assert "new" in notebook.kept
    assert len(place.asked) == 2
    assert notebook.covered[-1] == Span(MORNING - LAG, at(120))


async def test_a_quiet_place_costs_one_request_and_coverage_still_advances() -> None:
    place = Place(posts=[post(f"p{n}", -60 - n * 3600) for n in range(30)])
    notebook = Notebook()
    await run(place, notebook)
    place.asked.clear()
    notebook.now = at(3600 * 24)

    await run(place, notebook)

    assert place.asked == [None]
    assert notebook.covered[-1].end == at(3600 * 24)


async def test_a_pinned_post_on_top_does_not_end_the_walk() -> None:
    place = Place(size=2, posts=[post(f"p{n}", -n * 3600) for n in range(6)])
    notebook = Notebook()
    await run(place, notebook)
    notebook.now = at(3600)
    pinned, fresh = place.listed()[5], [post("a", 1000), post("b", 2000)]

    async def fetch(token: str | None) -> Leaf:
        if token is None:
            return Leaf(posts=[pinned, fresh[1]], next_token="rest")
        return Leaf(posts=[fresh[0], *place.listed()])

    async for page in walk(fetch, notebook.cursor, notebook, lag=LAG):
        notebook.keep(page)

    assert {"a", "b"} <= notebook.kept.keys()


async def test_a_burst_cut_in_the_middle_is_finished_before_the_news_and_both_are_read() -> None:
    place = Place(posts=[post(f"old{n}", -n * 60) for n in range(4)])
    notebook = Notebook()
    await run(place, notebook)
    place.posts += [post(f"burst{n}", 100 + n) for n in range(20)]
    notebook.now = at(200)
    await run(place, notebook, until=3)
    place.posts += [post(f"news{n}", 300 + n) for n in range(5)]
    notebook.now = at(400)

    await run(place, notebook)

    assert notebook.kept.keys() == {each.id for each in place.posts}
    assert all(notebook.covers(each.published) for each in place.posts)


async def test_a_cut_walk_does_not_claim_what_lies_below_the_cut() -> None:
    place = Place(posts=[post(f"old{n}", -n * 60) for n in range(4)])
    notebook = Notebook()
    await run(place, notebook)
    place.posts += [post(f"burst{n:02}", 100 + n) for n in range(20)]
    notebook.now = at(200)

    await run(place, notebook, until=3)

    unread = [each for each in place.posts if each.id not in notebook.kept]
    assert len(unread) == 14
    assert not any(notebook.covers(each.published) for each in unread)
    assert notebook.covers(at(118))


async def test_a_kept_token_that_the_place_refuses_starts_the_walk_again_from_the_top() -> None:
    place = Place(posts=[post(f"p{n}", -n * 60) for n in range(9)])
    notebook = Notebook()
    await run(place, notebook, until=2)
    refused: list[str] = []

    async def fetch(token: str | None) -> Leaf:
        if token is not None and not refused:
            refused.append(token)
            raise Gone("the place has forgotten this token")
        return await place.fetch(token)

    async for page in walk(fetch, notebook.cursor, notebook, lag=LAG):
        notebook.keep(page)

    assert refused
    assert notebook.kept.keys() == {each.id for each in place.posts}


@pytest.mark.parametrize("error", [TryLater("busy"), Unreadable("odd")])
async def test_an_error_of_the_place_passes_through_and_the_last_cursor_resumes(
    error: Exception,
) -> None:
    place = Place(posts=[post(f"p{n}", -n * 60) for n in range(9)])
    notebook = Notebook()

    async def fetch(token: str | None) -> Leaf:
        if len(place.asked) == 2:
            raise error
        return await place.fetch(token)

    async def read() -> None:
        async for page in walk(fetch, None, notebook, lag=LAG):
            notebook.keep(page)

    with pytest.raises(type(error)):
        await read()
    assert len(notebook.kept) == 4
    await run(place, notebook)

    assert notebook.kept.keys() == {each.id for each in place.posts}
    assert place.asked.count(None) == 2  # once at first, once for the news after the resumed walk


async def test_a_listing_that_ends_before_the_floor_leaves_the_gap_open() -> None:
    place = Place(limit=6, posts=[post(f"p{n}", -n * 60) for n in range(6)])
    notebook = Notebook(since=at(-360))
    await run(place, notebook)
    place.posts += [post(f"burst{n}", 1000 + n) for n in range(20)]
    notebook.now = at(2000)

    await run(place, notebook)

    assert notebook.covered[-1] == Span(at(1014), at(2000))
    assert not notebook.covers(at(1013))


async def test_a_listing_that_the_place_calls_whole_leaves_no_gap() -> None:
    place = Place(whole=True, posts=[post("only", -60)])
    notebook = Notebook()

    await run(place, notebook)

    assert notebook.covered == [Span(notebook.since, MORNING)]


async def test_a_place_that_falls_empty_proves_nothing_and_forgets_nothing() -> None:
    place = Place(posts=[post(f"p{n}", -n * 60) for n in range(4)])
    notebook = Notebook()
    await run(place, notebook)
    before = list(notebook.covered)
    full, place.posts = place.posts, []
    notebook.now = at(3600)
    await run(place, notebook)
    assert notebook.covered == before

    place.posts = [*full, post("late", 1800)]
    notebook.now = at(7200)
    await run(place, notebook)

    assert "late" in notebook.kept
    assert notebook.covers(at(1800))


async def test_an_edit_inside_the_overlap_is_read_again_and_an_unchanged_post_once() -> None:
    place = Place(posts=[post("same", 0), post("edited", -1)])
    notebook = Notebook(now=at(5))
    await run(place, notebook)
    place.posts[1] = post("edited", -1, text="I changed my mind")
    notebook.now = at(6)
    yielded: list[str] = []

    async for page in walk(place.fetch, notebook.cursor, notebook, lag=LAG):
        yielded += [each.id for each in page.posts]
        notebook.keep(page)

    assert sorted(yielded) == ["edited", "same"]
    assert notebook.kept["edited"].text == "I changed my mind"


async def test_posts_without_a_time_never_end_a_walk() -> None:
    place = Place(posts=[post(f"p{n}", -n, precision=Precision.SEEN) for n in range(7)])
    notebook = Notebook()
    await run(place, notebook)
    place.asked.clear()

    await run(place, notebook)

    assert len(place.asked) == 4
    assert notebook.covered == []


async def test_a_place_that_leads_round_in_circles_is_left() -> None:
    async def fetch(token: str | None) -> Leaf:
        return Leaf(posts=[post(token or "top", -1)], next_token="again")

    notebook = Notebook()
    async for page in walk(fetch, None, notebook, lag=LAG):
        notebook.keep(page)

    assert notebook.kept.keys() == {"top", "again"}


@pytest.mark.parametrize("cursor", ["", "no json", "[]", '{"mark": 5, "leg": "x"}', "null"])
async def test_a_cursor_from_elsewhere_begins_anew(cursor: str) -> None:
    place = Place(posts=[post("p", -1)])
    notebook = Notebook(cursor=cursor)

    await run(place, notebook)

    assert notebook.kept.keys() == {"p"}


async def test_numbered_pages_are_read_again_until_nobody_is_a_stranger() -> None:
    place = Place(tokens="page", posts=[post(f"p{n}", -n * 60) for n in range(8)])
    notebook = Notebook()
    doomed = ["p0"]

    def delete() -> None:
        place.posts = [each for each in place.posts if each.id not in doomed]

    place.between = delete
    await run(place, notebook)

    # Deleting p0 moved p2 from the second page to the first, behind the reader's back.
    assert notebook.kept.keys() == {f"p{n}" for n in range(8)}
    assert notebook.covered == [Span(at(-7 * 60), MORNING)]


async def test_a_place_that_never_stands_still_is_left_without_a_claim() -> None:
    count = 0

    async def fetch(token: str | None) -> Leaf:
        nonlocal count
        count += 1
        return Leaf(posts=[post(f"p{count}", -count)], next_token=None if token else "1")

    notebook = Notebook()
    async for page in walk(fetch, None, notebook, lag=LAG, shifts=True):
        notebook.keep(page)

    assert notebook.covered == []
    assert count == 10


# Any mixture of inserts, late posts, deletions and cuts.

ACTS = ("insert", "same second", "late", "delete")


@given(
    tokens=st.sampled_from(["position", "id", "page"]),
    size=st.integers(1, 4),
    first=st.integers(0, 9),
    acts=st.lists(st.lists(st.sampled_from(ACTS), max_size=3), max_size=25),
    cuts=st.lists(st.one_of(st.none(), st.integers(1, 4)), max_size=6),
    commits=st.lists(st.booleans(), max_size=6),
    limit=st.one_of(st.none(), st.integers(3, 12)),
)
@settings(max_examples=300, deadline=None)
async def test_whatever_happens_meanwhile_all_is_read_and_no_gap_is_claimed(
    tokens: str,
    size: int,
    first: int,
    acts: list[list[str]],
    cuts: list[int | None],
    commits: list[bool],
    limit: int | None,
) -> None:
    world = World(tokens, size, limit)
    for _ in range(first):
        world.act("insert")
    world.place.between = lambda: world.turn(acts)
    for cut, commit in zip(cuts, [*commits, *[True] * len(cuts)], strict=False):
        await world.poll(cut, commit)
    acts.clear()
    await world.poll(None, True)
    await world.poll(None, True)

    if limit is None:
        assert world.missed() == []
    assert world.false_claims == []


class World:
    """A place where things happen between two pages, and the clock that they happen by."""

    def __init__(self, tokens: str, size: int, limit: int | None) -> None:
        self.second = 0
        self.place = Place(size=size, tokens=tokens, limit=limit)
        self.notebook = Notebook(since=at(-100))
        self.visible: dict[str, int] = {}
        self.deletions = 0
        self.false_claims: list[str] = []

    def turn(self, acts: list[list[str]]) -> None:
        self.second += 1
        for act in acts.pop() if acts else ():
            self.act(act)

    def act(self, act: str) -> None:
        if act == "delete":
            # Numbered pages prove only that no post slipped by while nothing was deleted in the
            # round that proves it; one deletion a case is what the promise is about.
            if self.place.posts and self.deletions < (1 if self.place.tokens == "page" else 3):
                self.deletions += 1
                shown = self.place.listed()
                victim = shown[min(self.place.size, len(shown)) - 1]
                self.place.posts.remove(victim)
            return
        if act == "insert":
            self.second += 1
        late = int(LAG.total_seconds()) - 1 if act == "late" else 0
        name = f"p{len(self.visible):03}"
        self.visible[name] = self.second
        self.place.posts.append(post(name, self.second - late))

    async def poll(self, cut: int | None, commit: bool) -> None:
        self.second += 1
        self.notebook.now = at(self.second)
        pages = walk(
            self.place.fetch,
            self.notebook.cursor,
            self.notebook,
            lag=LAG,
            shifts=self.place.tokens == "page",
        )
        read = 0
        async for page in pages:
            read += 1
            if read == cut and not commit:
                break
            self.notebook.keep(page)
            self.false_claims += [each.id for each in self.missed() if self.claimed(each)]
            if read == cut:
                break
        await pages.aclose()  # type: ignore[attr-defined]

    def missed(self) -> list[Post]:
        return [each for each in self.place.posts if each.id not in self.notebook.kept]

    def claimed(self, each: Post) -> bool:
        """Whether a walk that began when this post was visible says that it has been read.

        A listing cut at its limit may end within a second, so that one is left open there.
        """
        return any(
            (
                span.start < each.published
                or (span.start == each.published and self.place.limit is None)
            )
            and each.published <= span.end
            and at(self.visible[each.id]) < span.end
            for span in self.notebook.covered
        )
