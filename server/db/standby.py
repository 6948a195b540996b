"""Reads on a standby: it executes a read only if it has every commit that was acknowledged before the read.

First the primary says how long its write-ahead log is. A standby that has replayed the log up to there, on
the same timeline, executes the read. Otherwise, or if it does not answer, the primary executes the read. So a
read returns what it would return on the primary, also if the write before it was sent to another server.

After a failover, a standby can be ahead of the new primary, with commits that were never acknowledged, until
it is rewound. It is on the old timeline then, so it executes no read.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import Connections, DatabaseUnavailable, InternalError, Overloaded, Pool
from busware.server.protocol import Refusal
from busware.server.settings import Settings

log = logging.getLogger("busware.standby")

Rows = list[tuple[Any, ...]]

_POLL_SECONDS = 0.001  # between two checks of what the standby has replayed
_POSITION = "SELECT pg_current_wal_flush_lsn(), left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)"
# pg_control_recovery() has the timeline as of the standby's last restart point, so for up to
# checkpoint_timeout after a failover the primary executes the reads.
_HAS_REPLAYED = """
SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= %s
   AND (SELECT lpad(upper(to_hex(min_recovery_end_timeline)), 8, '0') FROM pg_control_recovery()) = %s
"""
_DATABASE = "SELECT system_identifier, current_database()::text FROM pg_control_system()"


class StandbyReads:
    """Executes reads on the standby to which read_url leads, or on the primary.

    on_read: called with "standby" or "primary" after each statement.
    """

    def __init__(self, primary: Pool, url: str, settings: Settings, deadlines: Deadlines) -> None:
        self.on_read: Callable[[str], None] = lambda database: None
        self._primary, self._settings = primary, settings
        self._database: tuple[Any, ...] = ()  # the database of the primary, which `open` reads
        self._retry_at = 0.0  # until then the primary executes all reads
        self._is_used = True  # whether the last read that tried the standby was executed there
        attributes: dict[str, Any] = {"target_session_attrs": "standby"} | conninfo_to_dict(url)
        self._connections = Connections(
            make_conninfo(**attributes), settings, deadlines,
            name="standby", wait_seconds=settings.standby_wait_ms / 1000,
        )  # fmt: skip
        self._connections.check = self._check

    def open(self) -> None:
        """Begin to connect. The standby need not answer yet. Raises Refusal or InternalError."""
        (self._database,) = self._primary.execute(_DATABASE)
        self._connections.open()

    def close(self) -> None:
        """Disconnect, after the reads that are running."""
        self._connections.close()

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Rows:
        """Execute a read and return its rows. Raises Refusal (busy, draining) or InternalError."""
        if time.monotonic() >= self._retry_at:
            ((position, timeline),) = self._primary.execute(_POSITION)
            try:
                with self._connections.use() as connection:
                    if self._has_replayed(connection, position, timeline):
                        rows = connection.execute(statement, parameters, prepare=True).fetchall()
                        self._report_used()
                        self.on_read("standby")
                        return rows
                self._pause(f"it has not replayed {position} of timeline {timeline}")
            except (Overloaded, InternalError) as error:  # such as a conflict with recovery
                log.debug("the primary executes a read that failed on the standby: %s", error)
            except (DatabaseUnavailable, Refusal) as error:
                self._pause(str(error))
        rows = self._primary.execute(statement, parameters)
        self.on_read("primary")
        return rows

    def _has_replayed(self, connection: psycopg.Connection, position: str, timeline: str) -> bool:
        """Wait up to standby_wait_ms until the standby has replayed the position."""
        deadline = time.monotonic() + self._settings.standby_wait_ms / 1000
        while connection.execute(_HAS_REPLAYED, (position, timeline), prepare=True).fetchone() != (True,):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _check(self, connection: psycopg.Connection) -> None:
        """Raise OperationalError if a new connection leads to another database than the primary's."""
        found = connection.execute(_DATABASE).fetchone()
        if found != self._database:
            why = f"BUSWARE_READ_URL leads to another database than DATABASE_URL: {found}, {self._database}"
            log.error("%s", why)
            raise psycopg.OperationalError(why)

    def _pause(self, why: str) -> None:
        """Let the primary execute the reads of the next standby_retry_seconds."""
        self._retry_at = time.monotonic() + self._settings.standby_retry_seconds
        was_used, self._is_used = self._is_used, False
        if was_used:
            log.warning("the primary executes the reads, because the standby cannot: %s", why)

    def _report_used(self) -> None:
        was_used, self._is_used = self._is_used, True
        if not was_used:
            log.info("the standby executes reads again")
