"""Exporting: the plan that would make another database like this one, without its secrets."""

from datetime import timedelta
from typing import Any

import tomli_w

from connectors.kit import catalog
from connectors.kit.contract import secrets
from listener.domain.brand import Brand
from listener.domain.notice import Channel
from listener.domain.secret import SECRET, is_sealed
from listener.domain.source import Source
from listener.store import brands, notices, sources
from listener.store.session import Store

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


async def export(store: Store) -> str:
    """Brands, sources and channels as a TOML file that `listener apply` takes."""
    async with store.reading() as session:
        everything = await brands.every(session)
        names = {brand.key: brand.name for brand in everything}
        plan = {
            "brand": [brand_words(brand) for brand in everything],
            "source": [
                source_words(source, names)
                for source in await sources.every(session)
                if source.active
            ],
            "channel": [channel_words(channel) for channel in await notices.channels(session)],
        }
    return tomli_w.dumps({kind: rows for kind, rows in plan.items() if rows})


def brand_words(brand: Brand) -> dict[str, Any]:
    """A brand as it stands in a plan."""
    return {"name": brand.name, "query": brand.query, "handles": brand.handles}


def source_words(source: Source, names: dict[int, str]) -> dict[str, Any]:
    """A source as it stands in a plan."""
    hidden = secrets(catalog.load(source.connector))
    words: dict[str, Any] = {
        "name": source.name,
        "connector": source.connector,
        "every": span_words(timedelta(seconds=source.every)),
        "since": source.since,
    }
    if source.brands is not None:
        words["brands"] = [names[number] for number in source.brands if number in names]
    if source.about_us:
        words["about_us"] = True
    words["options"] = {
        name: hide(value) if name in hidden else value
        for name, value in source.options.items()
        if value is not None
    }
    return words


def channel_words(channel: Channel) -> dict[str, Any]:
    """A channel as it stands in a plan."""
    return {
        "name": channel.name,
        "kind": channel.kind,
        "url": channel.options["url"],
        "secret": hide(channel.options["secret"]),
    }


def hide(value: Any) -> Any:
    """A sealed secret as a sign that there is one; a reference as it is."""
    return {SECRET: True} if is_sealed(value) else value


def span_words(span: timedelta) -> str:
    """A stretch of time in the largest unit that says it exactly."""
    seconds = int(span.total_seconds())
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
