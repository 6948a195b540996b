"""The settings: the environment and the file .env, read once into one frozen `Settings`.

Every setting is one field below, and that field says all there is to say about it: its default, its
unit, what it is for, what it takes. Its variable is BUSWARE_ and the field's name in capitals,
unless another is given. `.env.example` and the documentation are tested against this table. The
real environment wins over .env; an empty variable counts as not set.
"""

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from busware.server.installation import CHECKOUT

HOME = CHECKOUT or Path.cwd()  # the folder of .env and data/


class SettingsError(ValueError):
    """A setting has a value that it cannot take. The message names the variable and what it takes."""


# What a variable can take ----------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of value: in words, as a pattern of its text, and how the text becomes the value."""

    takes: str
    pattern: str
    make: Callable[[str], Any]
    low: int = 0
    high: int = 10**12

    def read(self, text: str) -> Any:
        """The value of a text; raises ValueError when it is none."""
        if not re.fullmatch(self.pattern, text, re.ASCII | re.IGNORECASE):
            raise ValueError
        value = self.make(text)
        if isinstance(value, int) and not self.low <= value <= self.high:
            raise ValueError
        return value


COUNT = Kind("a whole number, 1 or more", r"\d{1,12}", int, low=1)
LINE = Kind("a whole number, 1024 or more", r"\d{1,12}", int, low=1024)
PORT = Kind("a whole number from 0 to 65535", r"\d{1,5}", int, high=65535)
DURATION = Kind("a number more than 0, such as 10 or 0.5", r"(?=.*[1-9])\d{1,9}(\.\d{1,3})?", float)
FLAG = Kind("true or false", r"true|false", lambda text: text.lower() == "true")
URL = Kind("a URL such as postgresql://user:password@host:5432/busware", r"postgres(ql)?://\S+", str)
FOLDER = Kind("a folder", r".+", lambda text: HOME / Path(text).expanduser())
FILE = Kind("a file", r".+", lambda text: HOME / Path(text).expanduser())
ADDRESSES = Kind("addresses, with commas between them", r"[\w.:%/*-]+(\s*,\s*[\w.:%/*-]+)*", str)
ADDRESS = Kind("an address or a host name", r"[\w.:%-]+", str)
COUNTRY = Kind("the two letters of a country, such as IN", r"[a-z]{2}", str.upper)
ZONE = Kind("a time zone such as Asia/Kolkata", r"[a-z]+([/_+-][a-z0-9]+)*", lambda text: _zone(text))
LEVEL = Kind("DEBUG, INFO, WARNING or ERROR", r"DEBUG|INFO|WARNING|ERROR", str.upper)


def _zone(text: str) -> str:
    """The name of a time zone, if there is such a one; else raises ValueError."""
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError):
        raise ValueError from None


def setting(default: Any, unit: str, about: str, kind: Kind, variable: str | None = None) -> Any:
    """A field of Settings, with what is to be said about it."""
    return dataclasses.field(
        default=default, metadata={"unit": unit, "about": about, "kind": kind, "variable": variable}
    )


