"""Tagging: words that staff sort cases by, put on a case and taken off."""

from listener.desk.acting import Done, acting
from listener.domain.event import What
from listener.domain.record import NotAllowed
from listener.domain.severity import CRISIS_TAG
from listener.domain.tag import MOST, plain
from listener.store import deadlines, pressing, tags
from listener.store.session import Store, clean


async def tag(store: Store, case_id: int, staff: str, words: str) -> Done:
    """Put a tag on a case, open or closed."""
    async with acting(store, case_id, staff) as act:
        word = plain(clean(words))
        before = await tags.of_case(act.session, case_id)
        if word in before:
            return Done(act.case, None, f"Case {case_id} has the tag {word} already.")
        if len(before) >= MOST:
            raise NotAllowed(f"Case {case_id} has {MOST} tags, which is the most; take one off.")
        await tags.put(act.session, case_id, [*before, word])
        if word == CRISIS_TAG:
            act.case.crisis = True
            act.case.worsen(await deadlines.in_force(act.session), act.now)
        event = await act.write(What.TAGGED, {"tag": word, "before": {"tags": before}}, told=False)
        await pressing.press(act.session, act.case, act.now)
        return Done(act.case, event.key, f"Case {case_id} has the tag {word}.")


async def untag(store: Store, case_id: int, staff: str, words: str) -> Done:
    """Take a tag off a case."""
    async with acting(store, case_id, staff) as act:
        word = plain(clean(words))
        before = await tags.of_case(act.session, case_id)
        if word not in before:
            return Done(act.case, None, f"Case {case_id} does not have the tag {word}.")
        await tags.put(act.session, case_id, [one for one in before if one != word])
        if word == CRISIS_TAG:
            act.case.calm(await deadlines.in_force(act.session), act.now)
        event = await act.write(
            What.UNTAGGED, {"tag": word, "before": {"tags": before}}, told=False
        )
        await pressing.press(act.session, act.case, act.now)
        return Done(act.case, event.key, f"Case {case_id} has the tag {word} no more.")
