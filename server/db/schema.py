"""The schema: brings a database to this version, under traffic, beside servers of other versions.

sql/1*.sql  migrations: each runs once, in a transaction of its own, and records itself in `migrations`
sql/2*.sql  schema api and the views: replaced in one transaction, grants included, when their text has
            changed; the comment on schema api is the release that made them and a digest of the text
sql/9*.sql  timetables: run when missing or changed, recorded in `seeds_loaded`; they add what is
            missing and leave what is there

One server prepares at a time, under an advisory lock; the next finds nothing to do. A server older than
the functions leaves functions and timetables alone. A migration is breaking when older servers cannot work
with its result, and says so in its record: then older servers stop before it runs, and do not start again.
docs/upgrading.md has the rules.

The server's role is created here where it is missing and we may, and is granted what it needs: to read the
tables, and to call the functions of schema api. Those of them that write for it run with their owner's
rights; the others, called by the role itself, could not write.
"""

import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import pq, sql
from psycopg.conninfo import conninfo_to_dict

from busware.server.protocol import VERSION
from busware.server.settings import Settings

log = logging.getLogger("busware.schema")

Connection = psycopg.Connection[tuple[Any, ...]]

FOLDER = Path(__file__).resolve().parents[2] / "sql"  # in a checkout as in the installed package
OLDEST_POSTGRES = 15
RETRY_SECONDS = 0.2  # the pause before a database that is not there yet is tried again

# Advisory locks. One server at a time prepares the database: it holds _PREPARING. Every writer holds _SERVING
# shared, for as long as its connection lasts; breaking migrations run under the exclusive one.
_PREPARING = 0x62757377617265  # "busware" in ASCII
_SERVING = _PREPARING + 1

# The lock is not available now: the upgrade rolls back, lets the traffic pass, and tries again.
_GIVE_WAY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

_LACKING_GRANTS = """
    SELECT format('GRANT CONNECT ON DATABASE %%I TO %%I', current_database(), %(role)s::text)
    WHERE NOT has_database_privilege(%(role)s::text, current_database(), 'CONNECT')
UNION ALL
    SELECT format('GRANT USAGE ON SCHEMA %%I TO %%I', nspname, %(role)s::text) FROM pg_namespace
    WHERE nspname IN ('public', 'api') AND NOT has_schema_privilege(%(role)s::text, oid, 'USAGE')
UNION ALL
    SELECT format('GRANT SELECT ON %%s TO %%I', oid::regclass, %(role)s::text) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
      AND relowner = current_user::regrole AND NOT has_table_privilege(%(role)s::text, oid, 'SELECT')
UNION ALL
    SELECT format('GRANT EXECUTE ON FUNCTION %%s TO %%I', oid::regprocedure, %(role)s::text) FROM pg_proc
    WHERE pronamespace = 'api'::regnamespace AND NOT has_function_privilege(%(role)s::text, oid, 'EXECUTE')
"""


# The composite types of schema api, column by column.
_TYPES = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = to_regnamespace('api') AND c.relkind = 'c' AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

# The functions of schema api that this transaction has not written: no file defines them any more.
_LEFT_OVER = """
SELECT format('DROP ROUTINE %s', oid::regprocedure) FROM pg_proc
WHERE pronamespace = 'api'::regnamespace AND xmin <> pg_current_xact_id()::xid
"""

# The roles that may use schema api, apart from its owner.
_ROLES = """
SELECT DISTINCT pg_get_userbyid(a.grantee)::text FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE n.nspname = 'api' AND a.grantee NOT IN (0, n.nspowner)
"""

_UNKNOWN_BREAKING = "SELECT name FROM migrations WHERE breaking AND name <> ALL (%s) ORDER BY name"
_PRESENT = "SELECT role || ' ' || name FROM processes WHERE api.is_alive(process_no) ORDER BY process_no"


class SchemaError(Exception):
    """The database cannot be made ready. The message says why, and the way out."""


