"""The connection pool, and the classification of PostgreSQL's errors by SQLSTATE.

Reads, the small writes that change no existing trip, and the settling of due trips use the pool: each is one
statement and one transaction. jsonb is msgspec.Raw in both directions, so the JSON of requests and answers is
not parsed here. If listen_url is set, the pool may connect to a transaction pooler: its connections then have
no prepared statements and no parameters of a session. When a connection turns out to be broken, the idle ones
are replaced too, because a database that restarted has closed them all.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import msgspec
import psycopg
import psycopg_pool
from msgspec import Raw
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.types.json import set_json_loads

from busware.server.db.deadlines import Deadlines, connection_parameters
from busware.server.db.requirements import LossyCommits, require_durable_commits
from busware.server.protocol import Answer, Refusal
from busware.server.settings import Settings

log = logging.getLogger("busware.pool")


# Errors ----------------------------------------------------------------------------------------


class DatabaseUnavailable(Exception):
    """There is no connection to the primary, or the connection broke.

    rolled_back: whether the statement has certainly changed nothing.
    """

    def __init__(self, message: str, *, rolled_back: bool = False) -> None:
        super().__init__(message)
        self.rolled_back = rolled_back


class InternalError(Exception):
    """A statement failed and was rolled back, for a reason that the caller cannot change."""


class SchemaChanged(InternalError):
    """A statement failed and was rolled back, because an upgrade committed while it ran."""


class ServiceMoved(SchemaChanged):
    """A statement was rolled back, because its service is being moved to another shard."""


class Overloaded(Refusal):
    """A statement failed and was rolled back; it may succeed when it is sent again."""


class ShardAway(Overloaded):
    """The database of the shard does not answer."""


class ShardFailed(ShardAway):
    """A statement failed at the proxy: its shard does not answer, or an upgrade committed while it ran."""


# Serialization failure and deadlock (class 40); no connection left, or a limit of the configuration is
# exceeded (class 53); lock_timeout; statement_timeout.
_TRANSIENT_SQLSTATES = ("40", "53", "55P03", "57014")

# The machine of the database lacks something that its operator must provide: what that is, and what to do.
_SHORTAGES = {
    "53100": ("The disk of the database is full", "Free some space on it."),
    "53200": ("The database has no memory left", "Give its machine more memory, or lower work_mem."),
    "58030": ("The disk of the database cannot be read or written", "Check the disk, and the kernel's log."),
}
_SHORTAGE_SECONDS = 60.0  # a shortage without an error for so long has ended
_shortages: dict[str, float] = {}  # SQLSTATE → the time of its last error

# A function or type is missing or has changed (class 42; XX000, "cache lookup failed"), the schema is missing
# (3F000), or a prepared statement has another result type (0A000). Only an upgrade makes our statements fail
# like this.
_SCHEMA_CHANGE_SQLSTATES = ("42", "XX000", "3F000", "0A000")

# PostgreSQL ends the connection: connection exception (class 08), shutdown, crash, starting up, idle timeout.
_DISCONNECT_SQLSTATES = ("08", "57P01", "57P02", "57P03", "57P05")

# A write was sent to a standby: this is not the primary, or not any more.
_NOT_PRIMARY_SQLSTATE = "25006"

# Of sql/shards/: the service is being moved to another shard; the shard does not answer. PL/Proxy reports an
# error of its connection to a shard with XX000, as PostgreSQL does an error because of an upgrade.
_SERVICE_MOVED_SQLSTATE, _SHARD_AWAY_SQLSTATE = _SHARD_SQLSTATES = ("BW064", "BW065")
_OF_PROXY_SQLSTATE = "XX000"


def classify_error(
    error: psycopg.Error, connection: psycopg.Connection, *, proxies: bool = False
) -> Refusal | DatabaseUnavailable | InternalError:
    """Classify an error by its SQLSTATE and the state of its connection, never by its text.

    proxies: whether the database is that of a proxy, whose error XX000 may be about a connection to a shard.
    """
    sqlstate = error.sqlstate or ""
    if sqlstate.startswith(_SHARD_SQLSTATES) or (proxies and sqlstate == _OF_PROXY_SQLSTATE):
        return _classify_shard_error(sqlstate, error)
    if sqlstate == _NOT_PRIMARY_SQLSTATE:
        return DatabaseUnavailable(str(error), rolled_back=True)
    if sqlstate in _SHORTAGES:
        _report_shortage(sqlstate, error)
    if connection.closed or sqlstate.startswith(_DISCONNECT_SQLSTATES):
        return DatabaseUnavailable(str(error))
    if sqlstate in _SHORTAGES:
        what, _ = _SHORTAGES[sqlstate]
        return Overloaded("busy", f"{what}: nothing was done. The operator is informed; try again later.")
    if sqlstate.startswith(_TRANSIENT_SQLSTATES):
        log.warning("transient error %s: %s", sqlstate, error)
        return Overloaded("busy", "The database is overloaded: nothing was done, try again.")
    if sqlstate.startswith(_SCHEMA_CHANGE_SQLSTATES):
        log.warning("error %s, expected while the schema changes: %s", sqlstate, error)
        kind: type[InternalError] = SchemaChanged
    else:
        kind = InternalError
    return kind(f"{sqlstate}: {error}")


def _classify_shard_error(sqlstate: str, error: psycopg.Error) -> ShardAway | ServiceMoved:
    if sqlstate == _SERVICE_MOVED_SQLSTATE:
        return ServiceMoved(f"{sqlstate}: {error}")
    log.debug("the database of a shard does not answer, or is upgraded: %s", error)
    kind = ShardFailed if sqlstate == _OF_PROXY_SQLSTATE else ShardAway
    return kind("busy", "The database of the service is unavailable: nothing was done, try again.")


def _report_shortage(sqlstate: str, error: psycopg.Error) -> None:
    """Log a shortage once, while it lasts."""
    now = time.monotonic()
    lasts = now < _shortages.get(sqlstate, -_SHORTAGE_SECONDS) + _SHORTAGE_SECONDS
    _shortages[sqlstate] = now
    what, remedy = _SHORTAGES[sqlstate]
    level = logging.DEBUG if lasts else logging.ERROR
    log.log(level, "%s. Requests that need it are refused. %s (%s)", what, remedy, error)


# Connections -----------------------------------------------------------------------------------

_PREPARE_THRESHOLD = 5  # psycopg's default; None: `prepare` has no effect
_SET_SESSION = "SELECT set_config(key, value, false) FROM jsonb_each_text(%s)"


class _RawDumper(Dumper):
    oid = psycopg.adapters.types["jsonb"].oid

    def dump(self, obj: Raw) -> Buffer:
        return bytes(obj)


def _connection_options(url: str, settings: Settings, name: str) -> dict[str, Any]:
    """The arguments of psycopg.connect, with the time limits of a connection.

    If the host does not acknowledge a statement within statement_seconds, the connection breaks. Keepalive
    probes find a host that acknowledged the statement and then stopped.
    """
    timeout_ms = round(settings.statement_seconds * 1000)
    keepalive_seconds = max(1, round(settings.statement_seconds))
    return {
        "autocommit": True,
        "application_name": f"busware {name}",
        **connection_parameters(url, settings),
        "tcp_user_timeout": timeout_ms,
        "keepalives_idle": keepalive_seconds,
        "keepalives_interval": keepalive_seconds,
    }


def _session_parameters(settings: Settings) -> dict[str, object]:
    return {"statement_timeout": round(settings.statement_seconds * 1000)}


def _configure(connection: psycopg.Connection, settings: Settings, parameters: dict[str, object]) -> None:
    """Make a new connection ready for use, or close it and raise psycopg.OperationalError.

    parameters: of the PostgreSQL session. They are not sent with the startup message, because PgBouncer
    rejects `options` there.
    """
    connection.adapters.register_dumper(Raw, _RawDumper)
    set_json_loads(Raw, connection)
    try:
        connection.execute(_SET_SESSION, (Raw(msgspec.json.encode(parameters)),))
        require_durable_commits(connection, settings)
    except BaseException:
        connection.close()
        raise


def connect(
    url: str, settings: Settings, name: str, deadlines: Deadlines, **parameters: object
) -> psycopg.Connection:
    """Open a connection in autocommit mode, where jsonb is msgspec.Raw. Raises psycopg.OperationalError.

    parameters: more parameters of the PostgreSQL session.
    """
    options = _connection_options(url, settings, name)
    connection = deadlines.connection_class.connect(url, **options)
    _configure(connection, settings, _session_parameters(settings) | parameters)
    return connection


# The pool --------------------------------------------------------------------------------------


class Connections:
    """A pool of connections to one PostgreSQL, for statements in autocommit mode.

    name: the end of their application_name. wait_seconds: how long a statement may wait for a connection.
    check: called with each new connection; it raises psycopg.OperationalError if it must not be used.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        deadlines: Deadlines,
        *,
        name: str,
        wait_seconds: float,
    ) -> None:
        self._settings, self._deadlines = settings, deadlines
        self._wait_seconds = wait_seconds
        self.check: Callable[[psycopg.Connection], None] = lambda connection: None
        has_session = settings.listen_url is None
        self._parameters = _session_parameters(settings) if has_session else {}
        self._notice: str | None = None  # the last one
        self._reported_lossy = False  # whether the log says that PostgreSQL may lose commits
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # its warnings repeat the errors of reads
        self._pool = psycopg_pool.ConnectionPool(
            url,
            connection_class=deadlines.connection_class,
            kwargs=_connection_options(url, settings, name)
            | {"prepare_threshold": _PREPARE_THRESHOLD if has_session else None},
            configure=self._configure,
            # Few connections: the pool uses them in turn, and each connection makes its own plans.
            min_size=1,
            max_size=settings.read_connections,
            reconnect_timeout=settings.connect_seconds,
            name=name,
            open=False,
        )

    def open(self) -> None:
        """Begin to connect."""
        self._pool.open()

    def wait(self) -> None:
        """Wait until a connection is open. Raises DatabaseUnavailable after connect_seconds."""
        try:
            self._pool.wait(self._settings.connect_seconds)
        except psycopg_pool.PoolTimeout as error:
            raise DatabaseUnavailable(f"The database does not answer: {error}.") from error

    def close(self) -> None:
        """Disconnect, after the statements that are running."""
        self._pool.close()

    def count(self) -> dict[str, int]:
        """The number of connections by state: used, free."""
        stats = self._pool.get_stats()
        free = stats.get("pool_available", 0)
        return {"used": stats.get("pool_size", 0) - free, "free": free}

    def replace_idle(self) -> None:
        """Open new connections instead of the idle ones."""
        self._pool.drain()

    @contextmanager
    def use(self) -> Iterator[psycopg.Connection]:
        """Context in which a connection is used. Raises Refusal, InternalError or DatabaseUnavailable."""
        try:
            connection = self._pool.getconn(self._deadlines.seconds_for(self._wait_seconds))
        except psycopg_pool.PoolClosed as error:
            raise Refusal("draining", "The server is shutting down: nothing was done, try again.") from error
        except psycopg_pool.PoolTimeout as error:
            raise Refusal(
                "busy",
                f"No database connection was free within {self._wait_seconds:g} s: "
                "nothing was done, try again.",
            ) from error
        try:
            yield connection
        except psycopg.Error as error:
            reason = classify_error(error, connection, proxies=bool(self._settings.shards))
            if isinstance(reason, DatabaseUnavailable):
                connection.close()
            raise reason from error
        finally:
            self._pool.putconn(connection)

    def _configure(self, connection: psycopg.Connection) -> None:
        try:
            _configure(connection, self._settings, self._parameters)
        except LossyCommits as error:
            reported, self._reported_lossy = self._reported_lossy, True  # before another thread connects
            if not reported:
                log.warning("the connection cannot be used: %s", error)
            raise
        self._reported_lossy = False
        self.check(connection)
        connection.add_notice_handler(self._report_notice)

    def _report_notice(self, notice: psycopg.errors.Diagnostic) -> None:
        """Log what a function reports beside its result, once while it stays the same."""
        if notice.message_primary != self._notice:
            self._notice = notice.message_primary
            log.error("PostgreSQL reports: %s", self._notice)


