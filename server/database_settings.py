"""The settings of the database: a part of `Settings`, which explains how a setting is declared."""

from dataclasses import dataclass
from pathlib import Path

from busware.server.setting_kinds import (
    COUNT,
    DURATION,
    FLAG,
    FOLDER,
    HOME,
    URL,
    URLS,
    setting,
)


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """Which database a server uses, and the limits of its reads, writes and upgrades."""

    # The database to use.
    database_url: str | None = setting(
        None, "URL", "the database to use; if it is not set, an embedded PostgreSQL", URL, "DATABASE_URL"
    )
    owner_url: str | None = setting(
        None,
        "URL",
        "the same database as its owner, who creates the tables; if it is not set, DATABASE_URL",
        URL,
    )
    listen_url: str | None = setting(
        None,
        "URL",
        "the same database without a transaction pooler, for the connections that need a session; "
        "if it is not set, DATABASE_URL",
        URL,
    )
    read_url: str | None = setting(
        None,
        "URL",
        "a standby of the same database, which executes reads that need no newer data than it has; "
        "if it is not set, the primary executes all reads",
        URL,
    )
    shards: tuple[str, ...] | None = setting(
        None,
        "URLs",
        "the databases of the shards, as their owners; DATABASE_URL is then the database of the proxy; if it "
        "is not set, one database has everything",
        URLS,
    )
    shard_check_seconds: float = setting(
        1, "seconds", "the pause between two checks whether the database of a shard answers", DURATION
    )
    shard_list_seconds: int = setting(
        3, "seconds", "how long a search or a list waits for the database of a shard; after that, busy", COUNT
    )
    data: Path = setting(  # noqa: RUF009 - a path does not change
        HOME / "data", "folder", "the data of the embedded PostgreSQL", FOLDER
    )
    seed: bool = setting(True, "true or false", "load the timetables of sql/9*.sql at start", FLAG)

    accept_data_loss: bool = setting(
        False,
        "true or false",
        "use a PostgreSQL that may lose acknowledged bookings in a crash, such as one with fsync = off",
        FLAG,
    )

    # Reads and writes.
    read_connections: int = setting(
        4, "connections", "the most database connections for reads, about two for each core", COUNT
    )
    read_wait_seconds: float = setting(
        5,
        "seconds",
        "how long a read may wait for its turn, and again for a connection; after that, busy",
        DURATION,
    )
    standby_wait_ms: int = setting(
        100,
        "milliseconds",
        "how long a read may wait for a connection to the standby of BUSWARE_READ_URL, and again until the "
        "standby has what is committed; after that, the primary executes the read",
        COUNT,
    )
    standby_retry_seconds: float = setting(
        5, "seconds", "how long the primary executes all reads after the standby could not", DURATION
    )
    read_batch: int = setting(8, "reads", "the most reads in one statement", COUNT)
    write_queue: int = setting(10000, "writes", "the most writes that may wait; beyond that, busy", COUNT)
    write_batch: int = setting(
        512,
        "writes",
        "the most new writes in one commit; writes that wait for a locked trip are added to these",
        COUNT,
    )
    write_wait_seconds: float = setting(
        10, "seconds", "how long a write may wait before it is sent; after that, busy", DURATION
    )
    lock_wait_ms: int = setting(
        500,
        "milliseconds",
        "how long a write may wait for a row that another transaction has locked; after that, busy",
        COUNT,
    )
    deferred_retry_ms: int = setting(
        5, "milliseconds", "the pause before writes to a locked trip are tried again", COUNT
    )
    exchange_attempts: int = setting(
        5,
        "times",
        "how often new seats are planned for a trip whose vehicle is exchanged, if it is sold meanwhile; "
        "after that, plan_changed",
        COUNT,
    )

    # The database.
    connect_seconds: float = setting(10, "seconds", "how long to try to connect to the database", DURATION)
    host_connect_seconds: float = setting(
        3, "seconds", "how long an attempt to connect waits for one host of DATABASE_URL", DURATION
    )
    statement_seconds: float = setting(10, "seconds", "the longest that a statement may take", DURATION)

    # Upgrades of the database, at a server's start.
    upgrade_lock_ms: int = setting(
        100, "milliseconds", "how long an upgrade waits for a lock before it rolls its step back", COUNT
    )
    upgrade_retry_ms: int = setting(
        100, "milliseconds", "the pause before an upgrade runs that step again", COUNT
    )
    upgrade_wait_seconds: float = setting(
        60, "seconds", "how long an upgrade tries to get a lock; after that, it fails", DURATION
    )
    upgrade_leave_seconds: float = setting(
        30,
        "seconds",
        "how long a breaking migration waits for other servers to stop; after that, it fails",
        DURATION,
    )
    upgrade_retries: int = setting(
        5,
        "times",
        "how often to send a statement again after an upgrade, or a write after tickets were written by hand",
        COUNT,
    )
