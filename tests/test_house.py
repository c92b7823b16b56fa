"""Keeps the house in order: what CONTRIBUTING.md asks of every file, asked of every file."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("listener", "connectors", "models", "scripts", "tests")
LONGEST = 500
UNWANTED = {
    *("item", "items", "entry", "entries", "payload", "payloads", "ticket", "tickets"),
    *("helper", "helpers", "util", "utils", "processor", "processors"),
}
# Written so that this file does not find itself.
MACHINE_PATHS = re.compile(r"(?<![\w.:/~-])/(?:home|root|work)(?=/|\b)|/tmp/(?:pip|build|tmp)[\w-]")
REGISTRIES = re.compile(
    r"pypi\.(?:org)|python(?:hosted)\.|npmjs\.(?:org|com)|deb\.(?:debian)\.|crates\.(?:io)"
)
# ```sh tested is run as it stands, in an empty folder; plain ```sh is only parsed.
SHELL_BLOCK = re.compile(r"^```sh( tested)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
# As code, that is between backticks or at the start of a line in a block.
SPOKEN_COMMAND = re.compile(r"(?:`|(?<=\n)|\$ )make ([a-z][a-z-]*)(?=`| +[A-Z#]| *\n| [A-Z]+=)")
UNNUMBERED = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b(?!\(#\d+\))")


def test_no_module_is_longer_than_one_can_keep_in_mind() -> None:
    long = {str(path): n for path in modules() if (n := len(lines(ROOT / path))) > LONGEST}

    assert not long, f"split these into a package of the same name: {long}"


def test_every_module_begins_by_saying_in_one_sentence_what_it_is_for() -> None:
    silent = [str(path) for path in modules() if not first_sentence(path).endswith(".")]

    assert not silent, f"these need a docstring whose first line is a sentence: {silent}"


def test_no_module_has_a_name_that_says_nothing() -> None:
    bad = [str(path) for path in modules() if UNWANTED & set(path.stem.lower().split("_"))]

    assert not bad


def test_no_class_has_a_name_that_says_nothing() -> None:
    bad = [
        f"{path}: {name}"
        for path in modules()
        for name in our_classes(path)
        if (UNWANTED | {"manager"}) & set(words(name))
    ]

    assert not bad


@pytest.mark.parametrize(
    ("name", "said"),
    [("QueueItem", ["queue", "item"]), ("HTTPHelper", ["http", "helper"]), ("Case", ["case"])],
)
def test_a_class_name_is_read_word_by_word(name: str, said: list[str]) -> None:
    assert words(name) == said


def test_what_is_left_to_do_names_its_issue() -> None:
    loose = list(everywhere(UNNUMBERED))

    assert not loose, f"these want the number of their issue in brackets: {loose}"


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert not list(everywhere(MACHINE_PATHS))


def test_no_file_names_a_package_registry() -> None:
    assert not list(everywhere(REGISTRIES))


@pytest.mark.parametrize(
    "line", ["cd {}home/ana", "PATH={}root/bin:x", "'{}work/main'", "{}tmp/pip-x"]
)
def test_a_path_of_somebodys_machine_is_recognised(line: str) -> None:
    assert MACHINE_PATHS.search(line.format("/"))


@pytest.mark.parametrize(
    "line", ["https://example.com/home/42", "api/v1/timelines/home", "~/work", "docs/work.md"]
)
def test_an_address_is_not_taken_for_a_path_of_a_machine(line: str) -> None:
    assert not MACHINE_PATHS.search(line)


def test_the_import_contracts_are_kept() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_decision_says_what_was_decided_why_and_what_follows() -> None:
    wanted = {"Status", "Context", "Decision", "Consequences"}
    decisions = [page for page in pages() if page.parent.name == "decisions"]

    lacking = {
        page.name: missing
        for page in decisions
        if (
            missing := wanted
            - set(
                re.findall(
                    r"^(?:#+ |\*\*)?(Status|Context|Decision|Consequences)\b",
                    page.read_text(),
                    re.MULTILINE,
                )
            )
        )
    }

    assert not lacking


def test_make_help_lists_every_command() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert sorted(re.findall(r"^  make ([a-z-]+)", shown, re.MULTILINE)) == sorted(commands())


def test_make_alone_shows_the_help() -> None:
    assert ".DEFAULT_GOAL := help" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize(
    "command", re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
)
def test_contributing_explains_every_make_command(command: str) -> None:
    assert f"| `make {command}` |" in (ROOT / "CONTRIBUTING.md").read_text()


def test_pages_speak_only_of_make_commands_that_exist() -> None:
    spoken = {
        (page.name, command)
        for page in pages()
        for command in SPOKEN_COMMAND.findall(page.read_text())
    }

    assert not {(page, command) for page, command in spoken if command not in commands()}


def test_pages_point_only_to_files_that_exist() -> None:
    lost = [
        f"{page.name}: {link}"
        for page in pages()
        for link in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", page.read_text())
        if not (page.parent / link).exists()
    ]

    assert not lost


def test_the_commands_on_our_pages_are_right(tmp_path: Path) -> None:
    where = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    for page in pages():
        for marked, block in SHELL_BLOCK.findall(page.read_text()):
            shell = ["sh", "-eu"] if marked else ["sh", "-n"]  # what is not marked is only parsed
            done = subprocess.run(
                shell, input=block, cwd=tmp_path, env=where,
                capture_output=True, text=True, check=False,
            )  # fmt: skip

            assert done.returncode == 0, f"{page.name}: {block}\n{done.stdout}{done.stderr}"


LOCKS = sorted(ROOT.glob("requirements*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_pin_of_a_lock_has_its_hash_and_no_address(lock: Path) -> None:
    said = re.sub(r"^#.*\n|^\n", "", lock.read_text().replace("\\\n", " "), flags=re.MULTILINE)

    pins = said.splitlines()

    assert len(pins) > 20
    odd = [
        pin
        for pin in pins
        if not re.fullmatch(r"[\w.-]+(?:\[[\w,-]+\])?==\S+ ( *--hash=sha256:[0-9a-f]{64})+", pin)
    ]
    assert not odd
    assert "://" not in lock.read_text()


def test_developing_uses_the_very_packages_that_running_uses() -> None:
    running, developing = pins("requirements.lock"), pins("requirements-dev.lock")

    assert running.items() <= developing.items()


def test_the_locks_hold_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    developing = [*project["dependencies"], *project["optional-dependencies"]["dev"]]

    assert names(project["dependencies"]) <= pins("requirements.lock").keys()
    assert names(developing) <= pins("requirements-dev.lock").keys()


def modules() -> Iterator[Path]:
    """Every Python file of ours, from the top of the house."""
    return (path for path in files() if path.suffix == ".py" and path.parts[0] in ROOMS)


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or could be, in the repository; without git every file there is."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    shown = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if shown.returncode == 0:
        paths = [Path(name) for name in shown.stdout.split("\0") if name]
    else:
        paths = [path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.*")]
    return tuple(path for path in paths if (ROOT / path).is_file())


def pages() -> list[Path]:
    """Everything we wrote to be read, from the README to the decisions."""
    return [ROOT / path for path in files() if path.suffix == ".md"]


def everywhere(pattern: re.Pattern[str]) -> Iterator[str]:
    """Where a pattern stands in our text files."""
    for path in files():
        if path.suffix == ".lock":
            continue
        for number, line in enumerate(lines(ROOT / path), 1):
            if pattern.search(line):
                yield f"{path}:{number}: {line.strip()[:80]}"


@cache
def lines(path: Path) -> list[str]:
    """The lines of a text file; none of a binary one."""
    try:
        return path.read_text().splitlines()
    except UnicodeDecodeError:
        return []


def first_sentence(path: Path) -> str:
    """The first line of a module's docstring."""
    said = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
    return said.partition("\n")[0]


def our_classes(path: Path) -> list[str]:
    """The classes that we named: in a connector only the first, the rest are the place's words."""
    tree = ast.parse((ROOT / path).read_text())
    named = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    is_connector = path.parts[0] == "connectors" and path.parts[1] != "kit"
    return named[:1] if is_connector else named


def words(name: str) -> list[str]:
    """The words of a CamelCase name."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def commands() -> list[str]:
    """What make can do."""
    return re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """The packages of a lock with their versions."""
    return dict(
        re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    )


def names(wanted: list[str]) -> set[str]:
    """The normal names of packages that are asked for."""
    bare = [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in wanted]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in bare}
