"""Settings: what the environment says, read once."""

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit

from connectors.kit import catalog
from listener.channels.mail import MailServer, Safety, this_machine
from listener.desk import demo
from listener.desk.plan_words import span
from listener.domain.deadline import Policies
from listener.domain.learnt import AT
from listener.domain.mention import FRESH
from listener.domain.reply import UNDO
from listener.domain.secret import Seal
from listener.store.sweeping import Keeping
from listener.web.entrance import LOOPBACK, Entrance, Network
from models import labels, languages
from models.labels import Meaning

DATABASE = "listener.db"
KEY_FILE = "key"
MODEL_FILE = "model"  # in the data folder: which model `listener model use` chose
SHORTEST_KEY = 16
DEFAULT_KEYS = frozenset({"changeme", "secret", "password", "listener"})


class BadSettings(Exception):
    """A setting cannot be used; the message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decides."""

    data: Path
    database: str
    key: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    url: str = "http://127.0.0.1:8080"
    proxies: str | None = None
    contact: str = "operator unknown"
    allow_hosts: frozenset[str] = frozenset()
    model: str = "me5-small-pair"
    model_is_set: bool = False  # by the environment, which counts more than what was chosen
    labels: Mapping[str, Meaning] | None = None  # what a foreign model's labels mean
    languages: frozenset[str] | None = None  # which languages it knows
    model_key: str | None = field(default=None, repr=False)
    learn_at: time | None = AT  # when a night's learning begins, by UTC; None: never by itself
    learn_from: frozenset[str] = frozenset()  # connectors whose terms somebody has read
    learn_without: frozenset[str] = frozenset()  # and those that are not to be learnt from
    mail: MailServer | None = None  # how mail leaves; None: not at all
    fresh: timedelta = FRESH
    keeping: Keeping = field(default_factory=Keeping)
    policies: Policies = field(default_factory=Policies)
    undo: timedelta = UNDO  # how long a reply can be taken back before it is sent
    plain_http: bool = False  # whether people may sign in over plain http from elsewhere
    behind: tuple[Network, ...] = LOOPBACK  # reverse proxies that are believed
    demo: bool = False  # never read from anywhere: `for_demo` alone says so

    @property
    def sqlite(self) -> Path | None:
        """The file of the embedded database, or None when it is a server."""
        found = re.fullmatch(r"sqlite(?:\+\w+)?:///(.*)", self.database)
        return Path(found[1]) if found else None

    def for_demo(self) -> "Settings":
        """The same with everything kept in a folder of the demo's own."""
        folder = self.data / "demo"
        database = f"sqlite:///{folder / DATABASE}"
        return replace(self, data=folder, database=database, key=None, demo=True)

    def entrance(self) -> Entrance:
        """How people come in."""
        return Entrance(
            url=self.url,
            plain_http=self.plain_http,
            behind=self.behind,
            demo=demo.STAFF[0] if self.demo else None,
        )

    def prepare(self) -> None:
        """Make the data folder, readable by its owner alone."""
        try:
            missing = [one for one in (self.data, *self.data.parents) if not one.exists()]
            for folder in reversed(missing):
                folder.mkdir(exist_ok=True, mode=0o700)
            self.data.mkdir(exist_ok=True)  # refuses what is there and no folder
        except OSError as error:
            raise BadSettings(
                f"The data folder {self.data} cannot be made ({error.strerror}). "
                "Set LISTENER_DATA to a folder you may write to."
            ) from error
        if not os.access(self.data, os.W_OK):
            raise BadSettings(
                f"The data folder {self.data} cannot be written to. "
                "Set LISTENER_DATA to a folder you may write to."
            )

    def seal(self) -> Seal:
        """What seals secrets: LISTENER_KEY, or a key file made at first start."""
        if self.key is not None:
            return Seal(self.key)
        path = self.data / KEY_FILE
        if not path.exists():
            make_key(path)
        try:
            key = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSettings(
                f"The key file {path} cannot be read. Restore it, or set LISTENER_KEY."
            ) from error
        if len(key) < SHORTEST_KEY:
            raise BadSettings(
                f"The key file {path} is not whole. Restore it from a backup; if nothing is "
                "sealed with it yet, delete it and a new one is made."
            )
        return Seal(key)


