"""Why a case is here: how sure the model is, and the reasons, speak of the same post."""

from listener.domain.mention import Mention
from listener.domain.staff import Role
from tests.given import COMPLAINTS, complained, settled
from tests.web.visiting import hired, street
from tests.world import World


async def test_of_copies_the_plainest_says_how_sure_the_model_is(world: World) -> None:
    await settled(world)
    await hired(world, "Mia", Role.AGENT)
    await complained(world, COMPLAINTS[0], author="ada")
    await complained(world, f"RT @ada: {COMPLAINTS[0]}", author="ben")
    async with world.store.transaction() as session:
        for number, sure in ((1, 0.27), (2, 0.85)):
            mention = await session.get_one(Mention, number)
            mention.complaint, mention.case_id = sure, 1

    async with street(world) as place:
        page = await (await place.signed_in("Mia")).get("/cases/1")

    assert "Complaint: 85 %" in page.text
    assert "Complaint: 27 %" not in page.text
