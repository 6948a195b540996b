"""The way to PostgreSQL: how a connection is made, what its errors mean, and what goes by a pool.

That is the reads (server/db/reader.py), and the small writes that touch no trip. They share a pool of
connections, each a statement and a transaction of its own. Requests go in and answers come out as the JSON
that they are: both sides of jsonb are msgspec.Raw here, and nothing is parsed on the way. A connection that
proves dead takes the idle ones with it, since a database that restarted has dropped them all, and the
statement is tried once more on a new one.
"""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

import psycopg
import psycopg_pool
from msgspec import Raw
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader

from busware.server.protocol import Answer, Refusal
from busware.server.settings import Settings

log = logging.getLogger("busware.pool")

_OPEN_SALES = "SELECT api.open_sales(bus_id => %s)"
_OPEN_DATES = "SELECT refused, answer FROM api.open_dates(%s, %s, %s, %s)"
_DUE_TRIPS = "SELECT jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date) FROM api.due_trips()"
_PURGE_MESSAGES = "SELECT api.purge_messages(keep => make_interval(secs => %s))"
_PURGE = "SELECT api.purge_idempotency_keys(keep => make_interval(secs => %s))"
_PURGE_ACCOUNTS = "SELECT api.purge_accounts(since => make_interval(secs => %s))"


# What goes wrong -------------------------------------------------------------------------------


class DatabaseUnavailable(Exception):
    """There is no connection to the database: it could not be had, or it broke."""


class InternalError(Exception):
    """A statement failed, and nothing was done, for a reason that no caller can do anything about."""


class SchemaChanged(InternalError):
    """A statement failed, and nothing was done, as happens when an upgrade commits while it runs."""


class Overloaded(Refusal):
    """A statement failed, and nothing was done; it may succeed when it is sent again."""

    def __init__(self) -> None:
        super().__init__("busy", "The database is overloaded: nothing was done, try again.")


# A statement that failed with one of these may succeed when it is sent again: serialization failure and
# deadlock (class 40), out of memory, disk or connections (53), lock not available, timed out.
_TRANSIENT_SQLSTATES = ("40", "53", "55P03", "57014")

# What an upgrade does to a statement that runs while it commits: a type or a function is gone or another
# (class 42, XX000 "cache lookup failed"), so is the schema (3F000), or a prepared result (0A000). Otherwise
# our statements never fail so.
_SCHEMA_CHANGE_SQLSTATES = ("42", "XX000", "3F000", "0A000")

# The server ends the connection: class 08, shutdown, crash, not yet started, idle for too long.
_DISCONNECT_SQLSTATES = ("08", "57P01", "57P02", "57P03", "57P05")


def classify_error(
    error: psycopg.Error, connection: psycopg.Connection | None = None
) -> Refusal | DatabaseUnavailable | InternalError:
    """What an error comes to, by its SQLSTATE and the state of its connection alone."""
    state = error.sqlstate or ""
    if connection is None or connection.closed or state.startswith(_DISCONNECT_SQLSTATES):
        return DatabaseUnavailable(str(error))
    if state.startswith(_TRANSIENT_SQLSTATES):
        log.warning("a statement failed for the time being (%s): %s", state, error)
        return Overloaded()
    if state.startswith(_SCHEMA_CHANGE_SQLSTATES):
        log.warning("a statement failed, as it does while the schema changes (%s): %s", state, error)
        return SchemaChanged(f"{state}: {error}")
    return InternalError(f"{state}: {error}")


# Connections -----------------------------------------------------------------------------------

# How our connections plan. Every statement on the way of a traveller finds its rows by key, a few of them; a
# plan that was made while the tables were empty knows no better than to read them whole, and is kept for as
# long as its connection; and to plan a search anew each time takes ten times as long as to carry it out.
SESSION = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "jit": "off",
}


class _RawDumper(Dumper):
    oid = psycopg.adapters.types["jsonb"].oid

    def dump(self, obj: Raw) -> Buffer:
        return bytes(obj)


class _RawLoader(Loader):
    def load(self, data: Buffer) -> Raw:
        return Raw(bytes(data))


def _options(settings: Settings, name: str, **told: object) -> dict[str, Any]:
    """How to connect. A host that vanishes in silence is noticed within statement_seconds, too."""
    patience = round(settings.statement_seconds * 1000)
    session = {"statement_timeout": patience, **SESSION, **told}
    return {
        "autocommit": True,
        "application_name": f"busware {name}",
        "connect_timeout": max(1, round(settings.connect_seconds)),
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "tcp_user_timeout": patience,
        "keepalives_idle": max(1, round(settings.statement_seconds)),
    }


def _adapt(connection: psycopg.Connection) -> None:
    connection.adapters.register_dumper(Raw, _RawDumper)
    connection.adapters.register_loader("jsonb", _RawLoader)