def make_key(path: Path) -> None:
    """Write a new key, all of it or nothing, for its owner alone; the first of two makers wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    except OSError as error:
        raise BadSettings(
            f"The key file {path} cannot be written ({error.strerror}). Make room, set "
            "LISTENER_KEY, or set LISTENER_DATA to another folder."
        ) from error


def chosen_model(data: Path) -> str | None:
    """The model that was chosen on the command line, None where none was."""
    try:
        return (data / MODEL_FILE).read_text("utf-8").strip() or None
    except (FileNotFoundError, NotADirectoryError):  # what `prepare` has words for
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(
            f"The file {data / MODEL_FILE}, which names the model, cannot be read. Delete it, and "
            "choose again with `listener model use`."
        ) from error


def choose_model(settings: Settings, name: str) -> None:
    """Let this model judge from the next start on."""
    settings.prepare()
    path = settings.data / MODEL_FILE
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_text(name + "\n", "utf-8")
        draft.replace(path)
    except OSError as error:
        raise BadSettings(f"The file {path} cannot be written ({error.strerror}).") from error


def read(environment: Mapping[str, str]) -> Settings:
    """Settings from the environment; BadSettings names the first that cannot be used."""
    data = (
        Path(environment.get("LISTENER_DATA") or default_data(environment)).expanduser().absolute()
    )
    key = environment.get("LISTENER_KEY") or None
    if key is not None and (len(key) < SHORTEST_KEY or key.lower() in DEFAULT_KEYS):
        raise BadSettings(
            f"LISTENER_KEY is too easy to guess: use at least {SHORTEST_KEY} random characters, "
            "or leave it out and a key file is made."
        )
    learn_from, learn_without = places(environment.get("LISTENER_LEARN_FROM") or "")
    host, port = address(environment.get("LISTENER_HTTP") or "127.0.0.1:8080")
    shown = f"[{host}]" if ":" in host else host
    return Settings(
        data=data,
        database=environment.get("DATABASE_URL") or f"sqlite:///{data / DATABASE}",
        key=key,
        host=host,
        port=port,
        url=(environment.get("LISTENER_URL") or f"http://{shown}:{port}").rstrip("/"),
        proxies=environment.get("LISTENER_PROXIES") or None,
        contact=environment.get("LISTENER_CONTACT") or "operator unknown",
        allow_hosts=hosts(environment.get("LISTENER_ALLOW_HOSTS") or ""),
        model=environment.get("LISTENER_MODEL") or chosen_model(data) or "me5-small-pair",
        model_is_set=bool(environment.get("LISTENER_MODEL")),
        labels=labels.parse(words) if (words := environment.get("LISTENER_MODEL_LABELS")) else None,
        languages=(
            languages.parse(words)
            if (words := environment.get("LISTENER_MODEL_LANGUAGES"))
            else None
        ),
        model_key=environment.get("LISTENER_MODEL_KEY") or None,
        learn_at=hour(environment.get("LISTENER_LEARN") or f"{AT:%H:%M}"),
        learn_from=learn_from,
        learn_without=learn_without,
        mail=mail_server(
            environment.get("LISTENER_SMTP") or "", environment.get("LISTENER_MAIL_FROM") or ""
        ),
        fresh=stretch(environment, "LISTENER_FRESH", FRESH),
        undo=stretch(environment, "LISTENER_UNDO", UNDO),
        plain_http=yes(environment, "LISTENER_PLAIN_HTTP"),
        behind=networks(environment.get("LISTENER_BEHIND") or ""),
        keeping=Keeping(
            without_case=stretch(environment, "LISTENER_KEEP", Keeping().without_case),
            with_case=stretch(environment, "LISTENER_KEEP_CASES", Keeping().with_case),
        ),
    )


def default_data(environment: Mapping[str, str]) -> Path:
    """Where data goes when nobody says: the user's own data folder."""
    home = environment.get("XDG_DATA_HOME")
    return (Path(home) if home else Path("~/.local/share")) / "listener"