def prepare(owner_url: str, server_url: str, settings: Settings = Settings()) -> None:  # noqa: B008 - frozen
    """Bring the database to this version: tables, functions, the server's rights, timetables.

    owner_url: the owner, who may create. server_url: names the role that will serve, and its password.
    Raises SchemaError, having changed nothing that is half done.
    """
    with _connect(owner_url, settings.connect_seconds) as conn:
        try:
            conn.execute(
                f"SET search_path = public; SET lock_timeout = {settings.upgrade_lock_ms:d}".encode()
            )
            _retry(settings, lambda: conn.execute("SELECT pg_advisory_lock(%s)", [_PREPARING]))
            _migrate(conn, settings)
            role = _create_role(conn, server_url)
            newer = _replace_functions(conn, settings, role)
            _retry(settings, lambda: _grant(conn, [role]))
            if settings.seed and not newer:
                _load_seeds(conn, settings)
        except psycopg.Error as error:
            raise _explain(conn, settings, error) from error


def hold_off_breaking_migrations(conn: Connection) -> None:
    """Let no breaking migration run for as long as this connection lasts.

    Raises SchemaError when one is running, or has run that this version does not know.
    """
    ((held,),) = conn.execute("SELECT pg_try_advisory_lock_shared(%s)", [_SERVING]).fetchall()
    if not held:
        raise SchemaError("A newer Busware is upgrading the database. Start the newer version.")
    refuse_unknown(conn)


def refuse_unknown(conn: Connection) -> None:
    """Raise SchemaError when a breaking migration has run that this version does not know."""
    if unknown := [name for (name,) in conn.execute(_UNKNOWN_BREAKING, [sorted(_migrations())])]:
        raise SchemaError(
            f"The database belongs to a newer Busware: this one, {VERSION}, cannot work with its migration "
            f"{', '.join(unknown)}. Start the newer version."
        )


def load_seed(conn: Connection, file: Path, say: Callable[[str], None] = log.info) -> None:
    """Run a timetable, all of it or nothing, and record that.

    say: is told what the file has to say, a line at a time. Raises psycopg.Error.
    """
    text = file.read_bytes()

    def tell(notice: psycopg.errors.Diagnostic) -> None:
        say(f"{file.name}: {notice.message_primary}")

    conn.add_notice_handler(tell)
    try:
        with conn.transaction():
            conn.execute(text)
            conn.execute(
                "INSERT INTO seeds_loaded (name, digest) VALUES (%s, %s) ON CONFLICT (name) "
                "DO UPDATE SET digest = excluded.digest, loaded_at = now()",
                [file.stem, _digest(file)],
            )
    finally:
        conn.remove_notice_handler(tell)


# The steps of prepare --------------------------------------------------------------------------