# The settings ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What this server was told. `Settings.load()` reads it; a test writes `Settings(port=0, …)`."""

    # Where the data is.
    database_url: str | None = setting(
        None, "URL", "the database to serve from; without it, an embedded PostgreSQL", URL, "DATABASE_URL"
    )
    owner_url: str | None = setting(
        None, "URL", "the same database as its owner, who creates tables and grants; else DATABASE_URL", URL
    )
    data: Path = setting(  # noqa: RUF009 - a path does not change
        HOME / "data", "folder", "where the embedded PostgreSQL lives", FOLDER
    )
    seed: bool = setting(True, "true or false", "load the timetables of sql/9*.sql at start", FLAG)

    # Where it listens, and how it speaks.
    host: str = setting("127.0.0.1", "address", "the address to listen on; 0.0.0.0 for all", ADDRESS)
    port: int = setting(9999, "port", "the TCP port; 0 for any free one", PORT)
    http_port: int = setting(8000, "port", "the HTTP port; 0 for any free one", PORT)
    processes: int = setting(1, "processes", "how many serve, on one port; about one for each core", COUNT)
    listen_backlog: int = setting(1024, "connections", "how many may wait to be accepted", COUNT)
    time_zone: str = setting("Asia/Kolkata", "time zone", "in which it is today, when somebody says so", ZONE)
    phone_region: str = setting("IN", "country", "where a phone number without country code is from", COUNTRY)
    log_level: str = setting("INFO", "level", "the least important log line to write", LEVEL)

    # Who may read along. With a certificate, both ports speak TLS and nothing else.
    tls_cert: Path | None = setting(  # noqa: RUF009 - a path does not change
        None, "file", "the certificate and its chain, in PEM", FILE
    )
    tls_key: Path | None = setting(  # noqa: RUF009 - a path does not change
        None, "file", "the private key of the certificate, in PEM", FILE
    )
    plain: bool = setting(
        False, "true or false", "serve other machines without TLS, on a network that is yours alone", FLAG
    )

    # Clients.
    max_clients: int = setting(10000, "clients", "how many may be connected at once", COUNT)
    max_line_bytes: int = setting(65536, "bytes", "the longest line of a client", LINE)
    max_rpc_batch: int = setting(50, "requests", "the most requests in one JSON-RPC batch", COUNT)
    idle_seconds: float = setting(3600, "seconds", "how long a client may say nothing", DURATION)
    send_seconds: float = setting(10, "seconds", "how long a client may leave its answers unread", DURATION)
    outbox_bytes: int = setting(262144, "bytes", "the most that may wait to be sent to one client", COUNT)
    drain_seconds: float = setting(10, "seconds", "how long a stop waits for answers under way", DURATION)

    # HTTP.
    http_connections: int = setting(1000, "connections", "how many may be open at once; past it, busy", COUNT)
    http_threads: int = setting(32, "requests", "how many are carried out at once; the rest wait", COUNT)
    http_header_bytes: int = setting(16384, "bytes", "the longest head of a request", LINE)
    http_body_bytes: int = setting(65536, "bytes", "the longest body of a request", LINE)
    http_read_seconds: float = setting(
        10, "seconds", "how long a request may take to arrive, its head and its body each", DURATION
    )
    http_idle_seconds: float = setting(
        60, "seconds", "how long a connection may wait for its next request", DURATION
    )
    metrics_seconds: float = setting(
        30, "seconds", "how old the counts of tickets in /metrics may be", DURATION
    )
    http_proxies: str | None = setting(
        None, "addresses", "the reverse proxies whose X-Forwarded-For is believed", ADDRESSES
    )
    event_streams: int = setting(200, "streams", "how many server-sent event streams may be open", COUNT)
    event_pause_ms: int = setting(
        200, "milliseconds", "the least time between two events of one stream", COUNT
    )

    # Accounts.
    password_length: int = setting(8, "characters", "the shortest password of a new account", COUNT)
    password_hashes: int = setting(2, "hashes", "how many are computed at once, 64 MiB each", COUNT)
    password_wait_seconds: float = setting(
        10, "seconds", "how long a password may wait to be checked, then busy", DURATION
    )
    token_hours: float = setting(720, "hours", "how long a token is good", DURATION)
    tokens_per_account: int = setting(50, "tokens", "how many of one account are good at once", COUNT)
    token_recheck_seconds: float = setting(
        5, "seconds", "how long a token that another process revoked may go on", DURATION
    )
    attempt_minutes: float = setting(15, "minutes", "how long a wrong attempt is held against one", DURATION)
    attempts_per_account: int = setting(10, "attempts", "wrong passwords of one account", COUNT)
    attempts_per_booking: int = setting(
        20, "attempts", "wrong openings of one booking, or finds that found none of one phone", COUNT
    )
    attempts_per_address: int = setting(100, "attempts", "wrong attempts from one address", COUNT)

    # Messages, and bookings that change.
    hint_ms: int = setting(
        50, "milliseconds", "the pause between two change notifications to other processes", COUNT
    )
    reread_seconds: float = setting(
        30, "seconds", "how often to read again what no change notification named", DURATION
    )
    watched_bookings: int = setting(
        20, "bookings", "how many of a connection's last ones are followed, and their changes pushed", COUNT
    )
    says_per_minute: int = setting(60, "messages", "how many one address may send the operators", COUNT)
    message_days: float = setting(90, "days", "how long messages are kept", DURATION)

    # Reads and writes.
    read_connections: int = setting(
        4, "connections", "the most database connections for reads, about two for each core", COUNT
    )
    read_wait_seconds: float = setting(
        5, "seconds", "how long a read may wait for its turn, and then for a connection, then busy", DURATION
    )
    read_batch: int = setting(8, "questions", "the most reads that go together, in one statement", COUNT)
    write_queue: int = setting(10000, "calls", "how many writes may wait; past it, busy", COUNT)
    write_batch: int = setting(
        512, "calls", "the most new writes in one commit; those that wait for a trip come on top", COUNT
    )
    write_wait_seconds: float = setting(
        10, "seconds", "how long a write may wait before it is sent, then busy", DURATION
    )
    lock_wait_ms: int = setting(
        500, "milliseconds", "how long a write may wait for a row that somebody else holds, then busy", COUNT
    )
    deferred_retry_ms: int = setting(
        5, "milliseconds", "the pause before writes to a trip that somebody holds are tried again", COUNT
    )

    # The database.
    connect_seconds: float = setting(10, "seconds", "how long to try to reach the database", DURATION)
    statement_seconds: float = setting(10, "seconds", "the longest that one statement may take", DURATION)

    # Upgrades of the database, at a server's start.
    upgrade_lock_ms: int = setting(
        100, "milliseconds", "how long an upgrade waits for a lock before it rolls its step back", COUNT
    )
    upgrade_retry_ms: int = setting(
        100, "milliseconds", "the pause before an upgrade runs that step again", COUNT
    )
    upgrade_wait_seconds: float = setting(
        60, "seconds", "how long an upgrade tries to get a lock, then it fails", DURATION
    )
    upgrade_leave_seconds: float = setting(
        30,
        "seconds",
        "how long a breaking migration waits for other servers to stop, then fails",
        DURATION,
    )
    upgrade_retries: int = setting(
        5, "times", "how often a statement that failed because of an upgrade is sent again", COUNT
    )

    # Housekeeping.
    settle_seconds: float = setting(
        1, "seconds", "how often to look for holds that ran out and parties that wait", DURATION
    )
    housekeeping_seconds: float = setting(
        3600, "seconds", "how often to open sales and forget old requests", DURATION
    )
    idempotency_hours: float = setting(48, "hours", "how long the answer to a key is kept", DURATION)

    def __post_init__(self) -> None:
        if self.owner_url and not self.database_url:
            raise SettingsError("BUSWARE_OWNER_URL is given without DATABASE_URL: give both, or neither.")

    def now(self) -> datetime:
        """The time where the service is."""
        return datetime.now(ZoneInfo(self.time_zone))

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from `environ`, or else from the process's environment and .env.

        Raises SettingsError, which names the variable and what it takes.
        """
        told = environment() if environ is None else environ
        values = {
            field.name: _read(field, text)
            for field in dataclasses.fields(cls)
            if (text := told.get(variable(field), "").strip())
        }
        return cls(**values)


def variable(field: "dataclasses.Field[Any]") -> str:
    """The environment variable of a field of Settings."""
    return field.metadata["variable"] or f"BUSWARE_{field.name.upper()}"


def environment() -> dict[str, str]:
    """The process's environment, and what .env adds to it."""
    written = dotenv_values(HOME / ".env", interpolate=False)
    return {name: text for name, text in written.items() if text is not None} | dict(os.environ)


def _read(field: "dataclasses.Field[Any]", text: str) -> Any:
    kind: Kind = field.metadata["kind"]
    try:
        return kind.read(text)
    except ValueError:
        shown = "" if kind is URL else f"; it is {text!r}"  # a URL holds a password
        raise SettingsError(f"{variable(field)} takes {kind.takes}{shown}.") from None
