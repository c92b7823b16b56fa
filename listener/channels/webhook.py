"""The outgoing webhook: signed as Standard Webhooks asks, the same id at every try."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook
from typing_extensions import override

from connectors.kit.errors import ConnectorError
from listener.channels.contract import Announced, Channel, Telling, Undelivered, Warned

# What only cards for people show; a program asks the API.
UNSAID: Final = frozenset(
    {"id", "marks", "reach", "gone", "opened_at", "taken_at", "answered_at", "closed_at"}
    | {"snoozed_until"}
)
Send = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]


@dataclass(frozen=True)
class OutgoingWebhook(Channel):
    """Posts every notice to one address."""

    url: str
    secret: str  # whsec_ and base64
    post: Send

    @override
    async def send(self, telling: Telling) -> None:
        await self.deliver(telling.id, words(telling))

    async def ring(self, warned: Warned) -> None:
        """An alarm, or that it is over."""
        await self.deliver(warned.id, alarm_words(warned))

    async def announce(self, announced: Announced) -> None:
        """How a crisis goes on."""
        await self.deliver(announced.id, crisis_words(announced))

    async def deliver(self, id: str, said: dict[str, Any]) -> None:  # noqa: A002
        """Sign and post it under its id."""
        body = orjson.dumps(said, option=orjson.OPT_UTC_Z)
        moment = datetime.now(UTC)
        try:
            signature = Webhook(self.secret).sign(id, moment, body.decode())
        except (ValueError, EmptyWebhookSecretError):
            raise Undelivered(
                "Its secret is no key to sign with: that is whsec_ and random bytes in base64."
            ) from None
        headers = {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature,
        }
        try:
            status = await self.post(self.url, body, headers)
        except ConnectorError as error:
            raise Undelivered(str(error)) from error
        if not 200 <= status < 300:
            raise Undelivered(f"The webhook's address answered {status}.")


def words(telling: Telling) -> dict[str, Any]:
    """The body of a delivery: `type`, `timestamp` and `data`, as the standard has them."""
    case = asdict(telling)
    kind, what = case.pop("news"), case.pop("what")
    del case["why"]  # a webhook is no person
    return {
        "type": kind.value.replace(" ", "."),
        "timestamp": case.pop("at"),
        "data": {"event": what.value, "case": case.pop("case_id")}
        | {name: value for name, value in case.items() if name not in UNSAID},
    }


def alarm_words(warned: Warned) -> dict[str, Any]:
    """The body of a delivery about an alarm."""
    return {
        "type": "alarm.over" if warned.over else "alarm.raised",
        "timestamp": warned.at,
        "data": {
            "alarm": warned.alarm_id,
            "brand": warned.brand,
            "source": warned.source,
            "about": warned.sort.value,
            "since": warned.since,
            "sentence": warned.sentence,
            "count": warned.count,
            "passed_on": warned.passed_on,
            "theme": {"id": warned.theme_id, "name": warned.theme} if warned.theme_id else None,
            "usual": list(warned.usual) if warned.usual else None,
            "posts": [{"text": words, "url": url} for words, url in warned.quotes],
        },
    }


def crisis_words(announced: Announced) -> dict[str, Any]:
    """The body of a delivery about a crisis."""
    return {
        "type": f"crisis.{announced.told.value}",
        "timestamp": announced.at,
        "data": {
            "crisis": announced.crisis_id,
            "brand": announced.brand,
            "name": announced.name,
            "sentence": announced.sentence,
            "text": announced.text,
            "by": announced.who,
            "lead": announced.lead,
            "open_cases": announced.unclosed,
        },
    }
