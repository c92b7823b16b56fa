"""Coverage: what span of time of a source has provably been read, and where the gaps are."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Field

from connectors.kit.contract import Span
from listener.domain.record import Instant, Record


class Covered(Record, table=True):
    """A stretch of publication time of which every post has been read."""

    __tablename__ = "covered"

    source_id: int = Field(foreign_key="sources.id", ondelete="CASCADE", index=True)
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)

    @property
    def span(self) -> Span:
        """The stretch itself."""
        return Span(self.starts_at, self.ends_at)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same stretches without overlap, in order; those that touch become one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def gaps(covered: Iterable[Span], *, since: datetime) -> list[Span]:
    """The stretches between `since` and the latest covered moment that nothing proves read."""
    holes: list[Span] = []
    reached = since
    for span in merged(covered):
        if span.start > reached:
            holes.append(Span(reached, span.start))
        reached = max(reached, span.end)
    return holes
