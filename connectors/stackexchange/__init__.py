"""Stack Exchange: what a search or a tag finds on one of its sites, walked back in time."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self, TypeVar

from pydantic import (
    AnyHttpUrl,
    Field,
    SecretStr,
    TypeAdapter,
    field_validator,
    model_validator,
)
from typing_extensions import override

from connectors.kit.contract import (
    Change,
    Connector,
    Health,
    Known,
    Order,
    Pace,
    Page,
    Post,
    State,
    Unread,
    Web,
)
from connectors.kit.walk import Leaf, walk
from connectors.stackexchange.manners import Manners, Wrapper, refusal
from connectors.stackexchange.shapes import (
    Answer,
    Answers,
    Excerpt,
    Excerpts,
    Question,
    Questions,
    host_of,
)

T = TypeVar("T", bound=Wrapper)

API = "https://api.stackexchange.com"
VERSION = "2.3"
LONGEST_PAGE = 100  # also of ids in one request: https://api.stackexchange.com/docs/paging
LAST_PAGE = 25  # without a key: https://api.stackexchange.com/docs/throttle


class StackExchange(Connector, frozen=True):
    """Questions and answers that a search finds, or questions with a tag, on one site."""

    title: ClassVar = "Stack Exchange"
    docs: ClassVar = "https://api.stackexchange.com/docs"
    # From thirty a second on they ban an address; the day's quota they tell with every answer.
    # https://api.stackexchange.com/docs/throttle
    pace: ClassVar = Pace(requests=20, per=timedelta(seconds=1), at_once=1)
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(hours=1)

    site: str = Field("stackoverflow", description="The site, such as stackoverflow or cooking")
    query: str | None = Field(
        None, min_length=1, max_length=240, description="What to search questions and answers for"
    )
    tag: str | None = Field(
        None, description="Read questions with this tag; with several, as a;b, they need all"
    )
    key: SecretStr | None = Field(
        None, description="A key from stackapps.com: 10,000 requests a day instead of 300"
    )
    api: str = Field(API, description="The address of the interface, if not their own")

    @field_validator("site")
    @classmethod
    def _a_site(cls, site: str) -> str:
        name = re.sub(r"^https?://|/.*$", "", site.strip().lower())
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,80}", name):
            raise ValueError("give the site's name or address, such as cooking.stackexchange.com")
        return name

    @field_validator("tag")
    @classmethod
    def _tags(cls, tag: str | None) -> str | None:
        if tag is None:
            return None
        tags = [one for one in re.split(r"[;,\s]+", tag.strip().lower()) if one]
        if not 1 <= len(tags) <= 5:
            raise ValueError("give one tag, or up to five with a semicolon between them")
        return ";".join(tags)

    @field_validator("api")
    @classmethod
    def _an_address(cls, address: str) -> str:
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.query is None) == (self.tag is None):
            raise ValueError("choose one of query and tag")
        return self

    @override
    async def check(self, web: Web) -> Health:
        found = await self._listing(web, datetime.now(UTC), 1, most=1)
        left, most = found.quota_remaining, found.quota_max
        if left == 0:
            return Health(
                False,
                f"All {most} requests of today are used up. Ask less often"
                f"{'' if self.key else ', or give a key: it allows 10,000 a day'}.",
            )
        asks = f"Searches {self._host} for “{self.query}”" if self.query else f"Reads {self._what}"
        said = "" if left is None else f"; {left:,} of {most or 0:,} requests are left today"
        return Health(True, f"{asks}{said}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Walk back in time, each page from the oldest second of the one before.

        So deletions shift nothing, and the pages that need a key are never asked for. The
        oldest second is asked for again, because it may go on overleaf.
        """

        async def fetch(token: str | None) -> Leaf:
            return await self._leaf(web, Step.read(token) or Step(int(known.now.timestamp())))

        async for page in walk(fetch, cursor, known, lag=self.lag):
            yield page

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Ask for the posts themselves; whether one is an answer, its number does not tell."""
        numbers = {id_: id_.removeprefix(f"{self._host}/") for id_ in ids}
        asked = [number for number in numbers.values() if number.isascii() and number.isdigit()]
        posts = await self._posts(web, Questions, "questions", asked)
        missing = [number for number in asked if f"{self._host}/{number}" not in posts]
        posts |= await self._posts(web, Answers, "answers", missing)
        return [_change(id_, posts.get(id_), own=numbers[id_] in asked) for id_ in ids]

    @property
    def _host(self) -> str:
        return host_of(self.site)

    @property
    def _what(self) -> str:
        return f"questions tagged {(self.tag or '').replace(';', ' and ')} on {self._host}"

    async def _leaf(self, web: Web, step: "Step") -> Leaf:
        """One page of the listing, every post with its whole text."""
        found = await self._listing(web, step.until, step.page)
        unread = [each for each in found.items if isinstance(each, Unread)]
        if isinstance(found, Questions):
            posts = [q.as_post(self._host) for q in found.items if isinstance(q, Question)]
            times = [post.published for post in posts]
        else:
            excerpts = [each for each in found.items if isinstance(each, Excerpt)]
            posts, torn = await self._whole(web, excerpts)
            unread += torn
            times = [excerpt.creation_date for excerpt in excerpts]
        onward = step.below(min(times, default=None)) if found.has_more else None
        if onward and onward.page > LAST_PAGE and self.key is None:
            onward = None
        return Leaf(
            posts=posts,
            unreadable=unread,
            next_token=onward.token if onward else None,
            whole=not found.has_more,
        )

    async def _whole(
        self, web: Web, excerpts: Sequence[Excerpt]
    ) -> tuple[list[Post], list[Unread]]:
        """What the excerpts are of, in their order; what was just deleted is left out."""
        torn: list[Unread] = []
        questions = [each.question_id for each in excerpts if not each.answer_id]
        answers = [each.answer_id for each in excerpts if each.answer_id]
        posts = await self._posts(web, Questions, "questions", questions, torn)
        posts |= await self._posts(web, Answers, "answers", answers, torn)
        wanted = (f"{self._host}/{each.answer_id or each.question_id}" for each in excerpts)
        return [posts[id_] for id_ in wanted if id_ in posts], torn

    async def _posts(
        self,
        web: Web,
        shape: type[Questions] | type[Answers],
        kind: str,
        numbers: Sequence[str],
        torn: list[Unread] | None = None,
    ) -> dict[str, Post]:
        """Posts of one kind by their ids; what cannot be read of them goes to `torn`."""
        posts: dict[str, Post] = {}
        for start in range(0, len(numbers), LONGEST_PAGE):
            these = ";".join(numbers[start : start + LONGEST_PAGE])
            asked = {"filter": "withbody", "pagesize": str(LONGEST_PAGE)}
            found = await self._ask(web, shape, f"{kind}/{these}", f"{kind}/ids", asked)
            for each in found.items:
                if isinstance(each, Question | Answer):
                    post = each.as_post(self._host)
                    posts[post.id] = post
                elif torn is not None:
                    torn.append(each)
        return posts

    async def _listing(
        self, web: Web, until: datetime, page: int, *, most: int = LONGEST_PAGE
    ) -> Questions | Excerpts:
        asked = {
            "sort": "creation",
            "order": "desc",
            "todate": str(int(until.timestamp())),  # with that second
            "pagesize": str(most),
            "page": str(page),
        }
        if self.tag:
            asked |= {"tagged": self.tag, "filter": "withbody"}
            return await self._ask(web, Questions, "questions", "questions", asked)
        asked["q"] = self.query or ""
        return await self._ask(web, Excerpts, "search/excerpts", "search/excerpts", asked)

    async def _ask(
        self, web: Web, shape: type[T], path: str, method: str, asked: dict[str, str]
    ) -> T:
        """One request, if they let us make it now. `method` is what a backoff is about."""
        manners = Manners(self.api, self.key, method)
        manners.wait_for_our_turn()
        if self.key is not None:  # it is taken in the address only, and a quota hangs on it
            asked = {**asked, "key": self.key.get_secret_value()}
        url = f"{self.api}/{VERSION}/{path}"
        answer = await web.fetch(url, params={**asked, "site": self.site}, also=(400,))
        if answer.status == 400:  # whatever goes wrong, their number for it is inside
            raise refusal(web.read(Wrapper, answer), self.site)
        told = web.read(shape, answer)
        manners.remember(told)
        return told


@dataclass(frozen=True, slots=True)
class Step:
    """Where a walk back in time is: before the end of this second, on this page of it."""

    second: int
    page: int = 1

    @classmethod
    def read(cls, token: str | None) -> Self | None:
        """The step that a token stands for; None for one that is not ours."""
        found = re.fullmatch(r"(\d{1,12})/(\d{1,4})", token or "", re.ASCII)
        return cls(int(found[1]), int(found[2])) if found else None

    @property
    def token(self) -> str:
        """The same as text."""
        return f"{self.second}/{self.page}"

    @property
    def until(self) -> datetime:
        """The same as a time."""
        return datetime.fromtimestamp(self.second, UTC)

    def below(self, oldest: datetime | None) -> "Step":
        """The next step: only a page that is all of one second is turned."""
        if oldest is None or int(oldest.timestamp()) >= self.second:
            return Step(self.second, self.page + 1)
        return Step(int(oldest.timestamp()))


def _change(id_: str, post: Post | None, *, own: bool) -> Change:
    if not own:  # an id of another site
        return Change(id_, State.UNKNOWN)
    return Change(id_, State.SAME if post else State.ABSENT, post)
