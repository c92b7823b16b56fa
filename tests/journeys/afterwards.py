"""What stories of changed, copied and forgotten posts have in common: words, a reader, their end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from typing_extensions import override

from listener.domain.case import Case
from listener.domain.event import What
from listener.domain.mention import Mention
from models.verdict import Feeling, Question, Verdict
from tests.connectors.place import SECOND, Place
from tests.world import Gloomy, World

COLD = "The fish was cold when it came, and nobody at the counter cared."
ON_FIRE = "The fish was cold, and then the box it came in caught fire in my kitchen."
SAME_ON_FIRE = f"{COLD} Then fire."
PRAISE = "The fish was cold, they brought another one at once: thanks to all of you!"
PERHAPS = "Perhaps the fish was cold on purpose, or perhaps it is how they like it there."


class Reader(Gloomy):
    """A classifier to whom thanks are praise, `perhaps` is unclear, and the rest complaints."""

    name = "reader 1"

    @override
    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        return [
            replace(verdict, complaint=0.02, feeling=Feeling.POSITIVE)
            if "thanks" in asked.text
            else replace(verdict, complaint=0.5, unsure=True, why="too close to call")
            if "erhaps" in asked.text
            else verdict
            for asked, verdict in zip(questions, super().judge(questions), strict=True)
        ]


async def settle(world: World, place: Place, *sources: dict[str, Any], **more: Any) -> None:
    """Set up what reads a place, by the place's clock."""
    world.now = place.now
    await world.set_up(sources=sources, allow=[place.host_port], **more)


async def once(world: World, *places: Place, after: timedelta = SECOND) -> None:
    """Let the listener look at what the places show some time later."""
    world.now = max(world.now, *(place.now for place in places)) + after
    for place in places:
        place.now = world.now
    await world.once()


async def the_case(world: World) -> Case:
    """The only case there is."""
    [case] = await world.cases()
    return case


async def the_mention(world: World) -> Mention:
    """The only mention there is."""
    [mention] = await world.mentions()
    return mention


CLOCKS = frozenset({What.WARNED, What.MISSED, What.KEPT})


async def story(world: World) -> list[What]:
    """What people did to cases, in order; what the clock did is asked where clocks are tested."""
    return [event.what for event in await world.events() if event.what not in CLOCKS]


async def told(world: World) -> list[What]:
    """What of that somebody has been told, in order."""
    events = {event.id: event.what for event in await world.events()}
    notices = await world.notices()
    assert all(notice.sent_at for notice in notices)
    heard = [events[notice.event_id] for notice in notices]
    return [what for what in heard if what not in CLOCKS]
