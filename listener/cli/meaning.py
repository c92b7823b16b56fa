"""`listener mentions --meaning` and `--like`: what lies nearest, the nearest first."""

from typing import Any

from listener.channels.terminal import short
from listener.cli.ground import act, out, parts, print_json
from listener.desk.meaning import Alike, Found, Meanings
from listener.store.search import PAGE, Search


def near(wanted: Search, *, like: int | None, limit: int | None, as_json: bool) -> None:
    """Print the mentions nearest to the words, or to the mention of this number."""

    async def work() -> Found:
        async with parts() as ready:
            meanings = Meanings(ready.store, ready.judge_with)
            return await meanings.find(wanted, like=like, limit=limit or PAGE)

    found = act(work)
    if as_json:
        for one in found.mentions:
            print_json(facts(one, found.brand))
        return
    for one in found.mentions:
        lead = one.mention
        out.print(
            f"{lead.id:>5} {one.near.value}: {lead.published_at:%Y-%m-%d %H:%M}  {found.brand} on "
            f"{lead.connector}: {short(lead.text)}",
            markup=False,
            highlight=False,
        )
    for line in looked_through(found):
        out.print(line, markup=False, highlight=False)


def looked_through(found: Found) -> list[str]:
    """What was searched, and what was not."""
    shown = f"{len(found.mentions):,} mentions{', and there are more' if found.after else ''}."
    cut = ", the latest; there are more than fit" if found.cut else ""
    said = [f"{shown} Looked through {found.looked:,} of {found.brand} from the last 90 days{cut}."]
    if found.waiting:
        said.append(f"{found.waiting:,} not yet read by the model.")
    if found.others:
        said.append(f"{found.others:,} read by another model, and not comparable.")
    return said


def facts(one: Alike, brand: str) -> dict[str, Any]:
    """A mention that was found, for machines."""
    lead = one.mention
    return {
        "id": lead.id,
        "near": one.near.value,
        "brand": brand,
        "connector": lead.connector,
        "source": lead.source,
        "url": lead.url,
        "author": lead.author,
        "text": lead.text,
        "cut": lead.cut,
        "language": lead.language,
        "published_at": lead.published_at,
        "flagged": lead.flagged,
        "case": lead.case_id,
    }
