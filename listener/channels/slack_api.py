"""Slack's Web API, by its own SDK over our guarded network, its refusals put into our words.

https://docs.slack.dev/apis/web-api
"""

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Self

from aiohttp import ClientTimeout
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.web.file_upload_v2_result import FileUploadV2Result
from typing_extensions import override
from yarl import URL

from connectors.kit.web import Network
from connectors.kit.web.call import Call
from listener.channels.contract import NotNow, Undelivered
from listener.channels.prints import Print

API: Final = "https://slack.com/api/"
PATIENCE: Final = ClientTimeout(total=10)
PAGES: Final = 10  # of a channel's history that are looked through for a card of ours
PAGE: Final = 100

# What a person has to do about a refusal. https://docs.slack.dev/reference/methods
_SAID: Final[Mapping[str, str]] = {
    "not_in_channel": "The app is not in the channel {channel}: write /invite @Listener there.",
    "channel_not_found": "There is no channel {channel} that the app can see: take its id from the "
    "channel's details, and write /invite @Listener there when it is private.",
    "is_archived": "The channel {channel} is archived: choose another.",
    "restricted_action": "The workspace lets nobody like the app write in {channel}.",
    "invalid_auth": "Slack does not know the token: copy the Bot User OAuth Token again.",
    "not_authed": "There is no token: copy the Bot User OAuth Token.",
    "token_revoked": "The token was revoked: install the app again and copy the new token.",
    "token_expired": "The token has expired: install the app again and copy the new token.",
    "account_inactive": "The app was removed from the workspace: install it again.",
    "no_permission": "The app lacks a right: install it again with the manifest of docs/slack.md.",
    "not_allowed_token_type": "This is the wrong kind of token: the bot's begins with xoxb-, the "
    "one for Socket Mode with xapp-.",
}
_LATER: Final = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)


class Refused(Undelivered):
    """Slack understood, and says no; `error` is its own word for it."""

    lasting = True

    def __init__(self, message: str, error: str) -> None:
        super().__init__(message)
        self.error = error


# The SDK logs answers and addresses, in which there are words of customers and keys.
silent = logging.getLogger("listener.slack_sdk")
silent.addHandler(logging.NullHandler())
silent.setLevel(logging.CRITICAL + 1)
silent.propagate = False


class GuardedClient(AsyncWebClient):
    """The SDK's client, each of whose calls passes our guard, once: a cut is never asked again."""

    def __init__(self, network: Network, token: str, api: str = API) -> None:
        super().__init__(
            token=token,
            base_url=api if api.endswith("/") else f"{api}/",
            retry_handlers=[],  # its own would post twice after a cut
            logger=silent,
        )
        self.network = network
        self.proxy = network.proxy

    @override
    async def _request(
        self, *, http_verb: str, api_url: str, req_args: dict[str, Any]
    ) -> dict[str, Any]:
        asked = req_args | {"timeout": PATIENCE, "allow_redirects": False}
        with self.network.admitted(Call(http_verb, URL(api_url), {})) as session:
            self.session = session
            return await super()._request(http_verb=http_verb, api_url=api_url, req_args=asked)

    @override
    async def _upload_file(self, *, url: str, **asked: Any) -> FileUploadV2Result:
        with self.network.admitted(Call("POST", URL(url), {})) as session:
            self.session = session
            return await super()._upload_file(url=url, **asked)


@contextmanager
def in_our_words(channel: str = "") -> Iterator[None]:
    """What the SDK raises, as what is to be done about it."""
    try:
        yield
    except SlackApiError as error:
        raise refusal(error, channel) from None
    except SlackClientError:
        raise Undelivered("Slack answered what its own library does not understand.") from None


def said(answer: AsyncSlackResponse) -> dict[str, Any]:
    """What a method answered."""
    return answer.data if isinstance(answer.data, dict) else {}


