"""What others recorded of Stack Exchange, sites and users, is understood as no question at all.

Nobody publishes recorded questions or searches, so only the wrapper and the words that
all objects share can be checked here.
"""

import os
from pathlib import Path

import orjson
import pytest

from connectors.kit.contract import Unread
from connectors.stackexchange.manners import Wrapper
from connectors.stackexchange.shapes import Answers, Excerpts, Owner, Questions, host_of

RECORDINGS = Path(os.environ.get("LISTENER_RECORDINGS") or "/nowhere") / "stackexchange"
FILES = sorted(RECORDINGS.glob("*/test_*"))

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="LISTENER_RECORDINGS does not point at the recordings"
)


def test_there_is_something_to_read() -> None:
    assert len(FILES) == 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_wrapper_is_read_and_none_of_its_items_is_taken_for_a_post(file: Path) -> None:
    body = file.read_bytes()
    items = orjson.loads(body)["items"]

    wrapper = Wrapper.model_validate_json(body)

    assert wrapper.error_id is None
    for shape in (Questions, Answers, Excerpts):
        read = shape.model_validate_json(body).items
        assert len(read) == len(items)
        assert all(isinstance(each, Unread) for each in read)
        assert {each.reason for each in read if isinstance(each, Unread)} <= {
            f"One {what} is in a shape we do not know: question_id (missing)."
            for what in ("question", "answer", "excerpt")
        }


def test_every_recorded_user_is_an_author_of_one_site() -> None:
    told = orjson.loads((FILES[1]).read_bytes())["items"]
    assert told
    for user in told:
        host = user["site_url"].partition("://")[2]
        author = Owner.model_validate(user).as_author(host)
        assert author.id == f"{host}/{user['user_id']}"


def test_every_recorded_site_has_the_host_that_its_name_stands_for() -> None:
    told = orjson.loads((FILES[0]).read_bytes())["items"]
    assert told
    for site in told:
        assert host_of(site["api_site_parameter"]) == site["site_url"].partition("://")[2]
