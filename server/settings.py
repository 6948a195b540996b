"""The settings: the environment and the file .env, read once into one frozen `Settings`.

Each setting is one field below, with its default, unit, purpose and kind of value. Its variable is BUSWARE_
and the field's name in capitals, unless the field names another. A test compares `.env.example` and the
documentation with these fields. The environment overrides .env; an empty variable counts as not set.
"""

import dataclasses
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

from busware.server.database_settings import DatabaseSettings
from busware.server.message_settings import MessageSettings
from busware.server.payment_settings import PaymentSettings
from busware.server.setting_kinds import (
    ADDRESS,
    ADDRESSES,
    BYTES,
    COUNT,
    COUNTRY,
    DIALOGUE_PORTS,
    DIALOGUES,
    DURATION,
    FILE,
    FLAG,
    FORMAT,
    HOME,
    HOST_NAMES,
    LEVEL,
    MEBIBYTES,
    NETWORKS,
    ORIGINS,
    PERCENT,
    PERIOD,
    PORT,
    ZONE,
    DialoguePorts,
    Kind,
    Networks,
    networks,
    setting,
)
from busware.server.webhook_settings import WebhookSettings


class SettingsError(ValueError):
    """A variable has a wrong value. The message names the variable and says what it takes."""


@dataclass(frozen=True, kw_only=True)
class Settings(DatabaseSettings, MessageSettings, PaymentSettings, WebhookSettings):
    """The settings of a server. `Settings.load()` reads them; a test makes `Settings(port=0, …)`."""

    # Ports, time zone, log.
    host: str = setting(
        "127.0.0.1", "address", "the address to listen on; 0.0.0.0 for all addresses", ADDRESS
    )
    port: int = setting(9999, "port", "the TCP port; 0 for any free one", PORT)
    http_port: int = setting(8000, "port", "the HTTP port; 0 for any free one", PORT)
    ports: DialoguePorts | None = setting(  # noqa: RUF009 - numbers do not change
        None,
        "dialogues with ports",
        f"more TCP ports, each for one dialogue of plain text ({', '.join(DIALOGUES)}); 0 for any free one",
        DIALOGUE_PORTS,
    )
    processes: int = setting(
        1, "processes", "the number of processes that share the ports; about one for each core", COUNT
    )
    listen_backlog: int = setting(
        1024, "connections", "the most new connections that may wait to be accepted", COUNT
    )
    time_zone: str = setting(
        "Asia/Kolkata", "time zone", 'the time zone in which "today" is interpreted', ZONE
    )
    phone_region: str = setting(
        "IN", "country", "the country of phone numbers without a country code", COUNTRY
    )
    log_level: str = setting(
        "INFO", "level", "the least severe log lines to write: DEBUG, INFO, WARNING or ERROR", LEVEL
    )
    log_format: str = setting("text", "text or json", "the format of log lines", FORMAT)
    log_lines_per_minute: int = setting(
        60,
        "lines",
        "the most log lines of the same kind in a minute, for each process; others are counted and left out",
        COUNT,
    )

    # TLS. With a certificate, all ports use TLS only.
    tls_cert: Path | None = setting(  # noqa: RUF009 - a path does not change
        None, "file", "the certificate and its chain, in PEM format", FILE
    )
    tls_key: Path | None = setting(  # noqa: RUF009 - a path does not change
        None, "file", "the private key of the certificate, in PEM format", FILE
    )
    tls_check_seconds: float = setting(
        60, "seconds", "how often to look for a new certificate in these files", DURATION
    )
    plain: bool = setting(
        False,
        "true or false",
        "accept connections from other machines without TLS, on a private network",
        FLAG,
    )

    # Clients.
    max_clients: int = setting(10000, "clients", "the most TCP clients at once, for each process", COUNT)
    clients_per_address: int = setting(
        1000, "clients", "the most TCP clients at once from an address, for each process", COUNT
    )
    tcp_proxies: Networks | None = setting(  # noqa: RUF009 - networks do not change
        None,
        "networks",
        "the balancers that begin each connection to the TCP port with a PROXY header, version 2",
        NETWORKS,
    )
    max_line_bytes: int = setting(65536, "bytes", "the longest line of a client", BYTES)
    silence_ms: int = setting(
        300,
        "milliseconds",
        "how long a client without line ends must be silent before what it sent is a message",
        COUNT,
    )
    max_rpc_batch: int = setting(50, "requests", "the most requests in one JSON-RPC batch", COUNT)
    idle_seconds: float = setting(
        3600, "seconds", "a client that sends nothing for so long is disconnected", DURATION
    )
    send_seconds: float = setting(
        10, "seconds", "a client that does not read its replies for so long is disconnected", DURATION
    )
    outbox_bytes: int = setting(
        262144,
        "bytes",
        "the most data that may wait to be sent to one client; beyond that, it is disconnected",
        COUNT,
    )
    drain_seconds: float = setting(10, "seconds", "how long a stop waits for requests under way", DURATION)

    exempt_networks: Networks | None = setting(  # noqa: RUF009 - networks do not change
        None,
        "networks",
        "the networks to which the limits by address alone do not apply; the limits for an address and one "
        "account, booking or phone number apply there too",
        NETWORKS,
    )

    # HTTP.
    http_connections: int = setting(
        1000,
        "connections",
        "the most HTTP connections at once; beyond that, an idle one is closed for a new one; if none is "
        "idle, the new one gets busy",
        COUNT,
    )
    http_connections_per_address: int = setting(
        250,
        "connections",
        "the most HTTP connections of one address that is not in BUSWARE_HTTP_PROXIES; beyond that, busy",
        COUNT,
    )
    http_threads: int = setting(
        64, "requests", "the most HTTP requests executed at once, half of them for one address", COUNT
    )
    http_wait_seconds: float = setting(
        3, "seconds", "how long an HTTP request may wait to be executed; after that, busy", DURATION
    )
    http_header_bytes: int = setting(16384, "bytes", "the longest request head", BYTES)
    http_body_bytes: int = setting(65536, "bytes", "the longest request body", BYTES)
    http_read_seconds: float = setting(
        10, "seconds", "how long a request head and a request body may each take to arrive", DURATION
    )
    http_idle_seconds: float = setting(
        60, "seconds", "a connection without a request for so long is closed", DURATION
    )
    metrics_seconds: float = setting(
        30, "seconds", "how old the counts of the database in /metrics may be", DURATION
    )
    http_proxies: str | None = setting(
        None, "addresses", "the reverse proxies whose X-Forwarded-For is trusted", ADDRESSES
    )
    http_hosts: tuple[str, ...] | None = setting(
        None,
        "host names",
        "the names in the header Host that the server answers to, besides localhost, its own name and any "
        "address. If it is not set: every name if other machines can connect, else no other name",
        HOST_NAMES,
    )
    http_origins: tuple[str, ...] | None = setting(
        None, "origins", "the web pages of other sites that may send requests; * for all (CORS)", ORIGINS
    )
    metrics_networks: Networks = setting(  # noqa: RUF009 - networks do not change
        networks("127.0.0.0/8, ::1/128"), "networks", "the networks that may read /metrics", NETWORKS
    )
    event_streams: int = setting(200, "streams", "the most server-sent event streams at once", COUNT)
    event_streams_per_address: int = setting(
        50, "streams", "the most server-sent event streams of one address at once", COUNT
    )
    event_pause_ms: int = setting(
        200, "milliseconds", "the shortest time between two events of a stream", COUNT
    )

    # Accounts.
    password_length: int = setting(
        8,
        "characters",
        "the shortest password of a new account, and of a login elsewhere than at /hotel",
        COUNT,
    )
    password_memory_mib: int = setting(
        64,
        "MiB",
        "the memory of a password hash while it is computed; less makes it faster, and passwords easier to "
        "guess from stolen hashes. A hash of another size is replaced when its account signs in",
        MEBIBYTES,
    )
    password_hashes: int = setting(2, "hashes", "the most password hashes computed at once to sign in", COUNT)
    registration_hashes: int = setting(
        1, "hashes", "the most password hashes computed at once to register", COUNT
    )
    password_checks_per_address: int = setting(
        8, "passwords", "the most passwords of an address that are checked or wait; beyond that, busy", COUNT
    )
    password_wait_seconds: float = setting(
        10, "seconds", "how long a password may wait to be checked; after that, busy", DURATION
    )
    registrations_per_address: int = setting(
        20,
        "registrations",
        "how many registrations an address may try in an hour before further ones are delayed",
        COUNT,
    )
    token_hours: float = setting(720, "hours", "how long a token is valid", DURATION)
    staff_reset_hours: float = setting(
        48,
        "hours",
        "how long the token is valid with which an agent, an operator or an admin sets a first or a new "
        "password",
        DURATION,
    )
    tokens_per_account: int = setting(50, "tokens", "the most valid tokens of an account", COUNT)
    token_recheck_seconds: float = setting(
        5, "seconds", "how long a process accepts a token that another process has revoked", DURATION
    )
    attempt_minutes: float = setting(
        15, "minutes", "the period in which failed attempts are counted", DURATION
    )
    attempts_per_account: int = setting(
        10,
        "attempts",
        "how many passwords for an account may be wrong, from one address in that period, before further "
        "ones are delayed",
        COUNT,
    )
    attempts_per_booking: int = setting(
        20,
        "attempts",
        "how many attempts to open a booking, to find one by phone number, or to use a promo code may fail, "
        "from one address in that period, before further ones are delayed",
        COUNT,
    )
    attempts_per_address: int = setting(
        100,
        "attempts",
        "how many attempts of any kind may fail, from one address in that period, before further ones are "
        "delayed",
        COUNT,
    )
    unknown_address_factor: int = setting(
        10,
        "times",
        "by how much the limits for one account, booking or phone number are higher for all unknown "
        "addresses together",
        COUNT,
    )
    known_address_days: float = setting(
        30, "days", "how long an address from which an account or booking was opened is known to it", PERIOD
    )
    hotel_named_failures: int = setting(
        5,
        "attempts",
        "the failed attempts of an address in that period after which /hotel no longer says whether the "
        "username or the password is wrong",
        COUNT,
    )

    # Holds and waitlist entries. A hold ends within 30 minutes. The limits let a family or an office hold
    # seats, and do not let one guest hold all seats of a bus. The holds of a traveller who is signed in count
    # for the account and for the address. Operators have no limit.
    holds_per_account: int = setting(5, "holds", "the most holds of an account at once", COUNT)
    held_seats_per_account: int = setting(12, "seats", "the most held seats of an account at once", COUNT)
    holds_per_address: int = setting(20, "holds", "the most holds of an address at once", COUNT)
    held_seats_per_address: int = setting(40, "seats", "the most held seats of an address at once", COUNT)
    hold_share_percent: int = setting(
        30,
        "percent",
        "the largest part of a trip's seats, and of its waitlist, that one account or address may have "
        "without payment",
        PERCENT,
    )

    # Messages and change notifications.
    hint_ms: int = setting(
        50, "milliseconds", "the pause between two change notifications to other processes", COUNT
    )
    reread_seconds: float = setting(
        30,
        "seconds",
        "how often a process reads everything again, because notifications may be lost",
        DURATION,
    )
    watched_bookings: int = setting(
        20,
        "bookings",
        "how many of its last bookings a connection follows; their changes are pushed",
        COUNT,
    )
    says_per_minute: int = setting(
        60, "messages", "the most messages from an address to the operators in a minute", COUNT
    )
    message_days: float = setting(90, "days", "how long messages are kept", PERIOD)

    # Events and the outbox.
    publish_ms: int = setting(
        100,
        "milliseconds",
        "the pause after events are published; the events of a pause are published together",
        COUNT,
    )
    publish_batch: int = setting(500, "events", "the most events that are published in one statement", COUNT)
    event_days: float = setting(90, "days", "how long events are kept", PERIOD)
    event_scan: int = setting(
        1000, "events", "the most events of all operators that one request for events reads", COUNT
    )
    outbox_seconds: float = setting(
        1,
        "seconds",
        "how often to look for events and rows of the outbox that other processes left",
        DURATION,
    )
    outbox_threads: int = setting(
        4, "threads", "the most mails and short messages that a process sends at once", COUNT
    )
    outbox_lease_seconds: float = setting(
        120,
        "seconds",
        "how long a process may take to carry out a row of the outbox; after that, another process does it",
        DURATION,
    )
    outbox_retry_seconds: float = setting(
        5,
        "seconds",
        "the pause after the first failed attempt to carry out a row; twice as long after each further one",
        DURATION,
    )
    outbox_retry_max_seconds: float = setting(
        3600, "seconds", "the longest pause between two attempts", DURATION
    )
    outbox_hours: float = setting(
        72,
        "hours",
        "how long a row is tried again; after that, it is dead, and busware-server outbox lists it",
        PERIOD,
    )
    outbox_days: float = setting(30, "days", "how long a record of what was sent is kept", PERIOD)

    # Timetables from files.
    timetable_file_bytes: int = setting(10485760, "bytes", "the longest file with timetables", BYTES)
    timetable_seconds: float = setting(
        30,
        "seconds",
        "the longest that loading files with timetables may take in the database; after that, nothing is "
        "changed",
        DURATION,
    )

    # GTFS feeds. An archive that exceeds a limit is refused.
    gtfs_files: int = setting(100, "files", "the most files in the archive of a GTFS feed", COUNT)
    gtfs_file_bytes: int = setting(
        1_000_000_000, "bytes", "the largest file of a GTFS feed, when it is not compressed", BYTES
    )
    gtfs_ratio: int = setting(
        200, "times", "how many times as large as its compressed form a file of a GTFS feed may be", COUNT
    )
    gtfs_rows: int = setting(5_000_000, "rows", "the most rows in the files of a GTFS feed together", COUNT)
    gtfs_seconds: float = setting(
        600,
        "seconds",
        "the longest that an import of a GTFS feed may take in the database, and lock the trips of services "
        "that it changes; after that, nothing is changed",
        DURATION,
    )
    gtfs_lines: int = setting(
        50, "lines", "the most lines that an import of a GTFS feed prints about each kind of finding", COUNT
    )

    # Housekeeping.
    settle_seconds: float = setting(
        1, "seconds", "how often to settle trips with expired holds or waitlist entries", DURATION
    )
    housekeeping_seconds: float = setting(
        3600, "seconds", "how often to open sales and delete old records", DURATION
    )
    idempotency_hours: float = setting(
        48, "hours", "how long the answer to an idempotency key is kept", PERIOD
    )

    def __post_init__(self) -> None:
        for name in ("owner_url", "listen_url", "read_url"):
            if getattr(self, name) and not self.database_url:
                raise SettingsError(
                    f"BUSWARE_{name.upper()} is set without DATABASE_URL: set both, or neither."
                )
        used = {self.port: "the port of BUSWARE_PORT", self.http_port: "the port of BUSWARE_HTTP_PORT"}
        for dialogue, number in self.ports or ():
            if number and number in used:
                raise SettingsError(
                    f"BUSWARE_PORTS gives {dialogue} port {number}, which is {used[number]}: "
                    "choose another port."
                )
            used[number] = f"the port of {dialogue}"

    def now(self) -> datetime:
        """The time in the time zone of the server."""
        return datetime.now(ZoneInfo(self.time_zone))

    def is_exempt(self, address: str) -> bool:
        """Whether an address is in exempt_networks. A text that is no address is not exempt."""
        return _contain(self.exempt_networks or (), address)

    def may_read_metrics(self, address: str) -> bool:
        """Whether an address is in metrics_networks."""
        return _contain(self.metrics_networks, address)

    def is_tcp_proxy(self, address: str) -> bool:
        """Whether connections from an address to the TCP port begin with a PROXY header."""
        return _contain(self.tcp_proxies or (), address)

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings. Raises SettingsError.

        environ: the variables; None: the environment and .env.
        """
        texts = environment() if environ is None else environ
        values = {
            field.name: _read(field, text)
            for field in dataclasses.fields(cls)
            if (text := texts.get(variable(field), "").strip())
        }
        return cls(**values)


def _contain(networks: Networks, address: str) -> bool:
    """Whether one of the networks contains the address. An IPv4 address may be written as IPv6."""
    if not networks:  # the usual case, for each request over HTTP
        return False
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in network for network in networks)


def variable(field: "dataclasses.Field[Any]") -> str:
    """The environment variable of a field of Settings."""
    return field.metadata["variable"] or f"BUSWARE_{field.name.upper()}"


def environment() -> dict[str, str]:
    """The settings in .env, overridden by the environment of this process."""
    file_values = dotenv_values(HOME / ".env", interpolate=False)
    names = {variable(field) for field in dataclasses.fields(Settings)}
    return {name: text for name, text in file_values.items() if text and name in names} | dict(os.environ)


def _read(field: "dataclasses.Field[Any]", text: str) -> Any:
    kind: Kind = field.metadata["kind"]
    try:
        if not re.fullmatch(kind.pattern, text, re.ASCII | re.IGNORECASE):
            raise ValueError
        value = kind.convert(text)
        if isinstance(value, (int, float)) and not kind.low <= value <= kind.high:
            raise ValueError
    except (ValueError, KeyError, OSError):
        shown = "" if kind.secret else f"; it is {text!r}"
        raise SettingsError(f"{variable(field)} takes {kind.takes}{shown}.") from None
    return value
