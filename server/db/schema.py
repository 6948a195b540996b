"""The schema: brings a database to this version, while servers of other versions use it.

sql/1*.sql  migrations: each runs once, in a transaction of its own, and records itself in `migrations`
sql/2*.sql  schema api and the views: replaced in one transaction with their grants, when their text has
            changed; the comment on schema api has the release that made them and a digest of their text
sql/9*.sql  timetables: run when missing or changed, recorded in `seeds_loaded`; they add what is missing
            and leave what is there
sql/shards/ the functions of a database that is a part of several: replaced with those of sql/2*.sql

One server at a time prepares a database, under an advisory lock; the next one finds nothing to do. A server
leaves the functions and timetables of a newer release as they are. A migration is breaking if older servers
cannot work with its result; its record says so. Then older servers stop before it runs, and do not start
again. docs/upgrading.md has the rules.

The server's database role is created if it is missing and the owner may create roles. It gets the rights of
api.server_rights: to execute the functions that a server calls, which run with their owner's rights.
"""

import enum
import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import pq, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from busware.server.db.deadlines import connection_parameters
from busware.server.db.requirements import explain_transaction_pooler, receives_notifications
from busware.server.protocol import VERSION
from busware.server.settings import Settings

log = logging.getLogger("busware.schema")

Connection = psycopg.Connection[tuple[Any, ...]]

FOLDER = Path(__file__).resolve().parents[2] / "sql"  # in a checkout as in the installed package
OLDEST_POSTGRES = 15
_RECONNECT_SECONDS = 0.2  # the pause between two attempts to connect

# Advisory locks. A server that prepares the database holds the first. A writer holds the second, shared, as
# long as its connection lasts; breaking migrations run under the exclusive one.
PREPARE_LOCK = 0x62757377617265  # "busware" in ASCII
WRITERS_LOCK = PREPARE_LOCK + 1

_MISSING_GRANTS = """
SELECT format('GRANT %%s ON %%s TO %%I', privilege, object, %(role)s::text)
FROM (SELECT * FROM api.server_rights() EXCEPT SELECT * FROM api.granted_rights(%(role)s)) AS missing
"""

_MISSING_CONNECT = """
SELECT format('GRANT CONNECT ON DATABASE %%I TO %%I', current_database(), %(role)s::text)
WHERE NOT has_database_privilege(%(role)s, current_database(), 'CONNECT')
"""

# The composite types of schema api, column by column.
_COMPOSITE_TYPES = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = to_regnamespace('api') AND c.relkind = 'c' AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

# Statements that drop the functions of schema api that this transaction has not written: no file defines them
# any more.
_DROP_OBSOLETE = """
SELECT format('DROP ROUTINE %s', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'api'::regnamespace AND xmin <> pg_current_xact_id()::xid
"""

# The server's roles: those that may execute api.batch, apart from its owner.
_SERVER_ROLES = """
SELECT DISTINCT pg_get_userbyid(a.grantee)::text FROM pg_proc p, aclexplode(p.proacl) a
WHERE p.oid = to_regprocedure('api.batch(jsonb)') AND a.grantee NOT IN (0, p.proowner)
"""

_UNKNOWN_BREAKING = "SELECT name FROM migrations WHERE breaking AND name <> ALL (%s) ORDER BY name"
_RUNNING = "SELECT role || ' ' || name FROM processes WHERE api.is_alive(process_no) ORDER BY process_no"


class SchemaError(Exception):
    """The database cannot be brought to this version. The message says why, and what to do."""


class Unreachable(SchemaError):
    """The database does not answer."""


class Part(enum.Enum):
    """What a database has: everything, or its part of several databases (docs/scaling.md, Shards).

    The value is a pattern of the files of sql/shards/ that it needs.
    """

    ALL = ""
    SHARD = "[01]?_*.sql"
    PROXY = "[02-9]?_*.sql"