def connect(url: str, settings: Settings, name: str, **told: object) -> psycopg.Connection:
    """A connection in autocommit, where jsonb is msgspec.Raw. Raises psycopg.OperationalError.

    told: parameters of PostgreSQL that are its own.
    """
    connection = psycopg.connect(url, **_options(settings, name, **told))
    _adapt(connection)
    return connection


# The pool --------------------------------------------------------------------------------------


class Pool:
    """The pool, the small writes that touch no trip, and what the timers need."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._settings = settings
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # it has a line for every read
        self._connections = psycopg_pool.ConnectionPool(
            url,
            kwargs=_options(settings, "read"),
            configure=_adapt,
            min_size=1,  # the pool takes turns: a lone reader would come to each of many, none of them warm
            max_size=settings.read_connections,
            timeout=settings.read_wait_seconds,
            reconnect_timeout=settings.connect_seconds,
            name="reads",
            open=False,
        )

    def open(self) -> None:
        """Connect. Raises DatabaseUnavailable when that takes more than connect_seconds."""
        try:
            self._connections.open(wait=True, timeout=self._settings.connect_seconds)
        except psycopg_pool.PoolTimeout as error:
            raise DatabaseUnavailable(f"The database does not answer: {error}.") from error

    def close(self) -> None:
        """Disconnect, after the reads that are under way."""
        self._connections.close()

    def open_dates(self, account: str | None, bus_id: int, first: date, last: date) -> Answer:
        """Open the trips of a bus from the first date to the last, for the account that runs it."""
        ((refused, answer),) = self.ask(_OPEN_DATES, (account, bus_id, first, last))
        return Answer(answer, refused)

    def due_trips(self) -> list[Raw]:
        """The trips that have something to settle, each as the args of a call of `settle`."""
        return [args for (args,) in self.ask(_DUE_TRIPS)]

    def services(self) -> list[int]:
        """The numbers of all services."""
        return [bus_id for (bus_id,) in self.ask("SELECT bus_id FROM bus_info ORDER BY bus_id")]

    def open_sales(self, bus_id: int) -> int:
        """Open the trips of a service as far ahead as it sells; how many were opened."""
        ((opened,),) = self.ask(_OPEN_SALES, (bus_id,))
        return int(opened)

    def purge_requests(self) -> int:
        """Forget the idempotency records that are too old; how many there were."""
        ((purged,),) = self.ask(_PURGE, (self._settings.idempotency_hours * 3600,))
        return int(purged)

    def purge_accounts(self) -> int:
        """Forget the tokens that have expired, how many there were, and old wrong attempts."""
        ((purged,),) = self.ask(_PURGE_ACCOUNTS, (self._settings.attempt_minutes * 60,))
        return int(purged)

    def connections(self) -> dict[str, int]:
        """How many connections are in use, and how many are free."""
        stats = self._connections.get_stats()
        free = stats.get("pool_available", 0)
        return {"used": stats.get("pool_size", 0) - free, "free": free}

    def count_tickets(self) -> dict[str, int]:
        """How many tickets are held, pending and sold; a look at all of them."""
        return dict(self.ask("SELECT status, tickets FROM api.count_tickets()"))

    def check(self) -> None:
        """Raises Refusal when the database does not answer."""
        try:
            self.ask("SELECT 1")
        except InternalError as error:
            raise Refusal("busy", "The database is in trouble: nothing was done, try again.") from error

    def purge_messages(self) -> int:
        """Forget the messages that are too old; how many there were."""
        ((purged,),) = self.ask(_PURGE_MESSAGES, (self._settings.message_days * 86400,))
        return int(purged)

    def ask(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement that may be sent twice: again, where a connection proves dead, or where an
        upgrade has made it fail.

        Raises Refusal or InternalError.
        """
        retries, away = 0, False
        while True:
            try:
                return self._ask_once(statement, parameters)
            except SchemaChanged:
                if retries == self._settings.upgrade_retries:
                    raise
                retries += 1
            except DatabaseUnavailable as error:
                if away:
                    raise Refusal("busy", "The database is away: nothing was done, try again.") from error
                away = True
                self._connections.drain()

    def _ask_once(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        connection = self._take_connection()
        try:
            return connection.execute(statement, parameters, prepare=True).fetchall()
        except psycopg.Error as error:
            raise classify_error(error, connection) from error
        finally:
            self._connections.putconn(connection)

    def _take_connection(self) -> psycopg.Connection:
        try:
            return self._connections.getconn()
        except psycopg_pool.PoolClosed as error:
            raise Refusal("draining", "The server is going down: nothing was done, try again.") from error
        except psycopg_pool.PoolTimeout as error:
            waited = f"{self._settings.read_wait_seconds:g} s"
            message = f"The database gave no connection within {waited}: nothing was done, try again."
            raise Refusal("busy", message) from error
