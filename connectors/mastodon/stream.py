"""What a Mastodon stream sends, unwrapped, and what is remembered of it while it lasts."""

from collections import OrderedDict

import orjson

from connectors.kit.contract import ServerEvent

# The names that Mastodon, and the software that copies it, uses for an edit.
EDITS = frozenset({"status.update", "status_update"})

# How many posts of one stream are remembered so that their deletion can be told: a delete
# event carries only the server's own id.
REMEMBERED = 20_000


class Seen:
    """The posts of one run by their server's own id, the oldest forgotten first."""

    def __init__(self) -> None:
        self._uris: OrderedDict[str, str] = OrderedDict()

    def __contains__(self, local: str) -> bool:
        return local in self._uris

    def add(self, local: str, uri: str) -> None:
        """Remember the global id of a post."""
        self._uris[local] = uri
        if len(self._uris) > REMEMBERED:
            self._uris.popitem(last=False)

    def get(self, local: str) -> str:
        """The global id, empty when it is not remembered."""
        return self._uris.get(local, "")


def unwrapped(event: ServerEvent) -> tuple[str, str]:
    """The event's name and its JSON.

    Servers that share code with their WebSocket wrap it once more, as text within JSON.
    """
    name, text = event.event, event.data
    for _ in range(2):
        try:
            told = orjson.loads(text)
        except orjson.JSONDecodeError:
            break
        if isinstance(told, dict) and isinstance(told.get("event"), str) and "payload" in told:
            name, told = told["event"], told["payload"]
            text = told if isinstance(told, str) else orjson.dumps(told).decode()
        elif isinstance(told, str):
            text = told
        else:
            break
    return name, text
