"""Steam's public list of user reviews of one app, walked by last change so that edits show."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

import orjson
from pydantic import (
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    field_validator,
)
from typing_extensions import override

from connectors.kit.contract import (
    Author,
    Connector,
    Health,
    Kind,
    Known,
    Order,
    Pace,
    Page,
    Post,
    Precision,
    Rating,
    Unread,
    Web,
)
from connectors.kit.errors import TryLater
from connectors.kit.text import absolute, clean, moment, not_after
from connectors.kit.walk import Leaf, walk

STORE = "https://store.steampowered.com"
COMMUNITY = "https://steamcommunity.com"
LONGEST_PAGE = 100  # https://partner.steamgames.com/doc/store/getreviews
BUSY = timedelta(minutes=5)

# What Steam calls the languages: https://partner.steamgames.com/doc/store/localization/languages
LANGUAGES: Mapping[str, str] = {
    "arabic": "ar",
    "brazilian": "pt-BR",
    "bulgarian": "bg",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hungarian": "hu",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "koreana": "ko",
    "latam": "es-419",
    "malay": "ms",
    "norwegian": "no",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "schinese": "zh-CN",
    "spanish": "es",
    "swedish": "sv",
    "tchinese": "zh-TW",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "vietnamese": "vi",
}
NAMES = {tag.lower(): name for name, tag in LANGUAGES.items()}


class Steam(Connector, frozen=True):
    """Every review of one app: by default those in all languages, changed ones on top."""

    title: ClassVar = "Steam"
    docs: ClassVar = "https://partner.steamgames.com/doc/store/getreviews"
    # Steam names no limit; about this many pass before it answers 429.
    pace: ClassVar = Pace(requests=200, per=timedelta(minutes=5))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=30)

    app: str = Field(description="The app's number, or the address of its page in the store")
    language: str = Field(
        "all", description="Reviews in this language only, such as german or de; all for every one"
    )
    sort: Literal["updated", "recent"] = Field(
        "updated", description="Read by last change, or by first publication, which hides edits"
    )
    api: str = Field(STORE, description="Where the list is read, if not from Steam itself")

    @field_validator("app")
    @classmethod
    def _a_number(cls, app: str) -> str:
        found = re.fullmatch(r"(?:https?://\S*/app/)?(\d{1,20})(?:[/?]\S*)?", app.strip())
        if not found:
            raise ValueError("give the app's number, such as 620, or its page's address")
        return found[1]

    @field_validator("language")
    @classmethod
    def _a_language(cls, language: str) -> str:
        asked = language.strip().lower()
        name = NAMES.get(asked, asked)
        if name not in LANGUAGES and name != "all":
            raise ValueError("give a language as Steam names it, such as german, or all")
        return name

    @field_validator("api")
    @classmethod
    def _an_address(cls, address: str) -> str:
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @property
    @override
    def about_us(self) -> bool:
        return True

    @override
    async def check(self, web: Web) -> Health:
        told = await self._listing(web, "*", most=1)
        if told.success != 1:
            return Health(False, f"Steam lists no reviews of an app {self.app}: is it the number?")
        total = told.query_summary.total_reviews or 0
        return Health(True, f"Reads the reviews of app {self.app} on Steam; it has {total:,}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Walk down the list; what the developer answered comes right after its review."""
        reading = Reading(self.app, known.now)

        async def fetch(token: str | None) -> Leaf:
            told = await self._listing(web, token or "*", most=LONGEST_PAGE)
            if told.success != 1:  # also for an app that is not there: its check says so
                raise TryLater(f"Steam could not list the reviews of app {self.app}.", wait=BUSY)
            return reading.leaf(told, token)

        listed = _changed if self.sort == "updated" else _published
        async for page in walk(fetch, cursor, known, lag=self.lag, listed=listed):
            yield replace(page, posts=reading.with_answers(page.posts))

    async def _listing(self, web: Web, cursor: str, *, most: int) -> "Listing":
        asked = {
            "json": "1",
            "filter": self.sort,
            "language": self.language,
            "review_type": "all",
            "purchase_type": "all",  # else only what was bought on Steam
            "filter_offtopic_activity": "0",  # a review bomb is what we are here for
            "num_per_page": str(most),
            "cursor": cursor,
        }
        return await web.get(Listing, f"{self.api}/appreviews/{self.app}", params=asked)


def _changed(post: Post) -> datetime:
    return post.edited or post.published


def _published(post: Post) -> datetime:
    return post.published


class Reading:
    """What one poll has met so far: how many reviews, and what the developer answered to them."""

    def __init__(self, app: str, now: datetime) -> None:
        self._app = app
        self._now = now
        self._met: set[str] = set()
        self._total: int | None = None
        self._answers: dict[str, Post] = {}

    def leaf(self, told: "Listing", token: str | None) -> Leaf:
        """One page of the list. It ends with an empty page, or with the cursor we came with.

        Steam counts its reviews on the first page: having met them all, the list was whole.
        """
        if token is None:
            self._met.clear()
            self._total = told.query_summary.total_reviews
        reviews = [each for each in told.reviews if isinstance(each, Review)]
        self._met |= {review.recommendationid for review in reviews}
        self._answers |= {
            review.recommendationid: answer
            for review in reviews
            if (answer := review.answer(self._app, self._now))
        }
        ended = not told.reviews or told.cursor in {"", token or "*"}
        return Leaf(
            posts=[review.as_post(self._app, self._now) for review in reviews],
            unreadable=[each for each in told.reviews if isinstance(each, Unread)],
            next_token=None if ended else told.cursor,
            whole=ended and self._total is not None and len(self._met) >= self._total,
        )

    def with_answers(self, posts: tuple[Post, ...]) -> tuple[Post, ...]:
        """The reviews of a page, each followed by the developer's answer."""
        answers = (self._answers.get(post.id) for post in posts)
        return (*posts, *(answer for answer in answers if answer))


