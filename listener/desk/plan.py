"""The plan: what an admin writes in a TOML file, read and checked before anything is changed."""

import tomllib
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError, field_validator

from connectors.kit import catalog
from connectors.kit.contract import Accepts, Connector, secrets
from listener.desk.outlets import KEPT, KINDS, WEBHOOK, AnyChannel, Name
from listener.desk.plan_words import BadPlan, moment_or_span, span
from listener.desk.planned_policies import PlannedPolicy, faults_of_policies
from listener.desk.planned_routes import PlannedLadder, PlannedMember, PlannedRoute, PlannedStep
from listener.desk.planned_teams import PlannedTeam, faults_of_teams
from listener.desk.planned_wordings import PlannedWording
from listener.domain.query import QueryError, parse
from listener.domain.secret import is_as_before, is_reference
from listener.domain.source import EVERY

Shape = TypeVar("Shape", bound=BaseModel)

SHORTEST, RAREST = timedelta(seconds=1), timedelta(days=366)
# Stands for a secret that is kept elsewhere; in a form that every connector takes.
PLACEHOLDER = "whsec_" + b64encode(b"a secret that is kept elsewhere").decode()

# What pydantic says in words of its own, in ours.
_SAID = {
    "list_type": 'it is a list: write ["…", "…"]',
    "string_type": "it is text: write it in quotes",
    "string_too_short": "it cannot be empty",
    "dict_type": "it is a table of its own",
    "model_type": "it is a table of its own",
}


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


class Plan(BaseModel, extra="forbid"):
    """A whole file."""

    brand: list[PlannedBrand] = []
    source: list[PlannedSource] = []
    channel: list[AnyChannel] = []
    team: list[PlannedTeam] = []
    member: list[PlannedMember] = []
    policy: list[PlannedPolicy] = []
    route: list[PlannedRoute] = []
    ladder: list[PlannedLadder] = []
    wording: list[PlannedWording] = []


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
    for kind in Plan.model_fields:
        names = [row.name for row in getattr(plan, kind)]
        faults += [
            f'Two [[{kind}]] are called "{name}"; a name must be used once.'
            for name in sorted({name for name in names if names.count(name) > 1})
        ]
    for source in plan.source:
        faults += faults_of_source(source)
    faults += faults_of_teams(plan.team)
    faults += faults_of_policies(plan.policy)
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
                shape = shape_at(fault["loc"])
                faults.append(f"{where}: {unknown(str(fault['loc'][-1]), shape.model_fields)}")
            case "union_tag_invalid":
                asked, kinds = fault["ctx"]["tag"], ", ".join(KINDS)
                faults.append(
                    f"{where}: `kind`: there is no kind of channel called {asked!r}; "
                    f"there is: {kinds}."
                )
            case _:
                key = next((f"`{one}`: " for one in reversed(fault["loc"][2:]) if named(one)), "")
                faults.append(f"{where}: {key}{ended(said(fault))}")
    return faults


def named(step: int | str) -> bool:
    """Whether a step on the way to a fault is a key that a person has written."""
    return isinstance(step, str)


def shape_at(loc: tuple[int | str, ...]) -> type[BaseModel]:
    """What a table of a plan may hold, by where it stands."""
    match loc:
        case ("brand", int(), *_):
            return PlannedBrand
        case ("source", int(), *_):
            return PlannedSource
        case ("channel", int(), kind, *_):
            return KINDS.get(str(kind), KINDS[WEBHOOK])
        case ("team", int(), *_):
            return PlannedTeam
        case ("member", int(), *_):
            return PlannedMember
        case ("policy", int(), *_):
            return PlannedPolicy
        case ("route", int(), *_):
            return PlannedRoute
        case ("wording", int(), *_):
            return PlannedWording
        case ("ladder", int(), _):
            return PlannedLadder
        case ("ladder", int(), *_):
            return PlannedStep
        case _:
            return Plan


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
                faults.append(f"option `{name}`: {KEPT}.")
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