class Pool:
    """A connection pool for statements that may be sent twice: reads, and idempotent writes.

    on_write: called after a write that may have added events or rows of the outbox.
    """

    def __init__(self, url: str, settings: Settings, deadlines: Deadlines) -> None:
        self.on_write: Callable[[], None] = lambda: None
        self._settings, self._deadlines = settings, deadlines
        self._connections = Connections(
            url, settings, deadlines, name="read", wait_seconds=settings.read_wait_seconds
        )

    def begin_open(self) -> None:
        """Begin to connect."""
        self._connections.open()

    def open(self) -> None:
        """Connect. Raises DatabaseUnavailable after connect_seconds."""
        self.begin_open()
        self._connections.wait()

    def close(self) -> None:
        """Disconnect, after the statements that are running."""
        self._connections.close()

    def count_connections(self) -> dict[str, int]:
        """The number of connections by state: used, free."""
        return self._connections.count()

    def open_dates(self, account: str | None, bus_id: int, first: date, last: date) -> Answer:
        """Put on sale the trips of a service between two dates, both included, for the operator's account."""
        return self._answer(
            "SELECT refused, answer FROM api.open_dates(%s, %s, %s, %s)", account, bus_id, first, last
        )

    def change_service(self, method: str, args: Raw, key: str | None) -> Answer:
        """Execute a write on services, their trips or places."""
        return self._answer("SELECT refused, answer FROM api.change_service(%s, %s, %s)", method, args, key)

    def change_fleet(self, method: str, args: Raw, key: str | None = None) -> Answer:
        """Execute a write on vehicles, drivers or their assignments."""
        return self._answer("SELECT refused, answer FROM api.change_fleet(%s, %s, %s)", method, args, key)

    def change_agent(self, method: str, args: Raw) -> Answer:
        """Execute a write on agents or their settlements."""
        return self._answer("SELECT refused, answer FROM api.change_agent(%s, %s)", method, args)

    def change_webhook(self, method: str, args: Raw, limits: Raw, key: str | None) -> Answer:
        """Execute a write on webhooks. limits: of the server, in JSON."""
        statement = "SELECT refused, answer FROM api.change_webhook(%s, %s, %s, %s)"
        ((refused, answer),) = self.execute(statement, (method, args, limits, key))
        return Answer(answer, refused)

    def settle_refund(self, args: Raw) -> Answer:
        """Record that an operator has paid a refund back. args: the request, with the account."""
        return self._answer("SELECT refused, answer FROM api.settle_refund(%s)", args)

    def put_promo_code(self, args: Raw) -> Answer:
        """Create or replace a promo code. args: the request, with the account."""
        return self._answer("SELECT refused, answer FROM api.put_promo_code(%s)", args)

    def put_invoicing(self, args: Raw) -> Answer:
        """Change what an operator has on its invoices. args: the request, with the account."""
        return self._answer("SELECT refused, answer FROM api.put_invoicing(%s)", args)

    def _answer(self, statement: str, *parameters: Any) -> Answer:
        """Execute a write that returns `refused` and `answer`."""
        ((refused, answer),) = self.write(statement, parameters)
        return Answer(answer, refused)

    def write(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement that may add events or rows of the outbox. Raises as `execute` does."""
        rows = self.execute(statement, parameters)
        self.on_write()
        return rows

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Execute a statement and return its rows. Raises Refusal (busy, draining) or InternalError.

        The statement is sent again once after a lost connection, unless that took as long as a statement may
        take, upgrade_retries times after SchemaChanged or ShardFailed, and as long as its service is being
        moved.
        """
        retries, connection_lost = 0, False
        deadline = time.monotonic() + self._deadlines.seconds_for(self._deadlines.statement_seconds)
        while True:
            try:
                with self._connections.use() as connection:
                    return connection.execute(statement, parameters, prepare=True).fetchall()
            except ServiceMoved as error:
                if time.monotonic() >= deadline:
                    raise Refusal(
                        "busy", "The service is being moved: nothing was done, try again."
                    ) from error
                time.sleep(self._settings.deferred_retry_ms / 1000)
            except (SchemaChanged, ShardFailed):
                if retries == self._settings.upgrade_retries or time.monotonic() >= deadline:
                    raise
                retries += 1
            except DatabaseUnavailable as error:
                self._connections.replace_idle()
                if connection_lost or time.monotonic() >= deadline:
                    raise Refusal(
                        "busy", "The database is unavailable: nothing was done, try again."
                    ) from error
                connection_lost = True
