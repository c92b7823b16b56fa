"""What is decided about learning: a version rolled back, brands that learn together or apart."""

from listener.domain.brand import Brand
from listener.domain.learnt import before
from listener.domain.record import NotAllowed, NotThere
from listener.store import brands, learnt
from listener.store.session import AsyncSession, Store, now


async def roll_back(
    store: Store, brand_id: int, *, to_none: bool = False, seen: int | None = None
) -> str:
    """Let the version before judge again, or the model alone; what was judged stays as it is.

    The version that was in force is not taken again, and by itself is tried anew only with many lessons more.
    `seen` is the version that whoever asks has seen in force: of two who ask, one is heard.
    """
    async with store.transaction() as session:
        brand = await brands.numbered(session, brand_id)
        under, together = await learnt.together(session, brand_id)
        versions = await learnt.versions(session, under, locked=True)
        stands = next((one for one in versions if one.in_force_since is not None), None)
        if stands is None:
            raise NotAllowed(
                f"Nothing that was learnt judges {brand.name}: there is nothing to roll back."
            )
        if seen not in (None, stands.number):
            raise NotAllowed(
                f"{brand.name} is judged by learnt {stands.number} by now. Look again before you "
                "roll that back."
            )
        earlier = None if to_none else before(versions, stands)
        moment = await now(session)
        stands.in_force_since, stands.withdrawn_at = None, moment
        await session.flush()  # of a brand one may be in force at a time
        if earlier is not None:
            earlier.in_force_since = moment
    others = len(together) - 1
    too = f" So are those that learn with it ({others})." if others else ""
    by = (
        "by the model alone again"
        if earlier is None
        else f"by learnt {earlier.number} again (of {earlier.made_at:%d %b %Y})"
    )
    return (
        f"{brand.name} is judged {by}, from the next post on; learnt {stands.number} is rolled "
        f"back.{too} What has been judged stays as it is."
    )


async def join(store: Store, name: str, other: str) -> str:
    """Let a brand learn with another: what staff say of either moves the verdicts on both."""
    async with store.transaction() as session:
        brand, its_other = await called(session, name), await called(session, other)
        if brand.key == its_other.key:
            raise NotAllowed(f"{name} is the same brand. Name another.")
        under, with_other = await learnt.together(session, its_other.key)
        led_by, with_it = await learnt.together(session, brand.key)
        if brand.key in with_other:
            raise NotAllowed(f"{other} learns with {name} already.")
        if led_by == brand.key and len(with_it) > 1:
            raise NotAllowed(
                f"Other brands learn with {name}. Part them first: `listener model part BRAND`."
            )
        await learnt.end(session, brand.key)
        await learnt.join(session, brand.key, under)
        leader = await brands.numbered(session, under)
    return (
        f"{name} learns with {leader.name} from now on: what staff say of either moves the "
        "verdicts on both."
    )


async def part(store: Store, name: str) -> str:
    """Let a brand learn by itself again."""
    async with store.transaction() as session:
        brand = await called(session, name)
        if not await learnt.part(session, brand.key):
            raise NotAllowed(f"{name} learns by itself already.")
    return f"{name} learns by itself from now on; until it has, the model alone judges it."


async def called(session: AsyncSession, name: str) -> Brand:
    """The brand of this name."""
    found = await brands.named(session, name)
    if found is None:
        names = ", ".join(one.name for one in await brands.every(session))
        raise NotThere(f"There is no brand {name!r}. There are: {names or 'none'}.")
    return found
