"""A plan that cannot be followed is refused whole, each fault in a sentence that says where."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.desk.plan import read
from listener.desk.plan_words import BadPlan
from tests.given import KEY

BRAND = '[[brand]]\nname = "Acme"\n'
SOURCE = '[[source]]\nname = "News"\nconnector = "hackernews"\n'
OPTIONS = '[source.options]\nquery = "acme"\n'
CHANNEL = f'[[channel]]\nname = "ops"\nurl = "https://ops.example/hook"\nsecret = "{KEY}"\n'
KEPT = 'it is text, or { env = "NAME" } or { file = "path" } when it is kept elsewhere.'

FAULTS = {
    "TOML that is none": (
        "x = [",
        "This is not TOML: Invalid value (at end of document).",
    ),
    "single brackets": (
        '[brand]\nname = "Acme"\nquery = "acme"',
        "The file: write [[brand]], in double brackets, for there may be several.",
    ),
    "an unknown table": (
        '[[brands]]\nname = "Acme"',
        "The file: there is no key `brands`; did you mean `brand`?",
    ),
    "a missing query": (BRAND, '[[brand]] "Acme": `query` is missing.'),
    "a misspelt key": (
        BRAND + 'query = "acme"\nhandle = ["acme"]',
        '[[brand]] "Acme": there is no key `handle`; did you mean `handles`?',
    ),
    "a key like no other": (
        BRAND + 'query = "acme"\ncolour = "red"',
        '[[brand]] "Acme": there is no key `colour`; it can be: handles, name, query.',
    ),
    "a brand without a name": (
        '[[brand]]\nquery = "acme"',
        "[[brand]] number 1: `name` is missing.",
    ),
    "an empty name": (
        '[[brand]]\nname = " "\nquery = "acme"',
        '[[brand]] " ": `name`: it cannot be empty.',
    ),
    "a query that breaks off": (
        BRAND + 'query = "(acme OR"',
        (
            '[[brand]] "Acme": `query`: At character 7: something is missing after OR: '
            "add it, or take OR away.\n(acme OR\n      ^"
        ),
    ),
    "a list that is none": (
        BRAND + 'query = "acme"\nhandles = "acme"',
        '[[brand]] "Acme": `handles`: it is a list: write ["…", "…"].',
    ),
    "text that is none": (
        BRAND + "query = 5",
        '[[brand]] "Acme": `query`: it is text: write it in quotes.',
    ),
    "two of one name": (
        (BRAND + 'query = "acme"\n') * 2,
        'Two [[brand]] are called "Acme"; a name must be used once.',
    ),
    "an unknown connector": (
        '[[source]]\nname = "News"\nconnector = "hackernws"',
        '[[source]] "News": There is no connector "hackernws". Did you mean hackernews?',
    ),
    "a missing option": (SOURCE, '[[source]] "News": option `query` is missing.'),
    "a misspelt option": (
        SOURCE + OPTIONS + 'scoop = "all"\nqueries = "x"',
        None,  # two sentences, below
    ),
    "a time without a unit": (
        SOURCE + "every = 300\n" + OPTIONS,
        '[[source]] "News": `every`: a stretch of time looks like "30s", "5m", "1h" or "7d".',
    ),
    "no time at all": (
        SOURCE + 'every = "0s"\n' + OPTIONS,
        '[[source]] "News": `every`: a source is asked once a second at most.',
    ),
    "a time beyond a year": (
        SOURCE + 'every = "367d"\n' + OPTIONS,
        '[[source]] "News": `every`: a source is asked once a year at least.',
    ),
    "a time beyond all measure": (
        SOURCE + 'since = "99999999999999d"\n' + OPTIONS,
        '[[source]] "News": `since`: a stretch of time is a hundred years at most.',
    ),
    "a day in words": (
        SOURCE + 'since = "yesterday"\n' + OPTIONS,
        '[[source]] "News": `since`: write a date like 2026-11-01 or a stretch of time like "7d".',
    ),
    "the sample": (
        '[[source]]\nname = "Story"\nconnector = "sample"',
        (
            '[[source]] "Story": the sample belongs to the demo and never enters a real database. '
            "See it with: listener run --demo"
        ),
    ),
    "a plain option kept elsewhere": (
        SOURCE + '[source.options]\nquery = { env = "QUERY" }',
        '[[source]] "News": option `query`: it is text: write it in quotes.',
    ),
    "a secret that is a number": (
        '[[source]]\nname = "In"\nconnector = "webhook"\n[source.options]\nsecret = 5',
        f'[[source]] "In": option `secret`: {KEPT}',
    ),
    "a secret kept nowhere": (
        '[[source]]\nname = "In"\nconnector = "webhook"\n[source.options]\nsecret = { env = "" }',
        f'[[source]] "In": option `secret`: {KEPT}',
    ),
    "a name that no address can hold": (
        f'[[source]]\nname = "a/b"\nconnector = "webhook"\n[source.options]\nsecret = "{KEY}"',
        '[[source]] "a/b": its name is part of the address of its door, so it has no / in it.',
    ),
    "an unknown kind of channel": (
        CHANNEL + 'kind = "pigeon"',
        (
            "[[channel]] \"ops\": `kind`: there is no kind of channel called 'pigeon'; "
            "there is: webhook, slack, mail, apprise."
        ),
    ),
    "an address that is none": (
        CHANNEL.replace("https://ops.example/hook", "ops.example"),
        '[[channel]] "ops": `url`: write an address that begins with https://.',
    ),
    "a key that signs nothing": (
        CHANNEL.replace(KEY, "hunter2"),
        '[[channel]] "ops": `secret`: a key is whsec_ and at least 24 random bytes in base64.',
    ),
    "a channel that is there already": (
        CHANNEL.replace('"ops"', '"terminal"'),
        '[[channel]] "terminal": `name`: the terminal is always told; choose another name.',
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_is_said_in_a_sentence_that_names_its_place(what: str) -> None:
    text, sentence = FAULTS[what]

    with pytest.raises(BadPlan) as refusal:
        read(text)

    if sentence is not None:
        assert str(refusal.value) == sentence


def test_every_fault_is_said_at_once() -> None:
    with pytest.raises(BadPlan) as refusal:
        read(BRAND + SOURCE + 'pace = "5m"\n')

    assert refusal.value.faults == [
        '[[brand]] "Acme": `query` is missing.',
        (
            '[[source]] "News": there is no key `pace`; it can be: about_us, brands, connector, every, name, '
            "options, since."
        ),
    ]


def test_every_wrong_option_is_said_at_once() -> None:
    with pytest.raises(BadPlan) as refusal:
        read(SOURCE + '[source.options]\nqueries = "acme"\ncolour = "red"\n')

    assert refusal.value.faults[0] == '[[source]] "News": option `query` is missing.'
    assert refusal.value.faults[1] == (
        '[[source]] "News": there is no option `queries`; did you mean `query`?'
    )
    assert refusal.value.faults[2].startswith('[[source]] "News": there is no option `colour`; ')


def test_no_sentence_repeats_a_secret() -> None:
    with pytest.raises(BadPlan) as refusal:
        read(
            '[[source]]\nname = "In"\nconnector = "webhook"\n[source.options]\n'
            'secret = "hunter2"\n' + CHANNEL.replace(KEY, "hunter2")
        )
    assert "hunter2" not in str(refusal.value)

    with pytest.raises(BadPlan) as refusal:
        read('[[source]]\nname = "In"\nconnector = "webhook"\n[source.options]\nsecret = "hunter2"')
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("words", "seconds"), [("30s", 30), ("5m", 300), ("1h", 3600), ("7d", 604_800), (" 2 h ", 7200)]
)
def test_stretches_of_time_are_written_as_people_write_them(words: str, seconds: int) -> None:
    plan = read(SOURCE + f'every = "{words}"\n' + OPTIONS)

    assert plan.source[0].every == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("words", "since"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:30:00", datetime(2026, 11, 1, 8, 30, tzinfo=UTC)),
        ("2026-11-01T08:30:00+02:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ('"30d"', timedelta(days=30)),
    ],
)
def test_since_is_a_day_a_moment_or_a_stretch_that_ends_now(
    words: str, since: datetime | timedelta
) -> None:
    plan = read(SOURCE + f"since = {words}\n" + OPTIONS)

    assert plan.source[0].since == since


def test_a_secret_may_be_kept_elsewhere() -> None:
    plan = read(
        '[[source]]\nname = "In"\nconnector = "webhook"\n[source.options]\n'
        'secret = { env = "IN_SECRET" }\n' + CHANNEL.replace(f'"{KEY}"', '{ file = "/run/key" }')
    )

    assert plan.source[0].options == {"secret": {"env": "IN_SECRET"}}
    assert plan.channel[0].options()["secret"] == {"file": "/run/key"}


def test_an_empty_file_is_a_plan_that_changes_nothing() -> None:
    plan = read("")

    assert (plan.brand, plan.source, plan.channel) == ([], [], [])


@given(st.text())
def test_whatever_a_file_holds_it_is_a_plan_or_a_sentence(text: str) -> None:
    try:
        read(text)
    except BadPlan as refusal:
        assert all(re.search(r"[.?^]$", fault) for fault in refusal.faults)  # noqa: PT017
