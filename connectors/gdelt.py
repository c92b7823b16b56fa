"""GDELT's index of the world's online news, searched window by window, 250 articles at most."""

import html
import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson
from pydantic import (
    AnyHttpUrl,
    AwareDatetime,
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
    Answer,
    Attachment,
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
    Span,
    Unread,
    Web,
)
from connectors.kit.errors import TryLater, Unreadable
from connectors.kit.text import absolute, clean, moment

GDELT_API = "https://api.gdeltproject.org"
DAYS = 88  # of a rolling window of three months: https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/
OFTEN = timedelta(seconds=30)  # after "limit requests to one every 5 seconds"


class Gdelt(Connector, frozen=True, hide_input_in_errors=True):
    """Articles that a search of the last three months finds: titles and addresses, no texts."""

    title: ClassVar = "GDELT news"
    docs: ClassVar = "https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/"
    # One request every five seconds, says the place when it is asked more often.
    pace: ClassVar = Pace(requests=1, per=timedelta(seconds=5), at_once=1)
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(hours=1)  # the index is renewed four times an hour

    most: ClassVar[int] = 250  # articles of one answer
    finest: ClassVar[timedelta] = timedelta(minutes=15)  # the index's own grain

    query: str = Field(
        min_length=3,
        max_length=500,
        description='What to search for; "in quotes" is a phrase, sourcelang:german a language',
    )
    api: str = Field(GDELT_API, description="The address of the search")

    @field_validator("api")
    @classmethod
    def _an_address(cls, address: str) -> str:
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @override
    async def check(self, web: Web) -> Health:
        await self._search(web, timespan="1d", maxrecords="1")
        return Health(True, f"Searches the world's news for {self.query}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        """Search from now downwards, in windows small enough that an answer hides nothing.

        A window whose answer is full is shortened; a sparse one makes the next twice as long.
        A walk that was cut goes on where it stopped, then a new one reads what came above it.
        """
        mark = _mark(cursor)
        walk, resumed = mark.walk, mark.walk is not None
        while True:
            walk = walk or self._from_now(mark, known)
            while walk is not None:
                found = await self._window(web, walk)
                full = len(found) >= self.most
                if full and walk.width > self.finest:
                    walk = walk.shortened(found, self.finest)
                    continue
                page, walk = self._turned(found, full, mark, walk)
                yield page
                mark = _mark(page.cursor)
            if not resumed:
                return
            resumed = False

    def _from_now(self, mark: "Mark", known: Known) -> "Walk":
        """A new walk down to what was read before, with an overlap because the index is late."""
        since = known.since if mark.read is None else min(mark.read - self.lag, known.now)
        floor = max(since, known.now - timedelta(days=DAYS)).replace(microsecond=0)
        # Their clock may be ahead of ours by a grain.
        end = known.now.replace(microsecond=0) + self.finest
        return Walk(floor=floor, end=end, width=end - floor, top=known.now)

    def _turned(
        self, found: "list[Article | Unread]", full: bool, mark: "Mark", walk: "Walk"
    ) -> "tuple[Page, Walk | None]":
        """The page that a window makes, and what remains of the walk below it."""
        unreadable = [one for one in found if isinstance(one, Unread)]
        posts = {one.id: one.as_post() for one in reversed(found) if isinstance(one, Article)}
        if full:  # this stays a gap: no window is smaller
            reason = f"GDELT found more than {self.most} articles of one quarter of an hour."
            unreadable.append(Unread(reason, walk.start.isoformat()))
        rest = walk.below(sparse=len(found) < self.most // 2)
        after = Mark(read=walk.top) if rest is None else Mark(read=mark.read, walk=rest)
        end = min(walk.end, walk.top)
        page = Page(
            posts=tuple(reversed(posts.values())),
            cursor=after.model_dump_json(exclude_none=True),
            unreadable=tuple(unreadable),
            span=None if full or walk.start > end else Span(walk.start, end),
        )
        return page, rest

    async def _window(self, web: Web, walk: "Walk") -> "list[Article | Unread]":
        return await self._search(
            web,
            startdatetime=f"{walk.start:%Y%m%d%H%M%S}",
            enddatetime=f"{walk.end:%Y%m%d%H%M%S}",
            maxrecords=str(self.most),
        )

    async def _search(self, web: Web, **more: str) -> "list[Article | Unread]":
        words = {"query": self.query, "mode": "artlist", "format": "json", "sort": "datedesc"}
        answer = await web.fetch(f"{self.api}/api/v2/doc/doc", params={**words, **more})
        return list(_listing(answer).articles)


class Walk(BaseModel, frozen=True):
    """What remains to be read, from `end` down to `floor`; the next window is `width` long.

    Windows hold both their ends, so neighbours share a second. Times are whole seconds.
    """

    floor: AwareDatetime
    end: AwareDatetime
    width: timedelta
    top: AwareDatetime  # when the walk began

    @property
    def start(self) -> datetime:
        """Where the next window begins."""
        return max(self.floor, self.end - self.width)

    def shortened(self, found: "Sequence[Article | Unread]", finest: timedelta) -> "Walk":
        """The same with a window of half the length, or less, where less will not be full.

        The newest are shown first, so it will not be if it begins after the oldest shown. It is
        asked for all the same: only an answer that is not full proves that it hides nothing.
        """
        half = (self.end - self.start) // 2
        times = [one.seendate for one in found if isinstance(one, Article)]
        shown = self.end - min(times) if times else half
        width = min(half, shown) - timedelta(seconds=1)
        whole = timedelta(seconds=int(width.total_seconds()))
        return self.model_copy(update={"width": max(whole, finest)})

    def below(self, *, sparse: bool) -> "Walk | None":
        """What remains after this window; the next is twice as long after a sparse one."""
        if self.start <= self.floor:
            return None
        width = min(2 * self.width, timedelta(days=DAYS)) if sparse else self.width
        return self.model_copy(update={"end": self.start, "width": width})


class Mark(BaseModel, frozen=True):
    """What a cursor says: everything before `read` has been read, and which walk is under way."""

    read: AwareDatetime | None = None
    walk: Walk | None = None


def _mark(cursor: str | None) -> Mark:
    """What a cursor says; one that is not ours begins anew, which loses nothing."""
    try:
        return Mark.model_validate_json(cursor or "{}")
    except ValidationError:
        return Mark()


class Article(BaseModel, frozen=True):
    """One article, in GDELT's words."""

    url: str
    title: str = ""
    seendate: Annotated[AwareDatetime, BeforeValidator(lambda text: seen(text))]
    socialimage: str = ""
    domain: str = ""
    language: str = ""

    @property
    def id(self) -> str:
        """The address as the same article has it under all its spellings."""
        return canonical(self.url)

    def as_post(self) -> Post:
        """The article as a post: a title is all the text there is."""
        address, image = cleaned(self.url), absolute(self.socialimage)
        domain = clean(self.domain) or (urlsplit(address).hostname or "")
        return Post(
            id=self.id,
            url=address,
            kind=Kind.ARTICLE,
            title=untokenised(clean(html.unescape(self.title)), self.language) or None,
            text="",
            author=Author(id=domain, name=domain, url=absolute(f"https://{domain}")),
            published=self.seendate,
            precision=Precision.SEEN,  # when GDELT saw it, to a quarter of an hour
            language=LANGUAGES.get(self.language.replace(" ", "").lower()),
            attachments=(Attachment(image, "image"),) if image else (),
        )


def _readable(given: object) -> Article | Unread:
    """Keep one bad article from spoiling its window. The reason names fields, never words."""
    try:
        article = Article.model_validate(given)
        if not article.id:
            return Unread("An article has no address.", orjson.dumps(given).decode())
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"An article is in a shape we do not know: {where} ({first['type']})."
        return Unread(reason, orjson.dumps(given).decode("utf-8", "replace"))
    return article


class Listing(BaseModel, frozen=True):
    """What a search found; an empty object when it is nothing."""

    articles: tuple[Annotated[Article | Unread, PlainValidator(_readable)], ...] = ()


def seen(text: object) -> datetime | None:
    """A time such as 20260828T121500Z."""
    try:
        return datetime.strptime(str(text), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return moment(str(text))


# Answers. Errors come as plain text with status 200, and JSON with what JSON does not allow.

BAD_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
CONTROL = re.compile(r"[\x00-\x1f]")


def _listing(answer: Answer) -> Listing:
    text = answer.body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not text.startswith("{"):
        raise _said(text)
    try:
        return Listing.model_validate(lenient(text))
    except (orjson.JSONDecodeError, ValidationError):
        raise Unreadable(
            "GDELT answered something that is not its JSON.", raw=text[:64_000]
        ) from None


def lenient(text: str) -> Any:
    """Read JSON in which titles carry control characters and backslashes as they came."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        text = BAD_ESCAPE.sub(lambda found: found[0] if len(found[0]) > 1 else "\\\\", text)
        return orjson.loads(CONTROL.sub(" ", text))


def _said(text: str) -> TryLater | Unreadable:
    """What a plain sentence of GDELT's means for us."""
    lower = text[:2_000].lower()
    if "limit requests" in lower:
        return TryLater("GDELT says we ask too often.", wait=OFTEN)
    if any(word in lower for word in ("too short", "too long", "too common", "illegal character")):
        return Unreadable(
            "GDELT does not take the query: words and phrases need three to five characters at "
            "least, and not only the commonest words. Change the option query.",
            raw=text[:64_000],
        )
    return Unreadable("GDELT answered with a sentence instead of a list.", raw=text[:64_000])


# Addresses.

# A piece of the page's HTML that their reader took for the address: …/article%20title=
STRAY = re.compile(
    r'(?:%20|%22|%27|["\'\s])+(?:title|target|rel|class|alt|style|id)=.*$', re.IGNORECASE
)
FOLLOWED = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|igshid", re.IGNORECASE)
PORTS = {"http": ":80", "https": ":443"}


def cleaned(url: str) -> str:
    """The address without its default port and what does not belong to it; empty if none."""
    address = absolute(STRAY.sub("", html.unescape(url).strip()))
    if address is None:
        return ""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(PORTS[parts.scheme])
    return parts._replace(netloc=host, fragment="").geturl()


def canonical(url: str) -> str:
    """One spelling for one article: without scheme, last slash and what counts visitors."""
    parts = urlsplit(cleaned(url))
    kept = [pair for pair in parse_qsl(parts.query, True) if not FOLLOWED.fullmatch(pair[0])]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{parts.netloc}{parts.path.rstrip('/')}{query}"


# Titles come with blanks around every mark.

QUOTED = re.compile(r'" ([^"]{1,300}?) "')
CONTRACTED = re.compile(r"(\w) ?(['’]) (s|t|d|m|re|ve|ll)\b")
ELIDED = re.compile(
    r"\b(l|d|j|m|t|s|n|c|qu|un|dell|all|nell|sull|quest) (['’]) (?=\w)", re.IGNORECASE
)
NUMBER = re.compile(r"(?<!\d)(\d{1,3}) ([.,:]) (?=\d{2,3}\b)|(\d) (\.) (?=\d)")
BEFORE = re.compile(r" +([,.%)\]}…]|\.{3})(?![\w.])")
BEFORE_TALL = re.compile(r" +([;:!?])(?!\w)")  # which French sets apart
AFTER = re.compile(r"([(\[{]) +|([$€£]) +(?=\d)")


def untokenised(title: str, language: str = "") -> str:
    """The title as a person would have written it."""
    title = " ".join(title.split())
    title = CONTRACTED.sub(r"\1\2\3", ELIDED.sub(r"\1\2", QUOTED.sub(r'"\1"', title)))
    title = NUMBER.sub(lambda found: "".join(part or "" for part in found.groups()), title)
    title = AFTER.sub(lambda found: found[1] or found[2], BEFORE.sub(r"\1", title))
    return title if language == "French" else BEFORE_TALL.sub(r"\1", title)


# The languages that GDELT translates, by their English names as it writes them.
TAGS = """
afrikaans=af albanian=sq amharic=am arabic=ar armenian=hy assamese=as azerbaijani=az basque=eu
belarusian=be bengali=bn bosnian=bs bulgarian=bg burmese=my catalan=ca chinese=zh croatian=hr
czech=cs danish=da dutch=nl english=en estonian=et filipino=fil finnish=fi french=fr galician=gl
georgian=ka german=de greek=el gujarati=gu hausa=ha hebrew=he hindi=hi hungarian=hu icelandic=is
indonesian=id irish=ga italian=it japanese=ja javanese=jv kannada=kn kazakh=kk khmer=km
kinyarwanda=rw korean=ko kurdish=ku kyrgyz=ky lao=lo latvian=lv letzeburgesch=lb lithuanian=lt
luxembourgish=lb macedonian=mk malagasy=mg malay=ms malayalam=ml maltese=mt marathi=mr
mongolian=mn nepali=ne norwegian=no norwegiannynorsk=nn oriya=or pashto=ps persian=fa polish=pl
portuguese=pt punjabi=pa romanian=ro russian=ru serbian=sr sindhi=sd sinhalese=si slovak=sk
slovenian=sl somali=so spanish=es swahili=sw swedish=sv tagalog=tl tajik=tg tamil=ta tatar=tt
telugu=te thai=th tibetan=bo tigrinya=ti turkish=tr turkmen=tk ukrainian=uk urdu=ur uyghur=ug
uzbek=uz vietnamese=vi welsh=cy yiddish=yi yoruba=yo
"""
LANGUAGES = dict(pair.split("=") for pair in TAGS.split())
