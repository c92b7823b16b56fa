"""The plan: what an admin writes in a TOML file, read and checked before anything is changed."""

import re
import tomllib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ValidationError,
    field_validator,
)

from connectors.kit import catalog
from connectors.kit.contract import Accepts, Connector, secrets
from listener.domain.query import QueryError, parse
from listener.domain.secret import is_as_before, is_reference
from listener.domain.source import EVERY

Shape = TypeVar("Shape", bound=BaseModel)

_SPAN = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=36_500)
SHORTEST, RAREST = timedelta(seconds=1), timedelta(days=366)
# Stands for a secret that is kept elsewhere; in a form that every connector takes.
PLACEHOLDER = "whsec_" + b64encode(b"a secret that is kept elsewhere").decode()

SHORTEST_KEY = 24  # bytes, as Standard Webhooks asks for
# What pydantic says in words of its own, in ours.
_SAID = {
    "list_type": 'it is a list: write ["…", "…"]',
    "string_type": "it is text: write it in quotes",
    "string_too_short": "it cannot be empty",
    "dict_type": "it is a table of its own",
    "model_type": "it is a table of its own",
}
_KEPT = 'it is text, or { env = "NAME" } or { file = "path" } when it is kept elsewhere'


class BadPlan(Exception):
    """What is wrong with a plan, a sentence for each fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(self.faults))


def span(words: Any) -> timedelta:
    """A stretch of time from words like 30s, 5m, 1h or 7d."""
    if isinstance(words, timedelta):
        return words
    found = _SPAN.fullmatch(words.strip()) if isinstance(words, str) else None
    if found is None:
        raise ValueError('a stretch of time looks like "30s", "5m", "1h" or "7d"')
    size = timedelta(**{_UNITS[found[2]]: 1})
    if int(found[1]) > LONGEST / size:
        raise ValueError("a stretch of time is a hundred years at most")
    return int(found[1]) * size


def moment_or_span(words: Any) -> datetime | timedelta:
    """A moment from a TOML date or time, or a stretch of time that ends now."""
    if isinstance(words, datetime):
        return words if words.tzinfo else words.replace(tzinfo=UTC)
    if isinstance(words, date):
        return datetime.combine(words, time(), UTC)
    if isinstance(words, str) and _SPAN.fullmatch(words.strip()) is None:
        raise ValueError('write a date like 2026-11-01 or a stretch of time like "7d"')
    return span(words)


def named(name: str) -> str:
    """A name without spaces around it; it must not be empty."""
    if not name.strip():
        raise ValueError("it cannot be empty")
    return name.strip()


Name = Annotated[str, AfterValidator(named)]


class PlannedBrand(BaseModel, extra="forbid"):
    """One `[[brand]]`."""

    name: Name
    query: str
    handles: list[str] = []

    @field_validator("query")
    @classmethod
    def _can_be_read(cls, query: str) -> str:
        try:
            parse(query)
        except QueryError as error:
            raise ValueError(f"{error}\n{error.pointer()}") from error
        return query


class PlannedSource(BaseModel, extra="forbid"):
    """One `[[source]]`."""

    name: Name
    connector: str
    brands: list[str] | None = None
    about_us: bool = False
    every: Annotated[timedelta, BeforeValidator(span)] = EVERY
    since: Annotated[datetime | timedelta | None, BeforeValidator(moment_or_span)] = None
    options: dict[str, Any] = {}

    @field_validator("every")
    @classmethod
    def _not_too_often(cls, every: timedelta) -> timedelta:
        if every < SHORTEST:
            raise ValueError("a source is asked once a second at most")
        if every > RAREST:
            raise ValueError("a source is asked once a year at least")
        return every


class PlannedChannel(BaseModel, extra="forbid"):
    """One `[[channel]]`: a signed outgoing webhook."""

    name: Name
    kind: str = "webhook"
    url: str
    secret: Any

    @field_validator("name")
    @classmethod
    def _not_ours(cls, name: str) -> str:
        if name == "terminal":
            raise ValueError("the terminal is always told; choose another name")
        return name

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise ValueError("write an address that begins with https://")
        return url

    @field_validator("secret")
    @classmethod
    def _can_sign(cls, secret: Any) -> Any:
        if is_reference(secret) or is_as_before(secret):
            return secret
        if not isinstance(secret, str):
            raise ValueError(_KEPT)  # noqa: TRY004  (a person reads this)
        words = secret.removeprefix("whsec_")
        try:
            key = b64decode(words + "=" * (-len(words) % 4), validate=True)
        except ValueError:
            key = b""
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"a key is whsec_ and at least {SHORTEST_KEY} random bytes in base64")
        return secret

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind != "webhook":
            raise ValueError(f"there is no kind of channel called {kind!r}; there is: webhook")
        return kind


class Plan(BaseModel, extra="forbid"):
    """A whole file."""

    brand: list[PlannedBrand] = []
    source: list[PlannedSource] = []
    channel: list[PlannedChannel] = []


def read(text: str) -> Plan:
    """Read a file's text, or raise BadPlan with every fault in it."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPlan([f"This is not TOML: {error}."]) from error
    faults: list[str] = []
    try:
        plan = Plan.model_validate(raw)
    except ValidationError as error:
        raise BadPlan(faults_of(error, raw)) from error
    for kind, rows in (("brand", plan.brand), ("source", plan.source), ("channel", plan.channel)):
        names = [row.name for row in rows]
        faults += [
            f'Two [[{kind}]] are called "{name}"; a name must be used once.'
            for name in sorted({name for name in names if names.count(name) > 1})
        ]
    for source in plan.source:
        faults += faults_of_source(source)
    if faults:
        raise BadPlan(faults)
    return plan