def prepare(
    owner_url: str,
    server_url: str,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    part: Part = Part.ALL,
) -> None:
    """Bring the database to this version: tables, functions, the server's role and rights, timetables.

    owner_url: connects as the role that owns the database. server_url: has the server's role and password.
    Neither leads to a pooler in transaction mode. part: what the database has.
    Raises SchemaError; each step is then done or rolled back.
    """
    with _preparing(owner_url, settings) as conn:
        if part is Part.PROXY:
            conn.execute("CREATE EXTENSION IF NOT EXISTS plproxy")
        migrate(conn, settings)
        role = _create_role(conn, server_url, settings)
        is_newer = _replace_functions(conn, settings, role, part)
        _retry(settings, lambda: _grant(conn, [role]))
        if settings.seed and not is_newer:
            _load_seeds(conn, settings)


def prepare_tables(owner_url: str, settings: Settings) -> None:
    """Run the missing migrations only: the first step of `prepare`. Raises SchemaError."""
    with _preparing(owner_url, settings) as conn:
        migrate(conn, settings)


@contextmanager
def _preparing(owner_url: str, settings: Settings) -> Iterator[Connection]:
    """Context in which no other server prepares the database. Raises SchemaError."""
    with _connect(owner_url, settings) as conn:
        version = conn.info.server_version // 10000
        if version < OLDEST_POSTGRES:
            raise SchemaError(
                f"The database is PostgreSQL {version}. Busware needs {OLDEST_POSTGRES} or newer."
            )
        _require_session(conn, owner_url, settings)
        try:
            conn.execute(
                f"SET search_path = public; SET lock_timeout = {settings.upgrade_lock_ms:d}".encode()
            )
            _retry(settings, lambda: conn.execute("SELECT pg_advisory_lock(%s)", [PREPARE_LOCK]))
            yield conn
        except psycopg.Error as error:
            raise _explain(conn, settings, error) from error


def prevent_breaking_migrations(conn: Connection) -> None:
    """Prevent breaking migrations as long as this connection lasts.

    Raises SchemaError if one is running, or has run that this version does not know.
    """
    ((held,),) = conn.execute("SELECT pg_try_advisory_lock_shared(%s)", [WRITERS_LOCK]).fetchall()
    if not held:
        raise SchemaError("A newer Busware is upgrading the database. Start the newer version.")
    if why := explain_outdated(conn):
        raise SchemaError(why)


def explain_outdated(conn: Connection) -> str:
    """Why this version cannot use the database: breaking migrations that it does not know. '' if it can."""
    unknown = [name for (name,) in conn.execute(_UNKNOWN_BREAKING, [sorted(_migrations())])]
    return (
        ""
        if not unknown
        else (
            f"The database belongs to a newer Busware: this one, {VERSION}, cannot work with its migration "
            f"{', '.join(unknown)}. Start the newer version."
        )
    )


def load_seed(conn: Connection, file: Path, report: Callable[[str], None] = log.info) -> None:
    """Run a timetable file in one transaction, and record it in seeds_loaded. Raises psycopg.Error.

    report: called with each notice that the file raises.
    """

    def report_notice(notice: psycopg.errors.Diagnostic) -> None:
        report(f"{file.name}: {notice.message_primary}")

    conn.add_notice_handler(report_notice)
    try:
        with conn.transaction():
            conn.execute(file.read_bytes())
            conn.execute(
                "INSERT INTO seeds_loaded (name, digest) VALUES (%s, %s) ON CONFLICT (name) "
                "DO UPDATE SET digest = excluded.digest, loaded_at = now()",
                [file.stem, _digest(file)],
            )
    finally:
        conn.remove_notice_handler(report_notice)


# The steps of prepare --------------------------------------------------------------------------