# Steam's words.

Moment = Annotated[datetime, BeforeValidator(moment)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(moment)]


def _votes(value: object) -> object:
    """A count below zero comes as one just under 2^32."""
    return 0 if isinstance(value, int) and not 0 <= value < 2**31 else value


class Reviewer(BaseModel, frozen=True, coerce_numbers_to_str=True):
    """Who wrote a review: Steam tells no name without a key."""

    steamid: str = ""


class Review(BaseModel, frozen=True, coerce_numbers_to_str=True):
    """One review. An edit keeps its number: there is one for each person and app."""

    recommendationid: str = Field(min_length=1)
    author: Reviewer = Reviewer()
    language: str = ""
    review: str = ""
    timestamp_created: Moment
    timestamp_updated: MaybeMoment = None
    voted_up: bool
    votes_up: Annotated[int, BeforeValidator(_votes)] = 0
    votes_funny: Annotated[int, BeforeValidator(_votes)] = 0
    developer_response: str = ""
    timestamp_dev_responded: MaybeMoment = None

    def as_post(self, app: str, now: datetime) -> Post:
        """The same in our words: thumbs up is five stars, thumbs down is one."""
        created = not_after(self.timestamp_created, now)
        updated = not_after(self.timestamp_updated or created, now)
        text, links = unmarked(self.review)
        return Post(
            id=self.recommendationid,
            url=self._address(app),
            kind=Kind.REVIEW,
            text=text,
            links=links,
            rating=Rating(1.0 if self.voted_up else 0.0, 0.0, 1.0),
            author=Author(id=self.author.steamid, url=self._profile),
            language=LANGUAGES.get(self.language),
            published=created,
            edited=updated if updated > created else None,
            # Steam counts no readers, but whoever voted has read it.
            reach=max(self.votes_up, self.votes_funny) or None,
            thread=self.recommendationid,
            branch=app,
        )

    def answer(self, app: str, now: datetime) -> Post | None:
        """What the developer answered, as a post of our own; there is at most one."""
        text, links = unmarked(self.developer_response)
        if not text:
            return None
        return Post(
            id=f"{self.recommendationid}/developer",
            url=self._address(app),
            kind=Kind.REPLY,
            text=text,
            links=links,
            author=Author(ours=True),
            published=not_after(self.timestamp_dev_responded or now, now),
            # Old answers have no time.
            precision=Precision.SECOND if self.timestamp_dev_responded else Precision.SEEN,
            in_reply_to=self.recommendationid,
            thread=self.recommendationid,
            branch=app,
        )

    @property
    def _profile(self) -> str | None:
        return f"{COMMUNITY}/profiles/{self.author.steamid}" if self.author.steamid else None

    def _address(self, app: str) -> str:
        if self._profile is None:
            return f"{COMMUNITY}/app/{app}/reviews/"
        return f"{self._profile}/recommended/{app}"


def _readable(given: object) -> Review | Unread:
    """Keep one bad review from spoiling its page. The reason names fields, never words."""
    try:
        return Review.model_validate(given)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"A review is in a shape we do not know: {where} ({first['type']})."
        return Unread(reason, orjson.dumps(given).decode())


class Summary(BaseModel, frozen=True):
    """What the first page says of all reviews."""

    total_reviews: int | None = None


class Listing(BaseModel, frozen=True):
    """One page of reviews; `success` is 1, or there is nothing else."""

    success: int
    query_summary: Summary = Summary()
    reviews: tuple[Annotated[Review | Unread, PlainValidator(_readable)], ...] = ()
    cursor: str = ""


# Reviews are written in Steam's own markup: https://steamcommunity.com/comment/Guide/formattinghelp

_MARK = re.compile(
    r"\[(/?)(h[1-6]|b|i|u|s|strike|spoiler|noparse|list|olist|table|tr|th|td|code|quote|hr|p|url"
    r"|img|\*)(?:[= ]([^\[\]]{0,2000}))?\]",
    re.IGNORECASE,
)
_LINES = {"h1", "h2", "h3", "h4", "h5", "h6", "list", "olist", "table", "tr", "code", "quote"} | {
    "hr",
    "p",
}
_BARE = re.compile(r"https?://[^\s\[\]<>\"']{1,2000}")


def unmarked(marked: str) -> tuple[str, tuple[str, ...]]:
    """The text as people read it, and the addresses it links to."""
    found = [match[3] for match in _MARK.finditer(marked) if match[2].lower() == "url" and match[3]]
    text = _MARK.sub(_read, clean(marked))
    found += _BARE.findall(text)
    text = re.sub(r"[ \t]+\n", "\n", text)
    links = dict.fromkeys(address for each in found if (address := absolute(each)))
    return clean(re.sub(r"\n{3,}", "\n\n", text)), tuple(links)


def _read(mark: re.Match[str]) -> str:
    name = mark[2].lower()
    if name == "*":
        return "- " if mark.string[mark.start() - 1] == "\n" else "\n- "
    if name in {"td", "th"}:
        return " "
    return "\n" if name in _LINES else ""
