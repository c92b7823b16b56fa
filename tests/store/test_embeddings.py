"""Where words lie is kept with the verdict and goes with the words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from typing_extensions import override

from listener.domain.embedding import Embedding, vectors
from listener.store import embeddings, intake
from models.verdict import Question, Verdict
from tests.given import COMPLAINTS, heard, judged, said, settled
from tests.world import Gloomy, World


class Placing(Gloomy):
    """Gloomy, and each text lies where its length says."""

    name = "placing 1"

    @override
    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        return [
            replace(verdict, embedding=np.array([len(one.text), 1], dtype="<f2").tobytes())
            for one, verdict in zip(questions, super().judge(questions), strict=True)
        ]


async def placed(world: World, text: str) -> None:
    await heard(world, said(text, id="1", published=world.now))
    await judged(world, Placing())


async def test_an_embedding_is_kept_with_the_verdict_and_read_back(world: World) -> None:
    await settled(world)

    await placed(world, COMPLAINTS[0])

    (mention,) = await world.mentions()
    async with world.store.reading() as session:
        found = await embeddings.of(session, [mention.key], "placing 1")
        other = await embeddings.of(session, [mention.key], "placing 2")
    assert vectors(list(found.values())).tolist() == [[len(COMPLAINTS[0]), 1]]
    assert other == {}  # those of another model cannot be compared


async def test_an_edited_post_lies_where_its_new_words_lie(world: World) -> None:
    await settled(world)
    await placed(world, COMPLAINTS[0])

    await placed(world, COMPLAINTS[0] + " Edited.")

    (kept,) = await world.all_of(Embedding)
    assert vectors([kept.vector])[0, 0] == len(COMPLAINTS[0] + " Edited.")


async def test_a_model_without_embeddings_leaves_none_of_the_words_before(world: World) -> None:
    await settled(world)
    await placed(world, COMPLAINTS[0])

    await heard(world, said(COMPLAINTS[1], id="1", published=world.now))
    await judged(world)

    assert await world.all_of(Embedding) == []


async def test_with_the_words_goes_what_tells_of_their_meaning(world: World) -> None:
    await settled(world)
    await placed(world, COMPLAINTS[0])

    async with world.store.transaction() as session:
        await intake.forget(session, [1])

    assert await world.all_of(Embedding) == []


def test_no_vectors_are_an_empty_matrix() -> None:
    assert vectors([]).shape == (0, 0)
