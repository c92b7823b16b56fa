"""Contract test 1: options are a form, a row in the database, and keep their secrets."""

import json
from collections.abc import Mapping
from typing import ClassVar

import pytest

from connectors.kit import catalog
from connectors.kit.contract import Connector, revealed, secrets


class OptionsSuite:
    """What holds for the options of every connector, whatever it does."""

    connector: ClassVar[type[Connector]]
    options: ClassVar[Mapping[str, object]] = {}

    def made(self) -> Connector:
        """The connector with its options, before it knows where the place is."""
        return self.connector.model_validate({**self.options})

    def test_1_its_options_can_be_asked_for_in_a_form(self) -> None:
        described = {option.name: option for option in catalog.describe(self.connector)}

        assert described.keys() == self.connector.model_fields.keys()
        assert {name for name, option in described.items() if option.secret} == secrets(
            self.connector
        )
        assert [name for name, option in described.items() if not option.description] == []
        assert self.connector.title
        assert self.connector.docs.startswith("https://")

    def test_1_its_options_survive_the_database(self) -> None:
        stored = json.dumps(revealed(self.made()))

        assert type(self.made()).model_validate(json.loads(stored)) == self.made()

    def test_1_its_secrets_show_nowhere(self) -> None:
        made = self.made()
        shown = f"{made!r} {made} {made.model_dump_json()} {made.model_dump()}"

        assert [secret for secret in secret_texts(made) if secret in shown] == []

    def test_1_a_misspelt_option_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no_such_option"):
            self.connector.model_validate({**self.options, "no_such_option": 1})


def secret_texts(connector: Connector) -> list[str]:
    """The secrets of a connector, in the clear."""
    values = [getattr(connector, name) for name in secrets(type(connector))]
    return [value.get_secret_value() for value in values if value is not None]


def leaks(connector: Connector, shown: str) -> list[str]:
    """The secrets of a connector that can be read in what is shown."""
    return [secret for secret in secret_texts(connector) if secret in shown]