class Api:
    """What we ask of Slack: one method each, errors in sentences."""

    def __init__(self, client: AsyncWebClient) -> None:
        self.client = client

    @classmethod
    def at(cls, network: Network, token: str, api: str = API) -> Self:
        """The API at an address, with a token."""
        return cls(GuardedClient(network, token, api))

    async def call(self, method: str, **asked: Any) -> dict[str, Any]:
        """Call one method; NotNow, Refused, or what it answers."""
        with in_our_words(str(asked.get("channel", ""))):
            return said(await self.client.api_call(method, json=asked))

    async def read(self, method: str, **asked: Any) -> dict[str, Any]:
        """Call a method that takes its arguments in the address or as a form."""
        with in_our_words(str(asked.get("channel", ""))):
            return said(await self.client.api_call(method, data=asked))

    async def granted(self) -> tuple[frozenset[str], str]:
        """The scopes that the token has, and the name of its workspace."""
        with in_our_words():
            answer = await self.client.auth_test()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        scopes = str(headers.get("x-oauth-scopes", "")).split(",")
        return frozenset(scope.strip() for scope in scopes), str(answer.get("team", ""))

    async def post(self, channel: str, message: Mapping[str, Any], **more: Any) -> str:
        """Post a message; its `ts`. No word of it is parsed for names, and no link is fetched."""
        answer = await self.call(
            "chat.postMessage",
            channel=channel,
            parse="none",
            link_names=False,
            unfurl_links=False,
            unfurl_media=False,
            **message,
            **more,
        )
        return str(answer["ts"])

    async def edit(self, channel: str, ts: str, message: Mapping[str, Any]) -> None:
        """Make a message of ours another."""
        await self.call(
            "chat.update", channel=channel, ts=ts, parse="none", link_names=False, **message
        )

    async def whisper(self, channel: str, user: str, text: str) -> None:
        """Tell one person in a channel what nobody else sees; `text` is escaped."""
        await self.call(
            "chat.postEphemeral",
            channel=channel,
            user=user,
            text=text,
            parse="none",
            link_names=False,
        )

    async def show(self, channel: str, ts: str, pictures: Sequence[Print], *, since: float) -> None:
        """Put pictures into the thread of a message; nothing when there are files already."""
        async for message in self.messages(channel, since=since, thread=ts):
            if message.get("files"):
                return
        files = [
            {
                "filename": f"{one.name}.png",
                "title": one.caption,
                "alt_txt": one.says,
                "file": one.png,
            }
            for one in pictures
        ]
        with in_our_words(channel):
            await self.client.files_upload_v2(file_uploads=files, channel=channel, thread_ts=ts)

    async def talk_with(self, user: str) -> str:
        """The conversation with one person."""
        answer = await self.call("conversations.open", users=user)
        return str(answer["channel"]["id"])

    async def find(
        self, channel: str, kind: str, key: str, *, since: float, thread: str | None = None
    ) -> str | None:
        """A message of ours by its metadata, in a channel or a thread; None when it is not there."""
        async for message in self.messages(channel, since=since, thread=thread):
            told = message.get("metadata") or {}
            if told.get("event_type") == kind and told.get("event_payload", {}).get("key") == key:
                return str(message["ts"])
        return None

    async def messages(
        self, channel: str, *, since: float, thread: str | None
    ) -> AsyncIterator[dict[str, Any]]:
        """What was written in a channel or a thread since a moment, page by page."""
        asked: dict[str, Any] = {
            "channel": channel,
            "oldest": f"{since:.6f}",
            "limit": PAGE,
            "include_all_metadata": "true",
        }
        method = "conversations.history"
        if thread is not None:
            method, asked = "conversations.replies", asked | {"ts": thread}
        for _ in range(PAGES):
            answer = await self.read(method, **asked)
            for message in answer.get("messages", []):
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            asked["cursor"] = cursor


def refusal(error: SlackApiError, channel: str) -> Exception:
    """What Slack's refusal means, as the error that says what to do."""
    response = error.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    headers = {name.lower(): value for name, value in getattr(response, "headers", {}).items()}
    if status == 429:
        seconds = headers.get("retry-after", "")
        return NotNow(timedelta(seconds=int(seconds) if str(seconds).isdigit() else 30))
    told = getattr(response, "data", None)
    data: dict[str, Any] = told if isinstance(told, dict) else {}
    word = str(data.get("error", ""))
    if word == "ratelimited":
        return NotNow(timedelta(seconds=30))
    if word in _LATER or status >= 500 or not word:
        return Undelivered(f"Slack is busy or broken ({word or status}); it is tried again.")
    if word == "missing_scope":
        needed = str(data.get("needed", "?"))
        return Refused(
            f"The app lacks the scope {needed}: add it under OAuth & Permissions, then install "
            "the app again.",
            word,
        )
    if word == "invalid_blocks":
        why = "; ".join((data.get("response_metadata") or {}).get("messages", []))
        return Refused(f"Slack does not take the card: {why or word}", word)
    sentence = _SAID.get(word, f"Slack refuses: {word[:80]}.")
    return Refused(sentence.format(channel=channel or "it"), word)
