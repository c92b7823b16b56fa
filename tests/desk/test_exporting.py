"""What is exported can be applied again, here and elsewhere, and gives no secret away."""

from typing import Any

import pytest

from listener.desk import plan
from listener.desk.applying import apply
from listener.desk.exporting import export
from listener.desk.plan_words import BadPlan
from listener.domain.secret import Seal
from listener.store import schema
from listener.store.session import Store

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
FILE = f"""
[[brand]]
name = "Acme"
query = '(acme OR "acme coffee") NOT tools'
handles = ["acmecoffee"]

[[source]]
name = "Forms"
connector = "webhook"
brands = ["Acme"]
about_us = true
every = "90s"
since = 2026-10-01T00:00:00Z
[source.options]
secret = "{SECRET}"
fields = {{ text = "/message" }}

[[source]]
name = "Town"
connector = "mastodon"
[source.options]
api = "https://town.example"
tag = "acme"
token = {{ env = "TOWN_TOKEN" }}

[[channel]]
name = "ops"
url = "https://ops.example/hook"
secret = "{SECRET}"

[[channel]]
name = "desk"
kind = "slack"
channel = "C01ABCDEF"
token = "xoxb-words-of-slack"
signing_secret = {{ env = "SLACK_SIGNING_SECRET" }}
brands = ["Acme"]
only_urgent = true

[[channel]]
name = "letters"
kind = "mail"
to = ["desk@example.org"]

[[channel]]
name = "team"
kind = "apprise"
url = "discord://1234567890/words-of-discord"
"""
SEAL = Seal("a key for tests, long enough")


async def test_applying_an_export_changes_nothing(store: Store) -> None:
    await apply(store, plan.read(FILE), SEAL)

    exported = await export(store)
    done = await apply(store, plan.read(exported), SEAL)

    assert done.added == []
    assert done.changed == []
    assert await export(store) == exported


async def test_an_export_holds_no_secret_but_says_where_one_is(store: Store) -> None:
    await apply(store, plan.read(FILE), SEAL)

    exported = await export(store)

    assert SECRET not in exported
    assert "words-of-" not in exported
    assert "sealed" not in exported
    options: dict[str, Any] = {one.name: one.options for one in plan.read(exported).source}
    assert options["Forms"]["secret"] == {"secret": True}
    assert options["Town"]["token"] == {"env": "TOWN_TOKEN"}
    desk, letters, _, team = sorted(plan.read(exported).channel, key=lambda one: one.name)
    assert (desk.brands, desk.only_urgent) == (["Acme"], True)
    assert desk.options() == {
        "channel": "C01ABCDEF",
        "token": {"secret": True},
        "signing_secret": {"env": "SLACK_SIGNING_SECRET"},
    }
    assert letters.options() == {"to": ["desk@example.org"]}
    assert team.options() == {"url": {"secret": True}}


async def test_elsewhere_the_missing_secret_is_asked_for(store: Store, tmp_path: Any) -> None:
    elsewhere = Store(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    await schema.upgrade(elsewhere)
    await apply(store, plan.read(FILE), SEAL)
    exported = await export(store)

    with pytest.raises(BadPlan) as refused:
        await apply(elsewhere, plan.read(exported), SEAL)
    await elsewhere.close()

    assert str(refused.value) == (
        '[[source]] "Forms": `secret` is written { secret = true }, which means the secret that '
        "is kept here already, but there is none: write the secret itself."
    )
