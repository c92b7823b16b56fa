"""The App Store's public list of customer reviews: one app in one country's store."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar
from xml.etree.ElementTree import ParseError

import orjson
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]
from pydantic import (
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    Field,
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
from connectors.kit.errors import Unreadable
from connectors.kit.text import absolute, clean, moment, not_after, plain
from connectors.kit.walk import Leaf, walk

STORE = "https://itunes.apple.com"
SITE = "https://apps.apple.com"
LAST_PAGE = 10  # of fifty reviews each: whatever is older is not listed
ATOM = "{http://www.w3.org/2005/Atom}"


class AppStore(Connector, frozen=True):
    """The newest five hundred reviews of an app in one country."""

    title: ClassVar = "Apple App Store"
    docs: ClassVar = "https://developer.apple.com/app-store/ratings-and-reviews/"
    pace: ClassVar = Pace(requests=20, per=timedelta(minutes=1))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(hours=48)  # reviews are listed a day or more after they are written

    app: str = Field(description="The app's number, or the address of its page in the App Store")
    country: str = Field(description="Which country's store, in two letters, such as gb")
    api: str = Field(STORE, description="Where the list is read, if not from Apple itself")

    @field_validator("app")
    @classmethod
    def _a_number(cls, app: str) -> str:
        found = re.fullmatch(r"(?:https?://\S*/)?(?:id)?(\d{1,20})(?:\?\S*)?", app.strip())
        if not found:
            raise ValueError("give the app's number, such as 284882215, or its page's address")
        return found[1]

    @field_validator("country")
    @classmethod
    def _two_letters(cls, country: str) -> str:
        if not re.fullmatch(r"[A-Za-z]{2}", country.strip(), re.ASCII):
            raise ValueError("give the country in two letters, such as gb")
        return country.strip().lower()

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
        asked = {"id": self.app, "country": self.country}
        found = await web.get(_Lookup, f"{self.api}/lookup", params=asked)
        store = f"the App Store of “{self.country}”"
        if not found.results:
            return Health(False, f"There is no app {self.app} in {store}.")
        name = clean(found.results[0].trackName) or self.app
        return Health(True, f"Reads the reviews of “{name}” in {store}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        async def fetch(token: str | None) -> Leaf:
            return await self._leaf(web, int(token or 1), known.now)

        async for page in walk(fetch, cursor, known, lag=self.lag, shifts=True):
            yield page

    async def _leaf(self, web: Web, page: int, now: datetime) -> Leaf:
        told = (await web.get(_Answer, self._address(page, "json"))).feed.entry
        reviews, unread = _reviews(told)
        times: Mapping[str, datetime] = {}
        if any(review.updated is None for review in reviews):
            times = await self._times(web, page)
        return Leaf(
            posts=[review.as_post(self.app, self.country, times, now) for review in reviews],
            unreadable=unread,
            # The list's own `next` often leads astray, and a page may hold fewer than fifty.
            next_token=str(page + 1) if told and page < LAST_PAGE else None,
        )

    async def _times(self, web: Web, page: int) -> Mapping[str, datetime]:
        """When each review was written: old JSON does not say, the same page as XML does."""
        answer = await web.fetch(self._address(page, "xml"))
        return await asyncio.to_thread(_written, answer.body)

    def _address(self, page: int, form: str) -> str:
        listed = f"page={page}/id={self.app}/sortby=mostrecent"
        return f"{self.api}/{self.country}/rss/customerreviews/{listed}/{form}"


# Apple's words. Every leaf is an object with a label.


def _many(value: object) -> object:
    """One review is an object, many are a list, none is nothing at all."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _label(value: object) -> object:
    return value.get("label") if isinstance(value, dict) else value


Label = Annotated[str, BeforeValidator(_label)]


class _Attributes(BaseModel):
    type: str = "text"


class _Content(BaseModel):
    label: str = ""
    attributes: _Attributes = _Attributes()

    def as_text(self) -> str:
        return plain(self.label).text if self.attributes.type == "html" else clean(self.label)


class _Author(BaseModel):
    name: Label = ""
    uri: Label = ""


class _Review(BaseModel):
    id: Label = Field(min_length=1)
    title: Label = ""
    content: _Content = _Content()
    rating: Annotated[int, BeforeValidator(_label)] = Field(alias="im:rating", ge=1, le=5)
    author: _Author = _Author()
    updated: Annotated[str | None, BeforeValidator(_label)] = None

    def as_post(self, app: str, country: str, times: Mapping[str, datetime], now: datetime) -> Post:
        # The only time there is moves with every edit, and so does the place in the list.
        written = moment(self.updated) or times.get(self.id)
        profile = absolute(re.sub(r"^http:", "https:", self.author.uri))
        number = re.search(r"/id(\d+)", self.author.uri)
        return Post(
            id=clean(self.id),
            url=f"{SITE}/{country}/app/id{app}?see-all=reviews",
            kind=Kind.REVIEW,
            title=clean(self.title) or None,
            text=self.content.as_text(),
            rating=Rating(self.rating),
            author=Author(
                id=number[1] if number else "", name=clean(self.author.name), url=profile
            ),
            published=not_after(written or now, now),
            precision=Precision.SECOND if written else Precision.SEEN,
            branch=app,
        )


class _Feed(BaseModel):
    entry: Annotated[list[object], BeforeValidator(_many)] = []


class _Answer(BaseModel):
    feed: _Feed


class _App(BaseModel):
    trackName: str = ""  # noqa: N815 Apple's word


class _Lookup(BaseModel):
    results: list[_App]


def _reviews(told: list[object]) -> tuple[list[_Review], list[Unread]]:
    """The reviews of a page, and what could not be read of it."""
    reviews: list[_Review] = []
    unread: list[Unread] = []
    for one in told:
        if isinstance(one, dict) and "im:name" in one and "im:rating" not in one:
            continue  # older lists begin with the app itself
        try:
            reviews.append(_Review.model_validate(one))
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"]) or "review"
            raw = orjson.dumps(one).decode("utf-8", "replace")
            unread.append(Unread(f"A review is not in Apple's usual shape: its {where}.", raw))
    return reviews, unread


def _written(body: bytes) -> Mapping[str, datetime]:
    try:
        feed = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable(
            "Apple's list of reviews came as XML that cannot be read.",
            raw=body[:64_000].decode("utf-8", "replace"),
        ) from None
    return {
        review.findtext(f"{ATOM}id", ""): time
        for review in feed.iter(f"{ATOM}entry")
        if (time := moment(review.findtext(f"{ATOM}updated")))
    }
