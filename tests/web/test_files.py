"""Style sheets and scripts: for good under their version's address, else asked for again."""

import pytest

from listener.web import files, pages
from tests.web.visiting import street
from tests.world import World


async def test_every_file_has_its_type_and_an_address_for_good(world: World) -> None:
    async with street(world) as place:
        browser = place.browser()
        for name, file in files.every().items():
            seen = await browser.get(pages.asset(name))
            assert seen.status == 200
            assert seen.headers["Content-Type"] == f"{file.kind}; charset=utf-8"
            assert seen.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert seen.headers["X-Content-Type-Options"] == "nosniff"
            assert "Set-Cookie" not in seen.headers


async def test_under_its_plain_name_a_file_is_asked_for_again_and_sent_when_it_changed(
    world: World,
) -> None:
    async with street(world) as place:
        browser = place.browser()
        for path in ("/static/desk.css", "/static/desk.css?000000000000"):
            first = await browser.get(path)
            assert first.headers["Cache-Control"] == "no-cache"
            again = await browser.get(path, **{"If-None-Match": first.headers["Etag"]})
            assert (again.status, again.text) == (304, "")
            other = await browser.get(path, **{"If-None-Match": '"another"'})
            assert other.status == 200


@pytest.mark.parametrize("name", ["..%2Fsite.py", "nothing.css", ".", "__init__.py"])
async def test_nothing_else_is_sent(world: World, name: str) -> None:
    async with street(world) as place:
        assert (await place.browser().get(f"/static/{name}")).status == 404