def faults_of_source(source: PlannedSource) -> list[str]:
    """What is wrong with one source's connector and options."""
    where = f'[[source]] "{source.name}"'
    try:
        connector = catalog.load(source.connector)
    except (catalog.UnknownConnector, catalog.BrokenConnector) as error:
        return [f"{where}: {error}"]
    except Exception as error:  # noqa: BLE001  (it may be anybody's code)
        return [
            f"{where}: the connector {source.connector} cannot be loaded ({type(error).__name__})."
        ]
    if source.connector == "sample":
        return [
            (
                f"{where}: the sample belongs to the demo and never enters a real database. "
                "See it with: listener run --demo"
            )
        ]
    if "/" in source.name and issubclass(connector, Accepts):
        return [f"{where}: its name is part of the address of its door, so it has no / in it."]
    hidden = secrets(connector)
    try:
        connect(
            connector,
            {
                name: stand_in(value) if name in hidden else value
                for name, value in source.options.items()
            },
        )
    except ValidationError as error:
        return [f"{where}: {fault}" for fault in option_faults(error, connector)]
    return []


def connect(connector: type[Connector], options: Mapping[str, Any]) -> Connector:
    """A connector with these options, secrets in the clear."""
    return connector.model_validate(dict(options))


def stand_in(value: Any) -> Any:
    """A value to check the other options with, where a secret is kept elsewhere."""
    return PLACEHOLDER if is_reference(value) or is_as_before(value) else value


def faults_of(error: ValidationError, raw: Mapping[str, Any]) -> list[str]:
    """What pydantic found, in sentences that name the place in the file."""
    faults = []
    for fault in error.errors(include_url=False):
        if fault["type"] == "list_type" and len(fault["loc"]) == 1:
            kind = fault["loc"][0]
            faults.append(
                f"The file: write [[{kind}]], in double brackets, for there may be several."
            )
            continue
        where = place(fault["loc"], raw)
        match fault["type"]:
            case "missing":
                faults.append(f"{where}: `{fault['loc'][-1]}` is missing.")
            case "extra_forbidden":
                known: dict[str, type[BaseModel]] = {
                    "brand": PlannedBrand,
                    "source": PlannedSource,
                    "channel": PlannedChannel,
                }
                shape: type[BaseModel] = (
                    known.get(str(fault["loc"][0]), Plan) if len(fault["loc"]) > 1 else Plan
                )
                faults.append(f"{where}: {unknown(str(fault['loc'][-1]), shape.model_fields)}")
            case _:
                faults.append(f"{where}: `{fault['loc'][-1]}`: {ended(said(fault))}")
    return faults


def option_faults(error: ValidationError, connector: type[Connector]) -> list[str]:
    """What is wrong with a connector's options, in sentences; never a value of theirs."""
    faults = []
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        match fault["type"]:
            case "missing":
                faults.append(f"option `{name}` is missing.")
            case "extra_forbidden":
                faults.append(unknown(name, connector.model_fields).replace("key", "option"))
            case "string_type" if name in secrets(connector):
                faults.append(f"option `{name}`: {_KEPT}.")
            case _:
                why = ended(said(fault))
                faults.append(f"option `{name}`: {why}" if name else why)
    return faults


def said(fault: Mapping[str, Any]) -> str:
    """What pydantic says of one fault, in a plan's words where we have any."""
    why: str = fault["msg"]
    return _SAID.get(fault["type"], why.removeprefix("Value error, "))


def ended(sentence: str) -> str:
    """A sentence with its full stop, unless a drawing ends it."""
    return sentence if sentence.endswith((".", "^")) else f"{sentence}."


def unknown(name: str, known: Iterable[str]) -> str:
    """That a key is not known, and which one may be meant."""
    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"it can be: {', '.join(known)}."
    return f"there is no key `{name}`; {hint}"


def place(loc: tuple[int | str, ...], raw: Mapping[str, Any]) -> str:
    """Where in the file a fault is, by the name of its table."""
    if len(loc) < 2 or not isinstance(loc[1], int):
        return "The file"
    kind, number = str(loc[0]), loc[1]
    try:
        name = raw[kind][number]["name"]
    except (KeyError, IndexError, TypeError):
        return f"[[{kind}]] number {number + 1}"
    return f'[[{kind}]] "{name}"'
