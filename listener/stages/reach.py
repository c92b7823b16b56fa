"""Reach: from a source in the database to a connector that can ask its place."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from connectors.kit import catalog
from connectors.kit.contract import Connector, Replies, ReplyRule, Web
from connectors.kit.errors import ConnectorError
from listener.domain.mention import Mention
from listener.domain.secret import WrongKey
from listener.domain.source import Source
from listener.store import intake
from listener.store.session import Store

log = structlog.get_logger(__name__)


class PacedWeb(Web, Protocol):
    """A web that knows for how long its place asked us to stay away."""

    @property
    def wait(self) -> timedelta | None:
        """How long that is from now, if at all. Not until when: the clocks of machines differ."""


def usable() -> dict[str, type[Connector]]:
    """Every connector by name; one that cannot be loaded takes no other with it."""
    found = {}
    for name in catalog.names():
        try:
            found[name] = catalog.load(name)
        except Exception as error:  # noqa: BLE001  (it may be anybody's code)
            log.debug("connector cannot be loaded", connector=name, why=type(error).__name__)
    return found


Reach = Callable[[Source], tuple[Connector, PacedWeb]]


def teaching(
    also: Collection[str] = frozenset(), without: Collection[str] = frozenset()
) -> frozenset[str]:
    """The connectors of places whose terms allow that corrections of their posts teach a model.

    One that cannot be loaded says nothing of its place's terms, and teaches nobody. The operator
    may have read some place's terms and know better (`also`), or want less (`without`).
    """
    allowed = {name for name, kind in usable().items() if kind.keeps.learn}
    return frozenset((allowed | set(also)) - set(without))


def rule(connect: Callable[[Source], Connector], source: Source, mention: Mention) -> ReplyRule:
    """Whether and how a mention can be answered through the source that saw it."""
    try:
        connector = connect(source)
    except (ConnectorError, WrongKey) as error:
        return ReplyRule(False, reason=str(error), link=mention.url)
    if not isinstance(connector, Replies):
        reason = f"{connector.title} takes no replies from programs."
        return ReplyRule(False, reason=reason, link=mention.url)
    return connector.can_reply(mention.post)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the listener knows of a source when it asks for pages."""

    store: Store
    source: Source
    now: datetime

    @property
    def since(self) -> datetime:
        """The earliest publication time that is wanted."""
        return self.source.since

    async def among(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of `ids` that this source has read before."""
        async with self.store.reading() as session:
            return await intake.known(session, self.source, ids)
