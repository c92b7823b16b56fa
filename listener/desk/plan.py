"""The plan: what an admin writes in a TOML file, read and checked before anything is changed."""

import re
import tomllib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator

from connectors.kit import catalog
from connectors.kit.contract import Connector
from listener.domain.query import QueryError, parse
from listener.domain.secret import is_reference
from listener.domain.source import EVERY

Shape = TypeVar("Shape", bound=BaseModel)

_SPAN = re.compile(r"(\d+)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SHORTEST = timedelta(seconds=1)
# Stands for a secret that is kept elsewhere; in a form that every connector takes.
PLACEHOLDER = "whsec_" + b64encode(b"a secret that is kept elsewhere").decode()


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
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment_or_span(words: Any) -> datetime | timedelta:
    """A moment from a TOML date or time, or a stretch of time that ends now."""
    if isinstance(words, datetime):
        return words if words.tzinfo else words.replace(tzinfo=UTC)
    if isinstance(words, date):
        return datetime.combine(words, time(), UTC)
    try:
        return span(words)
    except ValueError:
        raise ValueError('since is a date like 2026-11-01 or a stretch of time like "7d"') from None


class PlannedBrand(BaseModel, extra="forbid"):
    """One `[[brand]]`."""

    name: str = Field(min_length=1)
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

    name: str = Field(min_length=1)
    connector: str
    brands: list[str] | None = None
    every: Annotated[timedelta, BeforeValidator(span)] = EVERY
    since: Annotated[datetime | timedelta | None, BeforeValidator(moment_or_span)] = None
    options: dict[str, Any] = {}

    @field_validator("every")
    @classmethod
    def _not_too_often(cls, every: timedelta) -> timedelta:
        if every < SHORTEST:
            raise ValueError("a source is asked once a second at most")
        return every


class PlannedChannel(BaseModel, extra="forbid"):
    """One `[[channel]]`: a signed outgoing webhook."""

    name: str = Field(min_length=1)
    kind: str = "webhook"
    url: str
    secret: Any

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
    except catalog.UnknownConnector as error:
        return [f"{where}: {error}"]
    if source.connector == "sample":
        return [
            (
                f"{where}: the sample belongs to the demo and never enters a real database. "
                "See it with: listener run --demo"
            )
        ]
    try:
        connect(connector, {name: stand_in(value) for name, value in source.options.items()})
    except ValidationError as error:
        return [f"{where}: {fault}" for fault in option_faults(error, connector)]
    return []


def connect(connector: type[Connector], options: Mapping[str, Any]) -> Connector:
    """A connector with these options, secrets in the clear."""
    return connector.model_validate(dict(options))


def stand_in(value: Any) -> Any:
    """A value to check the other options with, where a secret is kept elsewhere."""
    return PLACEHOLDER if is_reference(value) else value


def faults_of(error: ValidationError, raw: Mapping[str, Any]) -> list[str]:
    """What pydantic found, in sentences that name the place in the file."""
    faults = []
    for fault in error.errors(include_url=False):
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
                said = fault["msg"].removeprefix("Value error, ")
                faults.append(f"{where}: `{fault['loc'][-1]}`: {said}")
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
            case _:
                said = fault["msg"].removeprefix("Value error, ").rstrip(".")
                faults.append(f"option `{name}`: {said}." if name else f"{said}.")
    return faults


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
