"""The promise every model keeps, whatever runs it."""

from collections.abc import Sequence
from typing import Protocol

from models.verdict import Question, Verdict


class Classifier(Protocol):
    """Something that judges posts. It may block, so it is called in a thread."""

    @property
    def name(self) -> str:
        """The model and its version, as kept with every verdict."""

    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        """Say for each question, in order, what the author feels and whether they complain.

        The verdict of a question does not depend on the others in the batch.
        """
