"""Which connectors there are, and what each asks of the person who adds a source."""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from inspect import getmembers, isabstract, isclass
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from pydantic.fields import FieldInfo

import connectors
from connectors.kit.contract import Connector, secrets

GROUP = "listener.connectors"
KIT = "kit"  # what connectors are made with is none itself
KINDS = {
    "boolean": "yes or no",
    "integer": "whole number",
    "number": "number",
    "array": "list",
    "object": "table",
    "uri": "address",
    "date-time": "time",
    "date": "day",
    "duration": "duration",
    "file-path": "file",
    "path": "file",
}


class UnknownConnector(LookupError):
    """There is no connector of this name. The message is a sentence for a person."""


class BrokenConnector(ImportError):
    """A connector of this name is there, but cannot be used. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a connector, as a form or the command line shows it."""

    name: str
    type: str  # text, choice, or one of KINDS
    required: bool
    secret: bool
    description: str
    default: object = None  # never of a secret
    choices: tuple[str, ...] = ()


def names() -> list[str]:
    """Every connector that can be loaded: ours, and those installed beside us."""
    return sorted(_ours() | {point.name for point in entry_points(group=GROUP)})


def load(name: str) -> type[Connector]:
    """The connector of this name: the first connector class its module defines."""
    if name in _ours():
        return _only_connector(name, import_module(f"{connectors.__name__}.{name}"))
    for point in entry_points(group=GROUP, name=name):
        return _theirs(name, point)
    raise UnknownConnector(_unknown(name))


def describe(connector: type[Connector]) -> list[Option]:
    """Its options in the order they are declared, read from its JSON schema."""
    schema = connector.model_json_schema()
    shapes, hidden = schema.get("$defs", {}), secrets(connector)
    return [
        _option(name, field, schema["properties"][field.alias or name], shapes, name in hidden)
        for name, field in connector.model_fields.items()
    ]


def _ours() -> set[str]:
    """Files and packages in `connectors`; a folder without an __init__ is neither."""
    found = {module.name for module in iter_modules(connectors.__path__)}
    return {name for name in found if name != KIT and not name.startswith("_")}


def _theirs(name: str, point: EntryPoint) -> type[Connector]:
    """An entry point may name the module, or the class itself."""
    loaded = point.load()
    if isinstance(loaded, ModuleType):
        return _only_connector(name, loaded)
    if isclass(loaded) and issubclass(loaded, Connector):
        return loaded
    raise BrokenConnector(f"The connector {name} ({point.value}) is not a Connector class.")


def _only_connector(name: str, module: ModuleType) -> type[Connector]:
    """The public class that the module, or a module of its package, defines itself."""
    inside = (module.__name__, f"{module.__name__}.")
    found = [
        member
        for called, member in getmembers(module, isclass)
        if issubclass(member, Connector)
        and not isabstract(member)
        and not called.startswith("_")
        and (member.__module__ == inside[0] or member.__module__.startswith(inside[1]))
    ]
    if len(found) == 1:
        return found[0]
    said = ", ".join(member.__name__ for member in found) or "none"
    raise BrokenConnector(f"connectors/{name} has to define one Connector class; it has {said}.")


def _unknown(name: str) -> str:
    known = names()
    close = get_close_matches(name.lower(), known, cutoff=0.5)
    said = f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(known)}."
    return f'There is no connector "{name}". {said}'


def _option(
    name: str, field: FieldInfo, schema: dict[str, Any], shapes: dict[str, Any], secret: bool
) -> Option:
    required = field.is_required()
    forms = [_resolved(form, shapes) for form in schema.get("anyOf", [schema])]
    forms = [form for form in forms if form.get("type") != "null"]
    choices = tuple(
        str(one) for form in forms for one in form.get("enum", [form.get("const")]) if one
    )
    return Option(
        name=name,
        type="choice" if choices else _named(forms[0] if forms else {}),
        required=required,
        secret=secret,
        description=field.description or "",
        default=None if required or secret else field.get_default(call_default_factory=True),
        choices=choices,
    )


def _resolved(form: dict[str, Any], shapes: dict[str, Any]) -> dict[str, Any]:
    for reference in (form, *form.get("allOf", [])):
        if "$ref" in reference:
            found: dict[str, Any] = shapes[reference["$ref"].rpartition("/")[2]]
            return found
    return form


def _named(form: dict[str, Any]) -> str:
    """The kind of value in a person's words; what has no name of its own is typed as text."""
    kind, style = form.get("type", ""), form.get("format", "")
    return KINDS.get(style) or KINDS.get(kind) or "text"
