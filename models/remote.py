"""Judges posts with a text classifier on an inference server, asked as Hugging Face's is.

The server is Text Embeddings Inference, or anything that speaks its `POST /predict`:
https://huggingface.co/docs/text-embeddings-inference. How bytes get there is not known here.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models import labels, weighing
from models.errors import BrokenModel, ModelError, Refused, TooMany, Unavailable, UnknownModel
from models.labels import Mapped
from models.verdict import Question, Verdict
from models.weighing import Shares

PREFIX = "remote:"
PATH = "/predict"
MOST = 32  # texts in one request: what the server allows unless it is told otherwise
AT_ONCE = 4  # requests on their way, so that a server with a fast card does not wait for us
HARMLESS = "ready"
KIND = re.compile(r"[A-Za-z_]{1,40}")

Post = Callable[[bytes], bytes]
"""Sends one request's body to the server and brings the answer's back. It may block.

Raises what `refusal` makes of a status other than 200, and Unavailable without an answer.
"""


class Score(BaseModel):
    """How probable the server holds one label."""

    model_config = ConfigDict(frozen=True)

    label: Annotated[str, Field(min_length=1)]
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Trouble(BaseModel):
    """The server's own account of a refusal."""

    model_config = ConfigDict(frozen=True)

    error_type: str = ""


ANSWER = TypeAdapter(list[list[Score]])


class Remote:
    """A classifier on another machine. Any number of threads may ask it."""

    def __init__(
        self,
        address: str,
        post: Post,
        *,
        at_once: int = AT_ONCE,
        mapping: Mapped | None = None,
        languages: frozenset[str] | None = None,
    ) -> None:
        self.address = address
        self.post = post
        self.at_once = at_once
        self.mapping = mapping
        self.languages = languages
        self.most = MOST
        self.mapped: dict[frozenset[str], Mapped] = {}
        self.learning = threading.Lock()

    @property
    def name(self) -> str:
        """Where the model is: which one it is, its server does not say."""
        return PREFIX + self.address.removesuffix(PATH)

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """Say for each question, in order, what the author feels and whether they complain.

        Unavailable when the server cannot answer anything now: ask again later. BrokenModel
        when it cannot answer this, or answers what makes no sense.
        """
        return weighing.judge(questions, self.ask, name=self.name, languages=self.languages)

    def ask(self, texts: Sequence[str]) -> list[Shares]:
        """The probability of each meaning, text by text."""
        # Texts of like length together save the server padding.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        requests = list(split([texts[place] for place in order], self.most))
        if len(requests) == 1:
            answers = [self.answered(requests[0])]
        else:
            with ThreadPoolExecutor(self.at_once, "ask") as side_by_side:
                coming = [side_by_side.submit(self.answered, request) for request in requests]
                try:
                    answers = [one.result() for one in coming]
                except BaseException:
                    # A server that cannot answer one is not asked all the others.
                    side_by_side.shutdown(wait=False, cancel_futures=True)
                    raise
        found = dict(zip(order, (one for answer in answers for one in answer), strict=True))
        return [found[place] for place in range(len(texts))]

    def answered(self, texts: Sequence[str]) -> list[Shares]:
        """Ask about some texts, in smaller lots when the server refuses them together."""
        try:
            return self.asked(texts)
        except Refused as refused:
            if len(texts) == 1:
                self.prove_ready()
                raise BrokenModel(f"{refused} It takes others, so it is about this one.") from None
            half = len(texts) // 2
            if isinstance(refused, TooMany):
                self.most = max(1, min(self.most, half))
            return [*self.answered(texts[:half]), *self.answered(texts[half:])]

    def prove_ready(self) -> None:
        """Ask something that no text is to blame for; Unavailable when that is refused as well."""
        try:
            self.asked([HARMLESS])
        except Refused as refused:
            raise Unavailable(str(refused)) from None

    def asked(self, texts: Sequence[str]) -> list[Shares]:
        """Ask once, and look at the answer before it is believed."""
        return self.understood(self.post(request(texts)), len(texts))

    def understood(self, answer: bytes, expected: int) -> list[Shares]:
        """Read an answer as probabilities of meanings."""
        try:
            rows = ANSWER.validate_json(answer)
        except ValidationError as problem:
            # The fault's own words would repeat the answer, and that may repeat a text.
            kind = problem.errors(include_url=False, include_input=False)[0]["type"]
            raise BrokenModel(
                f"{self.address} did not answer with labels and scores from 0 to 1 ({kind}). "
                "Check that it runs a model for text classification."
            ) from None
        if len(rows) != expected:
            raise BrokenModel(
                f"{self.address} answered about {len(rows)} texts when it was asked about "
                f"{expected}. Check what runs there."
            )
        return [self.weighed(row) for row in rows]

    def weighed(self, row: Sequence[Score]) -> Shares:
        """The probabilities of meanings in one answer."""
        scores = {one.label: one.score for one in row}
        if len(scores) < len(row):
            raise BrokenModel(f"{self.address} named a label twice. Check what runs there.")
        names = frozenset(scores)
        with self.learning:
            if names not in self.mapped:
                # The answer is sorted by score; people are told in an order that stays.
                known = labels.meanings(repr(self.name), sorted(names), self.mapping)
                self.mapped = {names: known}
            mapped = self.mapped[names]
        return weighing.shares(repr(self.name), scores, mapped)


