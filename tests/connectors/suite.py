"""What every connector must pass, asked of it through the real door to the network.

A connector's test file subclasses `ConnectorSuite`, names the connector, its options and a
`Place` that behaves like its place; docs/connector-authors.md shows one. Tests of what a
connector does not offer are not generated. A connector that is only sent posts subclasses
`DeliverySuite`; one that needs neither, `OptionsSuite`.
"""

from datetime import timedelta
from typing import cast

import pytest
from typing_extensions import override

from connectors.kit.contract import Accepts, Delivery, Listens, Rechecks, Replies
from connectors.kit.errors import AccessDenied
from tests.connectors.memory import Memory, number
from tests.connectors.place import BEGINNING, Published
from tests.connectors.suite_options import OptionsSuite
from tests.connectors.suite_reading import CONTACT, FREE
from tests.connectors.suite_troubles import Troubles
from tests.connectors.suite_walks import MARKUP, Walks

__all__ = [
    "CONTACT",
    "FREE",
    "ConnectorSuite",
    "DeliverySuite",
    "Memory",
    "OptionsSuite",
    "number",
]


class ConnectorSuite(Walks, Troubles):
    """The ten contract tests of a connector that reads pages."""

    @override
    def __init_subclass__(cls) -> None:
        """Generate no test for what the connector does not offer."""
        if not hasattr(cls, "connector"):
            return
        rules: dict[str, bool] = {
            "test_5_a_post_that_is_indexed_late": cls.connector.lag > timedelta(0),
            "test_7_an_edit_in_a_list": cls.lists_edits,
            "test_7_a_recheck": issubclass(cls.connector, Rechecks),
            "test_8": issubclass(cls.connector, Replies),
            "test_listening": issubclass(cls.connector, Listens) and cls.streams,
        }
        for name in dir(cls):
            if any(name.startswith(prefix) and not on for prefix, on in rules.items()):
                setattr(cls, name, None)


class DeliverySuite(OptionsSuite):
    """The contract tests of a connector that is sent posts."""

    def delivered(self, post: Published) -> Delivery:
        """A delivery of this post as the place sends it."""
        raise NotImplementedError

    def forged(self, post: Published) -> Delivery:
        """A delivery that somebody else made up."""
        raise NotImplementedError

    def test_1_a_forged_delivery_is_access_denied(self) -> None:
        with pytest.raises(AccessDenied):
            self._receiver().accept(self.forged(_published(1)))

    def test_2_a_delivery_is_mapped_and_repeats_its_id(self) -> None:
        first = self._receiver().accept(self.delivered(_published(1)))
        again = self._receiver().accept(self.delivered(_published(1)))
        other = self._receiver().accept(self.delivered(_published(2)))

        assert [number(post) for post in first.posts] == [1]
        assert [post.id for post in first.posts] == [post.id for post in again.posts]
        assert [post.id for post in first.posts] != [post.id for post in other.posts]
        assert not any(MARKUP.search(post.text) for post in first.posts)

    def _receiver(self) -> Accepts:
        return cast(Accepts, self.made())


def _published(which: int) -> Published:
    text = f'Post n{which}n: fish & chips were cold, "sorry" <3 they said.'
    return Published(number=which, text=text, at=BEGINNING, indexed=BEGINNING)