def _connect(url: str, seconds: float) -> Connection:
    """Connect as the owner, waiting for a database that is just starting."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            conn = psycopg.connect(url, autocommit=True, connect_timeout=max(2, int(seconds)))
            break
        except psycopg.OperationalError as error:
            there = pq.PGconn.ping(url.encode()) == pq.Ping.OK  # then it will not have us, and never will
            if there or time.monotonic() > deadline:
                raise SchemaError(f"The database cannot be reached: {str(error).strip()}") from error
        except psycopg.ProgrammingError as error:
            raise SchemaError(f"The URL of the database is not understood: {error}.") from None
        time.sleep(RETRY_SECONDS)
    version = conn.info.server_version // 10000
    if version < OLDEST_POSTGRES:
        conn.close()
        raise SchemaError(f"The database is PostgreSQL {version}; Busware wants {OLDEST_POSTGRES} or newer.")
    return conn


def _retry(settings: Settings, work: Callable[[], object]) -> None:
    """Do the work; where a lock is not to be had in time, let the traffic pass and do it again.

    Raises psycopg.Error after upgrade_wait_seconds.
    """
    give_up_at = time.monotonic() + settings.upgrade_wait_seconds
    while True:
        try:
            work()
            return
        except _GIVE_WAY:
            if time.monotonic() >= give_up_at:
                raise
        time.sleep(settings.upgrade_retry_ms / 1000)


def _migrations() -> dict[str, Path]:
    """The files of the migrations that this version knows, by name."""
    return {file.stem: file for file in sorted(FOLDER.glob("1*.sql"))}


def _is_breaking(file: Path) -> bool:
    """Whether a migration says in its record that it is breaking."""
    record = "INSERT INTO migrations (name, breaking) VALUES ('{}', true);"
    return record.format(file.stem) in file.read_text()


def _migrate(conn: Connection, settings: Settings) -> None:
    """Run the migrations that the database lacks. Raises SchemaError when it is too new for this version."""
    files = _migrations()
    done = _column(conn, "name", "migrations")
    if "14_breaking" in done:
        refuse_unknown(conn)
    missing = [file for name, file in files.items() if name not in done]
    breaking = [file.stem for file in missing if _is_breaking(file)]
    if breaking and "11_messages" in done:  # else no server has ever used this database
        _stop_other_servers(conn, settings, ", ".join(breaking))
    for file in missing:
        log.info("Migration %s.", file.stem)
        _retry(settings, partial(_run, conn, file))


def _stop_other_servers(conn: Connection, settings: Settings, migrations: str) -> None:
    """Tell all servers and consoles to stop, and wait until they have; none starts while `conn` lasts.

    Raises SchemaError after upgrade_leave_seconds.
    """
    log.info("Migration %s is breaking: telling other servers to stop.", migrations)
    payload = msgspec.json.encode({"upgrade": f"Busware {VERSION} is about to run migration {migrations}."})
    give_up_at = time.monotonic() + settings.upgrade_leave_seconds
    while True:
        conn.execute("SELECT pg_notify('busware', %s)", [payload.decode()])
        ((stopped,),) = conn.execute("SELECT pg_try_advisory_lock(%s)", [_SERVING]).fetchall()
        present = [name for (name,) in conn.execute(_PRESENT)]
        if stopped and not present:
            return
        if time.monotonic() >= give_up_at:
            raise SchemaError(
                f"Migration {migrations} is breaking: it waits until every other server has stopped. After "
                f"{settings.upgrade_leave_seconds:g} s these have not: {'; '.join(present) or 'a writer'}. "
                "Nothing was changed. Stop them, then start this one again."
            )
        time.sleep(settings.upgrade_retry_ms / 1000)


def _replace_functions(conn: Connection, settings: Settings, role: str) -> bool:
    """Bring schema api and the views to this version. True: they are of a newer one, and left alone."""
    files = sorted(FOLDER.glob("2*.sql"))
    ours = f"{VERSION} {_digest(*files)}"
    comment = "SELECT coalesce(obj_description(to_regnamespace('api'), 'pg_namespace'), '')"
    ((found,),) = conn.execute(comment.encode()).fetchall()
    if _release(found) > _release(ours):
        log.info("Functions and timetables are those of Busware %s, and stay so.", found.split()[0])
        return True
    if found != ours:
        install = partial(_install, conn, files, role, ours)
        try:
            _retry(settings, partial(install, in_place=True))
        except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege):
            raise
        except psycopg.Error as error:
            log.info("Schema api cannot be replaced in place and is made anew: %s.", _said(error))
            _retry(settings, partial(install, in_place=False))
    return False


def _install(conn: Connection, files: list[Path], role: str, version: str, *, in_place: bool) -> None:
    """Replace schema api and the views, in one transaction, so that no other session sees a part of it.

    in_place: keep the schema, its types, and the functions that exist already, which get their new text. A
    call that is running continues with the old text. If a composite type has changed, the schema is made anew
    all the same.
    """
    schema, *functions, rights = files
    with conn.transaction():
        roles = [name for (name,) in conn.execute(_ROLES)]
        before = conn.execute(_TYPES).fetchall()
        with conn.transaction() as renewal:  # a savepoint
            conn.execute(schema.read_bytes())
            if in_place and conn.execute(_TYPES).fetchall() == before:
                raise psycopg.Rollback(renewal)
        for file in functions:
            conn.execute(file.read_bytes())
        for (drop,) in conn.execute(_LEFT_OVER).fetchall():
            conn.execute(drop.encode())
        conn.execute(rights.read_bytes())  # which writes to every function
        _grant(conn, {role, *roles})
        conn.execute(sql.SQL("COMMENT ON SCHEMA api IS {}").format(version))


def _run(conn: Connection, file: Path) -> None:
    """Run a file in a transaction."""
    with conn.transaction():
        conn.execute(file.read_bytes())


def _create_role(conn: Connection, server_url: str) -> str:
    """Make the role that serves, if it is missing. Answers its name."""
    told = conninfo_to_dict(server_url)
    role, password = str(told.get("user") or ""), str(told.get("password") or "")
    if not role:
        raise SchemaError("DATABASE_URL names no role: postgresql://role:password@host/database")
    if conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        return role
    secret = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
    try:
        conn.execute(create.format(sql.Identifier(role), secret if password else None))
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaError(
            f"There is no role {role}, whom DATABASE_URL names, and {conn.info.user} may not make it. "
            f"Let somebody who may do so: CREATE ROLE {role} LOGIN PASSWORD '…'"
        ) from error
    return role


def _grant(conn: Connection, roles: Iterable[str]) -> None:
    """Grant each role what it lacks for serving: to read, and to call, which is how it writes."""
    with conn.transaction():
        for role in roles:
            for (grant,) in conn.execute(_LACKING_GRANTS, {"role": role}).fetchall():
                conn.execute(grant.encode())


def _load_seeds(conn: Connection, settings: Settings) -> None:
    loaded = _column(conn, "name || ' ' || digest", "seeds_loaded")
    for file in sorted(FOLDER.glob("9*.sql")):
        if f"{file.stem} {_digest(file)}" not in loaded:
            log.info("Timetable %s.", file.stem)
            _retry(settings, partial(load_seed, conn, file))


# What they share -------------------------------------------------------------------------------


def _column(conn: Connection, expression: str, table: str) -> set[str]:
    """The values of a column of a table of ours; none when the table is not there yet."""
    there = conn.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
    if there == (None,):
        return set()
    return {row[0] for row in conn.execute(f"SELECT {expression} FROM {table}".encode())}  # noqa: S608 - ours


def _digest(*files: Path) -> str:
    return hashlib.sha256(
        b"".join(file.name.encode() + b"\n" + file.read_bytes() for file in files)
    ).hexdigest()


def _said(error: psycopg.Error) -> str:
    """What PostgreSQL said: the message, and its hint."""
    words = [error.diag.message_primary or str(error), error.diag.message_hint]
    return " ".join(word.strip() for word in words if word).rstrip(".")


def _release(comment: str) -> tuple[int, ...]:
    """The release that made the functions, by the comment on schema api; () where it names none."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+) ", comment)
    return tuple(map(int, found.groups())) if found else ()


def _explain(conn: Connection, settings: Settings, error: psycopg.Error) -> SchemaError:
    """What a failure means, and the way out."""
    said = _said(error)
    match error:
        case psycopg.errors.InsufficientPrivilege():
            return SchemaError(
                f"{conn.info.user} may not make Busware's tables in database {conn.info.dbname}: {said}.\n"
                f"Make it the owner, ALTER DATABASE {conn.info.dbname} OWNER TO "
                f"{conn.info.user}, or name the owner: BUSWARE_OWNER_URL=postgresql://…"
            )
        case psycopg.errors.FeatureNotSupported():
            return SchemaError(
                f"{said}.\nPostgreSQL lacks an extension: install its contrib package, "
                "such as apt install postgresql-contrib."
            )
        case psycopg.errors.LockNotAvailable():
            return SchemaError(
                "The upgrade waited for a lock that another program holds, in vain, for "
                f"{settings.upgrade_wait_seconds:g} s (BUSWARE_UPGRADE_WAIT_SECONDS): a backup, a long "
                "transaction, or another server that upgrades. Nothing is half done. Wait for that program "
                "or end it, then start this one again."
            )
    return SchemaError(f"The database refuses the schema: {said}.")
