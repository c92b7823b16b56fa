"""Reads a WebSocket message by message, and says in our words why there are no more."""

import re
from collections.abc import AsyncIterator, Mapping

from aiohttp import (
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientWebSocketResponse,
    WebSocketError,
    WSMsgType,
)

from connectors.kit.errors import TryLater, Unreadable
from connectors.kit.web import answers

# https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1: done, going away, and no reason at all.
ORDERLY = frozenset({0, 1000, 1001, 1005})
TOO_LONG = 1009


class NotOpened(Exception):
    """The place answered, but not by opening the WebSocket it was asked for."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"answered {status}")
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body


def addressed(url: str) -> str:
    """The address as the guard knows it: a WebSocket begins as a request over http."""
    return re.sub(r"^ws(?=s?://)", "http", url.strip(), flags=re.IGNORECASE)


async def only_opened(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Let aiohttp see an opened WebSocket, and nothing else in its place.

    It would follow a redirect by itself, past the guard, and hide what a refusal says.
    """
    response = await handler(request)
    if request.headers.get("Upgrade") != "websocket" or response.status == 101:
        return response
    headers = {name.lower(): text for name, text in response.headers.items()}
    async with response:
        raise NotOpened(response.status, headers, await _beginning(response))


async def heard(
    socket: ClientWebSocketResponse[bool], where: str, largest: int
) -> AsyncIterator[bytes | str]:
    """The messages, until the place says goodbye; `where` is its name in a sentence."""
    while True:
        message = await socket.receive()
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                yield message.data
            case WSMsgType.CLOSE if message.data in ORDERLY:
                return
            case WSMsgType.ERROR if isinstance(message.data, WebSocketError):
                raise _unreadable(message.data.code, where, largest)
            case _:
                raise TryLater(f"{where} stopped in the middle of its stream.")


def _unreadable(code: int, where: str, largest: int) -> Unreadable:
    if code == TOO_LONG:
        return Unreadable(f"{where} sent a message of more than {largest // 1_000_000} MB.")
    return Unreadable(f"{where} sent a message that is not as WebSockets send them.")


async def _beginning(response: ClientResponse) -> bytes:
    try:
        return await response.content.read(answers.RAW)
    except (ClientError, TimeoutError):
        return b""
