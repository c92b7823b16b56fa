"""An inference server on this machine that answers as Text Embeddings Inference does.

Written after its documented interface. What it knows of feelings it has from our listed words.
"""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from aiohttp import web

from models import remote
from models.errors import Unavailable
from models.lexicon import Lexicon
from models.verdict import Feeling, Question
from tests.models.beside import beside

Scores = dict[str, float]
Answer = Callable[[web.Request], web.Response]


def listed(text: str) -> Scores:
    """What the listed words say, as three probabilities."""
    (verdict,) = Lexicon().judge([Question(text, language="en")])
    rest = 1 - verdict.complaint
    positive = rest * (0.8 if verdict.feeling is Feeling.POSITIVE else 0.2)
    return {"negative": verdict.complaint, "neutral": rest - positive, "positive": positive}


@dataclass
class Inference:
    """The server: what it was asked, and how it shall behave."""

    scores: Callable[[str], Scores] = listed
    most: int = 32  # --max-client-batch-size
    instead: Answer | None = None  # what it answers to everything
    lots: list[list[str]] = field(default_factory=list)  # the texts of each request it took
    address: str = ""
    bodies: list[dict[str, object]] = field(default_factory=list)

    async def predict(self, request: web.Request) -> web.Response:
        """POST /predict."""
        asked = await request.json()
        self.bodies.append(asked)
        if self.instead is not None:
            return self.instead(request)
        inputs = asked["inputs"]
        if isinstance(inputs, str) or isinstance(inputs[0], str):
            # One text or a pair that belongs together: one answer, not in a list.
            return web.json_response(
                self.row("\n".join([inputs] if isinstance(inputs, str) else inputs))
            )
        texts = ["\n".join(sequence) for sequence in inputs]
        if len(texts) > self.most:
            return trouble(
                413,
                f"batch size {len(texts)} > maximum allowed batch size {self.most}",
                "validation",
            )
        if any(len(text) > 2_000 for text in texts) and not asked.get("truncate"):
            return trouble(413, "inputs must have less than 512 tokens", "validation")
        for text in texts:
            if "cannot be cut" in text:
                return trouble(422, f"Tokenization error: {text}", "tokenizer")
        self.lots.append(texts)
        return web.json_response([self.row(text) for text in texts])

    def row(self, text: str) -> list[dict[str, object]]:
        """The labels of one text, most probable first."""
        found = sorted(self.scores(text).items(), key=lambda pair: -pair[1])
        return [{"score": score, "label": label} for label, score in found]

    def post(self, body: bytes) -> bytes:
        """Ask this server as the listener does: bytes there and back, other statuses as errors."""
        parts = urlsplit(self.address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            connection.request("POST", remote.PATH, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        except OSError:
            raise Unavailable(f"{self.address} cannot be reached.") from None
        finally:
            connection.close()
        if response.status != 200:
            told = response.headers.get("Retry-After")
            wait = timedelta(seconds=int(told)) if told else None
            raise remote.refusal(self.address, response.status, answer, wait=wait)
        return answer


def trouble(status: int, error: str, error_type: str, **headers: str) -> web.Response:
    """An error as the server writes it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response(
        {"error": error, "error_type": error_type}, status=status, headers=named
    )


@contextmanager
def serving(server: Inference) -> Iterator[Inference]:
    """Run the server beside the test."""
    app = web.Application(client_max_size=2_000_000)
    app.router.add_post(remote.PATH, server.predict)
    with beside(app) as server.address:
        yield server
