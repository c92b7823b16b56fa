"""A classifier that knows some meanings, so that tests know what lies near what."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from typing_extensions import override

from models.verdict import Question, Verdict
from tests.world import Gloomy

MEANINGS = (
    ("coupon", "voucher", "discount", "code"),
    ("parcel", "driver", "delivery", "doorstep"),
    ("hair", "filthy", "mould", "dirty"),
    ("refund", "charged", "money", "invoice"),
    ("phone", "nobody answers", "hotline", "line"),
)


class Meaning(Gloomy):
    """Gloomy, and each text lies where the meanings are that it speaks of."""

    name = "meaning 1"

    @override
    def judge(self, questions: Sequence[Question]) -> list[Verdict]:
        return [
            replace(verdict, model=self.name, embedding=lies(one.text))
            for one, verdict in zip(questions, super().judge(questions), strict=True)
        ]


def lies(text: str) -> bytes:
    """Where a text lies: a number for each meaning, as often as its words are there."""
    said = text.casefold()
    if not any(sign.isalnum() for sign in said):
        return b""
    row = np.array([0.2, *(sum(word in said for word in words) for words in MEANINGS)])
    stored: bytes = (row / np.linalg.norm(row)).astype("<f2").tobytes()
    return stored