def load(
    where: str,
    post: Post | None,
    *,
    threads: int | None = None,
    mapping: Mapped | None = None,
    languages: frozenset[str] | None = None,
) -> Remote:
    """Open the model behind an address; `threads` is how many requests are made at once.

    BrokenModel when the server answers and cannot be used, BadDeclaration when `mapping` does not
    fit its labels. A server that cannot be reached yet is no error: it may start after us.
    """
    there = address(where)
    if post is None:
        raise BrokenModel(
            f"The model {PREFIX + where!r} is on another machine, and from here nothing can be "
            "sent there. Choose a model of this machine."
        )
    model = Remote(there, post, at_once=threads or AT_ONCE, mapping=mapping, languages=languages)
    try:
        model.asked([HARMLESS])
    except Unavailable:
        pass  # whoever asks next is told
    except Refused as refused:
        raise BrokenModel(
            f"{refused} Check that it runs a model for text classification."
        ) from None
    return model


def address(where: str) -> str:
    """The full address that is asked; UnknownModel when there can be no server."""
    try:
        parts = urlsplit(where)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # brackets, or a port that is none
        parts, whole = urlsplit(""), False
    if not whole or re.search(r"[\s\x00-\x1f\\?#]", where):
        raise UnknownModel(
            f"{PREFIX + where!r} does not say where the model is. Write its server's address, for "
            f"example {PREFIX}http://127.0.0.1:8081."
        )
    if "@" in parts.netloc:
        raise UnknownModel(
            "The address of a model must not hold a name or password, because it is kept with "
            "every verdict. Leave out what stands before the @."
        )
    return where.rstrip("/").removesuffix(PATH) + PATH


def refusal(
    where: str, status: int, body: bytes = b"", *, wait: timedelta | None = None
) -> ModelError:
    """What a status other than 200 means; `wait` when the server asked us to stay away."""
    said = f"{where} answered {status}{kind(body)}"
    match status:
        case 413:
            return TooMany(f"{said}: this was too much at once.")
        case 422 | 424:
            return Refused(f"{said}: it could not run its model on this.")
        case 429:
            return Unavailable(f"{said}: it has too much to do.", wait=wait)
        case 408 | 425:
            return Unavailable(f"{said}: it could not answer now.", wait=wait)
        case _ if status >= 500:
            return Unavailable(f"{said}: it is out of order.", wait=wait)
        case 401 | 403:
            return BrokenModel(f"{said}: it refuses us. Check the key that it wants.")
        case 404 | 405:
            return BrokenModel(f"{said}: no text classifier answers there. Check the address.")
        case _:
            return BrokenModel(f"{said}, which was not expected. Check what runs there.")


def kind(body: bytes) -> str:
    """The server's word for its trouble. Its sentence is left out: it may repeat a text."""
    try:
        word = Trouble.model_validate_json(body).error_type
    except ValidationError:
        return ""
    return f" ({word})" if KIND.fullmatch(word) else ""


def request(texts: Sequence[str]) -> bytes:
    """The body that asks about some texts."""
    # Each in a list of its own: two bare texts would be read as a pair that belongs together.
    inputs = [[text] for text in texts]
    return json.dumps(
        {"inputs": inputs, "raw_scores": False, "truncate": True}, ensure_ascii=False
    ).encode()


def split(texts: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Lots of at most so many texts."""
    for start in range(0, len(texts), most):
        yield texts[start : start + most]