def _connect(url: str, settings: Settings) -> Connection:
    """Connect as the owner. If the database is not reachable yet, try again for connect_seconds."""
    deadline = time.monotonic() + settings.connect_seconds
    while True:
        try:
            parameters = connection_parameters(url, settings)
            return psycopg.connect(url, autocommit=True, **parameters)
        except psycopg.OperationalError as error:
            limited_url = make_conninfo(url, **parameters)
            is_refusing = pq.PGconn.ping(limited_url.encode()) == pq.Ping.OK  # it runs, and refuses this URL
            if is_refusing or time.monotonic() > deadline:
                raise Unreachable(f"The database cannot be reached: {str(error).strip()}") from error
        except psycopg.ProgrammingError as error:
            raise SchemaError(f"The URL of the database is not valid: {error}.") from None
        time.sleep(_RECONNECT_SECONDS)


def _require_session(conn: Connection, url: str, settings: Settings) -> None:
    """Raise SchemaError if the URL leads to a pooler in transaction mode. conn: a connection to it."""
    with _connect(url, settings) as other:
        if receives_notifications(conn, other):
            return
    variable = (
        "BUSWARE_OWNER_URL"
        if settings.owner_url
        else "BUSWARE_LISTEN_URL"
        if settings.listen_url
        else "DATABASE_URL"
    )
    raise SchemaError(explain_transaction_pooler(variable))


def _retry(settings: Settings, work: Callable[[], object]) -> None:
    """Do the work. If it does not get a lock in time, let other sessions proceed, then do it again.

    Raises psycopg.Error after upgrade_wait_seconds.
    """
    deadline = time.monotonic() + settings.upgrade_wait_seconds
    while True:
        try:
            work()
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if time.monotonic() >= deadline:
                raise
        time.sleep(settings.upgrade_retry_ms / 1000)


def _migrations() -> dict[str, Path]:
    """The migrations that this version knows, by name."""
    return {file.stem: file for file in sorted(FOLDER.glob("1*.sql"))}


def is_breaking(file: Path) -> bool:
    """Whether a migration records itself as breaking."""
    record = "INSERT INTO migrations (name, breaking) VALUES ('{}', true);"
    return record.format(file.stem) in file.read_text()


def migrate(conn: Connection, settings: Settings) -> None:
    """Run the missing migrations. Raises SchemaError if the database is too new for this version."""
    done = _column(conn, "name", "migrations")
    if "14_breaking" in done and (why := explain_outdated(conn)):
        raise SchemaError(why)
    missing = [file for name, file in _migrations().items() if name not in done]
    breaking = [file.stem for file in missing if is_breaking(file)]
    if breaking and "11_messages" in done:  # it creates `processes`; without it, no server has run
        _stop_other_servers(conn, settings, ", ".join(breaking))
    for file in missing:
        log.info("Applying migration %s.", file.stem)
        _retry(settings, partial(conn.execute, file.read_bytes()))  # several statements, one transaction


def _stop_other_servers(conn: Connection, settings: Settings, migrations: str) -> None:
    """Announce breaking migrations, and wait until all servers and consoles have stopped.

    No server starts again while `conn` is open. Raises SchemaError after upgrade_leave_seconds.
    """
    log.info("Migration %s is breaking: other servers are asked to stop.", migrations)
    payload = msgspec.json.encode({"upgrade": f"Busware {VERSION} is about to run migration {migrations}."})
    deadline = time.monotonic() + settings.upgrade_leave_seconds
    while True:
        conn.execute("SELECT pg_notify('busware', %s)", [payload.decode()])
        ((no_writer,),) = conn.execute("SELECT pg_try_advisory_lock(%s)", [WRITERS_LOCK]).fetchall()
        running = [name for (name,) in conn.execute(_RUNNING)]
        if no_writer and not running:
            return
        if time.monotonic() >= deadline:
            raise SchemaError(
                f"Migration {migrations} is breaking: it waits until every other server has stopped. After "
                f"{settings.upgrade_leave_seconds:g} s these have not: {'; '.join(running) or 'a writer'}. "
                "Nothing was changed. Stop them, then start this one again."
            )
        time.sleep(settings.upgrade_retry_ms / 1000)