def address(words: str) -> tuple[str, int]:
    """Host and port of LISTENER_HTTP."""
    found = re.fullmatch(
        r"(?:\[(?P<v6>[0-9a-fA-F:]+)\]|(?P<host>[\w.-]*)):(?P<port>\d{1,5})", words
    )
    if found is None or int(found["port"]) > 65535:
        raise BadSettings(
            f"LISTENER_HTTP is {words!r}; it must be host:port, for example 127.0.0.1:8080."
        )
    return found["v6"] or found["host"] or "0.0.0.0", int(found["port"])  # noqa: S104 (":8080" asks for it)


def hosts(words: str) -> frozenset[str]:
    """The host:port pairs of LISTENER_ALLOW_HOSTS."""
    pairs = [pair for pair in re.split(r"[\s,]+", words) if pair]
    for pair in pairs:
        if not re.fullmatch(r"(?:\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}", pair):
            raise BadSettings(
                f"LISTENER_ALLOW_HOSTS holds {pair!r}; it must be host:port pairs, "
                "for example intranet.example:8080."
            )
    return frozenset(pairs)


def networks(words: str) -> tuple[Network, ...]:
    """The reverse proxies of LISTENER_BEHIND: addresses or networks; else those on this machine."""
    try:
        found = tuple(ip_network(word) for word in re.split(r"[\s,]+", words) if word)
    except ValueError as error:
        raise BadSettings(
            f"LISTENER_BEHIND holds what is no address or network ({error}); write, for example, "
            "172.17.0.1 or 10.0.0.0/8."
        ) from error
    return found or LOOPBACK


def mail_server(words: str, sender: str) -> MailServer | None:
    """The mail server of LISTENER_SMTP; what is said about it never repeats the password."""
    if not words:
        return None
    try:
        parts = urlsplit(words)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in {"smtp", "smtps"} or not host or parts.path not in {"", "/"}:
        raise BadSettings(
            "LISTENER_SMTP must look like smtps://user:password@mail.example.org:465, or smtp:// "
            "for a server that is asked for TLS after it has greeted (587). Write what is special "
            "in the password as %40 for @, %3A for : and %2F for /."
        )
    if parts.scheme == "smtps":
        safety, usual = Safety.TLS, 465
    elif this_machine(host):
        safety, usual = Safety.NONE, 25
    else:
        safety, usual = Safety.STARTTLS, 587
    name, address = parseaddr(sender)
    try:
        shown = Address(name, addr_spec=address)
    except (ValueError, IndexError, MessageError):
        shown = Address()
    if not (shown.username and shown.domain and address.isascii()):
        raise BadSettings(
            "LISTENER_MAIL_FROM must say from whom mail comes, for example "
            "Listener <listener@example.org>."
        )
    return MailServer(
        host=host,
        port=port or usual,
        sender=shown,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        safety=safety,
    )


def hour(words: str) -> time | None:
    """The hour of LISTENER_LEARN, by UTC; None where it says no."""
    if words.lower() == "no":
        return None
    if not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", words):
        raise BadSettings(
            f"LISTENER_LEARN is {words!r}; it must be an hour of the day by UTC, for example "
            "03:00, or no, and then only `listener learn` learns."
        )
    return time.fromisoformat(words)


def places(words: str) -> tuple[frozenset[str], frozenset[str]]:
    """The connectors of LISTENER_LEARN_FROM: those learnt from as well, and those (-) that are not."""
    named = [word for word in re.split(r"[\s,]+", words) if word]
    known = set(catalog.names()) if named else set()
    unknown = {word.removeprefix("-") for word in named} - known
    if unknown:
        raise BadSettings(
            f"LISTENER_LEARN_FROM names {', '.join(sorted(unknown))}, and there is no such "
            "connector. `listener connectors` lists them; write, for example, reddit, -webhook."
        )
    without = frozenset(word[1:] for word in named if word.startswith("-"))
    return frozenset(word for word in named if not word.startswith("-")) - without, without


def yes(environment: Mapping[str, str], name: str) -> bool:
    """A setting that is yes or no."""
    word = (environment.get(name) or "no").lower()
    if word not in ("yes", "no"):
        raise BadSettings(f"{name} is {word!r}; it must be yes or no.")
    return word == "yes"


def stretch(environment: Mapping[str, str], name: str, default: timedelta) -> timedelta:
    """A setting that is a stretch of time."""
    words = environment.get(name)
    if not words:
        return default
    try:
        return span(words)
    except ValueError as error:
        raise BadSettings(f"{name} is {words!r}; {error}.") from error
