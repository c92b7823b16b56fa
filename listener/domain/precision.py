"""Precision: how much a share that was counted in few cases can be trusted."""

from dataclasses import dataclass
from typing import Final

from models.evaluation.intervals import wilson

ENOUGH: Final = 20  # checked by people; of fewer, a percentage says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What became of flags that people have looked at, and what was missed."""

    shown: int = 0  # opened as a case, judged sure
    checked: int = 0  # of these, a person has closed or corrected
    not_negative: int = 0
    not_us: int = 0
    spam: int = 0
    missed: int = 0  # complaints that the model let pass and a person found

    @property
    def wrong(self) -> int:
        """How many were no complaint about us."""
        return self.not_negative + self.not_us + self.spam

    @property
    def right(self) -> int:
        """How many were."""
        return max(0, self.checked - self.wrong)

    @property
    def share(self) -> float | None:
        """The share that was right; None when nobody has looked yet."""
        return self.right / self.checked if self.checked else None

    @property
    def between(self) -> tuple[float, float] | None:
        """Wilson's interval of that share: where it lies, 95 times in 100."""
        return wilson(self.right, self.checked) if self.checked else None

    @property
    def words(self) -> str:
        """What can honestly be said."""
        if self.between is None or self.share is None:
            return "Nobody has looked at any yet."
        if self.checked < ENOUGH:
            return f"{self.right} of {self.checked} were right: too few to say how good they are."
        low, high = (round(100 * bound) for bound in self.between)
        return (
            f"{self.right} of {self.checked} were right: {self.share:.0%}, "
            f"and most likely between {low} and {high} %."
        )