def is_prepared(conn: Connection, part: Part) -> bool:
    """Whether a database has the functions of this version."""
    comment = "SELECT obj_description(to_regnamespace('api'), 'pg_namespace')"
    return conn.execute(comment).fetchone() == (f"{VERSION} {_digest(*_function_files(part))}",)


def _function_files(part: Part) -> list[Path]:
    """The files with functions and views, in the order in which they run. The last one revokes rights."""
    *files, rights = sorted(FOLDER.glob("2*.sql"))
    of_part = sorted((FOLDER / "shards").glob(part.value)) if part is not Part.ALL else []
    return [*files, *of_part, rights]


def _replace_functions(conn: Connection, settings: Settings, role: str, part: Part) -> bool:
    """Bring schema api and the views to this version. Return True if they are newer, and so are kept."""
    files = _function_files(part)
    this_version = f"{VERSION} {_digest(*files)}"
    comment = "SELECT coalesce(obj_description(to_regnamespace('api'), 'pg_namespace'), '')"
    ((found,),) = conn.execute(comment.encode()).fetchall()
    if _release(found) > _release(this_version):
        log.info("Functions and timetables belong to the newer Busware %s and are kept.", found.split()[0])
        return True
    if found != this_version:
        install = partial(_install, conn, files, role, this_version)
        try:
            _retry(settings, partial(install, in_place=True))
        except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege):
            raise
        except psycopg.Error as error:
            log.info("Schema api cannot be replaced in place, and is created again: %s.", _message(error))
            _retry(settings, partial(install, in_place=False))
    return False


def _install(conn: Connection, files: list[Path], role: str, version: str, *, in_place: bool) -> None:
    """Replace schema api and the views in one transaction, so that no other session sees a part of it.

    in_place: keep the schema, its types and the existing functions, which get their new text. A call that is
    running continues with the old text. If a composite type has changed, the schema is created again anyway.
    """
    schema, *functions, rights = files
    with conn.transaction():
        roles = [name for (name,) in conn.execute(_SERVER_ROLES)]
        before = conn.execute(_COMPOSITE_TYPES).fetchall()
        with conn.transaction() as new_schema:  # a savepoint, rolled back if the old schema can stay
            conn.execute(schema.read_bytes())
            if in_place and conn.execute(_COMPOSITE_TYPES).fetchall() == before:
                raise psycopg.Rollback(new_schema)
        for file in functions:
            conn.execute(file.read_bytes())
        _execute_results(conn, _DROP_OBSOLETE)
        conn.execute(rights.read_bytes())  # after the drop, because REVOKE gives every function a new xmin
        _grant(conn, [role, *roles])
        conn.execute(sql.SQL("COMMENT ON SCHEMA api IS {}").format(version))


def _create_role(conn: Connection, server_url: str, settings: Settings) -> str:
    """Create the server's database role if it is missing. Return its name.

    If the role cannot connect, it gets the password of its URL again: a role can change its own password, and
    PostgreSQL has no right that prevents this. But libpq gives no SQLSTATE for a refused connection, so the
    reason may be another one, such as the connection limit of the role.
    """
    parameters = conninfo_to_dict(server_url)
    role, password = str(parameters.get("user") or ""), str(parameters.get("password") or "")
    if not role:
        raise SchemaError("DATABASE_URL names no role: postgresql://role:password@host/database")
    exists = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    if exists and (role == conn.info.user or not password):
        return role
    if exists:
        _execute_results(conn, _MISSING_CONNECT, {"role": role})
        why = _explain_refusal(server_url, settings)
        if not why:
            return role
    secret = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = sql.SQL(f"{'ALTER' if exists else 'CREATE'} ROLE {{}} LOGIN PASSWORD {{}}")
    try:
        conn.execute(statement.format(sql.Identifier(role), secret if password else None))
    except psycopg.errors.InsufficientPrivilege as error:
        if not exists:
            raise SchemaError(
                f"DATABASE_URL names role {role}, which does not exist, and {conn.info.user} may not create "
                f"it. Execute as a role that may: CREATE ROLE {role} LOGIN PASSWORD '…'"
            ) from error
        log.warning(
            "Role %s cannot connect: %s. If its password is wrong, execute as a role that may: "
            "ALTER ROLE %s LOGIN PASSWORD '…'",
            role,
            why,
            role,
        )
    else:
        if exists:
            log.warning("Role %s could not connect: it has the password of DATABASE_URL again.", role)
    return role


