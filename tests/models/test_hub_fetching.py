"""A model is found where its name says, before anybody is asked for it over the network."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from models import hub, shelf
from models.errors import BrokenModel
from tests.models.beside import beside

ROOT = Path(__file__).parents[2]
COMMIT = "5ca1ab1e" + 32 * "0"
FILES = {
    "README.md": b"for people",
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "vocab.txt": b"a",
    "onnx/model.onnx": b"large",
    "tf_model.h5": b"large",
}
NEW, OLD = {"model.safetensors": b"weights"}, {"pytorch_model.bin": b"weights"}
REFUSED = {
    "organisation/gated": (403, "GatedRepo"),
    "organisation/missing": (404, "RepoNotFound"),
    "organisation/old@v9": (404, "RevisionNotFound"),
    "organisation/upset": (500, ""),
}


@dataclass
class FakeHub:
    """What the Hugging Face hub answers, as huggingface_hub asks it."""

    asked: Counter[str] = field(default_factory=Counter)
    address: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Any GET or HEAD."""
        path = request.path
        if "/resolve/" in path:
            name = path.split(f"/resolve/{COMMIT}/")[1]
            self.asked[name] += request.method == "GET"
            content = (FILES | NEW | OLD)[name]
            return web.Response(
                body=content, headers={"ETag": f'"{len(name)}"', "X-Repo-Commit": COMMIT}
            )
        self.asked[path] += 1
        for name, (status, code) in REFUSED.items():
            model, _, revision = name.partition("@")
            if f"/{model}/" in path and path.endswith(revision):
                return web.json_response({}, status=status, headers={"X-Error-Code": code})
        files = FILES | (NEW if "organisation/new" in path else OLD)
        if "/tree/" in path:
            return web.json_response(
                [
                    {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                    for name, content in files.items()
                ]
            )
        return web.json_response(
            {"id": "x", "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        )


@pytest.fixture(scope="module")
def online() -> Iterator[FakeHub]:
    fake = FakeHub()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    with beside(app) as fake.address:
        yield fake


def fetched(cache: Path, address: str, *names: str) -> list[dict[str, object]]:
    """What comes of each name, in a process of its own: the library reads its settings once."""
    fetch = (
        "import json, sys\n"
        "from models import hub\n"
        "from models.errors import BrokenModel\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        folder = hub.fetched(name)\n"
        "        files = sorted(path.name for path in folder.iterdir())\n"
        "        print(json.dumps({'files': files, 'version': hub.version(folder)}))\n"
        "    except BrokenModel as refused:\n"
        "        print(json.dumps({'refused': str(refused)}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", fetch, *names],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        | {"HF_ENDPOINT": address, "HF_HOME": str(cache), "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_of_a_model_on_the_hub_only_what_is_needed_is_fetched_and_only_once(
    online: FakeHub, tmp_path: Path
) -> None:
    online.asked.clear()

    new, old, again = fetched(
        tmp_path, online.address, "organisation/new", "organisation/old@v1", "organisation/new"
    )

    needed = ["config.json", "tokenizer.json", "vocab.txt"]
    assert new == {"files": sorted([*needed, *NEW]), "version": "5ca1ab1e"}
    assert old == {"files": sorted([*needed, *OLD]), "version": "5ca1ab1e"}
    assert again == new
    assert {name: times for name, times in online.asked.items() if "/" not in name} == {
        "config.json": 2,
        "tokenizer.json": 2,
        "vocab.txt": 2,
        "model.safetensors": 1,
        "pytorch_model.bin": 1,
    }
    assert not [
        name for name in online.asked if not name.startswith("/api/models/") and "/" in name
    ]


def test_what_was_fetched_once_is_there_without_a_connection(
    online: FakeHub, tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:9"
    (before,) = fetched(tmp_path, online.address, "organisation/new")

    after, missing = fetched(tmp_path, nobody, "organisation/new", "organisation/other")

    assert after == before
    assert missing == {
        "refused": "The model 'organisation/other' is not on this machine, and it cannot be "
        "fetched from the Hugging Face hub (LocalEntryNotFoundError). Try again with a "
        "connection, or fetch it elsewhere and give its folder, for example hub:/models/name."
    }


def test_what_the_hub_refuses_is_said_in_a_sentence(online: FakeHub, tmp_path: Path) -> None:
    gated, missing, revision, upset, impossible = fetched(
        tmp_path, online.address, *REFUSED, "organisation/a--b"
    )

    assert gated == {
        "refused": "The Hugging Face hub gives 'organisation/gated' only to those who have "
        "accepted its terms. Accept them on its page there and set HF_TOKEN."
    }
    assert missing == {
        "refused": "There is neither a folder 'organisation/missing' here nor a model of that "
        "name on the Hugging Face hub. Correct it; if it is private there, set HF_TOKEN."
    }
    assert revision == {
        "refused": "The model 'organisation/old' has no revision 'v9' on the Hugging Face hub."
    }
    assert str(upset["refused"]).startswith("The model 'organisation/upset' is not on this machine")
    assert impossible == {
        "refused": "'organisation/a--b' cannot be a name on the Hugging Face hub."
    }


@pytest.mark.parametrize(
    "what", ["/no/such/folder", "./tiny", "~/no-such-folder", "~nobody-here/x", "a/b/c", "a b"]
)
def test_a_folder_that_is_not_there_is_not_looked_for_on_the_hub(what: str) -> None:
    with pytest.raises(BrokenModel) as refused:
        shelf.open(f"hub:{what}")

    assert str(refused.value).startswith("There is no folder ")
    assert str(refused.value).endswith(
        "Give the folder that a model was saved to, or its name on the Hugging Face hub, for "
        "example hub:organisation/model."
    )


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").touch()

    with pytest.raises(BrokenModel) as refused:
        shelf.open(f"hub:{tmp_path}/model.safetensors")

    assert str(refused.value) == (
        f"{tmp_path}/model.safetensors is a file. Give the folder that the model was saved to."
    )


def test_any_folder_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel) as refused:
        shelf.open(f"hub:{tmp_path}")

    assert str(refused.value) == (
        f"The folder {tmp_path} has no config.json, so it holds no model that was saved for "
        "transformers. Choose another."
    )


def test_a_folder_counts_more_than_a_name_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "organisation" / "model").mkdir(parents=True)
    (tmp_path / "organisation" / "model" / "config.json").touch()
    monkeypatch.chdir(tmp_path)

    assert hub.local("organisation/model") == Path("organisation/model")
    assert hub.local("organisation/other") is None


def test_where_torch_is_missing_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").touch()
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed

    with pytest.raises(BrokenModel) as refused:
        shelf.open(f"hub:{tmp_path}")

    assert str(refused.value) == (
        f"The model 'hub:{tmp_path}' needs PyTorch, which is not installed here. Install Listener "
        "with it: .venv/bin/pip install -e '.[hub]' in its folder."
    )
