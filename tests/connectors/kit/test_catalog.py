"""Connectors are found by name, ours and those installed beside us, and explain their options."""

import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field, HttpUrl, SecretStr
from typing_extensions import override

import connectors
from connectors.kit import catalog
from connectors.kit.catalog import BrokenConnector, UnknownConnector
from connectors.kit.contract import Connector, Health, Known, Order, Pace, Page, Web

SOURCE = '''
"""A connector for a test."""
from datetime import timedelta
from typing import ClassVar
from connectors.kit.contract import Connector, Order, Pace

class {name}(Connector):
    """{name}."""
    title: ClassVar = "{name}"
    docs: ClassVar = "https://{name}.example"
    pace: ClassVar = Pace(requests=1, per=timedelta(seconds=1))
    order: ClassVar = Order.NONE
    lag: ClassVar = timedelta(0)

    async def check(self, web): ...
    async def pages(self, web, cursor, known): yield
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder that `connectors` looks into."""
    monkeypatch.setattr(connectors, "__path__", [*connectors.__path__, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_files_and_packages_are_connectors_and_the_kit_is_not(folder: Path) -> None:
    (folder / "filed.py").write_text(SOURCE.format(name="Filed"))
    (folder / "boxed").mkdir()
    (folder / "boxed" / "__init__.py").write_text("from connectors.boxed.inner import Boxed\n")
    (folder / "boxed" / "inner.py").write_text(SOURCE.format(name="Boxed"))
    (folder / "only_texts").mkdir()
    (folder / "_hidden.py").write_text("")

    assert {"filed", "boxed"} <= set(catalog.names())
    assert not {"kit", "only_texts", "_hidden"} & set(catalog.names())
    assert catalog.load("filed").title == "Filed"
    assert catalog.load("boxed").title == "Boxed"


@pytest.mark.parametrize("name", catalog.names())
def test_every_connector_in_the_house_can_be_loaded_and_described(name: str) -> None:
    connector = catalog.load(name)

    assert connector.title
    assert connector.docs
    assert len(catalog.describe(connector)) == len(connector.model_fields)


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path) -> None:
    (folder / "trustpilot_test.py").write_text(SOURCE.format(name="Near"))

    with pytest.raises(UnknownConnector) as unknown:
        catalog.load("Trustpilot-test")

    said = 'There is no connector "Trustpilot-test". Did you mean trustpilot_test'
    assert str(unknown.value).startswith(said)


def test_a_name_like_no_other_is_answered_with_all(folder: Path) -> None:
    (folder / "filed.py").write_text(SOURCE.format(name="Filed"))

    with pytest.raises(UnknownConnector, match=r"There are: .*filed"):
        catalog.load("zzzzzz")


@pytest.mark.parametrize("name", ["kit", "kit.web", "../etc", "", "__init__", "os"])
def test_only_connectors_are_loaded(name: str) -> None:
    with pytest.raises(UnknownConnector):
        catalog.load(name)


@pytest.mark.parametrize("text", ["", SOURCE.format(name="A") + SOURCE.format(name="B")])
def test_a_module_defines_one_connector(folder: Path, text: str) -> None:
    (folder / "odd.py").write_text(text)

    with pytest.raises(BrokenConnector, match="has to define one Connector class"):
        catalog.load("odd")


def test_an_unfinished_class_is_no_connector(folder: Path) -> None:
    (folder / "unfinished.py").write_text(SOURCE.format(name="Half").partition("    async")[0])

    with pytest.raises(BrokenConnector, match="it has none"):
        catalog.load("unfinished")


def test_a_connector_may_import_another_class_without_becoming_it(folder: Path) -> None:
    (folder / "filed.py").write_text(SOURCE.format(name="Filed"))
    (folder / "heir.py").write_text(
        "from connectors.filed import Filed\n\nclass Heir(Filed):\n    title = 'Heir'\n"
    )

    assert catalog.load("heir").title == "Heir"


class Beside(Connector):
    """Installed by another package."""

    title: ClassVar = "Beside"
    docs: ClassVar = "https://beside.example"
    pace: ClassVar = Pace(requests=1, per=timedelta(seconds=1))
    order: ClassVar = Order.NONE
    lag: ClassVar = timedelta(0)

    @override
    async def check(self, web: Web) -> Health:
        return Health(True, "")

    @override
    async def pages(self, web: Web, cursor: str | None, known: Known) -> AsyncIterator[Page]:
        yield Page(cursor=cursor)


def test_connectors_installed_beside_us_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    here = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "beside_us", here)
    points = EntryPoints(
        [
            EntryPoint("beside", "beside_us:Beside", catalog.GROUP),
            EntryPoint("broken", "beside_us:SOURCE", catalog.GROUP),
        ]
    )
    monkeypatch.setattr(catalog, "entry_points", lambda **asked: points.select(**asked))

    assert {"beside", "broken"} <= set(catalog.names())
    assert catalog.load("beside") is Beside
    with pytest.raises(BrokenConnector, match="broken"):
        catalog.load("broken")


class Sort(StrEnum):
    NEW = "new"
    TOP = "top"


class Asking(Beside):
    """One option of every kind."""

    app: str = Field(description="The number of the app")
    token: SecretStr | None = Field(None, description="From your profile page")
    site: HttpUrl | None = Field(None, description="Where the forum lives")
    depth: Annotated[int, Field(ge=1)] = Field(5, description="How many pages")
    share: float = 0.5
    replies: bool = True
    sort: Sort = Sort.NEW
    tree: Literal["yes", "no"] = "no"
    countries: tuple[str, ...] = ("us", "de")
    since: datetime | None = None


def test_options_are_described_for_a_form() -> None:
    options = {option.name: option for option in catalog.describe(Asking)}

    assert {name: option.type for name, option in options.items()} == {
        "app": "text",
        "token": "text",
        "site": "address",
        "depth": "whole number",
        "share": "number",
        "replies": "yes or no",
        "sort": "choice",
        "tree": "choice",
        "countries": "list",
        "since": "time",
    }
    assert [name for name, option in options.items() if option.required] == ["app"]
    assert [name for name, option in options.items() if option.secret] == ["token"]
    assert options["sort"].choices == ("new", "top")
    assert options["tree"].choices == ("yes", "no")
    assert options["depth"].default == 5
    assert options["countries"].default == ("us", "de")
    assert options["app"].description == "The number of the app"


def test_the_default_of_a_secret_is_not_told() -> None:
    class Careless(Beside):
        token: SecretStr = SecretStr("canary-default")

    [option] = catalog.describe(Careless)

    assert "canary-default" not in repr(option)
    assert option.default is None
