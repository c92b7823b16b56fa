"""Settings come from the environment, and one that cannot be used is named with what to do."""

import stat
from datetime import time, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from listener.config import BadSettings, Settings, read
from listener.stages.reach import teaching
from listener.store.sweeping import Keeping
from listener.web.entrance import LOOPBACK

WEAK = (
    "LISTENER_KEY is too easy to guess: use at least 16 random characters, "
    "or leave it out and a key file is made."
)


def test_without_any_setting_everything_is_kept_in_the_users_own_folder() -> None:
    settings = read({"XDG_DATA_HOME": "/srv/ana/data"})

    assert settings.data == Path("/srv/ana/data/listener")
    assert settings.database == "sqlite:////srv/ana/data/listener/listener.db"
    assert settings.sqlite == Path("/srv/ana/data/listener/listener.db")
    assert (settings.host, settings.port, settings.url) == (
        "127.0.0.1",
        8080,
        "http://127.0.0.1:8080",
    )
    assert settings.keeping == Keeping(timedelta(days=90), timedelta(days=730))
    assert settings.fresh == timedelta(hours=48)


def test_a_setting_that_is_empty_is_as_if_it_were_not_there() -> None:
    names = ["LISTENER_HTTP", "LISTENER_KEY", "DATABASE_URL", "LISTENER_FRESH", "LISTENER_MODEL"]

    assert read({"XDG_DATA_HOME": "/d"} | dict.fromkeys(names, "")) == read({"XDG_DATA_HOME": "/d"})


@pytest.mark.parametrize(
    ("words", "host", "port", "url"),
    [
        ("127.0.0.1:9000", "127.0.0.1", 9000, "http://127.0.0.1:9000"),
        (":9000", "0.0.0.0", 9000, "http://0.0.0.0:9000"),  # noqa: S104
        ("[::1]:9000", "::1", 9000, "http://[::1]:9000"),
        ("listener.example:80", "listener.example", 80, "http://listener.example:80"),
    ],
)
def test_where_to_listen(words: str, host: str, port: int, url: str) -> None:
    settings = read({"LISTENER_HTTP": words})

    assert (settings.host, settings.port, settings.url) == (host, port, url)