def _explain_refusal(url: str, settings: Settings) -> str:
    """Why PostgreSQL accepts no connection with a URL. '' if it accepts one."""
    try:
        psycopg.connect(url, **connection_parameters(url, settings)).close()
    except psycopg.OperationalError as error:
        return str(error).strip()
    return ""


def _grant(conn: Connection, roles: Iterable[str]) -> None:
    """Grant each role the missing rights of a server; none to the role of this connection itself."""
    for role in roles:
        if role != conn.info.user:
            _execute_results(conn, _MISSING_GRANTS, {"role": role})


def _execute_results(conn: Connection, query: str, parameters: dict[str, str] | None = None) -> None:
    """Execute the statements that a query returns."""
    for (statement,) in conn.execute(query.encode(), parameters).fetchall():
        conn.execute(statement.encode())


def _load_seeds(conn: Connection, settings: Settings) -> None:
    loaded = _column(conn, "name || ' ' || digest", "seeds_loaded")
    for file in sorted(FOLDER.glob("9*.sql")):
        if f"{file.stem} {_digest(file)}" not in loaded:
            log.info("Loading %s.", file.stem)
            _retry(settings, partial(load_seed, conn, file))


# Queries and messages --------------------------------------------------------------------------


def _column(conn: Connection, expression: str, table: str) -> set[str]:
    """The values of an expression in a table of Busware; none if the table does not exist yet."""
    if conn.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone() == (None,):
        return set()
    return {row[0] for row in conn.execute(f"SELECT {expression} FROM {table}".encode())}  # noqa: S608 - ours


def _digest(*files: Path) -> str:
    content = b"".join(file.name.encode() + b"\n" + file.read_bytes() for file in files)
    return hashlib.sha256(content).hexdigest()


def _message(error: psycopg.Error) -> str:
    """PostgreSQL's message and its hint."""
    parts = [error.diag.message_primary or str(error), error.diag.message_hint]
    return " ".join(part.strip() for part in parts if part).rstrip(".")


def _release(comment: str) -> tuple[int, ...]:
    """The release in the comment on schema api; () if there is none, as in version 0.1.0."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+) ", comment)
    return tuple(map(int, found.groups())) if found else ()


def _explain(conn: Connection, settings: Settings, error: psycopg.Error) -> SchemaError:
    """What an error means, and what to do."""
    message, user, database = _message(error), conn.info.user, conn.info.dbname
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return SchemaError(
                f"{user} may not create Busware's tables in database {database}: {message}.\n"
                f"Make it the owner, ALTER DATABASE {database} OWNER TO {user}, or name the owner: "
                "BUSWARE_OWNER_URL=postgresql://…"
            )
        case psycopg.errors.FeatureNotSupported():
            return SchemaError(
                f"{message}.\nPostgreSQL lacks an extension: install its contrib package, "
                "such as apt install postgresql-contrib."
            )
        case psycopg.errors.LockNotAvailable():
            return SchemaError(
                f"The upgrade did not get a lock within {settings.upgrade_wait_seconds:g} s "
                "(BUSWARE_UPGRADE_WAIT_SECONDS), because another program holds it: a backup, VACUUM or "
                "another maintenance command, a long transaction, or another server that upgrades. The step "
                "was rolled back. Wait for that program or end it, then start this server again."
            )
    return SchemaError(f"PostgreSQL rejects the schema: {message}.")
