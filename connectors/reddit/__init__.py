"""Reddit: what a search finds, what communities write, and what our own inbox gets."""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import timedelta
from typing import ClassVar, Self

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
    Receipt,
    ReplyRule,
    Retention,
    State,
    Web,
)
from connectors.kit.errors import ConnectorError, Gone
from connectors.kit.walk import Leaf, walk
from connectors.reddit.access import Access, Login
from connectors.reddit.lists import Walk, together
from connectors.reddit.replies import LONGEST, ours_below, published
from connectors.reddit.shapes import SITE, Comment, Listing, Message, Submission

API = "https://oauth.reddit.com"
LONGEST_PAGE = 100  # also of ids in one request: https://www.reddit.com/dev/api
PUBLIC = ("t1_", "t3_")  # comments and submissions: what can be looked up by id


class Reddit(Connector, frozen=True):
    """One search, some communities with their comments, or the inbox of our own account.

    Lists show their newest thousand; what lies beyond stays a gap. They are read from the top
    downwards every time: asking for what came before a known post is answered with nothing,
    for ever, once that post is deleted.
    """

    title: ClassVar = "Reddit"
    docs: ClassVar = "https://www.reddit.com/dev/api"
    # https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki
    pace: ClassVar = Pace(requests=100, per=timedelta(minutes=1))
    order: ClassVar = Order.NEWEST_FIRST
    lag: ClassVar = timedelta(minutes=10)
    keeps: ClassVar = Retention(text=None, learn=False)  # the same page: no training without leave

    query: str | None = Field(
        None, min_length=1, max_length=512, description="Search submissions; comments are not found"
    )
    communities: tuple[str, ...] = Field(
        (), description="Read submissions and comments of these communities, such as r/soup"
    )
    inbox: bool = Field(
        False, description="Read mentions of our account, answers to it, and messages to it"
    )
    client_id: str = Field(min_length=1, description="The id of your app at Reddit")
    client_secret: SecretStr | None = Field(
        None, description="Its secret; an installed app has none"
    )
    account: str = Field(description="Your Reddit account: Reddit wants to know who asks")
    password: SecretStr | None = Field(
        None, description="Its password; the inbox and replies need this or a token"
    )
    token: SecretStr | None = Field(
        None, description="A permanent (refresh) token of the account, instead of its password"
    )
    api: str = Field(API, description="The address of the interface, if not Reddit's own")
    api_auth: str | None = Field(
        None, description="Where tokens are given out; follows the interface when that is changed"
    )

    @field_validator("communities", mode="before")
    @classmethod
    def _a_list(cls, names: object) -> object:
        return tuple(re.split(r"[+,\s]+", names.strip())) if isinstance(names, str) else names

    @field_validator("communities")
    @classmethod
    def _names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        found = [re.fullmatch(r"/?(?:r/)?(\w{2,24})/?", name.strip(), re.ASCII) for name in names]
        if not all(found):
            raise ValueError("give communities by their names, such as r/soup")
        return tuple(dict.fromkeys(each[1] for each in found if each))

    @field_validator("account")
    @classmethod
    def _an_account(cls, account: str) -> str:
        found = re.fullmatch(r"/?(?:(?:u|user)/)?([\w-]{2,24})/?", account.strip(), re.ASCII)
        if not found:
            raise ValueError("give the account's name as in its address, without u/")
        return found[1]

    @field_validator("api", "api_auth")
    @classmethod
    def _an_address(cls, address: str | None) -> str | None:
        if address is None:
            return None
        return str(TypeAdapter(AnyHttpUrl).validate_python(address)).rstrip("/")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if sum((self.query is not None, bool(self.communities), self.inbox)) != 1:
            raise ValueError("choose one of query, communities and inbox")
        if self.inbox and not self._may_write:
            raise ValueError("the inbox needs the account's password or a token of it")
        return self

    @property
    @override
    def about_us(self) -> bool:
        return self.inbox

    @override
    async def check(self, web: Web) -> Health:
        for path, query in self._lists:
            await self._listing(web, path, {**query, "limit": "1"})
        return Health(True, f"Reads {self._what} on Reddit, as the app of u/{self.account}.")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        lists = {path: self._walk(web, path, query, known) for path, query in self._lists}
        if len(lists) > 1:
            async for page in together(lists, cursor):
                yield page
            return
        [only] = lists.values()
        async for page in only(cursor):
            yield page

    async def recheck(self, web: Web, ids: Sequence[str]) -> list[Change]:
        """Ask for the posts by their ids, a hundred at a time; messages cannot be looked up."""
        public = [id_ for id_ in ids if id_.startswith(PUBLIC)]
        things: dict[str, Submission | Comment] = {}
        for start in range(0, len(public), LONGEST_PAGE):
            found = await self._things(web, public[start : start + LONGEST_PAGE])
            things |= {thing.name: thing for thing in found}
        return [self._change(id_, things.get(id_)) for id_ in ids]

    def can_reply(self, post: Post) -> ReplyRule:
        """Whether we can answer; a community's own rules may still forbid it to brands."""
        if not self._may_write:
            reason = "Answering needs the account's password or a token; without, answer by hand."
            return ReplyRule(False, reason=reason, link=post.url)
        if not post.id.startswith(PUBLIC):
            reason = (
                "Private messages are answered by hand: nobody could tell whether one was sent."
            )
            return ReplyRule(False, reason=reason, link=post.url)
        return ReplyRule(True, length=LONGEST, link=post.url)

    async def reply(self, web: Web, post: Post, text: str, key: str) -> Receipt:  # noqa: ARG002
        """Answer below the post, after a look whether it is still there and open.

        Reddit knows no keys: after a cut, `find_reply` says whether it was published.
        """
        if len(text) > LONGEST:
            raise ConnectorError(
                f"The reply has {len(text):,} characters, and Reddit takes {LONGEST:,}. Shorten it."
            )
        thing = next(iter(await self._things(web, [post.id])), None)
        if thing is None or thing.gone:
            raise Gone("The post is no longer on Reddit.")
        if thing.locked or thing.archived:
            raise ConnectorError("The thread is closed: nobody can answer there any more.")
        return await published(self._access(web), post, text)

    async def find_reply(self, web: Web, post: Post, key: str) -> Receipt | None:  # noqa: ARG002
        """Look for our comment right below the post."""
        return await ours_below(self._access(web), post)

    # What is read, in the words of the options.

    @property
    def _may_write(self) -> bool:
        return self.password is not None or self.token is not None

    @property
    def _what(self) -> str:
        if self.query is not None:
            return f"what a search for “{self.query}” finds"
        if self.inbox:
            return "the inbox"
        return " and ".join(f"r/{name}" for name in self.communities)

    @property
    def _lists(self) -> list[tuple[str, dict[str, str]]]:
        """The path and the fixed query of each list."""
        if self.query is not None:
            asked = {"q": self.query, "sort": "new", "t": "all", "type": "link"}
            return [("/search", {**asked, "include_over_18": "on"})]
        if self.inbox:
            return [("/message/inbox", {"mark": "false"})]
        names = "+".join(self.communities)
        return [(f"/r/{names}/new", {}), (f"/r/{names}/comments", {})]

    def _access(self, web: Web) -> Access:
        own = self.api_auth or (SITE if self.api == API else self.api)
        login = Login(
            api=self.api,
            api_auth=own,
            client_id=self.client_id,
            client_secret=self.client_secret,
            account=self.account,
            password=self.password,
            token=self.token,
        )
        return Access(login, web)

    # Reading lists and posts.

    def _walk(self, web: Web, path: str, query: dict[str, str], known: Known) -> Walk:
        async def fetch(token: str | None) -> Leaf:
            after = {"after": token} if token else {}
            listing = await self._listing(web, path, {**query, "limit": str(LONGEST_PAGE), **after})
            return Leaf(
                posts=[thing.as_post(self.account) for thing in _there(listing.things)],
                gone=[thing.name for thing in listing.things if thing.gone],
                unreadable=listing.unread,
                next_token=listing.data.after,
            )

        return lambda cursor: walk(fetch, cursor, known, lag=self.lag)

    async def _listing(self, web: Web, path: str, query: dict[str, str]) -> Listing:
        answer = await self._access(web).fetch(path, query)
        if "/subreddits/search" in answer.url:  # where Reddit sends those who err
            raise Gone(f"There is no such community: {self._what}.")
        return web.read(Listing, answer)

    async def _things(self, web: Web, ids: Sequence[str]) -> list[Submission | Comment]:
        listing = await self._access(web).get(Listing, "/api/info", {"id": ",".join(ids)})
        return [thing for thing in listing.things if isinstance(thing, Submission | Comment)]

    def _change(self, id_: str, thing: Submission | Comment | None) -> Change:
        if not id_.startswith(PUBLIC):
            return Change(id_, State.UNKNOWN)
        if thing is None:
            return Change(id_, State.ABSENT)
        if thing.gone:
            return Change(id_, State.GONE)
        state = State.EDITED if thing.edited else State.SAME
        return Change(id_, state, thing.as_post(self.account))


def _there(
    things: Iterable[Submission | Comment | Message],
) -> list[Submission | Comment | Message]:
    return [thing for thing in things if not thing.gone]
