"""Takes server-sent events apart, however the bytes arrive."""

import codecs
from collections.abc import Iterator
from datetime import timedelta

from connectors.kit.contract import ServerEvent
from connectors.kit.errors import Unreadable


class Events:
    """An incremental reader of one text/event-stream.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """

    def __init__(self, *, largest: int) -> None:
        self.retry: timedelta | None = None  # how long the place wants us to wait after a cut
        self._largest = largest
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._begun = False
        self._half = ""  # a line that has not ended yet
        self._after_cr = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._id = ""

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that this chunk completes."""
        for line in self._lines(self._decoder.decode(chunk)):
            if line:
                self._field(line)
            elif event := self._complete():
                yield event

    def _lines(self, text: str) -> Iterator[str]:
        if text and not self._begun:
            text, self._begun = text.removeprefix("\ufeff"), True
        if self._after_cr and text:
            text, self._after_cr = text.removeprefix("\n"), False
        # A CR ends its line at once; the LF that may follow it belongs to it.
        self._after_cr = self._after_cr or text.endswith("\r")
        *whole, last = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in whole:
            complete, self._half = self._half + line, ""
            yield complete
        self._half += last
        if len(self._half) + self._size > self._largest:
            raise Unreadable(f"The place sent an event of more than {self._largest} bytes.")

    def _field(self, line: str) -> None:
        name, _, text = line.partition(":")
        text = text.removeprefix(" ")
        match name:
            case "event":
                self._event = text
            case "data":
                self._data.append(text)
                self._size += len(text) + 1
                if self._size > self._largest:
                    raise Unreadable(f"The place sent an event of more than {self._largest} bytes.")
            case "id" if "\0" not in text:
                self._id = text
            case "retry" if text.isascii() and text.isdigit() and len(text) < 10:
                self.retry = timedelta(milliseconds=int(text))
            case _:
                pass  # a comment, such as a heartbeat, or a field of the future

    def _complete(self) -> ServerEvent | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = "", [], 0
        return ServerEvent(event or "message", "\n".join(data), self._id) if data else None