@pytest.mark.parametrize(
    "words", ["nonsense", "8080", "127.0.0.1", "a:b", "a:99999", "::1:80", "a b:1"]
)
def test_where_to_listen_is_said_when_it_is_nonsense(words: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read({"LISTENER_HTTP": words})

    assert str(refusal.value) == (
        f"LISTENER_HTTP is {words!r}; it must be host:port, for example 127.0.0.1:8080."
    )


@pytest.mark.parametrize("key", ["short", "changeme", "password", "Listener", "x" * 15])
def test_a_weak_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read({"LISTENER_KEY": key})

    assert str(refusal.value) == WEAK
    assert key not in str(refusal.value).split(":")[1:]


def test_a_key_is_never_shown_with_the_settings() -> None:
    assert "a long and random key" not in repr(read({"LISTENER_KEY": "a long and random key"}))


@pytest.mark.parametrize("name", ["LISTENER_FRESH", "LISTENER_KEEP", "LISTENER_KEEP_CASES"])
@pytest.mark.parametrize("words", ["soon", "10", "-5d"])
def test_a_stretch_of_time_is_said_when_it_is_nonsense(name: str, words: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read({name: words})

    assert str(refusal.value) == (
        f'{name} is {words!r}; a stretch of time looks like "30s", "5m", "1h" or "7d".'
    )


def test_an_operator_may_keep_less() -> None:
    settings = read({"LISTENER_KEEP": "30d", "LISTENER_KEEP_CASES": "365d"})

    assert settings.keeping == Keeping(timedelta(days=30), timedelta(days=365))


def test_hosts_that_may_be_reached_are_pairs_of_host_and_port() -> None:
    settings = read({"LISTENER_ALLOW_HOSTS": "forum.local:8080, [::1]:80\n10.0.0.5:443"})

    assert settings.allow_hosts == {"forum.local:8080", "[::1]:80", "10.0.0.5:443"}


@pytest.mark.parametrize("pair", ["forum.local", "http://forum.local:80", ":80", "*"])
def test_a_host_without_its_port_is_refused(pair: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read({"LISTENER_ALLOW_HOSTS": f"intranet.example:8080 {pair}"})

    assert str(refusal.value) == (
        f"LISTENER_ALLOW_HOSTS holds {pair!r}; it must be host:port pairs, "
        "for example intranet.example:8080."
    )


def test_the_demo_keeps_everything_in_a_folder_of_its_own() -> None:
    real = read(
        {
            "LISTENER_DATA": "/d",
            "DATABASE_URL": "postgresql://db.example/real",
            "LISTENER_KEY": "the key of the real one",
        }
    )

    demo = real.for_demo()

    assert demo.data == Path("/d/demo")
    assert demo.database == "sqlite:////d/demo/listener.db"
    assert demo.key is None


def settings_in(folder: Path) -> Settings:
    settings = read({"LISTENER_DATA": str(folder)})
    settings.prepare()
    return settings


def test_a_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "data")

    sealed = settings.seal().close("open sesame")

    path = tmp_path / "data" / "key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert len(path.read_text().strip()) >= 32
    assert settings.seal().open(sealed) == "open sesame"  # the same key the next time
    assert [one.name for one in (tmp_path / "data").iterdir()] == ["key"]


def test_a_key_in_the_environment_needs_no_file(tmp_path: Path) -> None:
    settings = read({"LISTENER_DATA": str(tmp_path), "LISTENER_KEY": "a long and random key"})

    settings.seal()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spoilt", ["", "\n", "half a key"])
def test_a_key_file_that_is_not_whole_is_never_used(tmp_path: Path, spoilt: str) -> None:
    settings = settings_in(tmp_path)
    (tmp_path / "key").write_text(spoilt)

    with pytest.raises(BadSettings) as refusal:
        settings.seal()

    assert str(refusal.value) == (
        f"The key file {tmp_path / 'key'} is not whole. Restore it from a backup; if nothing is "
        "sealed with it yet, delete it and a new one is made."
    )


def test_a_key_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    (tmp_path / "key").mkdir()

    with pytest.raises(BadSettings, match="cannot be read"):
        settings.seal()


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings = read({"LISTENER_DATA": str(tmp_path / "file" / "data")})

    with pytest.raises(BadSettings) as refusal:
        settings.prepare()

    assert str(refusal.value) == (
        f"The data folder {tmp_path / 'file' / 'data'} cannot be made (Not a directory). "
        "Set LISTENER_DATA to a folder you may write to."
    )


def test_who_is_let_in_over_plain_http_and_which_proxies_are_believed() -> None:
    plain = read({}).entrance()
    assert (plain.plain_http, plain.secure, plain.behind) == (False, False, LOOPBACK)

    found = read(
        {
            "LISTENER_URL": "https://desk.example/",
            "LISTENER_PLAIN_HTTP": "yes",
            "LISTENER_BEHIND": "172.17.0.1, 10.0.0.0/8",
        }
    ).entrance()
    assert (found.url, found.secure, found.plain_http) == ("https://desk.example", True, True)
    assert [str(network) for network in found.behind] == ["172.17.0.1/32", "10.0.0.0/8"]


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"LISTENER_PLAIN_HTTP": "maybe"}, "LISTENER_PLAIN_HTTP is 'maybe'; it must be yes or no."),
        (
            {"LISTENER_BEHIND": "proxy.example"},
            (
                "LISTENER_BEHIND holds what is no address or network ('proxy.example' does not "
                "appear to be an IPv4 or IPv6 network); write, for example, 172.17.0.1 or "
                "10.0.0.0/8."
            ),
        ),
    ],
)
def test_a_setting_about_the_entrance_that_is_nonsense_is_named(
    environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(BadSettings) as refusal:
        read(environment)

    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("remote", "handed_on", "behind", "address"),
    [
        ("203.0.113.7", [], "", "203.0.113.7"),
        ("203.0.113.7", ["127.0.0.1"], "", "203.0.113.7"),  # nobody we believe says so
        ("127.0.0.1", ["203.0.113.7"], "", "203.0.113.7"),
        ("127.0.0.1", ["127.0.0.1", "203.0.113.7"], "", "203.0.113.7"),
        ("127.0.0.1", ["8.8.8.8, 203.0.113.7"], "", "203.0.113.7"),
        ("10.1.2.3", ["203.0.113.7, 10.9.9.9"], "10.0.0.0/8", "203.0.113.7"),
        ("127.0.0.1", ["<script>"], "", "unknown"),
        ("127.0.0.1", [], "", "127.0.0.1"),
        ("::1", ["2001:db8::1"], "", "2001:db8::1"),
    ],
)
def test_from_where_somebody_comes(
    remote: str, handed_on: list[str], behind: str, address: str
) -> None:
    headers = {"X-Forwarded-For": ", ".join(handed_on)} if handed_on else {}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)

    assert read({"LISTENER_BEHIND": behind}).entrance().address(request) == address


def test_learning_begins_at_three_at_night_or_when_one_says_or_never_by_itself() -> None:
    assert read({}).learn_at == time(3)
    assert read({"LISTENER_LEARN": "23:30"}).learn_at == time(23, 30)
    assert read({"LISTENER_LEARN": "no"}).learn_at is None


@pytest.mark.parametrize("words", ["yes", "3", "24:00", "03:60", "3am"])
def test_an_hour_that_is_none_is_said(words: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read({"LISTENER_LEARN": words})

    assert str(refusal.value).startswith(f"LISTENER_LEARN is {words!r}; it must be an hour")


def test_from_which_places_is_learnt_is_the_operators_last_word() -> None:
    settings = read({"LISTENER_LEARN_FROM": "reddit, -webhook"})

    assert settings.learn_from == frozenset({"reddit"})
    assert settings.learn_without == frozenset({"webhook"})
    allowed = teaching(settings.learn_from, settings.learn_without)
    assert "reddit" in allowed
    assert "webhook" not in allowed
    assert "reddit" not in teaching()


def test_a_place_to_learn_from_that_nobody_knows_is_said() -> None:
    with pytest.raises(BadSettings) as refusal:
        read({"LISTENER_LEARN_FROM": "reddit, -myspace"})

    assert str(refusal.value).startswith("LISTENER_LEARN_FROM names myspace, and there is no such")
