"""Applying the wordings of a plan."""

from collections.abc import Mapping, Sequence

from listener.desk.applying_routes import Noted, number_of
from listener.desk.planned_wordings import PlannedWording
from listener.domain.wording import Wording, plain_language, plain_tag
from listener.store import wordings
from listener.store.session import AsyncSession


async def apply_wordings(
    session: AsyncSession, planned: Sequence[PlannedWording], brands: Mapping[str, int]
) -> Noted:
    """Make wordings say what the plan says; those it does not name stay as they are."""
    done: Noted = []
    for one in planned:
        where = f'[[wording]] "{one.name}"'
        wanted = {
            "text": one.text,
            "brand_id": one.brand and number_of(one.brand, brands, where, "brand"),
            "connector": one.place,
            "language": plain_language(one.language or ""),
            "tag": plain_tag(one.tag or ""),
        }
        kept = await wordings.named(session, one.name)
        new = kept is None
        kept = kept or Wording(name=one.name, text=one.text)
        changed = not new and kept.model_dump(include=set(wanted)) != wanted
        kept.sqlmodel_update(wanted)
        session.add(kept)
        done.append((one.name, new, changed))
    await session.flush()
    return done
