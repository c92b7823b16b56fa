"""Stack Exchange's words for questions and answers, and how they become posts."""

from datetime import datetime
from typing import Annotated, TypeVar

import orjson
from pydantic import BaseModel, BeforeValidator, Field, PlainValidator, ValidationError

from connectors.kit.contract import Author, Kind, Post, Unread
from connectors.kit.text import absolute, line, moment, plain
from connectors.stackexchange.manners import Wrapper

T = TypeVar("T", bound=BaseModel)

# The sites that are not below stackexchange.com; also with a language or meta before them.
OWN = frozenset({"stackoverflow", "serverfault", "superuser", "askubuntu", "stackapps"})

Moment = Annotated[datetime, BeforeValidator(moment)]
MaybeMoment = Annotated[datetime | None, BeforeValidator(moment)]


def host_of(site: str) -> str:
    """The address of a site, by which its posts are told from those of other sites."""
    if site.endswith((".com", ".net")):
        return site
    return f"{site}.com" if site.rpartition(".")[2] in OWN else f"{site}.stackexchange.com"


class Shape(BaseModel, frozen=True, coerce_numbers_to_str=True):
    """An object of the interface."""


class Owner(Shape):
    """Who wrote a post; of a deleted account only the name is left."""

    user_id: str = ""
    display_name: str = ""
    link: str = ""

    def as_author(self, host: str) -> Author:
        """The same in our words."""
        return Author(
            id=f"{host}/{self.user_id}" if self.user_id else "",
            name=line(self.display_name),
            url=absolute(self.link),
        )


class Written(Shape):
    """What questions and answers have in common."""

    question_id: str = Field(min_length=1)
    body: str
    creation_date: Moment
    last_edit_date: MaybeMoment = None
    owner: Owner = Owner()


class Question(Written):
    """One question."""

    title: str = ""
    link: str = ""
    view_count: int | None = None

    def as_post(self, host: str) -> Post:
        """The same in our words."""
        id_ = f"{host}/{self.question_id}"
        text = plain(self.body, base=f"https://{host}")
        return Post(
            id=id_,
            url=absolute(self.link) or f"https://{host}/q/{self.question_id}",
            title=line(self.title) or None,
            text=text.text,
            links=text.links,
            attachments=text.images,
            author=self.owner.as_author(host),
            published=self.creation_date,
            edited=self.last_edit_date,
            reach=self.view_count,
            thread=id_,
            branch=host,
        )


class Answer(Written):
    """One answer."""

    answer_id: str = Field(min_length=1)

    def as_post(self, host: str) -> Post:
        """The same in our words; the title would be the question's, and somebody else's."""
        question = f"{host}/{self.question_id}"
        text = plain(self.body, base=f"https://{host}")
        return Post(
            id=f"{host}/{self.answer_id}",
            url=f"https://{host}/a/{self.answer_id}",
            kind=Kind.REPLY,
            text=text.text,
            links=text.links,
            attachments=text.images,
            author=self.owner.as_author(host),
            published=self.creation_date,
            edited=self.last_edit_date,
            in_reply_to=question,
            thread=question,
            branch=host,
        )


class Excerpt(Shape):
    """A hit of the search: which post it is of, and a piece of its text that is not enough."""

    question_id: str = Field(min_length=1)
    answer_id: str = ""
    creation_date: Moment


def _readable(shape: type[T]) -> PlainValidator:
    """Keep one bad piece from spoiling its page. The reason names fields, never words."""

    def read(given: object) -> T | Unread:
        try:
            return shape.model_validate(given)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_context=False, include_input=False)
            where = ".".join(str(part) for part in first[0]["loc"]) or "the whole"
            what = shape.__name__.lower()
            reason = f"One {what} is in a shape we do not know: {where} ({first[0]['type']})."
            return Unread(reason, orjson.dumps(given).decode())

    return PlainValidator(read)


class Questions(Wrapper):
    """A page of questions."""

    items: tuple[Annotated[Question | Unread, _readable(Question)], ...]


class Answers(Wrapper):
    """A page of answers."""

    items: tuple[Annotated[Answer | Unread, _readable(Answer)], ...]


class Excerpts(Wrapper):
    """A page of hits."""

    items: tuple[Annotated[Excerpt | Unread, _readable(Excerpt)], ...]
