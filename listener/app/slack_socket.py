"""Socket Mode: Slack speaks to us over a connection that we open, where we have no address.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiohttp import ClientError, ClientSession, TCPConnector
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from typing_extensions import override
from yarl import URL

from connectors.kit.errors import ConnectorError
from connectors.kit.web import Network, guard
from connectors.kit.web.call import Call
from listener.app import slack
from listener.app.parts import Parts
from listener.channels.slack_api import Api, refusal, silent
from listener.domain.secret import WrongKey
from listener.web.slack import SlackDoor, fault

log = structlog.get_logger(__name__)

CONNECT: Final = 20  # seconds
SCHEMES: Final = {"ws": "http", "wss": "https"}
STILL: Final = {"response_type": "ephemeral", "text": "Listener is still at it; look again soon."}


class GuardedSocket(SocketModeClient):
    """The SDK's client, each of whose connections passes our guard."""

    def __init__(self, network: Network, api: Api, app_token: str) -> None:
        super().__init__(app_token=app_token, web_client=api.client, logger=silent)
        self.network = network
        self.proxy = network.proxy

    @override
    async def issue_new_wss_url(self) -> str:
        answer = await self.web_client.apps_connections_open(app_token=self.app_token)
        address = URL(str(answer["url"]))
        call = Call("GET", address.with_scheme(SCHEMES.get(address.scheme, "none")), {})
        with self.network.admitted(call):
            # For this task and those it starts; the block only asks whether it may be.
            wanted = guard.passage.get()
        guard.passage.set(wanted)
        return str(address)

    async def end(self) -> None:
        """Close it, and what the SDK has started for it."""
        await self.close()  # type: ignore[no-untyped-call]  # the SDK's

    async def begin(self) -> None:
        """Connect, or raise."""
        await self.aiohttp_client_session.close()  # the SDK's own asks no guard
        self.aiohttp_client_session = ClientSession(
            connector=TCPConnector(socket_factory=guard.opening), trust_env=False
        )
        self.wss_uri = await self.issue_new_wss_url()
        async with asyncio.timeout(CONNECT):
            await self.connect()  # type: ignore[no-untyped-call]  # the SDK's


@dataclass
class SocketMode:
    """One connection for every app that has a token for it."""

    parts: Parts
    door: SlackDoor
    open: dict[str, GuardedSocket] = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)  # and why, said once

    async def step(self) -> int:
        """Open what is missing, close what is not wanted any more."""
        wanted = await self.wanted()
        for token in self.open.keys() - wanted.keys():
            await self.close(token)
        for token, api in wanted.items():
            if token not in self.open:
                await self.connect(token, api)
        return 0

    async def wanted(self) -> dict[str, Api]:
        """The apps that are to be heard, by the token that lets us."""
        found: dict[str, Api] = {}
        for row in await slack.rows(self.parts):
            with suppress(ConnectorError, WrongKey):  # whoever tells that channel says so
                token = slack.option(self.parts, row, "app_token")
                if token is not None:
                    found.setdefault(token, slack.api(self.parts, row))
        return found

    async def connect(self, token: str, api: Api) -> None:
        """Open one connection; say the first failure, and when it is over."""
        client = GuardedSocket(self.parts.network, api, token)

        async def heard(_: AsyncBaseSocketModeClient, told: SocketModeRequest) -> None:
            await self.heard(client, api, told)

        client.socket_mode_request_listeners.append(heard)
        why = ""
        try:
            await client.begin()
        except SlackApiError as error:
            why = str(refusal(error, ""))
        except (SlackClientError, ConnectorError) as error:
            why = str(error) if isinstance(error, ConnectorError) else "Slack made no sense."
        except (ClientError, TimeoutError, OSError):
            why = "Slack cannot be reached for Socket Mode."
        except BaseException:
            await client.end()
            raise
        if why:
            await client.end()
            if self.failing.get(token) != why:
                log.warning("socket mode fails", why=why)
            self.failing[token] = why
            return
        if self.failing.pop(token, None) is not None:
            log.info("socket mode works again")
        self.open[token] = client

    async def heard(self, client: SocketModeClient, api: Api, told: SocketModeRequest) -> None:
        """One thing that Slack tells us; it is answered within its three seconds.

        What fails is not answered: then Slack says so to whoever pressed, and tells events again.
        """
        try:
            answer = await self.done(api, told)
        except Exception as error:  # noqa: BLE001  (the SDK would say nothing of it)
            log.error("slack fails", why=fault(error))
            return
        response = SocketModeResponse(envelope_id=told.envelope_id, payload=answer or None)
        await client.send_socket_mode_response(response)

    async def done(self, api: Api, told: SocketModeRequest) -> dict[str, Any] | None:
        """What is to be answered, once it is done or takes long."""
        talk = self.door.talk
        words: dict[str, Any] = told.payload
        match told.type:
            case "interactive":
                return await self.door.soon(talk.acted(api, words), {})
            case "slash_commands":
                return await self.door.soon(talk.commanded(words), STILL)
            case "events_api" if isinstance(words.get("event"), dict):
                await self.door.soon(talk.happened(api, words["event"]), None)
        return None

    async def close(self, token: str) -> None:
        """Close one connection."""
        await self.open.pop(token).end()

    async def stop(self) -> None:
        """Close all connections."""
        for token in list(self.open):
            with suppress(ClientError, OSError):
                await self.close(token)
